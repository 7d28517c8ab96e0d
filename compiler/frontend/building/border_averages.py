"""Averages whose windows at the border are of fewer numbers: the sum of a window tells how many these are.

Beside the codes lies a map of one constant k. Their layer adds up the codes of a window, and k times a factor for each
position inside the map, so much that the sums of windows with different numbers of positions never meet. The steps
behind it are those of each number of positions in the region of its own sums.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from spinplane.machine import Coding, Operand, SpinplaneError

from ...graph import CodeAddition, Layer, Pooling, StepFunction
from ...meaning.exact_map import ExactMap
from ...meaning.real_map import RealMap
from ...meaning.region_steps import RegionSteps
from ..operands import least_operand
from ..quantizers import Levels
from .access import line_of
from .drafts import Drafts
from .value import Regions, SumsCarrier, Value

_NEVER = np.iinfo(np.int64).max
_MOST_FACTOR = 127
#: Of one layer, so that a table has their levels.
_MOST_LEVELS = 512


def border_average(drafts: Drafts, label: str, x: Value, pool: Pooling, counts: list[int]) -> Value:
    """Open sums of codes over windows of so many positions, padding left out."""
    line = line_of(drafts, label, x)
    least, greatest = int(line.levels.min()), int(line.levels.max())
    needed = max((few * greatest - many * least) // (many - few) + 1 for few, many in pairwise(counts))
    constant = max(greatest, least, key=abs)
    factor = -(-max(needed, 1) // abs(constant)) if constant else 0
    if not 0 < factor <= _MOST_FACTOR:
        raise SpinplaneError(
            f"{label}: an average whose windows at the border are of fewer numbers, of a map without range"
        )
    marks = _constant_map(drafts, label, line.maps[0], constant)
    channels = x.channels
    weights = np.zeros((channels, channels + 1, *pool.size), dtype=np.int64)
    weights[np.arange(channels), np.arange(channels)] = 1
    weights[:, channels] = factor if constant > 0 else -factor
    bits = factor.bit_length()
    w = Operand(bits=bits) if constant > 0 else Operand(bits=bits + 1, coding=Coding.TWOS_COMPLEMENT)
    layer = Layer(
        name=label,
        weights=weights,
        w=w,
        i=line.operand,
        bias=np.zeros(channels, dtype=np.int64),
        stride=pool.stride,
        padding=pool.padding,
        dilation=pool.dilation,
        inputs=(*line.maps, marks),
    )
    first = ExactMap.of_codes(line.levels, line.slope)
    if line.offset.any():
        first = first.plus(line.offset)
    regions = Regions(counts=tuple(counts), shift=abs(constant) * factor)
    return Value(
        layout=x.layout,
        carrier=SumsCarrier(layer=layer, regions=regions),
        real=RealMap(first=first.average(counts[-1])),
    )


def close_regions(drafts: Drafts, label: str, x: Value, in_codes: RealMap, levels: Levels) -> int:
    """Add the layers of such an average with a quantizer, and return the number of the last one's map.

    One layer has the steps of all regions if these are few enough. Else each region has a layer, which gives the
    number of a level there and 0 elsewhere, and adds what the layer before it gives.
    """
    carrier = x.carrier
    assert isinstance(carrier, SumsCarrier)
    assert carrier.regions
    counts, count = carrier.regions.counts, len(levels.values)
    windows = [
        (
            tuple(_part(in_codes, counts[-1], few).steps(*levels.steps()).regions()),
            few * carrier.regions.shift,
        )
        for few in counts
    ]
    every = RegionSteps(
        parts=tuple(part for parts, _ in windows for part in parts),
        shifts=tuple(shift for parts, shift in windows for _ in parts),
    )
    if count * len(every.parts) <= _MOST_LEVELS:
        steps = _step_function(every, levels.values, levels)
        layer = replace(carrier.layer, steps=steps)
        return drafts.add(layer, levels.values, levels.operand, x.layout.sides)
    numbers, before = np.arange(count), None
    value_step = int(levels.values[1] - levels.values[0])
    for parts, shift in windows:
        last = parts is windows[-1][0]
        alone = RegionSteps(parts=parts, shifts=(shift,) * len(parts), alone=True)
        steps = _step_function(alone, numbers, levels)
        addition = CodeAddition(
            source=before,
            own_scale=Fraction(1),
            residual_scale=Fraction(1),
            low=0,
            high=count - 1,
            value_scale=value_step if last else 1,
            value_offset=int(levels.values[0]) if last else 0,
        )
        layer = replace(carrier.layer, steps=steps, addition=None if before is None else addition)
        made, operand = (levels.values, levels.operand) if last else (numbers, least_operand(numbers, label))
        before = drafts.add(layer, made, operand, x.layout.sides)
    assert before is not None
    return before


def _part(in_codes: RealMap, most: int, count: int) -> RealMap:
    """The map of windows of so many positions, of that of windows with the most."""
    first = in_codes.first
    first = replace(
        first,
        least=first.least // most * count,
        greatest=first.greatest // most * count,
        weight=-(-first.weight * count // most),
        line=replace(first.line, slope=first.line.slope * Fraction(most, count)),
    )
    return replace(in_codes, first=first)


def _step_function(exact: RegionSteps, values: np.ndarray, levels: Levels) -> StepFunction:
    steps = StepFunction.between(exact, values)
    return replace(steps, exact=None) if levels.in_integers else steps


def _constant_map(drafts: Drafts, label: str, given: int, constant: int) -> int:
    """A map of one channel that is the same everywhere, as large as a given one."""
    draft = drafts.maps[given]
    layer = Layer(
        name=label,
        weights=np.ones((1, draft.sides[0], 1, 1), dtype=np.int64),
        w=Operand(bits=1, coding=Coding.UNSIGNED),
        i=draft.operand,
        bias=np.zeros(1, dtype=np.int64),
        inputs=(given,),
        steps=StepFunction(
            thresholds=np.array([[_NEVER]]),
            rising=np.ones(1, dtype=bool),
            levels=np.array([constant, constant]),
        ),
    )
    return drafts.add(layer, np.array([constant]), draft.operand, (1, *draft.sides[1:]))
