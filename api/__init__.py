"""spinplane."""
