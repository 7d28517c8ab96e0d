"""Benches of the units that give orders."""
