"""From sums of the engine to codes in the next layer's map."""
