"""Sums of two maps, or of open sums and a map."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from spinplane.machine import SpinplaneError

from ...graph import DoublingAddition, FloatAddition, Residual, StepFunction
from ...meaning.exact_map import ExactMap
from ...meaning.real_map import RealMap
from ..operands import least_operand
from .access import Line, as_codes, code_map, line_of, real_of, refuse_host, refuse_regions, without_padding
from .copies import copying
from .drafts import Drafts
from .features import as_features
from .ratios import whole_factors
from .two_sums import sum_of_two
from .value import CodesCarrier, DelayedCarrier, InputCarrier, PairCarrier, SumsCarrier, Value


def add(drafts: Drafts, label: str, a: Value, b: Value, sign: int) -> Value:
    """`Builder.add`."""
    for one in (a, b):
        refuse_host(label, one)
    a, b = _alike(drafts, label, a, b)
    if a.shape != b.shape or a.layout != b.layout:
        raise SpinplaneError(
            f"{label}: tensors of shapes {a.shape} and {b.shape}, or of two layouts, are not added"
        )
    a, b = (_addend(drafts, label, one) for one in (a, b))
    if sign < 0:
        real = real_of(label, b)
        b = replace(b, real=real.changed(-real.last))
    for one in (a, b):
        refuse_regions(label, one)
    if isinstance(b.carrier, SumsCarrier):
        a, b = b, a
    if isinstance(a.carrier, SumsCarrier) and isinstance(b.carrier, SumsCarrier):
        return sum_of_two(drafts, label, a, b)
    if isinstance(a.carrier, PairCarrier) or isinstance(b.carrier, PairCarrier):
        raise SpinplaneError(f"{label}: a sum of three: quantize the sum of two of them first")
    added = _one_map(drafts, label, b)
    if isinstance(a.carrier, SumsCarrier):
        real = real_of(label, a)
        if not real.is_line:
            raise SpinplaneError(f"{label}: sums behind a Relu or a function: quantize them first")
        own: SumsCarrier | int = a.carrier
        first = real.first
    else:
        line = _one_map(drafts, label, a)
        own = line.maps[0]
        if added.maps[0] > own:
            # The layer of the addition comes after both.
            line, added = added, line
            own = line.maps[0]
        first = ExactMap.of_codes(line.levels, line.slope).plus(line.offset)
    if (first.line.slope == 0).any():
        raise SpinplaneError(f"{label}: a factor of 0 before an addition")
    ratio = added.slope / first.line.slope
    largest = int(np.abs(added.levels).max())
    first = replace(first.plus(added.offset), weight=first.weight + abs(ratio) * largest)
    return Value(
        layout=a.layout,
        carrier=PairCarrier(own=own, added=added.maps[0], ratio=ratio),
        real=RealMap(first=first, operators=1),
    )


def _alike(drafts: Drafts, label: str, a: Value, b: Value) -> tuple[Value, Value]:
    """Two values of one layout, if they are flat tensors of one shape."""
    if a.shape != b.shape or a.layout == b.layout:
        return a, b
    return as_features(drafts, label, a), as_features(drafts, label, b)


def _addend(drafts: Drafts, label: str, x: Value) -> Value:
    if isinstance(x.carrier, InputCarrier | DelayedCarrier):
        return as_codes(drafts, label, x)
    return without_padding(drafts, label, x)


def _one_map(drafts: Drafts, label: str, x: Value) -> Line:
    """The line of one map; several become one by a layer of their own."""
    line = line_of(drafts, label, x)
    if len(line.maps) == 1:
        return line
    assert isinstance(x.carrier, CodesCarrier)
    layer = copying(label, line.maps, x.channels, line.operand)
    layer = replace(layer, steps=StepFunction.one_by_one(line.levels, line.levels, x.channels))
    return replace(line, maps=(drafts.add(layer, line.levels, line.operand, x.layout.sides),))


def as_sums(drafts: Drafts, label: str, x: Value) -> Value:
    """A pair as the open sums of one layer with a residual.

    Raises
    ------
    SpinplaneError
        If scales are too different for one addition.
    """
    carrier, real = x.carrier, real_of(label, x)
    assert isinstance(carrier, PairCarrier)
    own = carrier.own
    if isinstance(own, int):
        draft = drafts.maps[own]
        layer = copying(label, (own,), x.channels, draft.operand)
    else:
        layer = own.layer
    added = drafts.maps[carrier.added].levels
    assert added is not None
    first = real.first
    factors = {ratio: whole_factors(label, ratio, first, added) for ratio in set(carrier.ratio)}
    scale, residual_scale = np.array([factors[ratio] for ratio in carrier.ratio], dtype=np.int64).T
    ends = np.sort([residual_scale * int(end) for end in (added.min(), added.max())], axis=0)
    whole = scale.astype(object)  # a Fraction takes Python's integers
    first = replace(
        first,
        least=scale * first.least + ends[0],
        greatest=scale * first.greatest + ends[1],
        weight=first.weight * whole,
        line=replace(first.line, slope=first.line.slope / whole),
    )
    residual = Residual(
        source=carrier.added, scale=_one_or_each(scale), residual_scale=_one_or_each(residual_scale)
    )
    pooled = own.pooled if isinstance(own, SumsCarrier) else None
    return replace(
        x,
        carrier=SumsCarrier(layer=replace(layer, residual=residual), pooled=pooled),
        real=replace(real, first=first),
    )


def _one_or_each(factors: np.ndarray) -> int | tuple[int, ...]:
    """Factors of channels as a residual has them."""
    return int(factors[0]) if (factors == factors[0]).all() else tuple(factors.tolist())


def add_doubling(drafts: Drafts, label: str, a: Value, b: Value, addition: DoublingAddition) -> Value:
    """`Builder.add_doubling`."""
    a, b = _alike(drafts, label, a, b)
    own, added, swapped = _two_maps(drafts, label, a, b)
    if any((line.slope != 1).any() or line.offset.any() for line in (own, added)):
        raise SpinplaneError(f"{label}: expected integers as they are")
    if swapped:
        addition = replace(
            addition,
            own_multiplier=addition.residual_multiplier,
            own_shift=addition.residual_shift,
            residual_multiplier=addition.own_multiplier,
            residual_shift=addition.own_shift,
        )
    return _add_natively(drafts, label, a, own, replace(addition, source=added.maps[0]))


def add_float32(drafts: Drafts, label: str, a: Value, b: Value, addition: FloatAddition) -> Value:
    """`Builder.add_float32`."""
    a, b = _alike(drafts, label, a, b)
    own, added, swapped = _two_maps(drafts, label, a, b)
    if swapped:
        addition = replace(
            addition,
            own_is_first=False,
            own_scale=addition.residual_scale,
            residual_scale=addition.own_scale,
        )
    zeros = [_zero(label, line) for line in (own, added)]
    addition = replace(addition, source=added.maps[0], own_zero=zeros[0], residual_zero=zeros[1])
    made = _add_natively(drafts, label, a, own, addition)
    real = real_of(label, made)
    offset = np.array([Fraction(-addition.value_offset)] * a.channels, dtype=object)
    return replace(made, real=replace(real, first=real.first.plus(offset)))


def _zero(label: str, line: Line) -> int:
    """What the values of a map lack to be the tensor's numbers, which are codes."""
    offset = line.offset[0]
    if (line.slope != 1).any() or (line.offset != offset).any() or offset.denominator != 1:
        raise SpinplaneError(f"{label}: expected codes as they are")
    return int(offset)


def _two_maps(drafts: Drafts, label: str, a: Value, b: Value) -> tuple[Line, Line, bool]:
    """The later and the earlier map of two values, and whether these are b and a."""
    for one in (a, b):
        refuse_host(label, one)
    if a.layout != b.layout:
        raise SpinplaneError(
            f"{label}: tensors of shapes {a.shape} and {b.shape}, or of two layouts, are not added"
        )
    own, added = (
        _one_map(drafts, label, _addend(drafts, label, as_codes(drafts, label, one))) for one in (a, b)
    )
    swapped = added.maps[0] > own.maps[0]
    return (added, own, True) if swapped else (own, added, False)


def _add_natively(
    drafts: Drafts, label: str, a: Value, own: Line, addition: DoublingAddition | FloatAddition
) -> Value:
    """A layer that copies a map, and adds another one to it."""
    layer = copying(label, own.maps, a.channels, own.operand)
    steps = StepFunction.one_by_one(own.levels, own.levels, a.channels)
    levels = addition.levels
    operand = least_operand(levels, label)
    number = drafts.add(replace(layer, steps=steps, addition=addition), levels, operand, a.layout.sides)
    ones = np.array([Fraction(1)] * a.channels, dtype=object)
    return Value(layout=a.layout, carrier=CodesCarrier(maps=(number,)), real=code_map(levels, ones))
