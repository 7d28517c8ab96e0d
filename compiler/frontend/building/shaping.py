"""Operators that move numbers and change none."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import isfinite, prod

import numpy as np

from spinplane.machine import SpinplaneError

from ...graph import Four
from .access import are_small_sums, as_codes, make_room, padded_by, refuse_host, without_padding
from .arranging import arranged, is_input, rearranged
from .delaying import delayed_padding
from .drafts import Drafts
from .layout import COLUMNS, LINES, Layout, Sides
from .linear import padding_on_map, window_axes
from .value import CodesCarrier, DelayedCarrier, InputCarrier, PairCarrier, SumsCarrier, Value


def transpose(drafts: Drafts, label: str, x: Value, order: Sequence[int]) -> Value:
    """`Builder.transpose`."""
    if x.host:
        return x
    if sorted(order) != list(range(len(x.shape))):
        raise SpinplaneError(f"{label}: {list(order)} is no order of {len(x.shape)} axes")
    try:
        made = replace(x, layout=x.layout.transposed(order))
    except ValueError as error:
        raise SpinplaneError(f"{label}: an order of {error}") from None
    # An image that is transposed before anything else is done with it has its channels first then.
    return arranged(drafts, made, 1) if isinstance(x.carrier, InputCarrier) else made


def reshape(drafts: Drafts, label: str, x: Value, shape: Sequence[int]) -> Value:
    """`Builder.reshape`."""
    if x.host:
        return x
    target = tuple(shape)
    layout = x.layout.reshaped(target)
    if layout is not None and layout.loose is None:
        return replace(x, layout=layout)
    if is_input(x) and prod(target) == prod(x.shape) and 3 <= len(target) <= 4 and target[0] == 1:
        made = rearranged(drafts, x, Layout.of_tensor(target))
        if made.layout.loose is None and made.shape == target:
            return made
    if layout is not None:
        return replace(x, layout=layout)
    raise SpinplaneError(f"{label}: a reshape from {x.shape} to {target} is not supported")


def pad(drafts: Drafts, label: str, x: Value, pads: Sequence[int], number: float) -> Value:
    """`Builder.pad`."""
    refuse_host(label, x)
    rank = len(x.shape)
    if not any(pads):
        return x
    if min(pads) < 0:
        raise SpinplaneError(f"{label}: a padding that cuts is not supported")
    if not isfinite(number):
        raise SpinplaneError(f"{label}: a padding by {number} is not one by a number")
    waits = isinstance(x.carrier, SumsCarrier | PairCarrier | DelayedCarrier) and not are_small_sums(x)
    if not waits:
        x = without_padding(drafts, label, as_codes(drafts, label, x))
    axes = [axis for axis in range(rank) if pads[axis] or pads[rank + axis]]
    places = dict(zip(range(2, rank), window_axes(x.layout), strict=False)) if rank in (3, 4) else {}
    if x.layout.channel_axis not in (1, None):
        places = {
            axis: merged[0] for axis, merged in enumerate(x.layout.axes) if merged in ((LINES,), (COLUMNS,))
        }
    if any(axis not in places for axis in axes):
        raise SpinplaneError(
            f"{label}: a padding of axes {axes} of a tensor of shape {x.shape} is not supported"
        )
    on = tuple(places[axis] for axis in axes)
    amounts = padding_on_map(on, [*(pads[axis] for axis in axes), *(pads[rank + axis] for axis in axes)])
    named = list(x.layout.axes)
    for axis in axes:
        named[axis] = (places[axis],)
    layout = Layout(sides=_with(amounts, x.layout.sides), axes=tuple(named))
    if waits:
        return delayed_padding(label, x, amounts, Fraction(number), layout)
    numbers = np.array([Fraction(number)] * x.channels, dtype=object)
    return replace(surrounded(drafts, label, x, amounts, numbers), layout=layout)


def surrounded(drafts: Drafts, label: str, x: Value, padding: Four, numbers: np.ndarray) -> Value:
    """Codes with numbers around them, of Fraction, shape (channels,)."""
    x = without_padding(drafts, label, x)
    assert isinstance(x.carrier, CodesCarrier)
    layout = Layout(sides=_with(padding, x.layout.sides), axes=x.layout.axes)
    number = Fraction(numbers[0])
    if (numbers != number).any():
        wider = replace(x, layout=layout, carrier=replace(x.carrier, padding=padding))
        return padded_by(drafts, label, wider, numbers)
    make_room(drafts, label, x, number)
    return replace(x, layout=layout, carrier=replace(x.carrier, padding=padding, padded=number))


def _with(padding: Four, sides: Sides) -> Sides:
    channels, lines, columns = sides
    return channels, lines + padding[0] + padding[2], columns + padding[1] + padding[3]
