"""Golden models of the path from sums to codes in the next layer's map."""
