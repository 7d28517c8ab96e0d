"""Golden model of batch normalisation: Eq. 5 in fixed point."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine.activation import SCALE_BITS, VALUE_BITS, WINDOW_SCALE_BITS, WINDOW_SUM_BITS

from ..fixed_point import signed_integers


def batch_normalize(
    accumulators: ArrayLike,
    corrections: ArrayLike,
    biases: ArrayLike,
    multipliers: ArrayLike,
    *,
    accumulator_shift: int = 0,
) -> NDArray[np.int64]:
    """((accumulator << accumulator_shift) − correction + bias) · multiplier.

    Eq. 5, γ·(x − μ)/σ + β, in units of 2^−k: the multiplier is γ·2^k/σ, the bias holds −μ. β·2^k is the offset of
    the activation, which comes after pooling and divides by 2^k.

    Parameters
    ----------
    accumulators : array_like of int
        32 bits. All arguments are signed and broadcast against each other.
    corrections : array_like of int
        34 bits, as `correct_window` returns them.
    biases : array_like of int
        32 bits.
    multipliers : array_like of int
        24 bits.
    accumulator_shift : int
        0 to 3.

    Returns
    -------
    ndarray of int64
        Products of 56 bits.

    Raises
    ------
    ValueError
        If the shift is not allowed.
    OverflowError
        If a number, or the sum before the multiplication, does not fit in its bits.

    Examples
    --------
    >>> batch_normalize([5, -5], 3, [1, 0], [2, -2], accumulator_shift=1)
    array([16, 26])
    """
    values = sums_before_scaling(accumulators, corrections, biases, accumulator_shift=accumulator_shift)
    return values * signed_integers(multipliers, SCALE_BITS, "multipliers")


def sums_before_scaling(
    accumulators: ArrayLike, corrections: ArrayLike, biases: ArrayLike, *, accumulator_shift: int = 0
) -> NDArray[np.int64]:
    """(accumulator << accumulator_shift) − correction + bias; arguments and errors as of `batch_normalize`."""
    if accumulator_shift not in range(4):
        raise ValueError(f"accumulator_shift must be from 0 to 3, not {accumulator_shift!r}")
    accumulator = signed_integers(accumulators, VALUE_BITS, "accumulators")
    correction = signed_integers(corrections, WINDOW_SUM_BITS + WINDOW_SCALE_BITS, "corrections")
    bias = signed_integers(biases, VALUE_BITS, "biases")
    value = (accumulator << accumulator_shift) - correction + bias
    return signed_integers(value, VALUE_BITS, "sums before scaling")
