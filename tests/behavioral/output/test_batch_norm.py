import doctest
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.behavioral import activate, batch_normalize
from spinplane.behavioral.output import batch_norm
from spinplane.machine import Rounding
from spinplane.machine.activation import ActivationConfiguration

VALUES = st.integers(-(2**31), 2**31 - 1)


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(batch_norm) == (0, 1)


@pytest.mark.parametrize("gamma", [Fraction(5, 8), Fraction(-3, 4)])
def test_eq_5_rounded_to_a_code(gamma: Fraction) -> None:
    """γ·(x − μ)/σ + β with whole x and μ, and γ/σ and β whole in units of 1/64."""
    sigma, mean, beta, k = Fraction(2), 7, Fraction(11, 64), 6
    sums = np.arange(-300, 300)
    multiplier, offset = gamma / sigma * 2**k, beta * 2**k
    assert multiplier.denominator == offset.denominator == 1
    configuration = ActivationConfiguration(shift=k, rounding=Rounding.HALF_EVEN, low=-40, high=50)
    products = batch_normalize(sums, 0, -mean, int(multiplier))
    expected = [min(max(round(gamma * (int(x) - mean) / sigma + beta), -40), 50) for x in sums]
    assert activate(products, configuration, offsets=int(offset)).tolist() == expected


@given(VALUES, st.integers(-(2**33), 2**33 - 1), VALUES, st.integers(-(2**23), 2**23 - 1), st.integers(0, 3))
def test_is_exact_or_refuses(
    accumulator: int, correction: int, bias: int, multiplier: int, shift: int
) -> None:
    value = (accumulator << shift) - correction + bias

    def run() -> int:
        return int(batch_normalize(accumulator, correction, bias, multiplier, accumulator_shift=shift))

    if -(2**31) <= value < 2**31:
        assert run() == value * multiplier
    else:
        with pytest.raises(OverflowError, match=f"^sums before scaling: {value} does not fit in 32 bits$"):
            run()


def test_ends() -> None:
    ends = batch_normalize([-(2**31), 2**31 - 1], 0, 0, [[-(2**23)], [2**23 - 1]])
    assert ends.tolist() == [[int(a) * int(m) for a in (-(2**31), 2**31 - 1)] for m in (-(2**23), 2**23 - 1)]


@pytest.mark.parametrize("shift", [-1, 4])
def test_refuses_other_shifts(shift: int) -> None:
    with pytest.raises(ValueError, match=f"^accumulator_shift must be from 0 to 3, not {shift}$"):
        batch_normalize(1, 0, 0, 1, accumulator_shift=shift)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((2**31, 0, 0, 1), f"accumulators: {2**31} does not fit in 32 bits"),
        ((0, 2**33, 0, 1), f"corrections: {2**33} does not fit in 34 bits"),
        ((0, 0, -(2**31) - 1, 1), f"biases: {-(2**31) - 1} does not fit in 32 bits"),
        ((0, 0, 0, 2**23), f"multipliers: {2**23} does not fit in 24 bits"),
    ],
)
def test_refuses_numbers_that_do_not_fit(arguments: tuple[int, int, int, int], text: str) -> None:
    with pytest.raises(OverflowError, match=f"^{text}$"):
        batch_normalize(*arguments)
