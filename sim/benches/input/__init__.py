"""Benches of the units that form rows."""
