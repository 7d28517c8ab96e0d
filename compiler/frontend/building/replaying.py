"""Quantizers of numbers for which moves wait: the numbers are quantized, and then moved."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spinplane.machine import SpinplaneError

from ...meaning.real_map import RealMap
from ..quantizers import Levels
from . import quantizing, thresholds
from .access import real_of
from .drafts import Drafts
from .layout import CHANNELS, COLUMNS, LINES, Layout
from .pooling import greatest_codes
from .shaping import surrounded
from .thresholds import Thresholds
from .value import DelayedCarrier, Maximum, Value

_IMAGE = ((), (CHANNELS,), (LINES,), (COLUMNS,))


def quantize(drafts: Drafts, label: str, x: Value, levels: Levels) -> Value:
    """`Builder.quantize`."""
    if not isinstance(x.carrier, DelayedCarrier):
        return quantizing.quantize(drafts, label, x, levels)
    x, levels = quantizing.by_channel(drafts, label, x, levels)

    def quantized(number: RealMap, given: np.ndarray) -> np.ndarray:
        values = quantizing.values_of(quantizing.to_codes(number, levels).numbers(given), levels)
        return quantizing.real_of_levels(levels, x.channels).numbers(values)[:, 0]

    made = quantizing.quantize(drafts, label, _taken(x), quantizing.along(levels, 1, len(_IMAGE)))
    return _moved(drafts, label, x, made, quantized)


def threshold(drafts: Drafts, label: str, x: Value, steps: Thresholds, axis: int) -> Value:
    """`Builder.threshold`."""
    if not isinstance(x.carrier, DelayedCarrier):
        return thresholds.threshold(drafts, label, x, steps, axis)
    if steps.positions.ndim > 1 and len(steps.positions) > 1 and x.layout.axes[axis] != (CHANNELS,):
        raise SpinplaneError(
            f"{label}: lists of thresholds along axis {axis}, which is not that of the channels"
        )

    def quantized(number: RealMap, given: np.ndarray) -> np.ndarray:
        values: np.ndarray = steps.levels_of(number.numbers(given))[:, 0] * steps.scale + steps.offset
        return values

    made = thresholds.threshold(drafts, label, _taken(x), steps, 1)
    return _moved(drafts, label, x, made, quantized)


def _taken(x: Value) -> Value:
    """The numbers before all moves, in the map of which they lie now."""
    assert isinstance(x.carrier, DelayedCarrier)
    return replace(x, layout=Layout(sides=x.carrier.sides, axes=_IMAGE), carrier=x.carrier.taken)


def _moved(
    drafts: Drafts,
    label: str,
    x: Value,
    made: Value,
    quantized: Callable[[RealMap, np.ndarray], np.ndarray],
) -> Value:
    """Codes that have been moved as their numbers would have been."""
    assert isinstance(x.carrier, DelayedCarrier)
    real = real_of(label, x)
    for move in x.carrier.moves:
        if isinstance(move, Maximum):
            if (move.of.falling != real.falling).any() or (move.of.turns != real.turns).any():
                raise SpinplaneError(
                    f"{move.label}: numbers fall behind this maximum: quantize its input first"
                )
            made = greatest_codes(drafts, move.label, made, move.pool)
            continue
        numbers = quantized(move.behind, np.array([[move.number]], dtype=object))
        made = surrounded(drafts, move.label, made, move.padding, numbers)
    return replace(made, layout=x.layout)
