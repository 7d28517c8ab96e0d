"""Golden models of the order in which windows and rows are taken, and of its clock."""
