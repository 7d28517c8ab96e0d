"""Random layers with what they mean in exact fractions: steps of all roundings, native arithmetic, additions, pools."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from spinplane.compiler.codes import InputCode
from spinplane.compiler.graph import (
    CodeAddition,
    DoublingAddition,
    DoublingMultiply,
    FloatScale,
    Layer,
    Pooling,
    Residual,
    StepFunction,
)
from spinplane.compiler.meaning.reach import reachable_sums
from spinplane.compiler.requantization.values import Addend
from spinplane.machine import Coding, Operand, Rounding

#: Ways in which a case's layer becomes codes.
KINDS = ("steps", "float", "doubling", "residual", "added", "requantized", "tflite", "pieces")
_NEVER = np.iinfo(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A layer with its meaning.

    Parameters
    ----------
    kind : str
    layer : Layer
    output : InputCode
    addend : Addend or None
    exact : callable
        From a channel, sums and codes of the residual (lists of int) to the codes that they become.
    """

    kind: str
    layer: Layer
    output: InputCode
    addend: Addend | None
    exact: Callable[[int, list[int], list[int]], list[int]]


def rounded(x: Fraction, rounding: Rounding) -> int:
    """A fraction as a whole number, in the words of the definition."""
    floor = x.numerator // x.denominator
    rest = x - floor
    nearest = {
        Rounding.HALF_EVEN: floor % 2 == 1,
        Rounding.HALF_UP: True,
        Rounding.HALF_DOWN: False,
        Rounding.HALF_AWAY: x > 0,
        Rounding.HALF_TO_ZERO: x < 0,
    }
    if rounding in nearest:
        return floor + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and nearest[rounding]))
    up = {Rounding.FLOOR: False, Rounding.CEIL: True, Rounding.TO_ZERO: x < 0, Rounding.AWAY: x > 0}
    return floor + (rest > 0 and up[rounding])


def random_case(seed: int) -> Case:
    """A layer of a few channels; all of it follows from the seed."""
    rng = np.random.default_rng(seed)
    kind = str(rng.choice(KINDS))
    return _MAKERS[kind](rng, kind)


def _scale(rng: np.random.Generator, reach: int, count: int) -> Fraction:
    """A factor of sums: log-uniform, a power of two, one whole part, or one that spreads all codes over the sums."""
    match rng.integers(0, 5):
        case 0:
            scale = Fraction(2) ** int(rng.integers(-30, 5))
        case 1:
            scale = Fraction(1, int(rng.integers(1, 300)))
        case 2 | 3:
            scale = Fraction(float(np.float32(count / max(1, reach) * 2.0 ** rng.uniform(-1, 4))))
        case _:
            scale = Fraction(float(np.float32(2.0 ** rng.uniform(-30, 4))))
    return -scale if rng.random() < 0.25 else scale


def _layer(rng: np.random.Generator, *, pools: bool = True) -> Layer:
    channels, inputs = int(rng.integers(1, 5)), int(2 ** rng.uniform(0, 12))
    pool = None
    if pools and rng.random() < 0.4:
        kind = str(rng.choice(["sum", "max_codes"]))
        pool = Pooling(kind=kind, size=(2, 2), stride=(2, 2))  # type: ignore[arg-type]
    return Layer(
        name="random",
        weights=rng.integers(-127, 128, (channels, inputs, 1, 1)),
        w=Operand(bits=8, coding=Coding.TWOS_COMPLEMENT),
        i=Operand(bits=int(rng.integers(1, 9))),
        bias=rng.integers(-3000, 3000, channels),
        pool=pool,
    )


def _output(bits: int, zero: int) -> InputCode:
    return InputCode(bits=bits, scale=1, offset=-zero)


def _steps(code: "_Quantizer", low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Thresholds of all codes between sums, each found by halving."""
    thresholds = np.empty((len(low), code.count), dtype=np.int64)
    for c, (least, greatest) in enumerate(zip(low.tolist(), high.tolist(), strict=True)):
        start, sign = (least, 1) if code.rising[c] else (greatest, -1)
        for k in range(1, code.count + 1):
            below, above = -1, greatest - least + 1
            while above - below > 1:
                middle = (above + below) // 2
                if code(c, start + sign * middle) >= k:
                    above = middle
                else:
                    below = middle
            never = _NEVER.max if code.rising[c] else _NEVER.min
            thresholds[c, k - 1] = never if above > greatest - least else start + sign * above
    return thresholds


@dataclass(frozen=True, kw_only=True)
class _Quantizer:
    """round(scale · x + offset) + zero, clipped to the codes; at times with a Relu of any bound before it."""

    count: int
    rounding: Rounding
    zero: int
    inside: bool
    kink: Fraction | None
    scales: list[Fraction]
    offsets: list[Fraction]

    @classmethod
    def drawn(cls, rng: np.random.Generator, low: np.ndarray, high: np.ndarray, bits: int) -> "_Quantizer":
        count = 2**bits - 1
        reach = [int(b - a) for a, b in zip(low, high, strict=True)]
        return cls(
            count=count,
            rounding=Rounding(int(rng.integers(0, 9))),
            zero=int(rng.integers(0, 2**bits)),
            inside=bool(rng.random() < 0.5),
            kink=Fraction(float(np.float32(rng.normal() * count / 4))) if rng.random() < 0.4 else None,
            scales=[_scale(rng, of_channel, count) for of_channel in reach],
            offsets=[Fraction(float(np.float32(rng.normal() * 4))) * int(rng.integers(0, 2)) for _ in reach],
        )

    @property
    def rising(self) -> np.ndarray:
        return np.array([scale > 0 for scale in self.scales])

    def __call__(self, channel: int, x: int) -> int:
        real = self.scales[channel] * x + self.offsets[channel]
        if self.kink is not None:
            real = max(real, self.kink)
        # The zero point is added before or after rounding.
        whole = rounded(real + self.zero * self.inside, self.rounding) + self.zero * (not self.inside)
        return min(max(whole, 0), self.count)


def _by_steps(rng: np.random.Generator, kind: str) -> Case:
    layer, bits = _layer(rng), int(rng.integers(1, 9))
    low, high = reachable_sums(layer)
    code = _Quantizer.drawn(rng, low, high, bits)
    steps = StepFunction(
        thresholds=_steps(code, low, high), rising=code.rising, levels=np.arange(2**bits) - code.zero
    )
    return Case(
        kind=kind,
        layer=replace(layer, steps=steps),
        output=_output(bits, code.zero),
        addend=None,
        exact=lambda channel, sums, _: [code(channel, x) for x in sums],
    )


def _with_residual(rng: np.random.Generator, kind: str) -> Case:
    layer, bits, planes = _layer(rng, pools=False), int(rng.integers(1, 9)), int(rng.integers(1, 9))
    # Whatever no line fits has to fit thresholds of 32 bits.
    most = 2**29 // int(max(np.abs(ends).max() for ends in reachable_sums(layer)))
    scale, residual_scale = (
        int(n) for n in rng.integers(1, [min(3000, most), 3000]) * rng.choice([-1, 1], 2)
    )
    zero = int(rng.integers(0, 2**planes))
    addend = Addend(code=_output(planes, zero), smallest=-zero, largest=2**planes - 1 - zero)
    low, high = reachable_sums(layer)
    ends = np.sort([scale * low, scale * high], axis=0)
    added = sorted((residual_scale * addend.smallest, residual_scale * addend.largest))
    code = _Quantizer.drawn(rng, ends[0] + added[0], ends[1] + added[1], bits)
    steps = StepFunction(
        thresholds=_steps(code, ends[0] + added[0], ends[1] + added[1]),
        rising=code.rising,
        levels=np.arange(2**bits) - code.zero,
    )
    return Case(
        kind=kind,
        layer=replace(
            layer, steps=steps, residual=Residual(source=0, scale=scale, residual_scale=residual_scale)
        ),
        output=_output(bits, code.zero),
        addend=addend,
        exact=lambda channel, sums, codes: [
            code(channel, scale * x + residual_scale * (r - zero)) for x, r in zip(sums, codes, strict=True)
        ],
    )


def _native_steps(
    rng: np.random.Generator, layer: Layer, low: int, high: int
) -> FloatScale | DoublingMultiply:
    reach = np.ptp(np.stack(reachable_sums(layer)), axis=0)
    if rng.random() < 0.5:
        scales = [float(_scale(rng, int(n), high - low)) for n in reach]
        return FloatScale(scale=np.array(scales, dtype=np.float32), low=low, high=high)
    shift = -np.clip(np.ceil(np.log2(np.maximum(reach / 256, 1)) + rng.integers(-4, 3, len(reach))), 0, 31)
    multiplier = rng.integers(2**30, 2**31, len(reach))
    return DoublingMultiply(
        multiplier=multiplier.astype(np.int32), shift=shift.astype(np.int64), low=low, high=high
    )


def _native_value(steps: FloatScale | DoublingMultiply, channel: int, x: int) -> int:
    """What the operator makes of a sum, in whole numbers."""
    if isinstance(steps, DoublingMultiply):
        product = _doubled(x, int(steps.multiplier[channel]), int(steps.shift[channel]))
        return min(max(product, steps.low), steps.high)
    scale = Fraction(float(steps.scale[channel]))
    product = _to_float32(_to_float32(Fraction(x)) * scale)
    return min(max(rounded(product, Rounding.HALF_EVEN), steps.low), steps.high)


def _to_float32(x: Fraction) -> Fraction:
    """A number as float32 holds it; subnormal ones do not occur."""
    if x == 0:
        return x
    exponent = 0
    size = abs(x)
    while size >= 2**24:
        size, exponent = size / 2, exponent + 1
    while size < 2**23:
        size, exponent = size * 2, exponent - 1
    whole = rounded(size, Rounding.HALF_EVEN) * Fraction(2) ** exponent
    return whole if x > 0 else -whole


def _doubled(x: int, multiplier: int, shift: int) -> int:
    high = rounded(Fraction((x << max(shift, 0)) * multiplier, 1 << 31), Rounding.HALF_UP)
    return rounded(Fraction(high, 1 << max(-shift, 0)), Rounding.HALF_AWAY)


def _natively(rng: np.random.Generator, kind: str) -> Case:
    layer, bits = _layer(rng), int(rng.integers(1, 9))
    zero = int(rng.integers(0, 2**bits))
    least = -zero if rng.random() < 0.5 else 0
    steps = _native_steps(rng, layer, least, 2**bits - 1 - zero if zero < 2**bits - 1 else 0)
    return Case(
        kind=kind,
        layer=replace(layer, steps=steps),
        output=_output(bits, zero),
        addend=None,
        exact=lambda channel, sums, _: [_native_value(steps, channel, x) + zero for x in sums],
    )


def _addition_scale(rng: np.random.Generator) -> Fraction:
    match rng.integers(0, 4):
        case 0:
            return Fraction(2) ** int(rng.integers(-3, 2))
        case 1:
            return Fraction(int(rng.integers(1, 9)), int(rng.integers(1, 9)))
        case _:
            return Fraction(float(np.float32(2.0 ** rng.uniform(-3, 1))))


def _added(rng: np.random.Generator, kind: str) -> Case:
    """Own codes, of any method, and codes of another scale; without a residual a further quantizer."""
    own = _natively(rng, kind) if rng.random() < 0.5 else _by_steps(rng, kind)
    zero, bits = int(rng.integers(0, 256)), int(rng.integers(1, 9))
    addend = Addend(code=_output(8, zero), smallest=-zero, largest=255 - zero) if kind == "added" else None
    own_scale, residual_scale = _addition_scale(rng), _addition_scale(rng)
    out_zero, rounding = int(rng.integers(0, 2**bits)), Rounding(int(rng.integers(0, 9)))
    offset = out_zero * int(rng.integers(0, 2)) + Fraction(float(np.float32(rng.normal()))) * int(
        rng.integers(0, 2)
    )
    addition = CodeAddition(
        source=0 if addend else None,
        own_scale=own_scale,
        residual_scale=residual_scale if addend else Fraction(0),
        offset=offset,
        rounding=rounding,
        low=0,
        high=2**bits - 1,
        value_offset=-out_zero,
    )

    def exact(channel: int, sums: list[int], codes: list[int]) -> list[int]:
        found = []
        for code, r in zip(own.exact(channel, sums, codes), codes, strict=True):
            real = own_scale * (code + own.output.offset) + offset
            if addend:
                real += residual_scale * (r - zero)
            found.append(min(max(rounded(real, rounding), 0), 2**bits - 1))
        return found

    return Case(
        kind=kind,
        layer=replace(own.layer, addition=addition),
        output=_output(bits, out_zero),
        addend=addend,
        exact=exact,
    )


def _tflite(rng: np.random.Generator, kind: str) -> Case:
    layer = _layer(rng)
    zeros = [int(n) for n in rng.integers(0, 256, 3)]
    steps = _native_steps(rng, layer, -zeros[0], 255 - zeros[0])
    multipliers = [int(n) for n in rng.integers(2**30, 2**31, 3)]
    # Where inputs keep few bits, their own roundings decide some codes.
    left_shift = int(rng.choice([20, 20, 3]))
    addition = DoublingAddition(
        source=0,
        left_shift=left_shift,
        own_multiplier=multipliers[0],
        own_shift=int(rng.integers(-5, 1)),
        residual_multiplier=multipliers[1],
        residual_shift=int(rng.integers(-5, 1)),
        output_multiplier=multipliers[2],
        output_shift=int(rng.integers(-1, 5)) - left_shift,
        low=-zeros[2],
        high=255 - zeros[2],
    )

    def exact(channel: int, sums: list[int], codes: list[int]) -> list[int]:
        found = []
        for x, r in zip(sums, codes, strict=True):
            own = _doubled(_native_value(steps, channel, x) << left_shift, multipliers[0], addition.own_shift)
            other = _doubled((r - zeros[1]) << left_shift, multipliers[1], addition.residual_shift)
            total = _doubled(own + other, multipliers[2], addition.output_shift)
            found.append(min(max(total, addition.low), addition.high) + zeros[2])
        return found

    return Case(
        kind=kind,
        layer=replace(layer, steps=steps, addition=addition),
        output=_output(8, zeros[2]),
        addend=Addend(code=_output(8, zeros[1]), smallest=-zeros[1], largest=255 - zeros[1]),
        exact=exact,
    )


def _pieces(rng: np.random.Generator, kind: str) -> Case:
    """A map of pieces, with levels in any order, or monotone ones of each channel's own."""
    layer = replace(_layer(rng), pool=None)
    low, high = reachable_sums(layer)
    channels, bits = len(low), int(rng.integers(2, 9))
    count = int(rng.integers(2, 512 if rng.random() < 0.3 else 40))
    thresholds = np.sort(
        rng.integers(low[:, np.newaxis] - 5, high[:, np.newaxis] + 5, (channels, count)), axis=1
    )
    levels = rng.integers(0, 2**bits, (channels, count + 1))
    if rng.random() < 0.3:
        levels = np.sort(levels, axis=1)
    steps = StepFunction(thresholds=thresholds, rising=np.ones(channels, dtype=bool), levels=levels)

    def exact(channel: int, sums: list[int], _: list[int]) -> list[int]:
        return [int(levels[channel, sum(t <= x for t in thresholds[channel])]) for x in sums]

    return Case(
        kind=kind, layer=replace(layer, steps=steps), output=_output(bits, 0), addend=None, exact=exact
    )


_MAKERS = {
    "steps": _by_steps,
    "float": _natively,
    "doubling": _natively,
    "residual": _with_residual,
    "added": _added,
    "requantized": _added,
    "tflite": _tflite,
    "pieces": _pieces,
}
