"""Output: from the engine's sums to codes in the next layer's map."""
