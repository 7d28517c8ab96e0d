"""Concatenation of values."""

from collections.abc import Sequence
from dataclasses import replace

from spinplane.machine import SpinplaneError

from ...meaning.real_map import concatenated
from .access import as_codes, code_map, line_of, real_of, refuse_host, without_padding
from .drafts import Drafts
from .features import as_features
from .layout import CHANNELS, Layout
from .stacking import is_stack, stacked
from .value import CodesCarrier, Value


def concatenate(drafts: Drafts, label: str, values: Sequence[Value], axis: int) -> Value:
    """`Builder.concatenate`."""
    parts = []
    for value in values:
        refuse_host(label, value)
        parts.append(without_padding(drafts, label, as_codes(drafts, label, value)))
    rank = len(parts[0].shape)
    axis %= rank
    if all(len(part.shape) == rank for part in parts) and is_stack(parts, axis):
        return stacked(drafts, label, parts, axis)
    if axis == 1 and any(
        len(part.layout.axes[-1]) > 1 or part.layout.axes[-1] > (CHANNELS,) for part in parts
    ):
        parts = [as_features(drafts, label, part) for part in parts]
    axes = next((p.layout.axes for p in parts if p.layout.axes[axis : axis + 1] == ((CHANNELS,),)), None)
    for part in parts:
        if len(part.shape) != rank or part.layout.axes[axis] not in ((CHANNELS,), ()):
            raise SpinplaneError(
                f"{label}: a concatenation along axis {axis}, which is not that of the channels"
            )
        if part.layout.sides[1:] != parts[0].layout.sides[1:]:
            raise SpinplaneError(f"{label}: tensors of shapes {parts[0].shape} and {part.shape} side by side")
        if part.layout.axes[axis] == () and part.channels > 1:
            raise SpinplaneError(
                f"{label}: a concatenation along axis {axis}, which is not that of the channels"
            )
    if axes is None:
        axes = tuple((CHANNELS,) if at == axis else merged for at, merged in enumerate(parts[0].layout.axes))
    maps: list[int] = []
    reals = []
    for part in parts:
        assert isinstance(part.carrier, CodesCarrier)
        real = real_of(label, part)
        if real.stages or real.first.cuts():
            line = line_of(drafts, label, part)
            maps += line.maps
            made = code_map(line.levels, line.slope)
            real = made
        else:
            maps += part.carrier.maps
        reals.append(real)
    sides = (sum(part.channels for part in parts), *parts[0].layout.sides[1:])
    carrier = CodesCarrier(maps=tuple(maps))
    return replace(
        parts[0],
        layout=Layout(sides=sides, axes=axes),
        carrier=carrier,
        real=concatenated(reals),
        before=None,
    )
