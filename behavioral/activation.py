"""Golden model of the activation: offset, residual and the step to a code."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import CODE_BITS, OFFSET_BITS
from spinplane.machine.activation import POOLED_BITS, RAW_BITS, SCALE_BITS, ActivationConfiguration
from spinplane.machine.descriptor import THRESHOLD_BITS, Requantize

from .fixed_point import signed_integers
from .quantizer import quantize


def activate(
    values: ArrayLike,
    configuration: ActivationConfiguration,
    *,
    offsets: ArrayLike = 0,
    residuals: ArrayLike = 0,
    residual_multipliers: ArrayLike = 0,
    thresholds: ArrayLike = (),
) -> NDArray[np.int64]:
    """Codes as they are stored, or raw values, of y = value + offset + residual · residual_multiplier.

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
    thresholds : array_like of int, shape (..., 4 · threshold_words)
        32 bits, those of a channel along the last axis; the others broadcast against y. Of no use but with
        ``THRESHOLDS``.

    Returns
    -------
    ndarray of int64
        Codes; or y, |y| if `absolute`, with ``RAW``.

    Raises
    ------
    ValueError
        If there are other than 4 · threshold_words thresholds with ``THRESHOLDS``.
    OverflowError
        If a number does not fit in its bits, a raw result in 32.

    Examples
    --------
    >>> ternary = ActivationConfiguration(requantize=Requantize.THRESHOLDS, low=-1, high=1, threshold_words=1)
    >>> activate([-4, -3, 3, 4], ternary, thresholds=[-3, 4, 2**31 - 1, 2**31 - 1])
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
        none = np.zeros(0, dtype=np.int64)
        steps = signed_integers(thresholds if np.size(thresholds) else none, THRESHOLD_BITS, "thresholds")
        if steps.shape[-1] != configuration.thresholds:
            raise ValueError(
                f"{steps.shape[-1]} thresholds: threshold_words = {configuration.threshold_words} "
                f"are {configuration.thresholds}"
            )
        codes = configuration.low + (steps <= y[..., np.newaxis]).sum(axis=-1)
    else:
        names = ("shift", "rounding", "low", "high")
        codes = quantize(y, **{name: getattr(configuration, name) for name in names})
    return codes << configuration.code_shift
