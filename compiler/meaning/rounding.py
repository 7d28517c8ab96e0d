"""Every `Rounding`: what exact quotients and float32 numbers become, and where the steps between codes are."""

from collections.abc import Callable

import numpy as np

from spinplane.machine import Rounding

_NEAREST = {
    Rounding.HALF_EVEN,
    Rounding.HALF_UP,
    Rounding.HALF_DOWN,
    Rounding.HALF_AWAY,
    Rounding.HALF_TO_ZERO,
}
#: Of float32 numbers, as QONNX computes those that it has.
_OF_FLOATS: dict[Rounding, Callable[[np.ndarray], np.ndarray]] = {
    Rounding.FLOOR: np.floor,
    Rounding.CEIL: np.ceil,
    Rounding.TO_ZERO: np.trunc,
    Rounding.AWAY: lambda x: np.sign(x) * np.ceil(np.abs(x)),
    Rounding.HALF_EVEN: np.rint,
    Rounding.HALF_UP: lambda x: np.floor(x + np.float32(0.5)),
    Rounding.HALF_DOWN: lambda x: np.ceil(x - np.float32(0.5)),
    Rounding.HALF_AWAY: lambda x: np.sign(x) * np.floor(np.abs(x) + np.float32(0.5)),
    Rounding.HALF_TO_ZERO: lambda x: np.sign(x) * np.ceil(np.abs(x) - np.float32(0.5)),
}


def round_floats(numbers: np.ndarray, rounding: Rounding) -> np.ndarray:
    """Whole numbers, float32, to which numbers of float32 are rounded in float32."""
    return _OF_FLOATS[rounding](numbers)


def round_floats_exactly(numbers: np.ndarray) -> np.ndarray:
    """The nearest whole numbers to numbers of float32, halves away from zero, as C's ``round`` gives them.

    In float32, 0.49999997 + 0.5 is 1.
    """
    return _OF_FLOATS[Rounding.HALF_AWAY](numbers.astype(np.float64))


def round_quotients(numerators: np.ndarray, denominator: int, rounding: Rounding) -> np.ndarray:
    """Whole numbers to which numerators / denominator are rounded.

    Parameters
    ----------
    numerators : ndarray of int64 or of Python integers
    denominator : int
        Positive.
    rounding : Rounding

    Returns
    -------
    ndarray of the same type
    """
    floor = numerators // denominator
    rest = numerators - floor * denominator
    negative, odd = floor < 0, floor % 2 == 1
    ties_up = {
        Rounding.HALF_EVEN: odd,
        Rounding.HALF_UP: True,
        Rounding.HALF_DOWN: False,
        Rounding.HALF_AWAY: ~negative,
        Rounding.HALF_TO_ZERO: negative,
    }
    always_up = {
        Rounding.FLOOR: False,
        Rounding.CEIL: True,
        Rounding.TO_ZERO: negative,
        Rounding.AWAY: ~negative,
    }
    if rounding in _NEAREST:
        return floor + ((2 * rest > denominator) | ((2 * rest == denominator) & ties_up[rounding]))
    return floor + ((rest > 0) & always_up[rounding])


def step_positions(codes: np.ndarray, rounding: Rounding) -> tuple[np.ndarray, np.ndarray]:
    """Where a number begins to be rounded to a code or a greater one.

    Parameters
    ----------
    codes : ndarray of int64
    rounding : Rounding

    Returns
    -------
    twice : ndarray of int64
        The least number, or the greatest that is not rounded to it, times two.
    inclusive : ndarray of bool
        Whether that number itself is.
    """
    below = codes - 1
    middle = 2 * codes - 1
    positive, always = codes > 0, np.ones(codes.shape, dtype=bool)
    ties_up = {
        Rounding.HALF_EVEN: codes % 2 == 0,
        Rounding.HALF_UP: always,
        Rounding.HALF_DOWN: ~always,
        Rounding.HALF_AWAY: positive,
        Rounding.HALF_TO_ZERO: ~positive,
    }
    goes_down = {
        Rounding.FLOOR: always,
        Rounding.CEIL: ~always,
        Rounding.TO_ZERO: positive,
        Rounding.AWAY: ~positive,
    }
    if rounding in _NEAREST:
        return middle, ties_up[rounding]
    down = goes_down[rounding]
    return 2 * np.where(down, codes, below), down
