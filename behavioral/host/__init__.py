"""Golden models of the units at the host's bus."""
