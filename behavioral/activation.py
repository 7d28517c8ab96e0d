"""Golden model of the activation: offset, residual and the step to a code."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import CODE_BITS, OFFSET_BITS
from spinplane.machine.activation import POOLED_BITS, RAW_BITS, SCALE_BITS, ActivationConfiguration
from spinplane.machine.descriptor import Requantize

from .fixed_point import signed_integers
from .shifter import shift_right_rounded


def activate(
    values: ArrayLike,
    configuration: ActivationConfiguration,
    *,
    offsets: ArrayLike = 0,
    residuals: ArrayLike = 0,
    residual_multipliers: ArrayLike = 0,
) -> NDArray[np.int64]:
    """Codes, or raw values, of y = value + offset + residual · residual_multiplier.

    Parameters
    ----------
    values : array_like of int
        63 bits, products of `batch_normalize`, pooled. All arguments are signed and broadcast against each other.
    configuration : ActivationConfiguration
    offsets : array_like of int
        48 bits.
    residuals : array_like of int
        Codes of the residual branch, 9 bits.
    residual_multipliers : array_like of int
        24 bits.

    Returns
    -------
    ndarray of int64
        Codes; or y, |y| if `absolute`, with ``RAW``.

    Raises
    ------
    OverflowError
        If a number does not fit in its bits, a raw result in 32.

    Examples
    --------
    >>> ternary = ActivationConfiguration(requantize=Requantize.THRESHOLDS, low=-1, high=1, thresholds=(-3, 4))
    >>> activate([-4, -3, 3, 4], ternary)
    array([-1,  0,  0,  1])
    """
    value = signed_integers(values, POOLED_BITS, "values")
    offset = signed_integers(offsets, OFFSET_BITS, "offsets")
    residual = signed_integers(residuals, CODE_BITS, "residuals")
    multiplier = signed_integers(residual_multipliers, SCALE_BITS, "residual_multipliers")
    # |y| is at most 2^62 + 2^47 + 2^31: nothing wraps in int64.
    y = np.asarray(value + offset + residual * multiplier)
    if configuration.absolute:
        y = np.abs(y)
    if configuration.requantize is Requantize.RAW:
        return signed_integers(y, RAW_BITS, "raw values")
    if configuration.requantize is Requantize.THRESHOLDS:
        thresholds = np.array(configuration.thresholds, dtype=np.int64)
        return configuration.low + np.searchsorted(thresholds, y, side="right")
    codes = shift_right_rounded(y, configuration.shift, configuration.rounding)
    return np.clip(codes, configuration.low, configuration.high)
