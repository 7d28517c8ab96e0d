import doctest
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.behavioral import batch_normalize, quantize, sums_before_scaling
from spinplane.behavioral.output import batch_norm
from spinplane.machine import Rounding


def signed(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def wrapped(number: int) -> int:
    """Of 64 bits."""
    return (number + 2**63) % 2**64 - 2**63


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(batch_norm) == (0, 3)


@pytest.mark.parametrize("gamma", [Fraction(5, 8), Fraction(-3, 4)])
def test_eq_5_rounded_to_a_code(gamma: Fraction) -> None:
    """γ·(x − μ)/σ + β with whole x and μ, and γ/σ and β whole in units of 1/64."""
    sigma, mean, beta, k = Fraction(2), 7, Fraction(11, 64), 6
    sums = np.arange(-300, 300)
    multiplier, offset = gamma / sigma * 2**k, beta * 2**k
    assert multiplier.denominator == offset.denominator == 1
    centred = sums_before_scaling(sums, 0, -mean)
    normal = batch_normalize(centred, int(multiplier), int(offset))
    expected = [min(max(round(gamma * (int(x) - mean) / sigma + beta), -40), 50) for x in sums]
    assert quantize(normal, shift=k, rounding=Rounding.HALF_EVEN, low=-40, high=50).tolist() == expected


@given(signed(36) | signed(20), signed(32), signed(48), st.integers(0, 63))
def test_a_product_is_divided_and_rounded_half_up(
    value: int, multiplier: int, offset: int, high_shift: int
) -> None:
    high = math.floor(Fraction(wrapped(value * multiplier), 2**high_shift) + Fraction(1, 2))
    found = batch_normalize(value, multiplier, offset, high_shifts=high_shift)
    assert found == wrapped((high if high_shift else wrapped(value * multiplier)) + offset)


@given(signed(32), signed(32), st.integers(0, 10))
def test_high_shifts_are_tflites_doubling_high_multiply(value: int, multiplier: int, left_shift: int) -> None:
    """SaturatingRoundingDoublingHighMul of the value shifted to the left, in C's division that truncates."""
    value >>= left_shift
    product = (value << left_shift) * multiplier
    nudge = 1 << 30 if product >= 0 else 1 - (1 << 30)
    doubled = math.trunc(Fraction(product + nudge, 1 << 31))
    assert batch_normalize(value, multiplier, 0, high_shifts=31 - left_shift) == doubled


@given(st.integers(-(2**31), 2**31 - 1), st.integers(2**23, 2**24 - 1), signed(48))
def test_float_scale_is_a_product_of_float32(value: int, significand: int, offset: int) -> None:
    product = np.float32(value) * np.float32(significand)
    assert batch_normalize(value, significand, offset, float_scale=True) == wrapped(int(product) + offset)


@pytest.mark.parametrize(
    ("value", "multiplier"), [(2**35 - 1, 2**28 - 1), (-(2**35), 2**28), (2**35 - 1, 2**28)]
)
def test_float_scale_at_the_end_of_64_bits(value: int, multiplier: int) -> None:
    """2^35 − 1 becomes 2^35: the product is 2^63 or nearly so, and wraps."""
    assert batch_normalize(value, multiplier, 1, float_scale=True) == -(2**63) + 1


@given(signed(32), signed(34), signed(32), st.integers(0, 3))
def test_sums_are_exact_or_refused(accumulator: int, correction: int, bias: int, shift: int) -> None:
    value = (accumulator << shift) - correction + bias

    def run() -> int:
        return int(sums_before_scaling(accumulator, correction, bias, accumulator_shift=shift))

    if -(2**31) <= value < 2**31:
        assert run() == value
    else:
        with pytest.raises(OverflowError, match=f"^sums before scaling: {value} does not fit in 32 bits$"):
            run()


@pytest.mark.parametrize("shift", [-1, 4])
def test_refuses_other_shifts(shift: int) -> None:
    with pytest.raises(ValueError, match=f"^accumulator_shift must be from 0 to 3, not {shift}$"):
        sums_before_scaling(1, 0, 0, accumulator_shift=shift)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((2**31, 0, 0), f"accumulators: {2**31} does not fit in 32 bits"),
        ((0, 2**33, 0), f"corrections: {2**33} does not fit in 34 bits"),
        ((0, 0, -(2**31) - 1), f"biases: {-(2**31) - 1} does not fit in 32 bits"),
    ],
)
def test_refuses_terms_that_do_not_fit(arguments: tuple[int, int, int], text: str) -> None:
    with pytest.raises(OverflowError, match=f"^{text}$"):
        sums_before_scaling(*arguments)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((2**35, 1, 0), f"sums: {2**35} does not fit in 36 bits"),
        ((0, 2**31, 0), f"multipliers: {2**31} does not fit in 32 bits"),
        ((0, 0, 2**47), f"offsets: {2**47} does not fit in 48 bits"),
    ],
)
def test_refuses_factors_that_do_not_fit(arguments: tuple[int, int, int], text: str) -> None:
    with pytest.raises(OverflowError, match=f"^{text}$"):
        batch_normalize(*arguments)
