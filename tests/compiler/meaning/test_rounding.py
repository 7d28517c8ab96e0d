"""Roundings of exact quotients, and the steps between their codes."""

from fractions import Fraction

import numpy as np
import pytest
from exact_rounding import EXACT

from spinplane.compiler.meaning.rounding import round_floats_exactly, round_quotients, step_positions
from spinplane.machine import Rounding


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("denominator", [1, 2, 6, 7, 2**80])
@pytest.mark.parametrize("dtype", [np.int64, object])
def test_quotients_are_rounded_like_fractions(rounding, denominator, dtype):
    if dtype is np.int64 and denominator > 2**60:
        denominator = 2**60
    spacing = max(1, denominator // 12)
    numerators = [n * spacing for n in range(-40, 41)]
    expected = [EXACT[rounding](Fraction(n, denominator)) for n in numerators]
    assert round_quotients(np.array(numerators, dtype=dtype), denominator, rounding).tolist() == expected


@pytest.mark.parametrize("rounding", list(Rounding))
def test_steps_are_where_the_rounding_changes(rounding):
    codes = np.arange(-4, 5)
    twice, inclusive = step_positions(codes, rounding)
    near = Fraction(1, 1000)
    for code, position, reached in zip(codes.tolist(), twice.tolist(), inclusive.tolist(), strict=True):
        at = Fraction(position, 2)
        assert EXACT[rounding](at - near) < code
        assert (EXACT[rounding](at) >= code) is reached
        assert EXACT[rounding](at + near) >= code


def test_numbers_right_beside_a_half_are_rounded_exactly():
    halves = np.float32([0.5, 1.5, 2.5, 127.5, 2**22 + 0.5])
    numbers = np.concatenate([np.nextafter(halves, np.float32(0)), halves, np.float32([0, 2**23 + 1, 2**24])])
    numbers = np.concatenate([numbers, -numbers])
    expected = [EXACT[Rounding.HALF_AWAY](Fraction(float(number))) for number in numbers]
    assert round_floats_exactly(numbers).tolist() == expected
