"""Large counts of cases, most of them random: the tests take a part of each, `make campaign` all of them.

A campaign is a module with a `TITLE`, the number of its `CASES`, how many a `CHUNK` has, and `run(seeds)`, which fails
at the first case that is wrong and counts what it has seen; `check_shares(seen)` fails if some count is too large.
"""
