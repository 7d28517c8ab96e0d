"""Every rounding of an exact number, in Python's fractions."""

import math
from collections.abc import Callable
from fractions import Fraction

from spinplane.machine import Rounding

HALF = Fraction(1, 2)


def nearest(x: Fraction, tie: Callable[[int], int]) -> int:
    """The nearest integer; of a tie between n and n + 1 what `tie` makes of n."""
    below = math.floor(x)
    return tie(below) if x - below == HALF else math.floor(x + HALF)


EXACT: dict[Rounding, Callable[[Fraction], int]] = {
    Rounding.FLOOR: math.floor,
    Rounding.CEIL: math.ceil,
    Rounding.TO_ZERO: math.trunc,
    Rounding.AWAY: lambda x: math.ceil(x) if x > 0 else math.floor(x),
    Rounding.HALF_EVEN: round,
    Rounding.HALF_UP: lambda x: nearest(x, lambda n: n + 1),
    Rounding.HALF_DOWN: lambda x: nearest(x, lambda n: n),
    Rounding.HALF_AWAY: lambda x: nearest(x, lambda n: n + (n >= 0)),
    Rounding.HALF_TO_ZERO: lambda x: nearest(x, lambda n: n + (n < 0)),
}
