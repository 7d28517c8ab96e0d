"""Quantizers: the steps of open sums, requantization of codes, the coding of the input."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from spinplane.machine import Operand, SpinplaneError

from ...graph import (
    CodeAddition,
    InputOperation,
    Layer,
    Pooling,
    StepFunction,
    Steps,
)
from ...meaning.exact_map import ExactMap, fractions
from ...meaning.real_map import RealMap
from ...meaning.rounding import round_quotients
from ..operands import least_operand
from ..quantizers import Levels
from .access import code_map, real_of, refuse_host, refuse_regions, use_coding, without_padding
from .arranging import arranged
from .border_averages import close_regions
from .copies import copying, one_by_one
from .drafts import INPUT, Drafts
from .layout import CHANNELS
from .pairs import as_sums
from .ratios import prove_factors
from .value import CodesCarrier, InputCarrier, PairCarrier, SumsCarrier, Value


def quantize(drafts: Drafts, label: str, x: Value, levels: Levels) -> Value:
    """`Builder.quantize`."""
    refuse_host(label, x)
    step = np.asarray(levels.step)
    longer = [axis - step.ndim + len(x.shape) for axis, side in enumerate(step.shape) if side > 1]
    if len(longer) == 1 and longer[0] > 0 and x.layout.axes[longer[0]] != (CHANNELS,):
        x = arranged(drafts, x, longer[0])
    spread, scale = by_channel(label, x, levels)
    scales = fractions(scale, x.channels)
    if isinstance(x.carrier, InputCarrier):
        return _quantize_input(drafts, label, x, levels, spread, scales)
    real = real_of(label, x)
    in_codes = to_codes(real, spread, levels)
    if isinstance(x.carrier, PairCarrier):
        made = _add_codes(drafts, label, x, in_codes, levels)
        if made is not None:
            return _codes(x, (made,), levels, scales)
        return _quantize_pair(drafts, label, replace(x, real=in_codes), levels, scales)
    if isinstance(x.carrier, CodesCarrier):
        if step.size > 1:
            x = without_padding(drafts, label, x)
        return _requantize(drafts, label, x, in_codes, levels, scales)
    assert isinstance(x.carrier, SumsCarrier)
    if x.carrier.regions:
        return _codes(x, (close_regions(drafts, label, x, in_codes, levels),), levels, scales)
    number = close(drafts, x, find_steps(in_codes, levels), levels.operand)
    return _codes(x, (number,), levels, scales)


def by_channel(label: str, x: Value, levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """Step and scale of each channel."""
    step, scale = (x.layout.by_channel(np.asarray(part)) for part in (levels.step, levels.scale))
    if step is None or scale is None:
        raise SpinplaneError(
            f"{label}: scales of shape {np.shape(levels.step)} are not one value per channel"
        )
    return step, scale


def _quantize_pair(drafts: Drafts, label: str, x: Value, levels: Levels, scales: np.ndarray) -> Value:
    """Steps of a sum of two, as those of the sums of one layer with a residual."""
    pair, made = x.carrier, as_sums(drafts, label, x)
    assert isinstance(pair, PairCarrier)
    assert isinstance(made.carrier, SumsCarrier)
    steps, residual = find_steps(real_of(label, made), levels), made.carrier.layer.residual
    added = drafts.maps[pair.added].levels
    assert residual is not None
    assert added is not None
    assert steps.exact is not None
    for exact in (*steps.exact.regions(), *real_of(label, made).turning_points()):
        prove_factors(label, pair.ratio, residual, exact, added)
    return _codes(made, (close(drafts, made, steps, levels.operand),), levels, scales)


def to_codes(real: RealMap, step: np.ndarray, levels: Levels) -> RealMap:
    """Numbers over a quantizer's step, one or one a channel, with its zero point: what it rounds."""
    codes = real.last.times(1 / fractions(step, real.channels))
    return real.changed(codes.plus(fractions(np.asarray(levels.zero_point), real.channels)))


def find_steps(in_codes: RealMap, levels: Levels) -> StepFunction:
    """Steps of a quantizer that takes the numbers which integers become, in units of its codes."""
    steps = StepFunction.between(in_codes.steps(*levels.steps()), levels.values)
    return replace(steps, exact=None) if levels.in_integers else steps


def along(levels: Levels, axis: int | None, rank: int) -> Levels:
    """Levels whose scales run along an axis of a tensor."""
    if axis is None or np.size(levels.step) == 1:
        return levels
    shape = tuple(-1 if at == axis % rank else 1 for at in range(rank))
    step, scale = (np.reshape(part, shape) for part in (levels.step, levels.scale))
    return replace(levels, step=step, scale=scale)


def close(drafts: Drafts, x: Value, steps: Steps, operand: Operand | None = None) -> int:
    """Add the layer of open sums with its steps, whose levels an operand holds."""
    assert isinstance(x.carrier, SumsCarrier)
    layer = pooled_layer(x.carrier, x.real, steps)
    levels = np.unique(steps.levels)
    return drafts.add(
        replace(layer, steps=steps), levels, operand or least_operand(levels, layer.name), x.layout.sides
    )


def pooled_layer(carrier: SumsCarrier, real: RealMap | None, steps: Steps | None) -> Layer:
    """The layer, with a maximum as one of codes if no negative factor came after it, else as one of sums."""
    layer, given = carrier.layer, carrier.pooled
    if given is None or layer.pool is None:
        return layer
    assert real is not None
    rises = (given.falling == real.falling).all() and (given.turns == real.turns).all()
    if steps is not None and rises and layer.residual is None:
        return layer
    if given.turns.any():
        raise SpinplaneError(
            f"{layer.name}: its maximum is that of a function that falls and rises, and numbers behind it fall: "
            "quantize it first"
        )
    least = tuple(given.falling.tolist()) if given.falling.any() else ()
    return replace(layer, pool=replace(layer.pool, kind="max_sums", least=least))


def scale_natively(drafts: Drafts, label: str, x: Value, steps: Steps) -> Value:
    """The arithmetic of an operator on sums that are the integers it takes."""
    number = close(drafts, whole_sums(label, x), steps)
    ones = np.array([Fraction(1)] * x.channels, dtype=object)
    return Value(layout=x.layout, carrier=CodesCarrier(maps=(number,)), real=code_map(steps.levels, ones))


def whole_sums(label: str, x: Value) -> Value:
    """Open sums that are the value's numbers: integers that were added are part of their bias."""
    real = x.real
    refuse_regions(label, x)
    if not isinstance(x.carrier, SumsCarrier) or real is None or not real.is_line:
        raise SpinplaneError(
            f"{label}: expected the sums of a convolution or of a matrix product, as they are"
        )
    layer, line = x.carrier.layer, real.first.line
    positions = int(np.prod(layer.pool.size)) if layer.pool and layer.pool.kind == "sum" else 1
    added = line.offset / positions
    if (line.slope != 1).any() or any(one.denominator != 1 for one in added):
        raise SpinplaneError(f"{label}: expected sums of integers")
    bias = layer.bias + added.astype(np.int64)
    first = real.first.plus(-line.offset)
    return replace(
        x, carrier=replace(x.carrier, layer=replace(layer, bias=bias)), real=replace(real, first=first)
    )


def _codes(x: Value, maps: Sequence[int], levels: Levels, scales: np.ndarray) -> Value:
    return Value(
        layout=x.layout, carrier=CodesCarrier(maps=tuple(maps)), real=code_map(levels.values, scales)
    )


# --- the input ------------------------------------------------------------------------------------------------


def _quantize_input(
    drafts: Drafts, label: str, x: Value, levels: Levels, step: np.ndarray, scales: np.ndarray
) -> Value:
    assert isinstance(x.carrier, InputCarrier)
    operations = x.carrier.operations
    one_step = np.unique(step)
    if len(one_step) > 1:
        operations = (*operations, InputOperation(kind="divide", constant=step.astype(np.float32)))
        one_step = np.ones(1)
    coding = levels.input_coding(operations, float(one_step[0]))
    use_coding(drafts, label, coding, levels.values, levels.operand)
    made = _codes(x, (INPUT,), levels, scales)
    if not x.carrier.pool:
        return replace(made, carrier=CodesCarrier(maps=(INPUT,), arrangement=x.carrier.arrangement))
    return _codes(x, (pool_codes(drafts, label, made, x.carrier.pool, levels.values),), levels, scales)


def pool_codes(drafts: Drafts, label: str, x: Value, pool: Pooling, table: np.ndarray) -> int:
    """A layer that takes the greatest codes of windows over maps, of a table of their levels; of the value's layout."""
    assert isinstance(x.carrier, CodesCarrier)
    given, operand = drafts.joined(label, x.carrier.maps)
    layer = copying(label, x.carrier.maps, x.channels, operand)
    if any(pool.padding) and pool.dilation != (1, 1):
        # Windows with gaps leave no position out: padded ones have the least level.
        layer = replace(layer, padding=pool.padding, pad_value=int(given.min()))
        pool = replace(pool, padding=(0, 0, 0, 0))
    steps = one_by_one(given, table, x.channels)
    made = np.unique(table)
    same = table.ndim == 1 and np.array_equal(table, given)
    return drafts.add(
        replace(layer, pool=pool, steps=steps),
        made,
        operand if same else least_operand(made, label),
        x.layout.sides,
    )


# --- codes ----------------------------------------------------------------------------------------------------


def _requantize(
    drafts: Drafts, label: str, x: Value, in_codes: RealMap, levels: Levels, scales: np.ndarray
) -> Value:
    """Codes of a further quantizer: the same maps if it changes no number, else layers of their own."""
    assert isinstance(x.carrier, CodesCarrier)
    assert x.real is not None
    if x.real.is_line and _unchanged(drafts, label, x, in_codes, levels, scales):
        return x
    maps, first = [], 0
    for number in x.carrier.maps:
        part = np.arange(first, first + drafts.maps[number].sides[0])
        maps.append(_requantize_map(drafts, label, number, in_codes.of_channels(part), levels))
        first += len(part)
    made = _codes(x, maps, levels, scales)
    if not any(x.carrier.padding):
        return made
    step = Fraction(float(np.reshape(levels.step, -1)[0]))
    code = _rounded(x.carrier.padded / step + Fraction(float(levels.zero_point)), levels)
    number = scales[0] * int(levels.values[code - levels.low])
    return replace(made, carrier=CodesCarrier(maps=tuple(maps), padding=x.carrier.padding, padded=number))


def _rounded(number: Fraction, levels: Levels) -> int:
    code = round_quotients(np.array([number.numerator], dtype=object), number.denominator, levels.rounding)[0]
    return int(min(max(int(code), levels.low), levels.high))


def values_of(codes: np.ndarray, levels: Levels) -> np.ndarray:
    """Values of numbers in units of codes, of Fraction."""
    rounded = np.frompyfunc(lambda number: _rounded(number, levels), 1, 1)(codes).astype(np.int64)
    return levels.values[rounded - levels.low]


def _unchanged(
    drafts: Drafts, label: str, x: Value, in_codes: RealMap, levels: Levels, scales: np.ndarray
) -> bool:
    assert isinstance(x.carrier, CodesCarrier)
    assert x.real is not None
    given = drafts.levels(label, x.carrier.maps)
    some = np.arange(1) if in_codes.uniform and (scales == scales[0]).all() else np.arange(x.channels)
    table = values_of(in_codes.of_channels(some).numbers(given), levels)
    return bool((table * scales[some][:, np.newaxis] == x.real.of_channels(some).numbers(given)).all())


def _requantize_map(drafts: Drafts, label: str, number: int, in_codes: RealMap, levels: Levels) -> int:
    draft = drafts.maps[number]
    assert draft.levels is not None
    channels = draft.sides[0]
    layer = copying(label, (number,), channels, draft.operand)
    if in_codes.uniform and in_codes.is_line:
        addition = code_addition(in_codes.first, levels)
        steps = one_by_one(draft.levels, draft.levels, channels)
        layer = replace(layer, steps=steps, addition=addition)
    else:
        some = np.arange(1) if in_codes.uniform else np.arange(channels)
        table = values_of(in_codes.of_channels(some).numbers(draft.levels), levels)
        layer = replace(
            layer, steps=one_by_one(draft.levels, table[0] if len(some) == 1 else table, channels)
        )
    return drafts.add(layer, levels.values, levels.operand, draft.sides)


def code_addition(
    code: ExactMap, levels: Levels, *, source: int | None = None, ratio: Fraction = Fraction(0)
) -> CodeAddition:
    """The addition that a quantizer makes of own values, and of another map's; all channels have the same map."""
    line, low, high = code.line, levels.low, levels.high
    if code.has_low[0]:
        low = _rounded(code.low.offset[0], levels)
    if code.has_high[0]:
        high = _rounded(code.high.offset[0], levels)
    value_scale = int(levels.values[1] - levels.values[0]) if len(levels.values) > 1 else 1
    return CodeAddition(
        source=source,
        own_scale=line.slope[0],
        residual_scale=line.slope[0] * ratio,
        offset=line.offset[0],
        rounding=levels.rounding,
        low=low,
        high=high,
        value_scale=value_scale,
        value_offset=int(levels.values[0]) - value_scale * levels.low,
        error=Fraction(0) if levels.in_integers else line.error(code.weight)[0],
    )


def _add_codes(drafts: Drafts, label: str, x: Value, in_codes: RealMap, levels: Levels) -> int | None:
    """A sum of two maps as an addition of codes, if all channels have the same scales."""
    carrier = x.carrier
    assert isinstance(carrier, PairCarrier)
    own = carrier.own
    if isinstance(own, SumsCarrier) or in_codes.stages or not in_codes.uniform:
        return None
    if (carrier.ratio != carrier.ratio[0]).any():
        return None
    draft = drafts.maps[own]
    assert draft.levels is not None
    addition = code_addition(in_codes.first, levels, source=carrier.added, ratio=carrier.ratio[0])
    layer = copying(label, (own,), x.channels, draft.operand)
    steps = one_by_one(draft.levels, draft.levels, x.channels)
    return drafts.add(
        replace(layer, steps=steps, addition=addition), addition.levels, levels.operand, x.layout.sides
    )
