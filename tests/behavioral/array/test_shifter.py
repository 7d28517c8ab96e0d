"""Golden shifters against exact fractions."""

import doctest
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from spinplane.behavioral import shift_left, shift_right_rounded
from spinplane.behavioral.array import shifter
from spinplane.machine import Rounding


def _signed(quotient: Fraction, magnitude: int) -> int:
    return magnitude if quotient > 0 else -magnitude


EXACT: dict[Rounding, Callable[[Fraction], int]] = {
    Rounding.FLOOR: math.floor,
    Rounding.CEIL: math.ceil,
    Rounding.TO_ZERO: math.trunc,
    Rounding.AWAY: lambda quotient: _signed(quotient, math.ceil(abs(quotient))),
    Rounding.HALF_UP: lambda quotient: math.floor(quotient + Fraction(1, 2)),
    Rounding.HALF_DOWN: lambda quotient: math.ceil(quotient - Fraction(1, 2)),
    Rounding.HALF_EVEN: round,
    Rounding.HALF_AWAY: lambda quotient: _signed(quotient, math.floor(abs(quotient) + Fraction(1, 2))),
    Rounding.HALF_TO_ZERO: lambda quotient: _signed(quotient, math.ceil(abs(quotient) - Fraction(1, 2))),
}
AMOUNTS = [0, 1, 2, 3, 31, 32, 61, 62, 63, 64, 65, 100]


@pytest.mark.parametrize("rounding", list(Rounding))
def test_rounds_like_fractions(rounding: Rounding) -> None:
    low, high = -(2**63), 2**63 - 1
    edges = [low, low + 1, -(2**62), 2**62, 3 * 2**61, high - 1, high]
    values = np.array([*edges, *range(-20, 21)], np.int64)
    results = shift_right_rounded(values[:, None], AMOUNTS, rounding)
    for value, row in zip(values.tolist(), results.tolist(), strict=True):
        assert row == [EXACT[rounding](Fraction(value, 2**amount)) for amount in AMOUNTS], value


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(shifter) == (0, 1)


def test_shifts_the_papers_example() -> None:
    # Fig. 6: the count 0001 shifted by 3 is 1000.
    assert shift_left(0b0001, 3) == 0b1000


def test_shifts_arrays() -> None:
    assert shift_left([[1], [-1]], [0, 1, 62]).tolist() == [[1, 2, 2**62], [-1, -2, -(2**62)]]
    assert shift_left([0, 1, -1], [99, 62, 63]).tolist() == [0, 2**62, -(2**63)]


@pytest.mark.parametrize(("value", "amount"), [(1, 63), (2, 62), (-3, 62), (-1, 64), (1, 64)])
def test_refuses_what_does_not_fit(value: int, amount: int) -> None:
    with pytest.raises(OverflowError) as error:
        shift_left([0, value], amount)
    assert str(error.value) == f"{value} shifted left by {amount} does not fit in 64 bits"
