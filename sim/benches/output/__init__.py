"""Benches of the units that make codes."""
