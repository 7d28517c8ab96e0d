"""The two buses of a host."""
