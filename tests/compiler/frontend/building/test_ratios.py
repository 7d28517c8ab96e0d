"""Factors of a sum and of a value that is added to it: steps are those of the scales' exact ratio."""

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest

from spinplane.compiler.frontend.building.ratios import prove_factors, whole_factors
from spinplane.compiler.graph import Residual
from spinplane.compiler.meaning.exact_map import ExactMap
from spinplane.compiler.meaning.exact_steps import ExactSteps
from spinplane.machine import SpinplaneError

ADDED = np.arange(-8, 8)
REACH = 1 << 20


def sums(scale):
    reach = np.array([REACH])
    return ExactMap.of_sums(-reach, reach, reach, np.array([scale], dtype=object), 9)


def steps(first, scale, factor):
    """Of whole numbers of codes over scale · sum + factor · value, 37 apart."""
    ends = sorted((factor * -8, factor * 7))
    whole = replace(
        first,
        least=scale * first.least + ends[0],
        greatest=scale * first.greatest + ends[1],
        line=replace(first.line, slope=first.line.slope / scale),
    )
    return ExactSteps(map=whole, twice=74 * np.arange(-7, 9) - 1, inclusive=np.arange(16) % 2 == 0)


@pytest.mark.parametrize("sign", [1, -1])
def test_steps_are_those_of_the_exact_ratio(sign):
    rng, close = np.random.default_rng(0), 0
    for _ in range(40):
        own = Fraction(float(np.float32(rng.uniform(0.01, 1)))) * Fraction(
            float(np.float32(rng.uniform(0.01, 1)))
        )
        own, other = sign * own, Fraction(float(np.float32(rng.uniform(0.01, 1))))
        first, ratio = sums(own), other / own
        scale, factor = whole_factors("add", ratio, first, ADDED)
        close += factor != ratio * scale
        exact = steps(first, scale, factor)
        residual = Residual(source=0, scale=scale, residual_scale=factor)
        prove_factors("add", np.array([ratio], dtype=object), residual, exact, ADDED)
        for twice, inclusive, threshold in zip(
            exact.twice.tolist(), exact.inclusive, exact.thresholds[0].tolist(), strict=True
        ):
            for value in ADDED.tolist():
                position = Fraction(threshold - factor * value, scale)
                at = ceil(position) if sign > 0 else floor(position)
                for s, reached in ((at, True), (at - sign, False)):
                    number = own * s + other * value
                    assert (number > Fraction(twice, 2) or (inclusive and 2 * number == twice)) == reached
    assert close > 20


def test_a_ratio_that_puts_sums_on_steps_is_refused():
    """A tie of the exact ratio, which factors a little less or more miss."""
    own, factor = Fraction(1), (1 << 40) + 1
    exact = steps(sums(own), 1 << 40, factor)
    with pytest.raises(SpinplaneError, match=r"^add: scales whose ratio is 1\.0 put sums on its steps$"):
        prove_factors(
            "add",
            np.array([own], dtype=object),
            Residual(source=0, scale=1 << 40, residual_scale=factor),
            replace(exact, twice=exact.twice + 1),
            ADDED,
        )


def test_scales_too_far_apart_are_refused():
    with pytest.raises(SpinplaneError, match=r"^add: scales whose ratio is 3e\+12 are too different"):
        whole_factors("add", Fraction(3 * 10**12) + Fraction(1, 3**40), sums(Fraction(1)), ADDED)
