"""Tasks: where they are done, and what is kept of their results."""
