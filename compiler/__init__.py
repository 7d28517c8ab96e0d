"""From a network to a program: the contents of every row, the passes, and the counters that follow."""
