"""From the image bank to rows of the array."""
