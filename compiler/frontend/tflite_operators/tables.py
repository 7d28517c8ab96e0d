"""Functions of one code: each of TFLite's kernels, over all codes that there are.

Each function takes numbers, int64, that are codes less their zero point, and gives numbers of the output, not yet
clipped. Kernels that look results up compute them in float32, all others in fixed-point arithmetic.
"""

from collections.abc import Callable

import numpy as np

from ...meaning.doubling import divide_by_power
from .fixed_point import multiply, quantize_multiplier

_FLOAT = np.float32
#: Of two inputs and of the output.
Scales = tuple[np.float32, np.float32, np.float32]


def rescaled(numbers: np.ndarray, scale: np.float32, made: np.float32) -> np.ndarray:
    """QUANTIZE from codes to codes."""
    return multiply(numbers, float(scale) / float(made))


def rectified(numbers: np.ndarray, scale: np.float32, made: np.float32) -> np.ndarray:
    """RELU and its kind, whose bounds are clipped to afterwards; positive numbers of LEAKY_RELU and PRELU."""
    return multiply(numbers, float(scale / made))


def leaky(numbers: np.ndarray, scale: np.float32, made: np.float32, slope: np.float32) -> np.ndarray:
    """LEAKY_RELU."""
    with np.errstate(over="ignore"):  # what leaves float32 is refused
        factor = float(scale * slope / made)
    below = multiply(numbers, factor)
    return np.where(numbers >= 0, rectified(numbers, scale, made), below)


def leaky_by_channel(
    numbers: np.ndarray, scale: np.float32, made: np.float32, slopes: np.ndarray, slope_scale: np.float32
) -> np.ndarray:
    """PRELU: slopes are codes less their zero point, of shape (channels, 1)."""
    below = multiply(numbers * slopes, float(scale * slope_scale / made))
    return np.where(numbers >= 0, rectified(numbers, scale, made), below)


def looked_up(
    numbers: np.ndarray, scale: np.float32, made: np.float32, function: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """LOGISTIC and TANH: float32, rounded to nearest and from the middle away from 0."""
    real = scale * numbers.astype(_FLOAT)
    return _away(function(real) * (_FLOAT(1) / made))


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^−x), in float32 with an exponential that is rounded once."""
    with np.errstate(over="ignore"):
        return _FLOAT(1) / (_FLOAT(1) + np.exp(-x.astype(np.float64)).astype(_FLOAT))


def tanh(x: np.ndarray) -> np.ndarray:
    """The hyperbolic tangent, rounded once to float32."""
    return np.tanh(x.astype(np.float64)).astype(_FLOAT)


def concatenated(codes: np.ndarray, scale: np.float32, zero_point: int, made: np.float32) -> np.ndarray:
    """CONCATENATION of uint8: takes the codes themselves."""
    factor = scale * (_FLOAT(1) / made)
    return _away(codes.astype(_FLOAT) * factor + _FLOAT(-zero_point) * factor)


def hard_swish(numbers: np.ndarray, scale: np.float32, made: np.float32) -> np.ndarray:
    """HARD_SWISH: x · min(max(x + 3, 0), 6) / 6, in 16 bits. The scale of the output is not below 1/128 of the input's.

    Returns
    -------
    ndarray of int64
    """
    fine = _FLOAT(1 / 128) * scale
    output, output_shift = quantize_multiplier(float(fine / made))
    gate, gate_shift = quantize_multiplier(float(fine / (_FLOAT(3) / _FLOAT(1 << 15))))
    shifted = numbers << 7
    scaled = _high_product(shifted, _upper_half(output))
    position = shifted
    if gate_shift > 0:
        position = _saturated(position << (gate_shift - 1))
    position = _high_product(position, _upper_half(gate))
    if gate_shift > 0:
        position = _saturated(position << 1)
    if gate_shift < 0:
        position = divide_by_power(position, np.array(-gate_shift))
    # From −1 … 1 to 0 … 1.
    position = (position + (1 << 15)) >> 1
    product = position * scaled
    high = np.sign(product) * (abs(product) >> 15)
    return divide_by_power(high, np.array(-output_shift))


def added(first: np.ndarray, second: np.ndarray, scales: Scales, sign: int = 1) -> np.ndarray:
    """ADD, and SUB with the sign −1."""
    own, other, total = addition(*scales)
    shifted = multiply(first << ADDITION_SHIFT, own) + multiply(second << ADDITION_SHIFT, sign * other)
    return multiply(shifted, total)


def multiplied(first: np.ndarray, second: np.ndarray, scales: Scales) -> np.ndarray:
    """MUL."""
    return multiply(first * second, float(scales[0] * scales[1] / scales[2]))


#: Bits by which both addends are shifted to the left.
ADDITION_SHIFT = 20


def addition(own: np.float32, other: np.float32, made: np.float32) -> tuple[float, float, float]:
    """Factors of two addends, and of their sum."""
    twice = float(2 * max(own, other))
    return float(own) / twice, float(other) / twice, twice / float(_FLOAT(1 << ADDITION_SHIFT) * made)


def _away(x: np.ndarray) -> np.ndarray:
    """Numbers of float32, rounded to nearest and from the middle away from 0; large ones are cut."""
    size = np.minimum(abs(x), _FLOAT(1 << 30))
    whole = np.floor(size)
    return (np.sign(x) * (whole + (size - whole >= 0.5))).astype(np.int64)


def _saturated(x: np.ndarray) -> np.ndarray:
    limits = np.iinfo(np.int16)
    return np.clip(x, limits.min, limits.max)


def _high_product(x: np.ndarray, factor: int) -> np.ndarray:
    return _saturated((x * factor + (1 << 14)) >> 15)


def _upper_half(multiplier: int) -> int:
    """A significand of 31 bits in 15."""
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1)
