"""From steps to the output stage's multipliers, offsets, shifts and thresholds, which reproduce every step exactly."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import OFFSET_BITS, SpinplaneError
from spinplane.machine.activation import RAW_BITS, SCALE_BITS, VALUE_BITS
from spinplane.machine.descriptor import (
    THRESHOLD_BITS,
    THRESHOLD_WORDS,
    THRESHOLDS_PER_WORD,
    PoolAt,
    Requantize,
)

from ..frontend.thresholds import reachable_sums
from ..graph import Layer, Residual
from .codes import InputCode
from .kernel_blocks import kernel_blocks

UNUSED_THRESHOLD = 2 ** (THRESHOLD_BITS - 1) - 1
_LARGEST_MULTIPLIER = 2 ** (SCALE_BITS - 1) - 1
_LARGEST_OFFSET = 2 ** (OFFSET_BITS - 1) - 1
_LARGEST_SHIFT = 47
#: Greater than all bounds of offsets.
_BEYOND = 1 << 61


@dataclass(frozen=True, kw_only=True)
class Addend:
    """The map that a layer adds to its sums.

    Parameters
    ----------
    code : InputCode
    smallest, largest : int
        Of its values.
    """

    code: InputCode
    smallest: int
    largest: int


@dataclass(frozen=True, kw_only=True)
class _Value:
    """The argument of the steps: sum_scale · pooled sum + code_scale · code of the residual + constant."""

    sum_scale: int = 1
    code_scale: int = 0
    constant: int = 0

    @property
    def steepest(self) -> int:
        """Greatest multiplier of the value that the multipliers of its parts hold."""
        return _LARGEST_MULTIPLIER // max(abs(self.sum_scale), abs(self.code_scale))


@dataclass(frozen=True, kw_only=True, eq=False)
class Requantization:
    """Parameters of the output stage for all kernels of a layer.

    Parameters
    ----------
    requantize : Requantize
    pool : PoolAt
    multipliers, offsets, residual_multipliers : ndarray of shape (kernels,), int64
    thresholds : ndarray of shape (kernels, n), int64
        Of ``THRESHOLDS``, in ascending order; n is 0 otherwise.
    shift, low, high, code_shift : int
    """

    requantize: Requantize
    pool: PoolAt
    multipliers: np.ndarray
    offsets: np.ndarray
    residual_multipliers: np.ndarray
    thresholds: np.ndarray
    shift: int = 0
    low: int = 0
    high: int = 0
    code_shift: int = 0

    @property
    def threshold_words(self) -> int:
        """Words of the threshold bank that a beat takes."""
        return -(-self.thresholds.shape[1] // THRESHOLDS_PER_WORD)


def requantization(layer: Layer, output: InputCode | None, addend: Addend | None = None) -> Requantization:
    """How the sums of a layer, and its residual, become the codes of its output map.

    Every step of every channel is proven over all sums that the layer can reach, with all values of its residual.

    Parameters
    ----------
    layer : Layer
    output : InputCode, optional
        Codes of the output map; None where the layer gives its sums.
    addend : Addend, optional
        The residual's map.

    Raises
    ------
    SpinplaneError
        If a sum does not fit, a level is not a code, or no parameters give the steps; the message names the layer.
    """
    low, high = reachable_sums(layer)
    regions = int(np.prod(layer.pool.size)) if layer.pool and layer.pool.kind == "sum" else 1
    _prove_width(layer, "sums", int(low.min()) // regions, int(high.max()) // regions, VALUE_BITS)
    value = _value(layer, addend)
    if layer.residual and addend:
        low, high = _with_residual(layer.residual, addend, low, high)
    pool = _pool(layer)
    none = np.zeros((len(low), 0), dtype=np.int64)
    ones = np.ones(len(low), dtype=np.int64)
    if layer.steps is None or output is None:
        what = "sums with the residual" if addend else "sums"
        _prove_width(layer, what, int(low.min()), int(high.max()), RAW_BITS)
        return Requantization(
            requantize=Requantize.RAW,
            pool=pool,
            multipliers=value.sum_scale * ones,
            offsets=value.constant * ones,
            residual_multipliers=value.code_scale * ones,
            thresholds=none,
        )
    first, code_shift = _codes(layer, output)
    # Falling steps are rising ones of the negative sum, on which all that follows works.
    sign = np.where(layer.steps.rising, 1, -1)
    least, greatest = np.where(sign > 0, low, -high), np.where(sign > 0, high, -low)
    never = np.iinfo(np.int64)
    limits = layer.steps.thresholds
    out_of_reach = np.where(layer.steps.rising[:, np.newaxis], limits == never.max, limits == never.min)
    # A step below all sums is at the least one, a step above all of them right after the greatest.
    turned = np.where(out_of_reach, 0, limits) * sign[:, np.newaxis]
    at = np.clip(turned, least[:, np.newaxis], greatest[:, np.newaxis] + 1)
    at = np.where(out_of_reach, greatest[:, np.newaxis] + 1, at)
    count = at.shape[1]
    line = _find_line(at, least, greatest, first, value)
    if line is not None:
        shift, multipliers, offsets = line
        slopes = sign * multipliers
        return Requantization(
            requantize=Requantize.SHIFT,
            pool=pool,
            multipliers=slopes * value.sum_scale,
            offsets=offsets + slopes * value.constant,
            residual_multipliers=slopes * value.code_scale,
            thresholds=none,
            shift=shift,
            low=first,
            high=first + count,
            code_shift=code_shift,
        )
    if count > THRESHOLD_WORDS * THRESHOLDS_PER_WORD - 1:
        raise SpinplaneError(
            f"layer {layer.name}: its {count} steps do not follow (sum · multiplier + offset) / 2^shift, and a list "
            f"of thresholds has at most {THRESHOLD_WORDS * THRESHOLDS_PER_WORD - 1}"
        )
    reached = greatest.max()
    if reached >= UNUSED_THRESHOLD or least.min() < -UNUSED_THRESHOLD:
        raise SpinplaneError(
            f"layer {layer.name}: pooled sums from {least.min()} to {reached} exceed thresholds of "
            f"{THRESHOLD_BITS} bits"
        )
    thresholds = np.where(at > greatest[:, np.newaxis], UNUSED_THRESHOLD, at)
    return Requantization(
        requantize=Requantize.THRESHOLDS,
        pool=pool,
        multipliers=sign * value.sum_scale,
        offsets=sign * value.constant,
        residual_multipliers=sign * value.code_scale,
        thresholds=thresholds,
        low=first,
        code_shift=code_shift,
    )


def _pool(layer: Layer) -> PoolAt:
    if layer.pool is None or layer.pool.size == (1, 1):
        return PoolAt.NONE
    kinds = {"sum": PoolAt.SUM, "max_codes": PoolAt.MAX, "max_sums": PoolAt.MAX_BEFORE}
    return kinds[layer.pool.kind]


def _value(layer: Layer, addend: Addend | None) -> _Value:
    """The residual's own scale and offset as factors of its codes and a constant."""
    if layer.residual is None or addend is None:
        return _Value()
    scale, code_scale = layer.residual.scale, layer.residual.residual_scale * addend.code.scale
    if max(abs(scale), abs(code_scale)) > _LARGEST_MULTIPLIER:
        raise SpinplaneError(
            f"layer {layer.name}: its sums times {scale} and the codes of its residual times {code_scale} need "
            f"multipliers of more than {SCALE_BITS} bits"
        )
    if scale == code_scale == 0:
        raise SpinplaneError(f"layer {layer.name}: its sums and its residual are both multiplied by 0")
    constant = layer.residual.residual_scale * addend.code.offset
    return _Value(sum_scale=scale, code_scale=code_scale, constant=constant)


def _with_residual(
    residual: Residual, addend: Addend, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest value of pooled sums from `low` to `high` with their residual."""
    sums = np.sort([residual.scale * low, residual.scale * high], axis=0)
    added = sorted(residual.residual_scale * end for end in (addend.smallest, addend.largest))
    return sums[0] + added[0], sums[1] + added[1]


def _prove_width(layer: Layer, what: str, low: int, high: int, bits: int) -> None:
    if low < -(1 << (bits - 1)) or high >= 1 << (bits - 1):
        raise SpinplaneError(f"layer {layer.name}: {what} from {low} to {high} do not fit in {bits} bits")


def _codes(layer: Layer, output: InputCode) -> tuple[int, int]:
    """Code of the first level before the shift, and the shift that makes the levels' distance."""
    assert layer.steps is not None
    levels = layer.steps.levels
    stored = levels - output.offset
    steps = set(np.diff(stored).tolist())
    distance = steps.pop() if len(steps) == 1 else 0
    code_shift = int(distance == 2 * output.scale)
    first = int(stored[0]) // (output.scale << code_shift)
    exact = stored % (output.scale << code_shift) == 0
    inside = (stored >= 0) & (stored < output.scale << output.bits)
    if distance not in (output.scale, 2 * output.scale) or not (exact & inside).all():
        raise SpinplaneError(
            f"layer {layer.name}: its levels {levels[0]} to {levels[-1]} are not consecutive codes of "
            f"{output.bits} bits with the values {output.scale} · code + {output.offset}"
        )
    return first, code_shift


def _find_line(
    at: np.ndarray, least: np.ndarray, greatest: np.ndarray, first: int, value: _Value
) -> tuple[int, np.ndarray, np.ndarray] | None:
    """Shift, multipliers and offsets with (value · m + o) >> shift ≥ first + k from step k on, or None.

    Step k at T asks for m·T + o ≥ (first + k)·2^s where the value T exists, and for m·(T − 1) + o < (first + k)·2^s
    where T − 1 does. An o exists if no lower bound exceeds an upper one, which bounds m for every pair of steps.
    """
    count = at.shape[1]
    below, above = at > least[:, np.newaxis], at <= greatest[:, np.newaxis]
    magnitude = max(int(np.abs(least).max()), int(np.abs(greatest).max()), 1)
    # What the residual's offset adds leaves less room to the offsets.
    magnitude += abs(value.constant)
    # One step needs no slope: sums become codes as they are.
    steepest, shifts = (1, [0]) if count == 1 else (value.steepest, range(_LARGEST_SHIFT, -1, -1))
    for shift in shifts:
        # Multipliers beyond this have offsets that do not fit: o is about code · 2^s − m·T.
        largest = min(steepest, (_LARGEST_OFFSET - ((abs(first) + count + 1) << shift)) // magnitude)
        if largest < 1:
            continue
        bounds = _multipliers(at, below, above, shift, largest)
        if bounds is None:
            continue
        lower, upper = bounds
        multipliers = np.where(lower == 0, 0, (lower + upper) // 2)
        codes = (np.arange(1, count + 1, dtype=np.int64) + first) << shift
        product = multipliers[:, np.newaxis] * at
        floor = np.where(above, codes - product, -_LARGEST_OFFSET - 1).max(axis=1)
        ceiling = np.where(below, codes - product + multipliers[:, np.newaxis] - 1, _LARGEST_OFFSET).min(
            axis=1
        )
        if (floor > ceiling).any():
            continue
        offsets = np.where(
            above.any(axis=1),
            floor,
            np.minimum(ceiling, (first << shift) - multipliers * least),
        )
        _prove(at, least, greatest, first, shift, multipliers, offsets)
        return shift, multipliers, offsets
    return None


def _multipliers(
    at: np.ndarray, below: np.ndarray, above: np.ndarray, shift: int, largest: int
) -> tuple[np.ndarray, np.ndarray] | None:
    """Least and greatest multiplier of each channel for which an offset exists; None if a channel has none.

    Lower bounds of offsets are a convex function of the multiplier and upper bounds a concave one, so Newton's method
    from either end meets no multiplier twice and passes none that has an offset.
    """
    lowers, uppers = [], []
    # Most shifts are refused by the first channels.
    for some in kernel_blocks(at):
        lower = _cut(at[some], below[some], above[some], shift, largest, rising=True)
        if (lower > largest).any():
            return None
        upper = _cut(at[some], below[some], above[some], shift, largest, rising=False)
        if (lower > upper).any():
            return None
        lowers.append(lower)
        uppers.append(upper)
    return np.concatenate(lowers), np.concatenate(uppers)


def _cut(
    at: np.ndarray, below: np.ndarray, above: np.ndarray, shift: int, largest: int, *, rising: bool
) -> np.ndarray:
    """First multiplier that has an offset, from 0 up or from `largest` down; one beyond these if none has.

    The lower bound of step k, k·2^s − m·T_k, exceeds the upper bound of step j, j·2^s − m·(T_j − 1) − 1, where
    (k − j)·2^s > m·(T_k − T_j + 1) − 1.
    """
    channels, count = at.shape
    sign = 1 if rising else -1
    never = largest + 1 if rising else -1
    multipliers = np.full(channels, 0 if rising else largest, dtype=np.int64)
    codes = np.arange(count, dtype=np.int64) << shift
    left = np.flatnonzero(above.any(axis=1) & below.any(axis=1))
    while len(left):
        m, limits = multipliers[left, np.newaxis], at[left]
        bounds = codes - m * limits
        k = np.where(above[left], bounds, -_BEYOND).argmax(axis=1)
        j = np.where(below[left], bounds + m, _BEYOND).argmin(axis=1)
        ahead = codes[k] - codes[j]
        channel = np.arange(len(left))
        distance = limits[channel, k] - limits[channel, j] + 1
        apart = ahead > m[:, 0] * distance - 1
        # With no distance between them in this direction no further multiplier helps.
        helps = distance * sign > 0
        distance = np.where(helps, distance, sign)
        nearest = -(-(ahead + 1) // distance) if rising else (ahead + 1) // distance
        further = np.where(helps & (nearest * sign < never * sign), nearest, never)
        multipliers[left[apart]] = further[apart]
        left = left[apart & (further != never)]
    return multipliers


def _prove(
    at: np.ndarray,
    least: np.ndarray,
    greatest: np.ndarray,
    first: int,
    shift: int,
    multipliers: np.ndarray,
    offsets: np.ndarray,
) -> None:
    """Right on both sides of every step, and so everywhere: the line rises."""
    m, o = multipliers[:, np.newaxis], offsets[:, np.newaxis]
    channels, count = at.shape
    # Thresholds and sums of all channels in one ascending list, each channel in a range of its own.
    channel = np.arange(channels)[:, np.newaxis]
    own = channel * int((greatest - least).max() + 2) - least[:, np.newaxis]
    assert (np.diff(at) >= 0).all()
    for sums in (at, at - 1, least[:, np.newaxis], greatest[:, np.newaxis]):
        inside = np.clip(sums, least[:, np.newaxis], greatest[:, np.newaxis])
        codes = np.clip((m * inside + o) >> shift, first, first + count)
        reached = np.searchsorted((at + own).ravel(), (inside + own).ravel(), side="right")
        assert (codes == first + reached.reshape(inside.shape) - channel * count).all()
    assert (np.abs(offsets) <= _LARGEST_OFFSET).all()
    assert (multipliers <= _LARGEST_MULTIPLIER).all()
