"""Golden model of the activation: offset, residual and the step to a code."""

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import CODE_BITS, OFFSET_BITS, Rounding
from spinplane.machine.activation import POOLED_BITS, RAW_BITS, SCALE_BITS, ActivationConfiguration
from spinplane.machine.descriptor import THRESHOLD_BITS, Requantize

from ..fixed_point import signed_integers
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
    none = np.zeros(0, dtype=np.int64)
    steps = signed_integers(thresholds if np.size(thresholds) else none, THRESHOLD_BITS, "thresholds")
    if configuration.requantize is Requantize.THRESHOLDS and steps.shape[-1] != configuration.thresholds:
        raise ValueError(
            f"{steps.shape[-1]} thresholds: threshold_words = {configuration.threshold_words} "
            f"are {configuration.thresholds}"
        )
    codes = requantize(y, configuration, steps)
    return (
        signed_integers(codes, RAW_BITS, "raw values")
        if configuration.requantize is Requantize.RAW
        else codes
    )


class Activation(Protocol):
    """How a value becomes a code; `ActivationConfiguration` explains the names, which a `Pass` has too."""

    @property
    def requantize(self) -> Requantize: ...
    @property
    def absolute(self) -> bool: ...
    @property
    def shift(self) -> int: ...
    @property
    def rounding(self) -> Rounding: ...
    @property
    def low(self) -> int: ...
    @property
    def high(self) -> int: ...
    @property
    def code_shift(self) -> int: ...


def requantize(
    y: NDArray[np.int64], activation: Activation, thresholds: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The step from a value with all that is added to it to a code, or |y| and y itself.

    Parameters
    ----------
    y : ndarray of int64
    activation : Activation
    thresholds : ndarray of shape (..., thresholds), int64
        Of no use but with ``THRESHOLDS``.

    Returns
    -------
    ndarray of int64
    """
    if activation.absolute:
        y = np.abs(y)
    if activation.requantize is Requantize.RAW:
        return y
    if activation.requantize is Requantize.THRESHOLDS:
        codes = np.full(np.broadcast_shapes(y.shape, thresholds.shape[:-1]), activation.low, dtype=np.int64)
        for number in range(thresholds.shape[-1]):
            codes += thresholds[..., number] <= y
    else:
        names = ("shift", "rounding", "low", "high")
        codes = quantize(y, **{name: getattr(activation, name) for name in names})
    return codes << activation.code_shift if activation.code_shift else codes
