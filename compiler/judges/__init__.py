"""Judges: a file's own executor, and how an imported network compares with it, node by node."""
