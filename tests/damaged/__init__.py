"""Damage to files of every kind that spinplane reads, each from a number, and how far the damaged files come."""
