"""Functions that fall and rise between sums and their quantizer: steps in exact arithmetic, files and the machine."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from exact_rounding import EXACT

from spinplane.compiler.frontend.building.quantizing import find_steps, to_codes
from spinplane.compiler.frontend.quantizers import Levels, levels_of_quant
from spinplane.compiler.graph import StepFunction
from spinplane.compiler.meaning.exact_map import ExactMap, fractions
from spinplane.compiler.meaning.functions import hard_swish, leaky
from spinplane.compiler.meaning.real_map import RealMap
from tests.open_sums import FORMS, convolution, judged, network, prelu
from tests.random_networks.description import (
    Activation,
    Addition,
    Arithmetic,
    Normalization,
    Pool,
    Quantizer,
    Stage,
    Window,
)
from tests.random_networks.files import write
from tests.random_networks.judging import imported

ROUNDINGS = ["ROUND", "CEIL", "FLOOR", "UP", "DOWN", "HALF_UP", "HALF_DOWN"]
SWISH, CODES = (
    Activation(operator="HardSwish"),
    Quantizer(bits=8, signed=True, scale=np.float32(0.0237), zero_point=-90),
)
NARROW = Quantizer(bits=4, signed=True, scale=np.float32(0.1371), zero_point=-4)
WINDOW = Window(kernel=(3, 2), stride=(2, 1), dilation=(1, 1), pads=(1, 0, 1, 1))
SLOPES = (0.1, -0.2, -1.5, 0.0, 2.0, -0.001)
NORMALIZATION = Normalization(
    scale=np.array([1, -0.7, 0.3, -1.2, 2, -0.1], dtype=np.float32),
    bias=np.array([0.3, -1, 0, 2, -0.5, 0.1], dtype=np.float32),
    mean=np.array([0.1, 0.2, -1, 0.5, 0, 3], dtype=np.float32),
    variance=np.array([1, 2, 0.5, 1.5, 4, 1], dtype=np.float32),
)


def levels_of(rng: np.random.Generator) -> Levels:
    bits, rounding = float(rng.integers(1, 9)), str(rng.choice(ROUNDINGS))
    scale = np.array(
        np.float32(2.0 ** rng.uniform(-7, -1)) if rng.integers(2) else 2.0 ** rng.integers(-6, 0)
    )
    zero = np.array(float(rng.integers(0, 2 ** int(bits))))
    return levels_of_quant(
        scale=scale, zero_point=zero, bits=np.array(bits), signed=False, narrow=False, rounding=rounding, name="q"
    )  # fmt: skip


def random_map(rng: np.random.Generator) -> RealMap:
    """One or two such functions, with lines of both signs and bounds before, between and behind them."""
    count, channels = rng.integers(1, 3), 3
    least = rng.integers(-60, 20, channels)
    reach = np.array([Fraction(0)] * channels, dtype=object)
    scale = fractions(2.0 ** rng.uniform(-6, -2, channels), channels)
    first = ExactMap.of_sums(least, least + rng.integers(0, 90, channels), np.full(channels, 200), scale, 9)
    real = RealMap(first=first)
    for _ in range(count):
        lines = np.where(rng.random(channels) < 0.5, 1.0, rng.uniform(-2, 2, channels))
        real = real.changed(real.last.times(fractions(lines, channels)))
        real = real.changed(real.last.plus(fractions(rng.choice([-1.5, 0, 0.25]), channels)))
        slopes = rng.choice([-2, -0.5, -0.1, 0, 0.5], channels)
        real = real.through(hard_swish() if rng.integers(2) else leaky(fractions(slopes, channels)))
        if rng.random() < 0.5:
            real = real.changed(real.last.at_most(reach + Fraction(1)))
        if rng.random() < 0.3:
            real = real.changed(real.last.at_least(reach - Fraction(1, 5)))
    return real


@pytest.mark.parametrize("seed", range(60))
def test_every_sum_gets_the_level_of_exact_arithmetic(seed: int) -> None:
    rng = np.random.default_rng(seed)
    real, levels = random_map(rng), levels_of(rng)
    codes = to_codes(real, levels)
    steps = find_steps(codes, levels)
    for channel in range(real.channels):
        sums = np.arange(real.first.least[channel], real.first.greatest[channel] + 1)
        numbers = codes.numbers(sums)[channel]
        wanted = [min(max(EXACT[levels.rounding](n), levels.low), levels.high) - levels.low for n in numbers]
        maps = np.tile(sums, (1, real.channels, 1, 1))
        assert steps.apply(maps)[0, channel, 0].tolist() == levels.values[wanted].tolist()


@pytest.mark.parametrize("span", [(-3.1, -2.5), (-1.6, -1.4), (-3.1, 3.1), (2.5, 3), (-0.1, 0.2)])
def test_float32_is_no_further_than_it_is_said_to_be(span: tuple[float, float]) -> None:
    """At −3 terms cancel that are much greater than their sum."""
    sums = np.arange(int(span[0] * 2**13), int(span[1] * 2**13))
    x = sums.astype(np.float32) / np.float32(2**13)
    first = ExactMap.of_codes(sums, fractions(2.0**-13, 1))
    slope = np.float32(-0.7)
    swish = x * np.clip(x * np.float32(1 / 6) + np.float32(0.5), np.float32(0), np.float32(1))
    kinds = [(hard_swish(), swish), (leaky(fractions(slope, 1)), np.where(x >= 0, x, x * slope))]
    for function, evaluated in kinds:
        real = RealMap(first=first).through(function)
        apart = max(
            abs(Fraction(float(y)) - exact) for y, exact in zip(evaluated, real.numbers(sums)[0], strict=True)
        )
        least, greatest = (one.line.offset[0] for one in real.last.extremes())
        assert least < 0 < greatest < 2e-6
        assert apart <= greatest == -least


AFTER: dict[str, tuple[Stage, ...]] = {
    "HardSwish": (SWISH,),
    "slopes of both signs": (prelu(*SLOPES),),
    "a negative slope": (Activation(operator="LeakyRelu", slope=np.float32(-0.3)),),
    "normalization before": (NORMALIZATION, SWISH),
    "normalization behind": (SWISH, NORMALIZATION),
    "two of them": (SWISH, prelu(*SLOPES)),
    "a bound behind": (SWISH, Activation(operator="Clip", low=-0.2, high=1.5)),
    "another function behind": (SWISH, Activation(operator="Tanh")),
    "a maximum before": (Pool(kind="max", window=WINDOW), SWISH),
    "a maximum behind": (SWISH, Pool(kind="max", window=WINDOW)),
    "normalization, a maximum and a function": (NORMALIZATION, Pool(kind="max", window=WINDOW), prelu(*SLOPES)),
    "a mean before": (Pool(kind="average", window=replace(WINDOW, pads=(0,) * 4)), SWISH),
}  # fmt: skip


@pytest.mark.parametrize("quantizer", [CODES, NARROW], ids=["8 bits", "4 bits"])
@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("form", FORMS)
def test_functions_of_sums_equal_their_executor(
    form: str, after: str, quantizer: Quantizer, tmp_path: Path
) -> None:
    rng = np.random.default_rng(7)
    found = judged(form, network(convolution(rng), AFTER[after], quantizer), tmp_path)
    assert any(isinstance(one.steps, StepFunction) and not one.steps.monotone for one in found.graph.layers)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scales", ["one ratio", "a ratio a channel"])
def test_functions_of_sums_with_a_residual(form: str, scales: str, tmp_path: Path) -> None:
    """The codes of an earlier map are added to sums, and both go through a function that falls and rises."""
    rng = np.random.default_rng(5)
    earlier, scale = network(convolution(rng), (), CODES).layers[0], None
    if scales == "one ratio":
        scale = np.full(6, np.float32(2**-4))
        earlier = replace(earlier, quantizer=replace(CODES, scale=np.float32(2**-5), zero_point=0))
    made = network(convolution(rng, scale=scale), (), None)
    added = replace(earlier, sources=(1, 0), core=Addition(), after=(SWISH,), quantizer=NARROW)
    judged(form, replace(made, layers=(earlier, made.layers[0], added), outputs=(2,)), tmp_path)


def test_thresholds_behind_such_a_function(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    positions = np.sort(rng.uniform(-0.375, 3, (6, 15)), axis=1).astype(np.float32)
    quantizer = Quantizer(bits=4, signed=False, scale=np.float32(0.25), thresholds=positions)
    judged("qonnx", network(convolution(rng), (SWISH,), quantizer), tmp_path)


def test_a_maximum_that_falls_afterwards_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    falls = Arithmetic(operator="Mul", constant=np.float32(-1))
    pool = Pool(kind="max", window=WINDOW)
    made = network(convolution(rng), (SWISH, pool, falls), CODES)
    refusal = imported(write("qonnx", made, 0, tmp_path, count=1).path)
    assert isinstance(refusal, str)
    assert "its maximum is that of a function that falls and rises, and numbers behind it fall" in refusal
