"""Input: from the image bank to rows of the array."""
