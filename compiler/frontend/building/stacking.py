"""Concatenation along lines or columns: each value with zeros where the others come, and all of them added up."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from spinplane.machine import SpinplaneError

from ...graph import CodeAddition
from ..operands import least_operand
from .access import code_map, line_of, pad_value, without_padding
from .copies import copying, one_by_one
from .drafts import Drafts
from .layout import COLUMNS, LINES
from .pairs import add
from .shaping import pad
from .value import CodesCarrier, Value


def is_stack(parts: Sequence[Value], axis: int) -> bool:
    """Whether an axis is that of lines or of columns: of flat tensors in all parts, or else it is one of features."""
    along = [part.layout.axes[axis] for part in parts]
    if len(parts[0].shape) == 2 and any(one != along[0] for one in along):
        return False
    return any(one in ((LINES,), (COLUMNS,)) for one in along)


def stacked(drafts: Drafts, label: str, parts: Sequence[Value], axis: int) -> Value:
    """Values of codes one after the other along an axis of lines or columns."""
    rank, sides = len(parts[0].shape), [part.shape[axis] for part in parts]
    if len({(part.channels, *part.shape[:axis], *part.shape[axis + 1 :]) for part in parts}) > 1:
        raise SpinplaneError(
            f"{label}: tensors of shapes {parts[0].shape} and {parts[-1].shape} one after the other"
        )
    padded = []
    for number, part in enumerate(parts):
        pads = [0] * 2 * rank
        pads[axis], pads[rank + axis] = sum(sides[:number]), sum(sides[number + 1 :])
        padded.append(without_padding(drafts, label, pad(drafts, label, part, pads, 0.0)))
    if any(part.layout != padded[0].layout for part in padded):
        raise SpinplaneError(f"{label}: tensors of two layouts one after the other along axis {axis}")
    lines = [line_of(drafts, label, part) for part in padded]
    same = all(
        (line.slope == lines[0].slope).all() and (line.offset == lines[0].offset).all() for line in lines
    )
    if not same and len(parts) == 2:
        return add(drafts, label, padded[0], padded[1], 1)
    if not same:
        raise SpinplaneError(
            f"{label}: more than two tensors of different scales along axis {axis}: quantize them by one scale"
        )
    made = padded[0]
    for part in padded[1:]:
        made = _either(drafts, label, made, part)
    return made


def _either(drafts: Drafts, label: str, a: Value, b: Value) -> Value:
    """Codes of one scale, added exactly: one of them is 0 at each position."""
    lines = [line_of(drafts, label, one) for one in (a, b)]
    added, own = sorted(lines, key=lambda line: line.maps[0])
    levels = np.unique([*own.levels, *added.levels])
    addition = CodeAddition(
        source=added.maps[0],
        own_scale=Fraction(1),
        residual_scale=Fraction(1),
        offset=Fraction(-pad_value(label, own, Fraction(0))),
        low=int(levels[0]),
        high=int(levels[-1]),
    )
    layer = copying(label, own.maps, a.channels, own.operand)
    steps = one_by_one(own.levels, own.levels, a.channels)
    number = drafts.add(
        replace(layer, steps=steps, addition=addition),
        addition.levels,
        least_operand(levels, label),
        a.layout.sides,
    )
    real = code_map(addition.levels, own.slope)
    if own.offset.any():
        real = replace(real, first=real.first.plus(own.offset))
    return Value(layout=a.layout, carrier=CodesCarrier(maps=(number,)), real=real)
