"""The methods by which values become codes: along lines, through lists of thresholds, and as an operator defines it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any, TypeVar

import numpy as np

from spinplane.machine import Rounding, SpinplaneError
from spinplane.machine.output_stage import THRESHOLD_BITS, UNUSED_THRESHOLD, search_reads, search_words

from ..graph import DoublingMultiply, FloatScale, Layer, StepFunction
from .lines import LARGEST_MULTIPLIER, LARGEST_OFFSET, Limits, Lines, Staircase, find_lines
from .native_scales import apply, native_scale
from .parameters import CHANNEL_NUMBERS, Requantization
from .residual_lines import ResidualLines, ResidualSteps
from .staircases import CodeLevels, CodeSteps
from .values import Value, pool_of

AnyLines = TypeVar("AnyLines", Lines, ResidualLines)

#: In the order in which they are tried. With a free offset FLOOR does what CEIL, HALF_UP and HALF_DOWN do.
ROUNDINGS = (
    Rounding.FLOOR,
    Rounding.HALF_EVEN,
    Rounding.HALF_AWAY,
    Rounding.HALF_TO_ZERO,
    Rounding.TO_ZERO,
    Rounding.AWAY,
)


def multiplied(layer: Layer, steps: CodeSteps, value: Value) -> Requantization:
    """Lines for the channels that have one, lists of thresholds for the others.

    Raises
    ------
    SpinplaneError
        If thresholds do not fit, naming the layer.
    """
    if layer.residual:
        return _with_residual(layer, steps, value)
    turned = steps.sign < 0
    limits = Limits(
        steepest=LARGEST_MULTIPLIER,
        largest_offset=LARGEST_OFFSET,
        unit=value.windows,
        bias_low=np.where(turned, -value.bias_high, value.bias_low),
        bias_high=np.where(turned, -value.bias_low, value.bias_high),
    )
    levels, rounding, lines = best_lines(
        steps.levels, lambda first, mode: find_lines(steps.stairs, first, mode, limits)
    )
    numbers = {
        "multiplier": np.where(lines.fits, steps.sign * lines.multiplier, 1),
        "offset": np.where(lines.fits, lines.offset, 0),
        "shift": np.where(lines.fits, lines.shift, 0),
    }
    return _built(
        layer,
        steps,
        value,
        levels,
        search=~lines.fits,
        numbers=numbers,
        bias=np.where(lines.fits, steps.sign * lines.bias, 0),
        thresholds=search_lists(layer, steps.stairs, steps.sign, ~lines.fits),
        fields={"multiplies": True, "rounding": rounding},
    )


def searched(layer: Layer, steps: CodeSteps, value: Value) -> Requantization:
    """Lists of thresholds for all channels; without a residual nothing is multiplied.

    Raises
    ------
    SpinplaneError
        If thresholds do not fit, naming the layer.
    """
    if layer.residual:
        return _with_residual(layer, steps, value, lines=False)
    every = np.ones(len(steps.sign), dtype=bool)
    return _built(
        layer,
        steps,
        value,
        steps.levels[0],
        search=every,
        numbers={},
        bias=np.zeros(len(every), dtype=np.int64),
        thresholds=search_lists(layer, steps.stairs, steps.sign, every),
        fields={},
    )


def _with_residual(layer: Layer, steps: CodeSteps, value: Value, *, lines: bool = True) -> Requantization:
    """Codes of sums with a residual: along lines where they are wanted and fit, else by a search.

    Channels that fall are multiplied by negative numbers, whatever becomes of the products.
    """
    sign = steps.sign * np.where(value.sum_scale >= 0, 1, -1)
    # A sum without a factor does not count: any one will do, 0 for instance.
    counts = (value.sum_scale != 0).astype(np.int64)
    ends = np.sort([sign * value.sum_low, sign * value.sum_high], axis=0) * counts
    pairs = ResidualSteps(
        steps.stairs.at - (steps.sign * value.constant)[:, np.newaxis],
        np.maximum(1, abs(value.sum_scale)),
        steps.sign * value.code_scale,
        ends[0],
        ends[1],
        value.codes,
    )
    levels, fields = steps.levels[0], dict[str, Any](multiplies=True, residual=True)
    multiplier, residual, offset, stairs = pairs.within_thresholds()
    numbers = {"multiplier": sign * multiplier * counts, "residual_multiplier": residual, "offset": offset}
    search, bias = np.ones(len(sign), dtype=bool), 0 * sign
    if lines:
        moved = np.sort([sign * value.bias_low, sign * value.bias_high], axis=0) * counts
        limits = Limits(
            steepest=LARGEST_MULTIPLIER,
            largest_offset=LARGEST_OFFSET,
            unit=value.windows,
            bias_low=moved[0],
            bias_high=moved[1],
        )
        levels, rounding, found = best_lines(
            steps.levels, lambda first, mode: pairs.find_lines(first, mode, limits)
        )
        search, fields["rounding"] = ~found.fits, rounding
        numbers = {
            "multiplier": np.where(search, numbers["multiplier"], sign * found.multiplier * counts),
            "residual_multiplier": np.where(search, residual, found.residual),
            "offset": np.where(search, offset, found.offset),
            "shift": np.where(search, 0, found.shift),
        }
        bias = np.where(search, 0, sign * found.bias)
    if (stairs.inside & (stairs.before >= stairs.at))[search].any():
        raise SpinplaneError(
            f"layer {layer.name}: no thresholds of {THRESHOLD_BITS} bits tell its sums with the residual apart"
        )
    return _built(
        layer,
        replace(steps, stairs=pairs.stairs),
        value,
        levels,
        search=search,
        numbers=numbers,
        bias=bias,
        thresholds=search_lists(layer, stairs, np.ones(len(sign)), search),
        fields=fields,
    )


def multiplied_natively(
    layer: Layer, steps: FloatScale | DoublingMultiply, value: Value, exact: StepFunction, codes: np.ndarray
) -> Requantization:
    """What the operator defines, proven on both sides of every step.

    Parameters
    ----------
    layer : Layer
    steps : FloatScale or DoublingMultiply
    value : Value
        Without a residual.
    exact : StepFunction
        Its steps, as `exact_steps` finds them.
    codes : ndarray of shape (count + 1,), int64
        Codes of its levels; they need no table where each is the one after the code before.
    """
    native, channels = native_scale(steps), len(value.low)
    zero = int(codes[0]) - steps.low
    consecutive = bool((np.diff(codes) == 1).all()) and 0 <= zero < 256
    entries = np.zeros((channels, 0 if consecutive else 512), dtype=np.uint8)
    if not consecutive:
        entries[:, steps.levels % 512] = codes
    pool, least = pool_of(layer)
    numbers = {
        "low": np.full(channels, steps.low),
        "high": np.full(channels, steps.high),
        "least": least,
        "multiplier": native.multiplier,
        "shift": native.shift,
        "high_shift": native.high_shift,
    }
    found = Requantization(
        channels=all_numbers(channels, numbers),
        bias=np.zeros(channels, dtype=np.int64),
        windows=value.windows,
        thresholds=np.zeros((channels, 0), dtype=np.int64),
        tables=entries,
        fields={
            "pool": pool,
            "multiplies": True,
            "float_scale": native.float_scale,
            "rounding": native.rounding,
            **({"out_zero": zero} if consecutive else {"table": True}),
        },
    )
    _prove(value, exact, lambda sums: codes[apply(layer, steps, sums) - steps.low] - found(sums))
    return found


def _prove(value: Value, exact: StepFunction, difference: Callable[[np.ndarray], np.ndarray]) -> None:
    """Nothing differs at the ends of the sums and on both sides of every step, and so nowhere: both are monotone."""
    low, high = value.low[:, np.newaxis], value.high[:, np.newaxis]
    sums = np.concatenate([low, high, np.clip(exact.thresholds, low, high)], axis=1)
    for near in (sums, np.clip(sums - 1, low, high), np.clip(sums + 1, low, high)):
        assert not difference(near).any()


def best_lines(
    numberings: Iterable[CodeLevels], find: Callable[[int, Rounding], AnyLines]
) -> tuple[CodeLevels, Rounding, AnyLines]:
    """Lines in the rounding, and with the numbers of levels, that serve the most channels; the first of equal ones."""
    best: tuple[CodeLevels, Rounding, AnyLines] | None = None
    tried = set()
    for rounding, levels in product(ROUNDINGS, numberings):
        # A free offset makes up for numbers that differ by whole codes, or by two where halves go to even ones.
        alike = {Rounding.FLOOR: 0, Rounding.HALF_EVEN: levels.first % 2}.get(rounding, levels.first)
        if (rounding, alike) in tried:
            continue
        tried.add((rounding, alike))
        lines = find(levels.first, rounding)
        if best is None or lines.fits.sum() > best[2].fits.sum():
            best = levels, rounding, lines
        if lines.fits.all():
            break
    assert best is not None
    return best


def all_numbers(channels: int, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every number of the channels; those that are not given are 0."""
    nothing = np.zeros(channels, dtype=np.int64)
    return {name: np.asarray(given.get(name, nothing), dtype=np.int64) for name in CHANNEL_NUMBERS}


def _built(
    layer: Layer,
    steps: CodeSteps,
    value: Value,
    levels: CodeLevels,
    *,
    search: np.ndarray,
    numbers: Mapping[str, np.ndarray],
    bias: np.ndarray,
    thresholds: np.ndarray,
    fields: Mapping[str, Any],
) -> Requantization:
    """Parameters of channels some of which search, in whole."""
    pool, least = pool_of(layer)
    reads = search_reads(thresholds.shape[1])
    table = steps.tables.shape[1] > 0
    return Requantization(
        channels=all_numbers(
            len(search),
            {
                "low": levels.first + steps.stairs.reached,
                "high": levels.first + steps.stairs.passed,
                "least": least,
                "search": search,
                "falling": search & (steps.sign < 0) & (layer.residual is None),
                **numbers,
            },
        ),
        bias=bias,
        windows=value.windows,
        thresholds=thresholds,
        tables=steps.tables,
        fields={
            "pool": pool,
            "search_reads": reads,
            **({"table": True, "table_offset": search_words(thresholds.shape[1], reads)} if table else {}),
            **({} if table else {"level_shift": levels.level_shift, "out_zero": levels.zero}),
            **fields,
        },
    )


def search_lists(layer: Layer, stairs: Staircase, sign: np.ndarray, search: np.ndarray) -> np.ndarray:
    """Thresholds of the channels that search, ascending, then unused ones; shape (channels, n), int64.

    Where a channel falls, a step at the least number t of −y is one after the number −t of y.

    Raises
    ------
    SpinplaneError
        If a threshold does not fit, naming the layer.
    """
    wanted = stairs.inside & search[:, np.newaxis]
    counts = wanted.sum(axis=1)
    channel, step = np.nonzero(wanted)
    position = (wanted.cumsum(axis=1) - 1)[channel, step]
    falls = sign[channel] < 0
    at = stairs.at[channel, step]
    at, position = np.where(falls, 1 - at, at), np.where(falls, counts[channel] - 1 - position, position)
    if len(at) and (at.min() <= -UNUSED_THRESHOLD or at.max() >= UNUSED_THRESHOLD):
        raise SpinplaneError(
            f"layer {layer.name}: its steps from {at.min()} to {at.max()} exceed thresholds of {THRESHOLD_BITS} bits"
        )
    thresholds = np.full((len(search), counts.max(initial=0)), UNUSED_THRESHOLD, dtype=np.int64)
    thresholds[channel, position] = at
    return thresholds
