"""TFLite's multiplication of 32-bit integers by a real number, in its form that rounds twice."""

import numpy as np

from spinplane.machine import SpinplaneError

INT32 = np.iinfo(np.int32)


def multiply_doubling(
    values: np.ndarray, multiplier: np.ndarray | int, shift: np.ndarray | int
) -> np.ndarray:
    """Multiply by multiplier · 2^(shift − 31): a left shift, a doubling high multiply, a rounding right shift.

    Parameters
    ----------
    values : ndarray of int64
    multiplier : int or ndarray of int64, −2^31 + 1 to 2^31 − 1
    shift : int or ndarray of int64, −31 to 30
        To the left where positive. Arrays spread over the values.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    SpinplaneError
        If a value that is shifted to the left leaves 32 bits, which TFLite leaves undefined.
    """
    left, right = np.maximum(shift, 0), np.maximum(np.negative(shift), 0)
    if values.size and ((values > INT32.max >> left) | (values < INT32.min >> left)).any():
        raise SpinplaneError(
            f"values from {values.min()} to {values.max()}, shifted left by up to {left.max()}, do not fit in 32 bits"
        )
    return divide_by_power(high_product(values << left, multiplier), right)


def high_product(values: np.ndarray, multiplier: np.ndarray | int) -> np.ndarray:
    """Return values · multiplier / 2^31, rounded to nearest with ties toward +∞, of 32-bit integers."""
    return (values * multiplier + (1 << 30)) >> 31


def divide_by_power(values: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """Return values / 2^exponent, rounded to nearest with ties away from 0."""
    mask = (np.int64(1) << exponent) - 1
    return (values >> exponent) + ((values & mask) > (mask >> 1) + (values < 0))
