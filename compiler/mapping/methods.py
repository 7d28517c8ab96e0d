"""The methods by which values become codes: along lines, through lists of thresholds, and as an operator defines it."""

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

import numpy as np

from spinplane.machine import Rounding, SpinplaneError
from spinplane.machine.output_stage import THRESHOLD_BITS, UNUSED_THRESHOLD, search_reads, search_words

from ..graph import Layer
from ..steps import DoublingMultiply, FloatScale, StepFunction
from .lines import LARGEST_OFFSET, Limits, Lines, Staircase, find_lines
from .native_scales import apply, native_scale
from .requantization import CHANNEL_NUMBERS, Requantization
from .staircases import CodeLevels, CodeSteps
from .values import Value, pool_of

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
        If a threshold does not fit, naming the layer.
    """
    moved, limits = _without_constant(steps, value), _limits(steps, value)
    levels, rounding, lines = best_lines(moved, steps.levels, limits)
    slope = steps.sign * np.where(lines.fits, lines.multiplier, steps.sign)
    pieces = slope * value.sum_scale
    numbers = {
        "multiplier": pieces,
        "residual_multiplier": slope * value.code_scale,
        "offset": np.where(lines.fits, lines.offset, 0),
        "shift": np.where(lines.fits, lines.shift, 0),
    }
    bias = np.where(lines.fits, lines.bias, 0) * steps.sign * (1 if value.sum_scale >= 0 else -1)
    return _built(
        layer,
        steps,
        value,
        moved,
        levels,
        search=~lines.fits,
        numbers=numbers,
        bias=bias,
        fields={"multiplies": True, "rounding": rounding},
    )


def searched(layer: Layer, steps: CodeSteps, value: Value) -> Requantization:
    """Lists of thresholds for all channels; without a residual nothing is multiplied.

    Raises
    ------
    SpinplaneError
        If a threshold does not fit, naming the layer.
    """
    ones = np.ones(len(steps.sign), dtype=np.int64)
    return _built(
        layer,
        steps,
        value,
        _without_constant(steps, value),
        steps.levels[0],
        search=ones > 0,
        numbers={"multiplier": value.sum_scale * ones, "residual_multiplier": value.code_scale * ones},
        bias=0 * ones,
        fields={"multiplies": True} if value.code_scale else {},
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
    prove(layer, steps, value, exact, lambda sums: codes[apply(layer, steps, sums) - steps.low] - found(sums))
    return found


def prove(layer, steps, value, exact, difference) -> None:
    """Assert that nothing differs at the ends of the sums and on both sides of every step, and so anywhere."""
    low, high = value.low[:, np.newaxis], value.high[:, np.newaxis]
    sums = np.concatenate([low, high, np.clip(exact.thresholds, low, high)], axis=1)
    for near in (sums, np.clip(sums - 1, low, high), np.clip(sums + 1, low, high)):
        assert not difference(near).any()


def best_lines(
    stairs: Staircase, numberings: Iterable[CodeLevels], limits: Limits
) -> tuple[CodeLevels, Rounding, Lines]:
    """Lines in the rounding, and with the numbers of levels, that serve the most channels; the first of equal ones."""
    best: tuple[CodeLevels, Rounding, Lines] | None = None
    tried = set()
    for rounding, levels in product(ROUNDINGS, numberings):
        # A free offset makes up for numbers that differ by whole codes, or by two where halves go to even ones.
        alike = {Rounding.FLOOR: 0, Rounding.HALF_EVEN: levels.first % 2}.get(rounding, levels.first)
        if (rounding, alike) in tried:
            continue
        tried.add((rounding, alike))
        lines = find_lines(stairs, levels.first, rounding, limits)
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
    stairs: Staircase,
    levels: CodeLevels,
    *,
    search: np.ndarray,
    numbers: Mapping[str, np.ndarray],
    bias: np.ndarray,
    fields: Mapping[str, Any],
) -> Requantization:
    """Parameters of channels some of which search, in whole."""
    pool, least = pool_of(layer)
    thresholds = search_lists(layer, stairs, steps.sign, search)
    reads = search_reads(thresholds.shape[1])
    table = steps.tables.shape[1] > 0
    return Requantization(
        channels=all_numbers(
            len(search),
            {
                **numbers,
                "low": levels.first + stairs.reached,
                "high": levels.first + stairs.passed,
                "least": least,
                "search": search,
                "falling": search & (steps.sign < 0),
            },
        ),
        bias=bias,
        windows=value.windows,
        thresholds=thresholds,
        tables=steps.tables,
        fields={
            "pool": pool,
            "search_reads": reads,
            **({"residual": True} if value.code_scale else {}),
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


def _without_constant(steps: CodeSteps, value: Value) -> Staircase:
    """The staircase over what is multiplied of a value."""
    if not value.constant:
        return steps.stairs
    moved, stairs = steps.sign * value.constant, steps.stairs
    by_step = moved[:, np.newaxis]
    return Staircase(
        before=stairs.before - by_step,
        at=stairs.at - by_step,
        inside=stairs.inside,
        least=stairs.least - moved,
        greatest=stairs.greatest - moved,
    )


def _limits(steps: CodeSteps, value: Value) -> Limits:
    """Limits of lines over a value, or over its negative where the bias counts the other way."""
    turned = steps.sign * (1 if value.sum_scale >= 0 else -1) < 0
    movable = value.sum_scale != 0
    return Limits(
        steepest=value.steepest,
        largest_offset=LARGEST_OFFSET,
        unit=max(1, value.windows * abs(value.sum_scale)),
        bias_low=np.where(turned, -value.bias_high, value.bias_low) * movable,
        bias_high=np.where(turned, -value.bias_low, value.bias_high) * movable,
    )
