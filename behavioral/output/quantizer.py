"""Golden model of the quantizer: Eq. 4 on real numbers, and the unit's form of it on whole ones."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import Rounding, SpinplaneError

from ..array.shifter import shift_right_rounded

#: In the terms of exact arithmetic.
_ROUND: dict[Rounding, Callable[[Fraction], int]] = {
    Rounding.FLOOR: math.floor,
    Rounding.CEIL: math.ceil,
    Rounding.TO_ZERO: math.trunc,
    Rounding.AWAY: lambda x: math.ceil(x) if x > 0 else math.floor(x),
    Rounding.HALF_EVEN: round,
    Rounding.HALF_UP: lambda x: math.floor(x + Fraction(1, 2)),
    Rounding.HALF_DOWN: lambda x: math.ceil(x - Fraction(1, 2)),
    Rounding.HALF_AWAY: lambda x: math.floor(x + Fraction(1, 2)) if x > 0 else math.ceil(x - Fraction(1, 2)),
    Rounding.HALF_TO_ZERO: lambda x: (
        math.ceil(x - Fraction(1, 2)) if x > 0 else math.floor(x + Fraction(1, 2))
    ),
}


def quantize_unit(
    x: ArrayLike, bits: int, rounding: Rounding = Rounding.HALF_UP
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Eq. 4: round((2^k − 1)·x) / (2^k − 1) for x in [0, 1].

    The product is rounded exactly: a float is taken as the rational number that it is, and a Fraction can say
    what no float can.

    Parameters
    ----------
    x : array_like of float or Fraction, any shape
        From 0 to 1.
    bits : int
        k, at least 1.
    rounding : Rounding
        Of the product; the paper leaves it open.

    Returns
    -------
    levels : ndarray of int64
        round((2^k − 1)·x), 0 to 2^k − 1.
    values : ndarray of float64
        The levels divided by 2^k − 1.

    Raises
    ------
    SpinplaneError
        If a number is outside [0, 1], naming it.

    Examples
    --------
    >>> quantize_unit([Fraction(1, 6), Fraction(1, 2), 1.0], 2)
    (array([1, 2, 3]), array([0.33333333, 0.66666667, 1.        ]))
    """
    if type(bits) is not int or bits < 1:
        raise ValueError(f"bits must be a positive integer, not {bits!r}")
    numbers = np.asarray(x, dtype=object)
    steps = 2**bits - 1
    levels = np.empty(numbers.shape, dtype=np.int64)
    for at, number in np.ndenumerate(numbers):
        if not 0 <= number <= 1:
            raise SpinplaneError(f"{number} is outside [0, 1], where Eq. 4 is defined")
        levels[at] = _ROUND[rounding](Fraction(number) * steps)
    return levels, levels / steps


def quantize(
    values: ArrayLike, *, shift: ArrayLike, rounding: Rounding, low: ArrayLike, high: ArrayLike
) -> NDArray[np.int64]:
    """clip(round(value / 2^shift), low, high), exactly; the clip is min(max(·, low), high).

    Parameters
    ----------
    values : array_like of int, any shape
        Scaled sums that fit in int64. All arrays broadcast against each other.
    shift : array_like of int
        At least 0.
    rounding : Rounding
    low, high : array_like of int

    Returns
    -------
    ndarray of int64

    Examples
    --------
    >>> quantize([-5, 7, 10, 19], shift=2, rounding=Rounding.HALF_EVEN, low=[-1, 0, 0, 0], high=4)
    array([-1,  2,  2,  4])
    """
    codes = shift_right_rounded(values, shift, rounding)
    return np.minimum(np.maximum(codes, low), high)
