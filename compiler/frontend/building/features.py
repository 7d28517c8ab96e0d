"""Flat tensors of maps with lines and columns, as maps of one pixel."""

import numpy as np

from spinplane.machine import Coding, Operand

from ...graph import Layer, StepFunction
from .access import as_codes, code_map, line_of, without_padding
from .drafts import Drafts
from .layout import CHANNELS, Layout
from .value import CodesCarrier, Value


def as_features(drafts: Drafts, label: str, x: Value) -> Value:
    """A tensor of shape (1, features) whose features are the channels of its map, by a layer of its own if need be."""
    if len(x.shape) != 2 or x.layout.sides[1:] == (1, 1):
        return x
    x = without_padding(drafts, label, as_codes(drafts, label, x))
    line = line_of(drafts, label, x)
    sides, count = x.layout.sides, x.shape[1]
    # Places in the map, of the features in their order.
    places = np.arange(count).reshape(sides).transpose([axis - 1 for axis in x.layout.order[1:]]).ravel()
    in_order = bool((places == np.arange(count)).all())
    weights = np.ones((count, 1, 1, 1), dtype=np.int64)
    if not in_order:
        weights = np.zeros((count, count, 1, 1), dtype=np.int64)
        weights[np.arange(count), places] = 1
    layer = Layer(
        name=label,
        weights=weights,
        w=Operand(bits=1, coding=Coding.UNSIGNED),
        i=line.operand,
        bias=np.zeros(count, dtype=np.int64),
        groups=count if in_order else 1,
        inputs=line.maps,
        flatten=True,
        steps=StepFunction.one_by_one(line.levels, line.levels, count),
    )
    number = drafts.add(layer, line.levels, line.operand, (count, 1, 1))
    channels = places // (sides[1] * sides[2])
    real = code_map(line.levels, line.slope[channels])
    if line.offset.any():
        real = real.changed(real.first.plus(line.offset[channels]))
    layout = Layout(sides=(count, 1, 1), axes=((), (CHANNELS,)))
    return Value(layout=layout, carrier=CodesCarrier(maps=(number,)), real=real)
