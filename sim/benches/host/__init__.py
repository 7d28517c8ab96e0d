"""Benches of the host's buses."""
