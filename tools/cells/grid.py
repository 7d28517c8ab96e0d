"""Slews and loads at which cells are characterised."""

from collections.abc import Sequence
from itertools import product

#: From 20 to 80 %, in ps; and loads of a unit of drive, in fF.
SLEWS_PS = (5, 15, 40, 100, 200)
LOADS_FF = (0.5, 2, 8, 30, 100)
#: Indices of slew and load of each point.
GRID = list(product(range(len(SLEWS_PS)), range(len(LOADS_FF))))
#: Where input capacitances are taken: 40 ps, and 8 fF a unit of drive.
MIDDLE = (2, 2)
#: Of clock and data, where a setup or a hold is searched.
CONSTRAINT_SLEWS_PS = (5, 40, 200)


def table(values: Sequence[float]) -> list[list[float]]:
    """Values of all points as a table: a row for each slew, a column for each load."""
    width = len(LOADS_FF)
    return [list(values[start : start + width]) for start in range(0, len(values), width)]
