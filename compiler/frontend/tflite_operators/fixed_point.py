"""TFLite's fixed-point numbers: how its reference kernels turn scales into multipliers, and multiply by them.

A number of int8 or uint8 stands for its code less the zero point, everywhere in these handlers.
"""

from math import floor, frexp

import numpy as np

from spinplane.machine import SpinplaneError

from ...meaning.doubling import divide_by_power, high_product

#: Of a multiplier: a significand of 31 bits, and how far it is shifted to the left.
Multiplier = tuple[int, int]


def round_away(number: float) -> int:
    """The nearest whole number, from the middle the one away from 0."""
    whole = floor(abs(number))
    return int(np.sign(number)) * (whole + (abs(number) - whole >= 0.5))


def quantize_multiplier(real: float) -> Multiplier:
    """A real number as multiplier · 2^(shift − 31); 0 and 0 for numbers that are too small.

    Raises
    ------
    SpinplaneError
        If it is 2^30 or more.
    """
    if not abs(real) < 1 << 30:
        raise SpinplaneError(
            f"scales whose ratio is {real:.3g} are too different for TFLite's fixed-point numbers"
        )
    if real == 0:
        return 0, 0
    significand, shift = frexp(real)
    multiplier = round_away(significand * (1 << 31))
    if abs(multiplier) == 1 << 31:
        multiplier, shift = multiplier // 2, shift + 1
    return (0, 0) if shift < -31 else (multiplier, shift)


def multiply(numbers: np.ndarray, real: float) -> np.ndarray:
    """Products as the kernels compute them, rounded twice; what is shifted beyond 32 bits saturates."""
    multiplier, shift = quantize_multiplier(real)
    limits = np.iinfo(np.int32)
    shifted = np.clip(numbers * (1 << max(shift, 0)), limits.min, limits.max)
    return divide_by_power(high_product(shifted, multiplier), np.array(max(-shift, 0)))


def multipliers_of_kernels(real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Multipliers and shifts of real numbers, one a kernel."""
    pairs = [quantize_multiplier(float(one)) for one in real]
    return np.array([m for m, _ in pairs], dtype=np.int64), np.array([s for _, s in pairs], dtype=np.int64)
