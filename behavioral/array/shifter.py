"""Shifters: powers of two as factors of a count, and as divisors of a sum."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import Rounding

#: The lower bits of an int64, by their number.
_BELOW = np.array([*((1 << bits) - 1 for bits in range(64)), -1], dtype=np.int64)


def shift_left(value: ArrayLike, amount: ArrayLike) -> NDArray[np.int64]:
    """Value · 2^amount, the factor 2^(m+n) of Eq. 3.

    Parameters
    ----------
    value, amount : array_like of int
        Broadcast against each other; amounts are not negative.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    OverflowError
        If a result does not fit in int64.
    """
    value, amount = np.broadcast_arrays(np.asarray(value, np.int64), np.asarray(amount, np.int64))
    shifted = np.left_shift(value, np.minimum(amount, 63))
    lost = (value != 0) & ((amount > 63) | (np.right_shift(shifted, np.minimum(amount, 63)) != value))
    if lost.any():
        at = tuple(np.argwhere(lost)[0])
        raise OverflowError(f"{value[at]} shifted left by {amount[at]} does not fit in 64 bits")
    return shifted


def shift_right_rounded(value: ArrayLike, amount: ArrayLike, rounding: Rounding) -> NDArray[np.int64]:
    """Value / 2^amount, rounded as declared, in integer arithmetic alone.

    Parameters
    ----------
    value, amount : array_like of int
        Broadcast against each other; amounts are not negative.
    rounding : Rounding

    Returns
    -------
    ndarray of int64

    Examples
    --------
    >>> shift_right_rounded([-6, -5, 5, 6], 2, Rounding.HALF_AWAY)
    array([-2, -1,  1,  2])
    """
    value, amount = np.asarray(value, np.int64), np.asarray(amount, np.int64)
    floor = np.right_shift(value, np.minimum(amount, 63))
    if rounding is Rounding.FLOOR or not amount.any():
        return floor
    return np.add(floor, _is_raised(value, amount, floor, rounding))


def _is_raised(
    value: NDArray[np.int64], amount: NDArray[np.int64], floor: NDArray[np.int64], rounding: Rounding
) -> NDArray[np.bool_]:
    """Where the integer above the quotient is taken, not the one below."""
    if rounding in (Rounding.CEIL, Rounding.TO_ZERO, Rounding.AWAY):
        between = (value & _BELOW[np.minimum(amount, 64)]) != 0
        if rounding is Rounding.CEIL:
            return between
        return between & ((value < 0) if rounding is Rounding.TO_ZERO else (value > 0))
    below = np.maximum(amount - 1, 0)
    half = (np.right_shift(value, np.minimum(below, 63)) & (amount > 0)) != 0
    if rounding is Rounding.HALF_UP:
        return half
    past_half = half & ((value & _BELOW[np.minimum(below, 64)]) != 0)
    match rounding:
        case Rounding.HALF_DOWN:
            return past_half
        case Rounding.HALF_EVEN:
            return past_half | (half & ((floor & 1) != 0))
        case Rounding.HALF_AWAY:
            return past_half | (half & (value >= 0))
    return past_half | (half & (value < 0))  # HALF_TO_ZERO
