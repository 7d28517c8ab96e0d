"""Benches of what the rooms share."""
