"""Golden models of the order of windows and rows, and of its clock."""
