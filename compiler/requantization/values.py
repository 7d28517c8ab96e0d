"""What a layer's steps look at: pooled sums, with a residual that is added before anything is rounded."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import SpinplaneError
from spinplane.machine.descriptor import Pool
from spinplane.machine.output_stage import MULTIPLIER_BITS, POOLED_BITS, RAW_BITS, VALUE_BITS

from ..codes import InputCode
from ..graph import Layer
from ..meaning.reach import reachable_sums


@dataclass(frozen=True, kw_only=True)
class Addend:
    """The map that a layer adds to its sums, or to its own codes.

    Parameters
    ----------
    code : InputCode
    smallest, largest : int
        Of its values.
    """

    code: InputCode
    smallest: int
    largest: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Value:
    """The argument of a layer's steps: sum_scale · pooled sum + code_scale · code of the residual + constant.

    Parameters
    ----------
    low, high, sum_low, sum_high : ndarray of shape (channels,), int64
        What it, and its pooled sum alone, reach in each channel.
    sum_scale, code_scale, constant : ndarray of shape (channels,), int64
    codes : range
        Of the residual.
    windows : int
        Windows whose sums are added up.
    bias_low, bias_high : ndarray of shape (channels,), int64
        What can be added to the bias without a sum or a pooled sum that does not fit.
    """

    low: np.ndarray
    high: np.ndarray
    sum_low: np.ndarray
    sum_high: np.ndarray
    sum_scale: np.ndarray
    code_scale: np.ndarray
    constant: np.ndarray
    codes: range
    windows: int
    bias_low: np.ndarray
    bias_high: np.ndarray


def value_of(layer: Layer, addend: Addend | None) -> Value:
    """What the steps of a layer look at, and what it reaches.

    Raises
    ------
    SpinplaneError
        If a number does not fit, naming the layer.
    """
    low, high = reachable_sums(layer)
    windows = int(np.prod(layer.pool.size)) if layer.pool and layer.pool.kind == "sum" else 1
    _prove_width(layer, "sums", low // windows, high // windows, VALUE_BITS)
    _prove_width(layer, "pooled sums", low, high, POOLED_BITS)
    limit = min(1 << (VALUE_BITS - 1), (1 << (POOLED_BITS - 1)) // windows)
    value = Value(
        low=low,
        high=high,
        sum_low=low,
        sum_high=high,
        sum_scale=np.ones_like(low),
        code_scale=np.zeros_like(low),
        constant=np.zeros_like(low),
        codes=range(1),
        windows=windows,
        bias_low=np.minimum(-limit - low // windows, 0),
        bias_high=np.maximum(limit - 1 - high // windows, 0),
    )
    if layer.residual and addend:
        value = _with_residual(layer, value, addend)
    if layer.steps is None:
        what = "sums with the residual" if layer.residual else "sums"
        _prove_width(layer, what, value.low, value.high, RAW_BITS)
    return value


def pool_of(layer: Layer) -> tuple[Pool, np.ndarray]:
    """How the sums of a layer's windows become one, and the channels whose least sum is taken."""
    none = np.zeros(len(layer.weights), dtype=np.int64)
    if layer.pool is None or layer.pool.size == (1, 1):
        return Pool.NONE, none
    if layer.pool.kind == "sum":
        return Pool.SUM, none
    if layer.pool.kind == "max_codes" and layer.steps:
        assert layer.steps.monotone
        return Pool.MAX, (~layer.steps.rising).astype(np.int64)
    return Pool.MAX, np.array(layer.pool.least, dtype=np.int64) if layer.pool.least else none


def _with_residual(layer: Layer, value: Value, addend: Addend) -> Value:
    """The residual's own scale and offset as factors of its codes and a constant."""
    residual = layer.residual
    assert residual is not None
    scale, residual_scale = (
        np.broadcast_to(np.array(factor, dtype=np.int64), value.low.shape)
        for factor in (residual.scale, residual.residual_scale)
    )
    code_scale = residual_scale * addend.code.scale
    widest = np.maximum(abs(scale), abs(code_scale))
    if widest.max() >= 1 << (MULTIPLIER_BITS - 1):
        at = widest.argmax()
        raise SpinplaneError(
            f"layer {layer.name}: its sums times {scale[at]} and the codes of its residual times {code_scale[at]} "
            f"need multipliers of more than {MULTIPLIER_BITS} bits"
        )
    if (widest == 0).any():
        raise SpinplaneError(f"layer {layer.name}: its sums and its residual are both multiplied by 0")
    offset = addend.code.offset
    first, last = ((end - offset) // addend.code.scale for end in (addend.smallest, addend.largest))
    sums = np.sort([scale * value.low, scale * value.high], axis=0)
    added = np.sort([residual_scale * end for end in (addend.smallest, addend.largest)], axis=0)
    return Value(
        low=sums[0] + added[0],
        high=sums[1] + added[1],
        sum_low=value.low,
        sum_high=value.high,
        sum_scale=scale,
        code_scale=code_scale,
        constant=residual_scale * offset,
        codes=range(first, last + 1),
        windows=value.windows,
        bias_low=value.bias_low,
        bias_high=value.bias_high,
    )


def _prove_width(layer: Layer, what: str, low: np.ndarray, high: np.ndarray, bits: int) -> None:
    least, greatest = int(low.min()), int(high.max())
    if least < -(1 << (bits - 1)) or greatest >= 1 << (bits - 1):
        raise SpinplaneError(
            f"layer {layer.name}: {what} from {least} to {greatest} do not fit in {bits} bits"
        )
