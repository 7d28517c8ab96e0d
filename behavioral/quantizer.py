"""Golden model of the quantizer: Eq. 4 on real numbers, and what the unit does with whole ones."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import QuantizerConfiguration, Rounding, SpinplaneError

from .bitplane import integers
from .shifter import shift_right_rounded

_INT64 = np.iinfo(np.int64)

_ROUND: dict[Rounding, Callable[[Fraction], int]] = {
    Rounding.FLOOR: math.floor,
    Rounding.HALF_UP: lambda x: math.floor(x + Fraction(1, 2)),
    Rounding.HALF_EVEN: round,
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
            raise SpinplaneError(f"{number} is outside [0, 1], on which Eq. 4 is defined")
        levels[at] = _ROUND[rounding](Fraction(number) * steps)
    return levels, levels / steps


def requantize(values: ArrayLike, configuration: QuantizerConfiguration) -> NDArray[np.int64]:
    """clip(round((value · multiplier + offset) / 2^shift), low, high), exactly.

    Parameters
    ----------
    values : array_like of int, any shape
        Sums of an accumulator. All that fit in 48 bits are allowed with every configuration.
    configuration : QuantizerConfiguration

    Returns
    -------
    ndarray of int64
        Codes, low to high.

    Raises
    ------
    OverflowError
        If value · multiplier + offset does not fit in int64, naming the value.
    """
    sums = integers(values, "values")
    if not sums.size:
        return sums
    for extreme in (int(sums.min()), int(sums.max())):
        scaled = extreme * configuration.multiplier + configuration.offset
        if not _INT64.min <= scaled <= _INT64.max:
            raise OverflowError(
                f"{extreme} · {configuration.multiplier} + {configuration.offset} does not fit in 64 bits"
            )
    # In modular arithmetic a sum whose result fits is right, even if the product alone is not.
    scaled_sums = sums * configuration.multiplier + configuration.offset
    codes = shift_right_rounded(scaled_sums, configuration.shift, configuration.rounding)
    return np.clip(codes, configuration.low, configuration.high)
