"""Golden models of the way from the image bank to rows of the array."""
