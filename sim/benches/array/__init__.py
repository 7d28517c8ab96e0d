"""Benches of the engine and its units."""
