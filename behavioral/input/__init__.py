"""Golden models of the path from the image bank to rows of the array."""
