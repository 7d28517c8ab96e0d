"""The network's input as a map: which axis of its tensor is that of the channels is open until a layer takes it."""

from dataclasses import replace

import numpy as np

from spinplane.machine import SpinplaneError

from .drafts import Drafts, Places
from .layout import Layout, Sides
from .value import CodesCarrier, InputCarrier, Value


def arranged(drafts: Drafts, x: Value, axis: int) -> Value:
    """The value with the channels on an axis of its tensor, if it is the network's input, which can be arranged so."""
    assert drafts.input is not None
    batched = drafts.input.batched
    if not is_input(x) or len(x.shape) <= 1 + batched:
        return x
    return rearranged(drafts, x, Layout.of_tensor(x.shape, axis, batched=batched))


def rearranged(drafts: Drafts, x: Value, wanted: Layout) -> Value:
    """The network's input as another map, unless a layer takes it already."""
    given = drafts.input
    assert given is not None
    places = _places(x.layout, wanted)
    taken = any(drafts.readers(number) for number in drafts.inputs)
    if x.layout == wanted or places is None or taken or not _uniform(x):
        return x
    given.arrangements.append((places, wanted.sides))
    given.layout = _moved(given.layout, places, wanted.sides)
    for number in drafts.inputs:
        drafts.maps[number] = replace(drafts.maps[number], sides=wanted.sides)
    return replace(current(drafts, x), layout=wanted)


def current(drafts: Drafts, x: Value) -> Value:
    """A value of the network's input in the present arrangement."""
    carrier = x.carrier
    if not isinstance(carrier, InputCarrier | CodesCarrier) or not is_input(x):
        return x
    assert drafts.input is not None
    if carrier.arrangement == len(drafts.input.arrangements):
        return x
    layout, real = x.layout, x.real
    for places, sides in drafts.input.arrangements[carrier.arrangement :]:
        layout = _moved(layout, places, sides)
        if real is not None:
            real = replace(real, first=real.first.channels(np.zeros(sides[0], dtype=np.int64)))
    carrier = replace(carrier, arrangement=len(drafts.input.arrangements))
    return replace(x, layout=layout, carrier=carrier, real=real)


def _moved(layout: Layout, places: Places, sides: Sides) -> Layout:
    if layout.loose is not None:
        raise SpinplaneError(f"a tensor of shape {layout.shape} of an input that is arranged in another way")
    axes = [tuple(new for axis in merged for new in places.get(axis, ())) for merged in layout.axes]
    return Layout(sides=sides, axes=tuple(axes))


def is_input(x: Value) -> bool:
    """Whether a value is the network's input, quantized or not."""
    return isinstance(x.carrier, InputCarrier) or (
        isinstance(x.carrier, CodesCarrier)
        and len(x.carrier.maps) == 1
        and x.carrier.maps[0] < 0
        and not any(x.carrier.padding)
    )


def _places(old: Layout, wanted: Layout) -> dict[int, tuple[int, ...]] | None:
    """Axes of the wanted map that the axes of an old one become; None if the old axes are merged."""
    if old.loose is not None or wanted.loose is not None:
        return None
    if old.shape == wanted.shape and all(len(merged) < 2 for merged in old.axes):
        return {merged[0]: after for merged, after in zip(old.axes, wanted.axes, strict=True) if merged}
    named = [merged for merged in old.axes if merged]
    if len(named) != 1 or len(named[0]) != 1:
        return None
    return {named[0][0]: tuple(axis for merged in wanted.axes for axis in merged)}


def _uniform(x: Value) -> bool:
    """Whether all channels have the same line, without functions, and what prepares an input is one number each."""
    if isinstance(x.carrier, InputCarrier):
        return x.carrier.pool is None and all(op.constant.size == 1 for op in x.carrier.operations)
    return x.real is not None and x.real.uniform and not x.real.stages
