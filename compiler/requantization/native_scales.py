"""Scales of operators that define their own arithmetic, as the output stage's own roundings compute it."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import Rounding, SpinplaneError
from spinplane.machine.output_stage import SIGNIFICAND_BITS

from ..graph import DoublingMultiply, FloatScale, Layer, StepFunction

#: With a significand of 24 bits, whatever is shifted further is 0.
_LARGEST_SHIFT = 61


@dataclass(frozen=True, kw_only=True, eq=False)
class NativeScale:
    """Numbers of channels and fields of a pass that do what an operator defines.

    Parameters
    ----------
    multiplier, shift, high_shift : ndarray of shape (channels,), int64
    rounding : Rounding
    float_scale : bool
    """

    multiplier: np.ndarray
    shift: np.ndarray
    high_shift: np.ndarray
    rounding: Rounding
    float_scale: bool


def native_scale(steps: FloatScale | DoublingMultiply) -> NativeScale:
    """Numbers that do what an operator defines."""
    if isinstance(steps, FloatScale):
        return _float_scale(steps)
    shift = steps.shift.astype(np.int64)
    return NativeScale(
        multiplier=steps.multiplier.astype(np.int64),
        shift=np.maximum(-shift, 0),
        high_shift=31 - np.maximum(shift, 0),
        rounding=Rounding.HALF_AWAY,
        float_scale=False,
    )


def _float_scale(steps: FloatScale) -> NativeScale:
    significand, exponent = np.frexp(steps.scale.astype(np.float64))
    multiplier = np.rint(significand * 2.0**SIGNIFICAND_BITS).astype(np.int64)
    shift = SIGNIFICAND_BITS - exponent.astype(np.int64)
    # A scale of 2^24 and more takes every sum but 0 beyond all codes; one of less than 2^-37 takes none from 0.
    shift, multiplier = np.maximum(shift, 0), np.where(shift > _LARGEST_SHIFT, 0, multiplier)
    return NativeScale(
        multiplier=multiplier,
        shift=np.where(multiplier == 0, 0, shift),
        high_shift=np.zeros(len(multiplier), dtype=np.int64),
        rounding=Rounding.HALF_EVEN,
        float_scale=True,
    )


def exact_steps(
    layer: Layer, steps: FloatScale | DoublingMultiply, low: np.ndarray, high: np.ndarray
) -> StepFunction:
    """Steps of a monotone map over sums from `low` to `high`, found by bisection.

    Raises
    ------
    SpinplaneError
        If the operator does not define what becomes of a sum, naming the layer.
    """
    rising = steps.rising
    sign = np.where(rising, 1, -1)[:, np.newaxis]
    start, length = np.where(rising, low, high)[:, np.newaxis], (high - low)[:, np.newaxis]
    wanted = np.arange(steps.low + 1, steps.high + 1)

    def reached(position: np.ndarray) -> np.ndarray:
        return apply(layer, steps, start + sign * position) >= wanted

    # Numbers that are counted from the end at which the least value is: `below` has not reached a step, `above` has.
    below = np.full((len(low), len(wanted)), -1, dtype=np.int64)
    above = np.broadcast_to(length + 1, below.shape).copy()
    while (above - below > 1).any():
        middle = (above + below) // 2
        beyond = reached(np.clip(middle, 0, length))
        between = above - below > 1
        above = np.where(between & beyond, middle, above)
        below = np.where(between & ~beyond, middle, below)
    extremes = np.iinfo(np.int64)
    never = np.where(rising, extremes.max, extremes.min)[:, np.newaxis]
    return StepFunction(
        thresholds=np.where(above > length, never, start + sign * above), rising=rising, levels=steps.levels
    )


def apply(layer: Layer, steps: FloatScale | DoublingMultiply, sums: np.ndarray) -> np.ndarray:
    """Values of sums of shape (channels, n), int64."""
    try:
        return steps.apply(sums[np.newaxis, ..., np.newaxis])[0, ..., 0]
    except SpinplaneError as error:
        raise SpinplaneError(f"layer {layer.name}: {error}") from None
