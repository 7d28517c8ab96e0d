"""Values as linear operators take them: maps of codes whose numbers lie on a line."""

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from math import gcd, lcm

import numpy as np

from spinplane.machine import MAX_BITS, Operand, SpinplaneError

from ...graph import Four, InputCoding, StepFunction
from ...meaning.exact_map import ExactMap, fractions
from ...meaning.real_map import RealMap
from ..operands import least_operand
from .copies import copying
from .drafts import INPUT, Draft, Drafts
from .layout import CHANNELS, COLUMNS, LINES, Sides
from .value import CodesCarrier, DelayedCarrier, InputCarrier, SumsCarrier, Value


def refuse_host(label: str, x: Value) -> None:
    """Refuse what follows an operator that is left to the host."""
    if x.host:
        raise SpinplaneError(f"{label}: it comes after {x.host}, which is left to the host")


def refuse_regions(label: str, x: Value) -> None:
    """Refuse what follows an average with a border but a quantizer."""
    if isinstance(x.carrier, SumsCarrier) and x.carrier.regions:
        raise SpinplaneError(
            f"{label}: an average whose windows at the border are of fewer numbers: quantize it first"
        )


def real_of(label: str, x: Value) -> RealMap:
    """The map of a value that is not the network's input as it is."""
    if x.real is None:
        raise SpinplaneError(f"{label}: its input is not quantized")
    return x.real


def code_map(levels: np.ndarray, scale: np.ndarray) -> RealMap:
    """The map of codes with some levels and a scale a channel, of Fraction."""
    return RealMap(first=ExactMap.of_codes(levels, scale))


def as_codes(drafts: Drafts, label: str, x: Value) -> Value:
    """The value as codes: the network's input by the coding that the user, or its type, gives."""
    refuse_host(label, x)
    if isinstance(x.carrier, CodesCarrier):
        return x
    if isinstance(x.carrier, SumsCarrier):
        return _small_sums(drafts, label, x)
    if isinstance(x.carrier, DelayedCarrier):
        raise SpinplaneError(f"{label}: sums that are padded, or pooled twice: quantize them first")
    if not isinstance(x.carrier, InputCarrier):
        raise SpinplaneError(f"{label}: its input is not quantized")
    assert drafts.input is not None
    coding = drafts.given or _of_type(drafts.input.dtype)
    if coding is None:
        raise SpinplaneError(
            f"{label}: its input is not quantized: say how the network's input is quantized "
            "(--input-bits, --input-scale, --input-zero-point)"
        )
    if x.carrier.pool:
        raise SpinplaneError(f"{label}: a maximum of the input must be followed by its quantizer")
    values = np.arange(coding.low, coding.high + 1, dtype=np.int64) - int(coding.zero_point)
    number = use_coding(drafts, coding, values, least_operand(values, label))
    drafts.input.scale = Fraction(coding.scale)
    scale = fractions(np.asarray(coding.scale), x.channels)
    first = ExactMap.of_codes(values, scale)
    for operation in x.carrier.operations:
        numbers = fractions(operation.constant, x.channels)
        first = {
            "multiply": lambda m, c: m.times(c),
            "divide": lambda m, c: m.times(1 / c),
            "add": lambda m, c: m.plus(c),
            "subtract": lambda m, c: m.plus(-c),
            "maximum": lambda m, c: m.at_least(c),
            "minimum": lambda m, c: m.at_most(c),
        }[operation.kind](first, numbers)
    return Value(
        layout=x.layout,
        carrier=CodesCarrier(maps=(number,), arrangement=x.carrier.arrangement),
        real=RealMap(first=first, operators=len(x.carrier.operations)),
    )


def _small_sums(drafts: Drafts, label: str, x: Value) -> Value:
    """Open sums of 8 bits or less are codes as they are."""
    refuse_regions(label, x)
    assert isinstance(x.carrier, SumsCarrier)
    if not are_small_sums(x):
        raise SpinplaneError(f"{label}: its input is not quantized")
    first, layer = real_of(label, x).first, x.carrier.layer
    least, greatest = int(first.least.min()), int(first.greatest.max())
    levels = np.arange(least, greatest + 1, dtype=np.int64)
    steps = StepFunction.one_by_one(levels, levels, x.channels)
    number = drafts.add(replace(layer, steps=steps), levels, least_operand(levels, label), x.layout.sides)
    return replace(x, carrier=CodesCarrier(maps=(number,)))


def are_small_sums(x: Value) -> bool:
    """Whether open sums are codes as they are."""
    if not isinstance(x.carrier, SumsCarrier) or x.carrier.regions or x.carrier.layer.pool is not None:
        return False
    assert x.real is not None
    return int(x.real.first.greatest.max()) - int(x.real.first.least.min()) < 2**MAX_BITS


def is_coded(drafts: Drafts) -> bool:
    """Whether the input's coding is known before a quantizer says it."""
    return drafts.given is not None or (drafts.input is not None and _of_type(drafts.input.dtype) is not None)


def _of_type(dtype: np.dtype) -> InputCoding | None:
    if dtype.kind not in "iu" or dtype.itemsize > 1:
        return None
    limits = np.iinfo(dtype)
    return InputCoding(low=int(limits.min), high=int(limits.max))


def use_coding(drafts: Drafts, coding: InputCoding, levels: np.ndarray, operand: Operand) -> int:
    """The map of the network's input in a coding."""
    given = drafts.input
    assert given is not None
    for at, known in enumerate(given.codings):
        if _same(known, coding):
            return INPUT - at
    number = INPUT - len(given.codings)
    given.codings.append(coding)
    drafts.maps[number] = Draft(layer=None, sides=given.layout.sides, levels=levels, operand=operand)
    return number


def _same(one: InputCoding, other: InputCoding) -> bool:
    plain = [name for name in vars(one) if name != "operations"]
    return (
        all(np.array_equal(getattr(one, name), getattr(other, name)) for name in plain)
        and [op.kind for op in one.operations] == [op.kind for op in other.operations]
        and all(
            np.array_equal(a.constant, b.constant)
            for a, b in zip(one.operations, other.operations, strict=True)
        )
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """Maps whose numbers are slope · value + offset.

    Parameters
    ----------
    maps : tuple of int
    levels : ndarray of int64
    operand : Operand
    slope, offset : ndarray of shape (channels,), of Fraction
    """

    maps: tuple[int, ...]
    levels: np.ndarray
    operand: Operand
    slope: np.ndarray
    offset: np.ndarray


def line_of(drafts: Drafts, label: str, x: Value) -> Line:
    """The maps of codes; where their numbers do not lie on a line, a layer of their own puts them on one.

    Padding of the carrier is left to the caller.
    """
    x = drafts.on_line(x)
    assert isinstance(x.carrier, CodesCarrier)
    real = real_of(label, x)
    levels, operand = drafts.joined(label, x.carrier.maps)
    if not real.stages and not real.first.cuts():
        return Line(
            maps=x.carrier.maps,
            levels=levels,
            operand=operand,
            slope=real.first.line.slope,
            offset=real.first.line.offset,
        )
    table, slope = _whole(label, real.numbers(levels))
    number = add_table(drafts, label, x, table)
    made = drafts.maps[number]
    assert made.levels is not None
    if not any(x.carrier.padding):
        on_line = replace(x, carrier=CodesCarrier(maps=(number,)), real=code_map(made.levels, slope))
        drafts.tables.append((x, on_line))
    return Line(maps=(number,), levels=made.levels, operand=made.operand, slope=slope, offset=slope * 0)


def add_table(
    drafts: Drafts, label: str, x: Value, table: np.ndarray, operand_of_made: Operand | None = None
) -> int:
    """A layer that gives another integer for each level of the maps of codes: a table of one row, or one a channel."""
    assert isinstance(x.carrier, CodesCarrier)
    sides = _unpadded(x.layout.sides, x.carrier.padding)
    return _add_table(drafts, label, x.carrier.maps, sides, table, operand_of_made)


def _add_table(
    drafts: Drafts,
    label: str,
    maps: tuple[int, ...],
    sides: Sides,
    table: np.ndarray,
    operand_of_made: Operand | None = None,
) -> int:
    levels, operand = drafts.joined(label, maps)
    layer = copying(label, maps, sides[0], operand)
    if (table == table[:1]).all():
        table = table[0]
    made = np.unique(table)
    return drafts.add(
        replace(layer, steps=StepFunction.one_by_one(levels, table, sides[0])),
        made,
        operand_of_made or least_operand(made, label),
        sides,
    )


def _unpadded(sides: Sides, padding: Four) -> Sides:
    top, left, bottom, right = padding
    return sides[0], sides[1] - top - bottom, sides[2] - left - right


def _whole(label: str, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of shape (channels, n) as integers times the greatest step of each channel."""
    steps = np.array([_step(row) for row in numbers], dtype=object)
    whole = numbers / steps[:, np.newaxis]
    if max(whole.max(), 0) - min(whole.min(), 0) >= 2**16:
        raise SpinplaneError(
            f"{label}: its input has numbers that are no multiples of one step in 8 bits: quantize it first"
        )
    return whole.astype(np.int64), steps


def _step(row: np.ndarray) -> Fraction:
    denominator = reduce(lcm, (number.denominator for number in row), 1)
    common = reduce(gcd, (int(number * denominator) for number in row), 0)
    return Fraction(common or 1, denominator)


def without_padding(drafts: Drafts, label: str, x: Value) -> Value:
    """The value with its padding written into a map."""
    if not isinstance(x.carrier, CodesCarrier) or not any(x.carrier.padding):
        return x
    return padded_by(drafts, label, x, x.carrier.padded)


def padded_by(drafts: Drafts, label: str, x: Value, numbers: Fraction | np.ndarray) -> Value:
    """The value with its padding, of one number or of one a channel, written into a map."""
    assert isinstance(x.carrier, CodesCarrier)
    line = line_of(drafts, label, x)
    values = pad_values(label, line, numbers)
    number = add_padded(drafts, label, line, x.layout.sides, x.carrier.padding, values)
    levels = drafts.levels(label, [number])
    real = code_map(levels, line.slope)
    return Value(
        layout=x.layout,
        carrier=CodesCarrier(maps=(number,)),
        real=replace(real, first=real.first.plus(line.offset)),
    )


@dataclass(frozen=True, kw_only=True)
class CountedLevels:
    """Levels by their numbers, which each channel counts from a level of its own, and from the last to the first one.

    Parameters
    ----------
    levels : ndarray of shape (n,), int64
        Ascending.
    first : ndarray of shape (channels,), int64
        The level of number 0.
    """

    levels: np.ndarray
    first: np.ndarray

    def numbers(self, levels: np.ndarray) -> np.ndarray:
        """Numbers of some levels, shape (channels, some)."""
        numbers: np.ndarray = (np.searchsorted(self.levels, levels) - self._start) % len(self.levels)
        return numbers

    def values(self, numbers: np.ndarray) -> np.ndarray:
        """Levels of some numbers, shape (channels, some)."""
        return self.levels[(numbers + self._start) % len(self.levels)]

    @property
    def _start(self) -> np.ndarray:
        return np.searchsorted(self.levels, self.first)[:, np.newaxis]


def add_padded(
    drafts: Drafts, label: str, line: Line, sides: Sides, padding: Four, values: np.ndarray
) -> int:
    """A layer that gives maps with their padding, whose sides these are, of one value a channel."""
    channels, levels = sides[0], np.unique([*line.levels, *values])
    maps, pad, given, table, operand = line.maps, int(values[0]), levels, levels, line.operand
    if (values != pad).any():
        # A layer pads by one value: levels are told by their number, counted from that of the padding.
        counted = CountedLevels(levels=levels, first=values)
        numbers = counted.numbers(line.levels)
        maps = (_add_table(drafts, label, maps, _unpadded(sides, padding), numbers),)
        pad, given = 0, np.arange(len(levels))
        table = counted.values(given)
        operand = least_operand(levels, label)
    layer = copying(label, maps, channels, drafts.joined(label, maps)[1])
    layer = replace(
        layer, padding=padding, pad_value=pad, steps=StepFunction.one_by_one(given, table, channels)
    )
    return drafts.add(layer, levels, operand, sides)


def pad_values(label: str, line: Line, numbers: Fraction | np.ndarray) -> np.ndarray:
    """The value of each channel that is a number, one or one a channel; shape (channels,), int64."""
    numbers = np.broadcast_to(np.asarray(numbers, dtype=object), line.slope.shape)
    values = (numbers - line.offset) / line.slope
    for number, value in zip(numbers, values, strict=True):
        if value.denominator != 1:
            raise SpinplaneError(
                f"{label}: its input has channels without a value that is {float(number):g}, to pad it"
            )
    least, greatest = min(line.operand.smallest, 0), max(line.operand.largest, 0)
    if (values == values[0]).all() and not least <= values[0] <= greatest:
        raise SpinplaneError(f"{label}: the padding {float(numbers[0]):g} is beyond the values of its input")
    return values.astype(np.int64)


def make_room(drafts: Drafts, label: str, x: Value, number: Fraction) -> None:
    """Let a number by which maps are padded be one of their values, if 8 bits have room for it."""
    assert isinstance(x.carrier, CodesCarrier)
    real = real_of(label, x)
    values = set((number - real.first.line.offset) / real.first.line.slope)
    if real.stages or real.first.cuts() or len(values) > 1:
        return  # a layer of their own comes between
    value = values.pop()
    _, joined = drafts.joined(label, x.carrier.maps)
    if value.denominator != 1 or joined.smallest <= value <= joined.largest:
        return
    for at in x.carrier.maps:
        draft = drafts.maps[at]
        assert draft.levels is not None
        levels = np.unique([*draft.levels, int(value)])
        drafts.maps[at] = replace(draft, levels=levels, operand=least_operand(levels, label))


def expect_channels_first(label: str, x: Value) -> None:
    """Refuse a tensor whose second axis is not that of the map's channels, or with axes that are merged."""
    axes, shape = x.layout.axes, x.shape
    if x.layout.loose is not None:
        raise SpinplaneError(f"{label}: its input of shape {shape} is no longer an image of {x.layout.sides}")
    if len(shape) < 2 or axes[1] not in ((CHANNELS,), ()) or (axes[1] == () and x.channels > 1):
        raise SpinplaneError(
            f"{label}: its input has the channels on axis {x.layout.channel_axis}, expected axis 1"
        )
    if any(merged not in ((LINES,), (COLUMNS,), ()) for merged in axes[2:]):
        raise SpinplaneError(f"{label}: its input of shape {shape} is no longer an image")
