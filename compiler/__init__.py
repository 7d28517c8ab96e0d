"""From a network to a program: which row holds what, which passes it takes, and the counters that follow."""
