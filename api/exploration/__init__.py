"""Design spaces: many machines, technologies and networks, on the cores of a desk or on a cluster."""
