"""Golden model of the scaling of pooled sums: up to three phases of products, the residual operand among them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Rounding
from spinplane.machine.output_stage import POOLED_BITS
from spinplane.machine.passes import Pass

from ..array.shifter import shift_right_rounded
from .batch_norm import multiply_high, normalized
from .parameters import Parameters
from .quantizer import quantize

Integers = NDArray[np.int64]

_POOLED_END = 1 << (POOLED_BITS - 1)


class Scaled(NamedTuple):
    """What becomes of pooled sums; arrays of their shape, int64, or None where a pass has no such number.

    Parameters
    ----------
    own : ndarray
        The sum, multiplied and with its offset.
    residual : ndarray or None
        The residual operand's code, scaled: w.
    own_code : ndarray or None
        The channel's own code, if it is rounded before the residual is added.
    y : ndarray
        The value that becomes a level.
    """

    own: Integers
    residual: Integers | None
    own_code: Integers | None
    y: Integers


def scale(
    pooled: Integers, layer_pass: Pass, parameters: Parameters, residuals: NDArray[np.integer] | None = None
) -> Scaled:
    """The phases of a pass.

    Parameters
    ----------
    pooled : ndarray of shape (..., channels), int64
        Pooled sums of 36 bits.
    layer_pass : Pass
    parameters : Parameters
        Of the channels.
    residuals : ndarray of shape (..., channels), of integers, or None
        Codes of the residual operand; None if the pass has none.

    Returns
    -------
    Scaled
        Modulo 2^64.
    """
    p = layer_pass
    if not p.multiplies:
        return Scaled(pooled, None, None, pooled)
    own = normalized(
        pooled, parameters.multiplier, parameters.offset, parameters.high_shift, float_scale=p.float_scale
    )
    residual = None if residuals is None else _scaled_residual(residuals, p, parameters)
    code, y = None, own
    if p.own_code:
        code = quantize(
            own, shift=parameters.shift, rounding=p.own_rounding, low=parameters.low, high=parameters.high
        )
        y = _divided(multiply_high(code, p.own_multiplier, p.own_high_shift), p.own_shift)
        y = np.add(y, p.total_offset)
    if residual is not None:
        y = np.add(y, residual)
    if p.multiplies_total:
        limited = np.clip(y, -_POOLED_END, _POOLED_END - 1)
        y = multiply_high(limited, p.total_multiplier, p.total_high_shift)
    return Scaled(own, residual, code, y)


def _scaled_residual(residuals: NDArray[np.integer], layer_pass: Pass, parameters: Parameters) -> Integers:
    centred = np.subtract(residuals, layer_pass.residual_zero, dtype=np.int64)
    product = multiply_high(centred, parameters.residual_multiplier, layer_pass.residual_high_shift)
    return _divided(product, layer_pass.residual_shift)


def _divided(numbers: Integers, shift: int) -> Integers:
    """A(number, shift): number / 2^shift to the nearest integer, halves away from 0."""
    return shift_right_rounded(numbers, shift, Rounding.HALF_AWAY)
