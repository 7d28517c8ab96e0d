"""Golden models of what a host's bus sees."""
