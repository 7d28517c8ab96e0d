"""Designs a second of a sweep, for a number of processes: each has new machines, of which nothing is kept.

Run it with a network and numbers of processes, on cores that are idle, for example::

    python benchmarks/sweeping.py svhn:1:1 1 2
"""

import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import spinplane
from spinplane.exploration.space import read_space

#: Machines of a sweep: sub-arrays of the paper.
_SPACE = """
base = "paper"
networks = ["{network}"]
[space]
sub_arrays = {{from = 8, to = 64, step = 4}}
multipliers = 1
"""


def main(network: str, jobs: list[int]) -> None:
    """Print a table of Markdown, one number of processes a row."""
    print("| processes | designs | s | designs a second |")
    print("|---:|---:|---:|---:|")
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "space.toml").write_text(_SPACE.format(network=network))
        space = read_space(folder / "space.toml")
        for number in jobs:
            # Another depth of the pooling memory makes machines of which no census is kept yet.
            fresh = replace(space, base=replace(space.base, pool_beats=space.base.pool_beats + number))
            start = perf_counter()
            report = spinplane.sweep(fresh, folder=folder / str(number), jobs=number)
            seconds = perf_counter() - start
            print(
                f"| {number} | {len(report.points)} | {seconds:.1f} | {len(report.points) / seconds:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1], list(map(int, sys.argv[2:])))
