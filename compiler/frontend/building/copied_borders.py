"""Padding by copies of a tensor's own lines and columns: slices of it, one after the other around it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spinplane.machine import SpinplaneError

from ...graph import StepFunction
from .access import as_codes, code_map, line_of, refuse_host, without_padding
from .copies import copying
from .drafts import Drafts
from .layout import COLUMNS, LINES, Layout
from .stacking import stacked
from .value import CodesCarrier, Value


def pad_with_copies(drafts: Drafts, label: str, x: Value, pads: Sequence[int], mode: str) -> Value:
    """`Builder.pad_with_copies`."""
    refuse_host(label, x)
    if min(pads, default=0) < 0:
        raise SpinplaneError(f"{label}: a padding that cuts is not supported")
    rank = len(x.shape)
    x = without_padding(drafts, label, as_codes(drafts, label, x))
    for axis in range(rank):
        before, after = pads[axis], pads[rank + axis]
        if not before and not after:
            continue
        if x.layout.axes[axis] not in ((LINES,), (COLUMNS,)):
            raise SpinplaneError(
                f"{label}: a padding by copies of axis {axis} of a tensor of shape {x.shape}: expected lines or columns"
            )
        side = x.shape[axis]
        first = _copied(range(-before, 0), side, mode, label)
        last = _copied(range(side, side + after), side, mode, label)
        runs = [_runs(part) for part in (first, last)]
        slices = {places: _slice(drafts, label, x, axis, places) for part in runs for places in part}
        around = [[slices[places] for places in part] for part in runs]
        x = stacked(drafts, label, [*around[0], x, *around[1]], axis)
    return x


def _copied(places: range, side: int, mode: str, label: str) -> list[int]:
    """The places of a side whose copies lie at places before or behind it."""
    if mode == "edge":
        return [min(max(place, 0), side - 1) for place in places]
    found = [place % side if mode == "wrap" else side - 1 - abs(side - 1 - abs(place)) for place in places]
    if len(places) > side - (mode == "reflect"):
        raise SpinplaneError(f"{label}: {len(places)} copies of a side of {side} in mode {mode}")
    return found


def _runs(places: list[int]) -> list[range]:
    """Places as ranges of ascending ones."""
    runs: list[range] = []
    for place in places:
        if runs and runs[-1].stop == place:
            runs[-1] = range(runs[-1].start, place + 1)
        else:
            runs.append(range(place, place + 1))
    return runs


def _slice(drafts: Drafts, label: str, x: Value, axis: int, places: range) -> Value:
    """Lines or columns of codes, by a layer whose kernel takes one of them from each window."""
    line = line_of(drafts, label, x)
    (at,) = x.layout.axes[axis]
    kernel, sides = [1, 1, 1], list(x.layout.sides)
    kernel[at - 1], sides[at - 1] = sides[at - 1] - len(places) + 1, len(places)
    weights = np.zeros((x.channels, *kernel), dtype=np.int64)
    weights[(slice(None), 0, places.start, 0) if at == LINES else (slice(None), 0, 0, places.start)] = 1
    layer = copying(label, line.maps, x.channels, line.operand)
    steps = StepFunction.one_by_one(line.levels, line.levels, x.channels)
    layout = Layout(sides=(sides[0], sides[1], sides[2]), axes=x.layout.axes)
    number = drafts.add(replace(layer, weights=weights, steps=steps), line.levels, line.operand, layout.sides)
    real = code_map(line.levels, line.slope)
    if line.offset.any():
        real = replace(real, first=real.first.plus(line.offset))
    return Value(layout=layout, carrier=CodesCarrier(maps=(number,)), real=real)
