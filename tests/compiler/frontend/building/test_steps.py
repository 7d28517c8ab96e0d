"""Thresholds are those of exact arithmetic on the numbers of a file, at both sides of every step."""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from fractions import Fraction

import numpy as np
import pytest
from exact_rounding import EXACT
from hypothesis import given, settings
from hypothesis import strategies as st

from spinplane.compiler.frontend.building.elementwise import normalized
from spinplane.compiler.frontend.building.linear import exact_sums
from spinplane.compiler.frontend.building.quantizing import find_steps, to_codes
from spinplane.compiler.frontend.quantizers import Levels, bipolar, levels_of_quant
from spinplane.compiler.graph import Layer, Pooling, StepFunction
from spinplane.compiler.meaning.exact_map import ExactMap, fractions
from spinplane.compiler.meaning.reach import reachable_sums
from spinplane.compiler.meaning.real_map import RealMap
from spinplane.machine import Coding, Operand

#: A real number that an operator makes of another one, in channel c.
Real = Callable[[Fraction, int], Fraction]

ROUNDINGS = ["ROUND", "HALF_EVEN", "CEIL", "FLOOR", "UP", "DOWN", "ROUND_TO_ZERO", "HALF_UP", "HALF_DOWN"]


def steps_of(real: ExactMap, levels: Levels) -> StepFunction:
    return find_steps(to_codes(RealMap(first=real), levels), levels)


def layer(weights, i, pool=None):
    w = Operand(bits=4, coding=Coding.TWOS_COMPLEMENT)
    bias = np.zeros(len(weights), dtype=np.int64)
    return Layer(name="l", weights=weights, w=w, i=i, bias=bias, pool=pool)


def constants(rng: np.random.Generator, channels: int) -> np.ndarray:
    """Numbers of float32, log-uniform from 2^-30 to 2^4 with both signs, some of them short."""
    numbers = rng.choice([-1, 1], channels) * 2.0 ** rng.uniform(-30, 4, channels)
    short = 2.0 ** np.rint(np.log2(np.abs(numbers))) * rng.choice([1, 3], channels)
    return np.where(rng.random(channels) < 0.3, short, numbers).astype(np.float32)


def chain(rng: np.random.Generator, real: ExactMap, spread: float) -> tuple[ExactMap, list[Real]]:
    """Random operators, and the same in fractions; addends and bounds are about as large as the numbers."""
    channels, evaluated = len(real.weight), []
    for kind in rng.choice(["times", "plus", "at_least", "at_most"], rng.integers(1, 7)):
        constant = constants(rng, channels)
        if kind != "times":
            at = rng.uniform(-1, 1, channels) * spread * np.abs(real.line.slope.astype(float))
            constant = np.where(rng.random(channels) < 0.3, 0, at).astype(np.float32)
        exact = fractions(constant, channels)
        operation = {
            "times": lambda x, c, k=exact: x * k[c],
            "plus": lambda x, c, k=exact: x + k[c],
            "at_least": lambda x, c, k=exact: max(x, k[c]),
            "at_most": lambda x, c, k=exact: min(x, k[c]),
        }[kind]
        real = getattr(real, kind)(exact)
        evaluated.append(operation)
    return real, evaluated


def quantizer(rng: np.random.Generator, real: ExactMap) -> Levels:
    """A quantizer whose range is about that of the numbers in one of the channels."""
    if rng.random() < 0.1:
        return bipolar(np.array(0.7), "b")
    bits, signed = int(rng.integers(1, 9)), bool(rng.integers(2))
    zero = int(rng.integers(-3, 4)) if bits < 7 and (bits > 1 or not signed) else 0
    channel = rng.integers(len(real.weight))
    span = abs(float(real.line.slope[channel])) * float(real.greatest[channel] - real.least[channel]) or 1.0
    scale = span / 2**bits * 2.0 ** rng.uniform(-1, 1)
    if rng.random() < 0.3:
        scale = 2.0 ** round(np.log2(scale))
    return levels_of_quant(
        scale=np.array(np.float32(scale)),
        zero_point=np.array(float(zero)),
        bits=np.array(float(bits)),
        signed=signed,
        narrow=bool(rng.integers(2)) and bits > 1,
        rounding=str(rng.choice(ROUNDINGS)),
        name="q",
    )


def expected(levels: Levels, real: Fraction) -> int:
    code = EXACT[levels.rounding](real / Fraction(float(levels.step)) + Fraction(levels.zero_point))
    return int(levels.values[min(max(code, levels.low), levels.high) - levels.low])


def probes(rng: np.random.Generator, steps: StepFunction, real: ExactMap, channel: int) -> list[int]:
    """Both sides of every step, both ends, and a dense sample."""
    low, high = int(real.least[channel]), int(real.greatest[channel])
    reached = {t + d for t in steps.thresholds[channel].tolist() for d in (-1, 0, 1)}
    inside = {s for s in reached if low <= s <= high}
    return sorted(inside | {low, high, *rng.integers(low, high + 1, 40).tolist()})


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_sum_gets_the_level_of_exact_arithmetic(seed):
    rng = np.random.default_rng(seed)
    channels = 4
    weights = rng.integers(-8, 8, (channels, int(rng.integers(1, 200)), 1, 1))
    made = layer(weights, Operand(bits=int(rng.integers(1, 9))))
    scale = fractions(np.abs(constants(rng, channels)), channels)
    real = exact_sums(made, scale)
    regions = int(rng.choice([1, 1, 4, 9]))
    if regions > 1:
        real = real.average(regions)
    real, operations = chain(rng, real, float(max(real.greatest - real.least)))
    levels = quantizer(rng, real)
    steps = steps_of(real, levels)
    for channel in range(channels):
        sums = probes(rng, steps, real, channel)
        maps = np.zeros((1, channels, 1, len(sums)), dtype=np.int64)
        maps[0, channel, 0] = sums
        got = steps.apply(maps)[0, channel, 0].tolist()
        for s, value in zip(sums, got, strict=True):
            number = s * scale[channel] / regions
            for operation in operations:
                number = operation(number, channel)
            assert value == expected(levels, number)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("zero_point", [0.0, 3.0, 3.5])
def test_ties_fall_as_the_rounding_says(rounding, zero_point):
    """Sums that are a quarter of a step apart, rising and falling."""
    made = layer(np.array([[1], [-1]]).reshape(2, 1, 1, 1), Operand(bits=6))
    real = exact_sums(made, np.array([Fraction(1, 4)] * 2, dtype=object))
    levels = levels_of_quant(
        scale=np.array(1.0),
        zero_point=np.array(zero_point),
        bits=np.array(3.0),
        signed=False,
        narrow=False,
        rounding=rounding,
        name="q",
    )
    real = real.plus(np.array([Fraction(-5), Fraction(5)], dtype=object))
    steps = steps_of(real.times(np.array([Fraction(1), Fraction(-2)], dtype=object)), levels)
    sums = np.stack([np.arange(64), -np.arange(64)])
    got = steps.apply(sums[np.newaxis, :, np.newaxis])[0, :, 0]
    assert steps.rising.tolist() == [True, False]
    for at in range(64):
        assert got[0, at] == expected(levels, Fraction(at, 4) - 5)
        assert got[1, at] == expected(levels, -2 * (Fraction(-at, 4) + 5))


def test_a_normalization_is_exact_to_the_last_bit_of_its_root():
    rng = np.random.default_rng(7)
    made = layer(rng.integers(-8, 8, (6, 300, 1, 1)), Operand(bits=8))
    draws = {"gamma": (-2, 2), "beta": (-1, 1), "mean": (-99, 99), "variance": (100, 10_000)}
    numbers = {name: fractions(rng.uniform(*ends, 6).astype(np.float32), 6) for name, ends in draws.items()}
    numbers["variance"][0] = Fraction(900)  # whose root is exact: sums are on steps
    numbers["gamma"][0], numbers["beta"][0], numbers["mean"][0] = Fraction(1), Fraction(0), Fraction(0)
    sums = exact_sums(made, fractions(np.array(1.0), 6))
    levels = levels_of_quant(
        scale=np.array(0.125),
        zero_point=np.array(0.0),
        bits=np.array(8.0),
        signed=True,
        narrow=False,
        rounding="FLOOR",
        name="q",
    )
    steps = steps_of(normalized(sums, **numbers), levels)
    with localcontext(prec=120):
        for channel in range(6):
            gamma, beta, mean, variance = (
                Decimal(number[channel].numerator) / number[channel].denominator
                for number in numbers.values()
            )
            for s in probes(rng, steps, sums, channel):
                code = ((s - mean) / variance.sqrt() * gamma + beta) * 8
                maps = np.full((1, 6, 1, 1), s)
                assert steps.apply(maps)[0, channel, 0, 0] == min(max(math.floor(code), -128), 127)


def test_a_kink_gives_steps_that_are_always_reached():
    made = layer(np.array([[3], [-2]]).reshape(2, 1, 1, 1), Operand(bits=2))
    zero = fractions(np.zeros(()), 2)
    real = exact_sums(made, np.array([Fraction(1), Fraction(1)], dtype=object)).at_least(zero)
    levels = levels_of_quant(
        scale=np.array(4.0),
        zero_point=np.array(0.0),
        bits=np.array(3.0),
        signed=True,
        narrow=False,
        rounding="ROUND",
        name="q",
    )
    never = np.iinfo(np.int64).max
    steps = steps_of(real, levels)
    assert steps.thresholds.tolist() == [[0] * 4 + [3, 6, never], [-6] * 4 + [never] * 3]


def test_reachable_sums_hold_padding_and_pooled_regions():
    weights = np.array([3, -2]).reshape(1, 2, 1, 1)
    low, high = reachable_sums(layer(weights, Operand(bits=2)))
    assert (low.tolist(), high.tolist()) == ([-6], [9])
    pool = Pooling(kind="sum", size=(3, 2), stride=(2, 2))
    low, high = reachable_sums(layer(weights, Operand(bits=2), pool))
    assert (low.tolist(), high.tolist()) == ([-36], [54])
