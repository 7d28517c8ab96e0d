"""Rounding of exact quotients, in every `Rounding`."""

import numpy as np

from spinplane.machine import Rounding

_NEAREST = {
    Rounding.HALF_EVEN,
    Rounding.HALF_UP,
    Rounding.HALF_DOWN,
    Rounding.HALF_AWAY,
    Rounding.HALF_TO_ZERO,
}


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
