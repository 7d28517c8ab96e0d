"""Means of codes that a linear layer takes: its windows become those of the mean, each of its weights repeated."""

import numpy as np

from spinplane.machine import MAX_BITS

from .access import code_map
from .drafts import Drafts
from .layout import CHANNELS, COLUMNS, LINES, Layout
from .value import CodesCarrier, SumsCarrier, Value


def is_mean(x: Value) -> bool:
    """Whether a value is a mean of codes, which has more bits than codes have."""
    if not isinstance(x.carrier, SumsCarrier) or x.carrier.regions or x.real is None or not x.real.is_line:
        return False
    layer, first = x.carrier.layer, x.real.first
    wide = int(first.greatest.max()) - int(first.least.min()) >= 2**MAX_BITS
    ones = layer.groups == len(layer.weights) and bool((layer.weights == 1).all())
    return wide and ones and layer.pool is None and layer.residual is None and not first.line.offset.any()


def of_mean(drafts: Drafts, x: Value, weights: np.ndarray) -> tuple[Value, np.ndarray]:
    """The codes of a mean, and a layer's weights of windows of 1×1 as those of the mean's windows."""
    assert isinstance(x.carrier, SumsCarrier)
    assert x.real is not None
    layer = x.carrier.layer
    levels, _ = drafts.joined(layer.name, layer.inputs)
    lines, columns = drafts.maps[layer.inputs[0]].sides[1:]
    layout = Layout(sides=(x.channels, lines, columns), axes=((), (CHANNELS,), (LINES,), (COLUMNS,)))
    real = code_map(levels, x.real.first.line.slope)
    codes = Value(layout=layout, carrier=CodesCarrier(maps=layer.inputs), real=real)
    sides = layer.weights.shape[2:]
    return codes, np.ascontiguousarray(np.broadcast_to(weights, (*weights.shape[:2], *sides)))
