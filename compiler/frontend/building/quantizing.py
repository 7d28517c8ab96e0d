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
from .copies import copying
from .drafts import Drafts
from .layout import CHANNELS
from .pairs import as_sums
from .ratios import prove_factors
from .value import CodesCarrier, InputCarrier, PairCarrier, SumsCarrier, Value


def quantize(drafts: Drafts, label: str, x: Value, levels: Levels) -> Value:
    """`Builder.quantize`."""
    refuse_host(label, x)
    x, levels = by_channel(drafts, label, x, levels)
    if isinstance(x.carrier, InputCarrier):
        return _quantize_input(drafts, label, x, levels)
    in_codes = to_codes(real_of(label, x), levels)
    if isinstance(x.carrier, PairCarrier):
        made = _add_codes(drafts, label, x, in_codes, levels)
        if made is not None:
            return _codes(x, (made,), levels)
        return _quantize_pair(drafts, label, replace(x, real=in_codes), levels)
    if isinstance(x.carrier, CodesCarrier):
        if levels.by_channel:
            x = without_padding(drafts, label, x)
            in_codes = to_codes(real_of(label, x), levels)
        return _requantize(drafts, label, x, in_codes, levels)
    assert isinstance(x.carrier, SumsCarrier)
    if x.carrier.regions:
        return _codes(x, (close_regions(drafts, label, x, in_codes, levels),), levels)
    number = close(drafts, x, find_steps(in_codes, levels), levels.operand)
    return _codes(x, (number,), levels)


def by_channel(drafts: Drafts, label: str, x: Value, levels: Levels) -> tuple[Value, Levels]:
    """A value, and levels whose numbers are one alone or one a channel of its map."""
    shapes = {np.shape(number) for number in levels.numbers if np.size(number) > 1}
    for shape in shapes:
        longer = [axis - len(shape) + len(x.shape) for axis, side in enumerate(shape) if side > 1]
        if len(longer) == 1 and longer[0] > 0 and x.layout.axes[longer[0]] != (CHANNELS,):
            x = arranged(drafts, x, longer[0])

    def spread(number: np.ndarray) -> np.ndarray:
        if number.size == 1:
            return number.reshape(())
        found = x.layout.by_channel(number)
        if found is None:
            raise SpinplaneError(
                f"{label}: scales or zero points of shape {number.shape} are not one value per channel"
            )
        return found if (found != found[0]).any() else found[0]

    return x, levels.each(spread)


def _quantize_pair(drafts: Drafts, label: str, x: Value, levels: Levels) -> Value:
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
    return _codes(made, (close(drafts, made, steps, levels.operand),), levels)


def to_codes(real: RealMap, levels: Levels) -> RealMap:
    """Numbers over a quantizer's step, with its zero point: what it rounds."""
    codes = real.last.times(1 / fractions(np.asarray(levels.step), real.channels))
    return real.changed(codes.plus(fractions(np.asarray(levels.zero_point), real.channels)))


def find_steps(in_codes: RealMap, levels: Levels) -> StepFunction:
    """Steps of a quantizer that takes the numbers which integers become, in units of its codes."""
    steps = StepFunction.between(in_codes.steps(*levels.steps()), levels.values)
    return replace(steps, exact=None) if levels.in_integers else steps


def along(levels: Levels, axis: int | None, rank: int) -> Levels:
    """Levels whose scales run along an axis of a tensor."""
    if axis is None:
        return levels
    shape = tuple(-1 if at == axis % rank else 1 for at in range(rank))
    return levels.each(lambda number: number.reshape(shape if number.size > 1 else ()))


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


def _codes(x: Value, maps: Sequence[int], levels: Levels) -> Value:
    carrier = CodesCarrier(maps=tuple(maps))
    return Value(layout=x.layout, carrier=carrier, real=real_of_levels(levels, x.channels))


def real_of_levels(levels: Levels, channels: int) -> RealMap:
    """What the values of levels stand for."""
    scales = fractions(np.asarray(levels.scale), channels)
    if not np.any(levels.offset):
        return code_map(levels.values, scales)
    codes = ExactMap.of_codes(levels.values, fractions(np.ones(1), channels))
    return RealMap(first=codes.plus(-fractions(np.asarray(levels.offset), channels)).times(scales))


# --- the input ------------------------------------------------------------------------------------------------


def _quantize_input(drafts: Drafts, label: str, x: Value, levels: Levels) -> Value:
    assert isinstance(x.carrier, InputCarrier)
    operations = x.carrier.operations
    step, zero_point = np.unique(levels.step), np.asarray(levels.zero_point)
    if len(step) > 1 or zero_point.size > 1:
        constant = np.asarray(levels.step, dtype=np.float32)
        operations, step = (*operations, InputOperation(kind="divide", constant=constant)), np.ones(1)
    coded = levels
    if zero_point.size > 1:
        operation = InputOperation(kind="add", constant=zero_point.astype(np.float32))
        operations, coded = (*operations, operation), replace(levels, zero_point=0.0)
    coding = coded.input_coding(operations, float(step[0]))
    number = use_coding(drafts, coding, levels.values, levels.operand)
    made = _codes(x, (number,), levels)
    if not x.carrier.pool:
        return replace(made, carrier=CodesCarrier(maps=(number,), arrangement=x.carrier.arrangement))
    return _codes(x, (pool_codes(drafts, label, made, x.carrier.pool, levels.values),), levels)


def pool_codes(drafts: Drafts, label: str, x: Value, pool: Pooling, table: np.ndarray) -> int:
    """A layer that takes the greatest codes of windows over maps, of a table of their levels; of the value's layout."""
    assert isinstance(x.carrier, CodesCarrier)
    given, operand = drafts.joined(label, x.carrier.maps)
    layer = copying(label, x.carrier.maps, x.channels, operand)
    if any(pool.padding) and pool.dilation != (1, 1):
        # Windows with gaps leave no position out: padded ones have the least level.
        layer = replace(layer, padding=pool.padding, pad_value=int(given.min()))
        pool = replace(pool, padding=(0, 0, 0, 0))
    steps = StepFunction.one_by_one(given, table, x.channels)
    made = np.unique(table)
    same = table.ndim == 1 and np.array_equal(table, given)
    return drafts.add(
        replace(layer, pool=pool, steps=steps),
        made,
        operand if same else least_operand(made, label),
        x.layout.sides,
    )


# --- codes ----------------------------------------------------------------------------------------------------


def _requantize(drafts: Drafts, label: str, x: Value, in_codes: RealMap, levels: Levels) -> Value:
    """Codes of a further quantizer: the same maps if it changes no number, else layers of their own."""
    assert isinstance(x.carrier, CodesCarrier)
    assert x.real is not None
    if x.real.is_line and _unchanged(drafts, label, x, in_codes, levels):
        return x
    maps, first = [], 0
    for number in x.carrier.maps:
        part = np.arange(first, first + drafts.maps[number].sides[0])
        of_part = in_codes.of_channels(part)
        maps.append(_requantize_map(drafts, label, number, of_part, levels.of_channels(part)))
        first += len(part)
    made = _codes(x, maps, levels)
    if not any(x.carrier.padding):
        return made
    step, zero_point, scale = (Fraction(float(n)) for n in (levels.step, levels.zero_point, levels.scale))
    code = _rounded(x.carrier.padded / step + zero_point, levels)
    padded = scale * int(levels.values[code - levels.low])
    return replace(made, carrier=CodesCarrier(maps=tuple(maps), padding=x.carrier.padding, padded=padded))


def _rounded(number: Fraction, levels: Levels, shift: int = 0) -> int:
    code = round_quotients(np.array([number.numerator], dtype=object), number.denominator, levels.rounding)[0]
    return int(min(max(int(code) + shift, levels.low), levels.high))


def values_of(codes: np.ndarray, levels: Levels) -> np.ndarray:
    """Values of numbers in units of codes, of Fraction, shape (channels, n)."""
    shifts = np.broadcast_to(np.expand_dims(levels.shift, -1), codes.shape)
    rounded = np.frompyfunc(lambda number, shift: _rounded(number, levels, shift), 2, 1)(codes, shifts)
    return levels.values[rounded.astype(np.int64) - levels.low]


def _unchanged(drafts: Drafts, label: str, x: Value, in_codes: RealMap, levels: Levels) -> bool:
    assert isinstance(x.carrier, CodesCarrier)
    assert x.real is not None
    given, made = drafts.levels(label, x.carrier.maps), real_of_levels(levels, x.channels)
    uniform = in_codes.uniform and not levels.by_channel
    some = np.arange(1 if uniform else x.channels)
    table = values_of(in_codes.of_channels(some).numbers(given), levels)
    return bool((made.of_channels(some).numbers(table) == x.real.of_channels(some).numbers(given)).all())


def _requantize_map(drafts: Drafts, label: str, number: int, in_codes: RealMap, levels: Levels) -> int:
    draft = drafts.maps[number]
    assert draft.levels is not None
    channels = draft.sides[0]
    layer = copying(label, (number,), channels, draft.operand)
    uniform = in_codes.uniform and not levels.by_channel
    if uniform and in_codes.is_line:
        addition = code_addition(in_codes.first, levels)
        steps = StepFunction.one_by_one(draft.levels, draft.levels, channels)
        layer = replace(layer, steps=steps, addition=addition)
    else:
        layer = replace(layer, steps=_steps_of_codes(in_codes, levels, draft.levels, uniform=uniform))
    return drafts.add(layer, levels.values, levels.operand, draft.sides)


def _steps_of_codes(in_codes: RealMap, levels: Levels, given: np.ndarray, *, uniform: bool) -> StepFunction:
    """Steps of values: a table, unless float32 may take one of them to another level."""
    some = np.arange(1 if uniform else in_codes.channels)
    one = in_codes.of_channels(some)
    table = values_of(one.numbers(given), levels)
    if not in_codes.turns.any():
        steps = find_steps(one, levels)
        if steps.exact is not None:
            rows = np.broadcast_to(given, (len(some), len(given)))[np.newaxis, :, :, np.newaxis]
            late, early = (
                replace(steps, thresholds=end.thresholds).apply(rows) for end in steps.exact.extremes()
            )
            if (late != early).any():
                return find_steps(in_codes, levels)
    return StepFunction.one_by_one(given, table[0] if len(some) == 1 else table, in_codes.channels)


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
    if isinstance(own, SumsCarrier) or in_codes.stages or not in_codes.uniform or levels.by_channel:
        return None
    if (carrier.ratio != carrier.ratio[0]).any():
        return None
    draft = drafts.maps[own]
    assert draft.levels is not None
    addition = code_addition(in_codes.first, levels, source=carrier.added, ratio=carrier.ratio[0])
    layer = copying(label, (own,), x.channels, draft.operand)
    steps = StepFunction.one_by_one(draft.levels, draft.levels, x.channels)
    return drafts.add(
        replace(layer, steps=steps, addition=addition), addition.levels, levels.operand, x.layout.sides
    )
