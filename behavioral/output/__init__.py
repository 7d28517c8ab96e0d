"""Golden models of the way from sums to codes in the next layer's map."""
