"""Shifters: powers of two as factors of a count, and as divisors of a sum."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import Rounding


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
    """
    value, amount = np.asarray(value, np.int64), np.asarray(amount, np.int64)
    floor = np.right_shift(value, np.minimum(amount, 63))
    if rounding is Rounding.FLOOR or not amount.any():
        return floor
    below = np.clip(amount - 1, 0, 62)
    half = np.right_shift(value, below) & np.minimum(amount, 1)
    if rounding is Rounding.HALF_EVEN:
        sticky = (value & (np.left_shift(np.int64(1), below) - 1)) != 0
        half &= sticky | (floor & 1)
    # Beyond the width of int64 a magnitude is at most a half, and both roundings take −1/2 to 0.
    return np.where(amount > 63, 0, floor + half) if (amount > 63).any() else floor + half
