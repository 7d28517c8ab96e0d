"""Concatenation along lines or columns: each value with zeros where the others come, and all of them added up."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from spinplane.machine import SpinplaneError

from ...graph import CodeAddition, StepFunction
from ..operands import least_operand
from .access import CountedLevels, Line, add_table, code_map, line_of, pad_values, without_padding
from .copies import copying
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
    lines = [line_of(drafts, label, part) for part in parts]
    zeros = pad_values(label, lines[0], Fraction(0))
    if (zeros != zeros[0]).any() and _same(lines):
        return _stacked_by_number(drafts, label, parts, lines, axis)
    padded = []
    for number, part in enumerate(parts):
        pads = [0] * 2 * rank
        pads[axis], pads[rank + axis] = sum(sides[:number]), sum(sides[number + 1 :])
        padded.append(without_padding(drafts, label, pad(drafts, label, part, pads, 0.0)))
    if any(part.layout != padded[0].layout for part in padded):
        raise SpinplaneError(f"{label}: tensors of two layouts one after the other along axis {axis}")
    lines = [line_of(drafts, label, part) for part in padded]
    if not _same(lines) and len(parts) == 2:
        return add(drafts, label, padded[0], padded[1], 1)
    if not _same(lines):
        raise SpinplaneError(
            f"{label}: more than two tensors of different scales along axis {axis}: quantize them by one scale"
        )
    made = padded[0]
    for part in padded[1:]:
        made = _either(drafts, label, made, part)
    return made


def _same(lines: Sequence[Line]) -> bool:
    """Whether all have the same numbers."""
    first = lines[0]
    return all((one.slope == first.slope).all() and (one.offset == first.offset).all() for one in lines)


def _stacked_by_number(
    drafts: Drafts, label: str, parts: Sequence[Value], lines: Sequence[Line], axis: int
) -> Value:
    """The same of values whose channels have different values of 0: as numbers of levels, counted from these."""
    zeros = pad_values(label, lines[0], Fraction(0))
    levels = np.unique(np.concatenate([zeros, *(line.levels for line in lines)]))
    counting = CountedLevels(levels=levels, first=zeros)
    ones = np.array([Fraction(1)] * parts[0].channels, dtype=object)
    counted = []
    for part, line in zip(parts, lines, strict=True):
        table = counting.numbers(line.levels)
        number = add_table(drafts, label, replace(part, carrier=CodesCarrier(maps=line.maps)), table)
        numbers = drafts.levels(label, [number])
        counted.append(replace(part, carrier=CodesCarrier(maps=(number,)), real=code_map(numbers, ones)))
    made = stacked(drafts, label, counted, axis)
    assert isinstance(made.carrier, CodesCarrier)
    table = counting.values(drafts.levels(label, made.carrier.maps))
    number = add_table(drafts, label, made, table)
    real = code_map(drafts.levels(label, [number]), lines[0].slope)
    real = replace(real, first=real.first.plus(lines[0].offset))
    return replace(made, carrier=CodesCarrier(maps=(number,)), real=real)


def _either(drafts: Drafts, label: str, a: Value, b: Value) -> Value:
    """Codes of one scale, added exactly: one of them is 0 at each position."""
    lines = [line_of(drafts, label, one) for one in (a, b)]
    added, own = sorted(lines, key=lambda line: line.maps[0])
    levels = np.unique([*own.levels, *added.levels])
    addition = CodeAddition(
        source=added.maps[0],
        own_scale=Fraction(1),
        residual_scale=Fraction(1),
        offset=Fraction(-int(pad_values(label, own, Fraction(0))[0])),
        low=int(levels[0]),
        high=int(levels[-1]),
    )
    layer = copying(label, own.maps, a.channels, own.operand)
    steps = StepFunction.one_by_one(own.levels, own.levels, a.channels)
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
