"""Golden model of batch normalisation: Eq. 5 in fixed point, or as float32 does it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import OFFSET_BITS, Rounding
from spinplane.machine.output_stage import (
    MULTIPLIER_BITS,
    POOLED_BITS,
    VALUE_BITS,
    WINDOW_SCALE_BITS,
    WINDOW_SUM_BITS,
)

from ..array.shifter import shift_right_rounded
from ..fixed_point import float32_integers, signed_integers

Integers = NDArray[np.int64]


def sums_before_scaling(
    accumulators: ArrayLike, corrections: ArrayLike, biases: ArrayLike, *, accumulator_shift: int = 0
) -> Integers:
    """(accumulator << accumulator_shift) − correction + bias: the x − μ of Eq. 5, whose bias holds −μ.

    Parameters
    ----------
    accumulators : array_like of int
        32 bits. All arguments are signed and broadcast against each other.
    corrections : array_like of int
        34 bits, as `correct_window` returns them.
    biases : array_like of int
        32 bits.
    accumulator_shift : int
        0 to 3.

    Returns
    -------
    ndarray of int64
        32 bits.

    Raises
    ------
    ValueError
        If the shift is not allowed.
    OverflowError
        If a number or a sum does not fit in its bits.

    Examples
    --------
    >>> sums_before_scaling([5, -5], 3, [1, 0], accumulator_shift=1)
    array([  8, -13])
    """
    if accumulator_shift not in range(4):
        raise ValueError(f"accumulator_shift must be from 0 to 3, not {accumulator_shift!r}")
    accumulator = signed_integers(accumulators, VALUE_BITS, "accumulators")
    correction = signed_integers(corrections, WINDOW_SUM_BITS + WINDOW_SCALE_BITS, "corrections")
    bias = signed_integers(biases, VALUE_BITS, "biases")
    value = (accumulator << accumulator_shift) - correction + bias
    return signed_integers(value, VALUE_BITS, "sums before scaling")


def batch_normalize(
    sums: ArrayLike,
    multipliers: ArrayLike,
    offsets: ArrayLike,
    *,
    high_shifts: ArrayLike = 0,
    float_scale: bool = False,
) -> Integers:
    """H(sum · multiplier, high_shift) + offset, or F(F(sum) · multiplier) + offset with `float_scale`.

    Eq. 5, γ·(x − μ)/σ + β, in units of 2^−k: the sum is x − μ, the multiplier γ·2^k/σ, the offset β·2^k; the quantizer
    divides by 2^k. H is `multiply_high`; F keeps 24 significant bits, so that a multiplier that is the significand of a
    float32 gives the product of float32. Whatever exceeds 64 bits wraps.

    Parameters
    ----------
    sums : array_like of int
        36 bits, as `pool` returns them. All arguments broadcast against each other.
    multipliers : array_like of int
        32 bits.
    offsets : array_like of int
        48 bits.
    high_shifts : array_like of int
        0 to 63; of no effect with `float_scale`.
    float_scale : bool

    Returns
    -------
    ndarray of int64

    Raises
    ------
    OverflowError
        If an argument does not fit in its bits.

    Examples
    --------
    >>> batch_normalize([5, -5], [2, -2], 7, high_shifts=2)
    array([10, 10])
    >>> batch_normalize(2**24 + 1, 3, 0, float_scale=True)
    array(50331648)
    """
    return normalized(
        signed_integers(sums, POOLED_BITS, "sums"),
        signed_integers(multipliers, MULTIPLIER_BITS, "multipliers"),
        signed_integers(offsets, OFFSET_BITS, "offsets"),
        np.asarray(high_shifts, dtype=np.int64),
        float_scale=float_scale,
    )


def normalized(
    sums: Integers, multipliers: Integers, offsets: Integers, high_shifts: Integers, *, float_scale: bool
) -> Integers:
    """`batch_normalize` of numbers that fit in their bits."""
    if float_scale:
        scaled = float32_integers(np.multiply(float32_integers(sums), multipliers))
    else:
        scaled = multiply_high(sums, multipliers, high_shifts)
    return np.asarray(np.add(scaled, offsets))


def multiply_high(numbers: Integers, multipliers: ArrayLike, shifts: ArrayLike) -> Integers:
    """H(number · multiplier, shift): the product of 64 bits, divided by 2^shift and rounded half up.

    Parameters
    ----------
    numbers : ndarray of int64
        All arguments broadcast against each other.
    multipliers : array_like of int
    shifts : array_like of int
        0 to 63.

    Returns
    -------
    ndarray of int64
    """
    product = np.multiply(numbers, np.asarray(multipliers, dtype=np.int64))
    return shift_right_rounded(product, shifts, Rounding.HALF_UP)
