import decimal
import doctest
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.behavioral import quantize, quantize_unit
from spinplane.behavioral.output import quantizer
from spinplane.machine import Rounding, SpinplaneError


def test_examples_of_the_docstrings():
    assert doctest.testmod(quantizer) == (0, 2)


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        (Rounding.FLOOR, [0, 0, 0, 1, 1, 2, 3]),
        (Rounding.HALF_UP, [0, 0, 1, 1, 2, 3, 3]),
        (Rounding.CEIL, [0, 1, 1, 1, 2, 3, 3]),
        (Rounding.TO_ZERO, [0, 0, 0, 1, 1, 2, 3]),
        (Rounding.AWAY, [0, 1, 1, 1, 2, 3, 3]),
        (Rounding.HALF_EVEN, [0, 0, 0, 1, 2, 2, 3]),
        (Rounding.HALF_DOWN, [0, 0, 0, 1, 1, 2, 3]),
        (Rounding.HALF_AWAY, [0, 0, 1, 1, 2, 3, 3]),
        (Rounding.HALF_TO_ZERO, [0, 0, 0, 1, 1, 2, 3]),
    ],
)
def test_eq_4_at_its_ties(rounding, expected):
    """Three steps: the ties are 1/6, 3/6 and 5/6, of which a float holds only the second."""
    x = [0, Fraction(1, 7), Fraction(1, 6), Fraction(1, 3), 0.5, Fraction(5, 6), 1.0]
    levels, values = quantize_unit(x, 2, rounding)
    assert levels.dtype == np.int64
    assert levels.tolist() == expected
    assert (values == np.array(expected) / 3).all()


def test_eq_4_takes_a_float_as_the_number_that_it_is():
    """The float next below 1/6 is below the tie, though (2^2 − 1) times it rounds to 0.5 in float64."""
    below = 1 / 6
    assert Fraction(below) < Fraction(1, 6)
    assert below * 3 == 0.5
    assert quantize_unit(below, 2, Rounding.HALF_UP)[0] == 0


def test_eq_4_keeps_shapes_and_levels():
    for bits in range(1, 9):
        steps = 2**bits - 1
        x = [[Fraction(level, steps)] for level in range(2**bits)]
        for rounding in Rounding:
            levels, values = quantize_unit(x, bits, rounding)
            assert levels.tolist() == [[level] for level in range(2**bits)]
            assert values.shape == (2**bits, 1)
            assert values[-1] == 1.0


@pytest.mark.parametrize("x", [-0.25, 1.5, float("nan")])
def test_eq_4_refuses_what_is_outside(x):
    with pytest.raises(SpinplaneError, match=rf"^{x} is outside \[0, 1\], where Eq. 4 is defined$"):
        quantize_unit([0.5, x], 1)


@pytest.mark.parametrize("bits", [0, 1.0])
def test_eq_4_refuses_widths_that_are_none(bits):
    with pytest.raises(ValueError, match=f"^bits must be a positive integer, not {bits}$"):
        quantize_unit(0.5, bits)


def test_quantize_by_hand():
    # Quarters: −1.25, −0.5, 0.25, 1, 1.75, 2.5, 4.75
    codes = quantize([-5, -2, 1, 4, 7, 10, 19], shift=2, rounding=Rounding.HALF_UP, low=-1, high=4)
    assert codes.tolist() == [-1, 0, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("rounding", Rounding)
def test_quantize_computes_eq_4_after_relu(bits, rounding):
    """Values in units of 1/256."""
    values, steps = np.arange(-20, 277), 2**bits - 1
    levels, _ = quantize_unit([Fraction(min(max(int(v), 0), 256), 256) for v in values], bits, rounding)
    assert (quantize(steps * values, shift=8, rounding=rounding, low=0, high=steps) == levels).all()


#: What the standard library calls them; that of decimal numbers has no more than seven.
BY_NAME = {
    Rounding.FLOOR: decimal.ROUND_FLOOR,
    Rounding.CEIL: decimal.ROUND_CEILING,
    Rounding.TO_ZERO: decimal.ROUND_DOWN,
    Rounding.AWAY: decimal.ROUND_UP,
    Rounding.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    Rounding.HALF_AWAY: decimal.ROUND_HALF_UP,
    Rounding.HALF_TO_ZERO: decimal.ROUND_HALF_DOWN,
}


def by_decimal(value: int, shift: int, rounding: Rounding) -> int:
    """The quotient by 2^shift, exactly: it has no more decimals than the shift."""
    with decimal.localcontext(prec=200):
        quotient = decimal.Decimal(value) / 2**shift
        if rounding in (Rounding.HALF_UP, Rounding.HALF_DOWN):
            # Halves of numbers above 0 go up where they go away from 0; those below 0 where they go toward it.
            away = (quotient > 0) == (rounding is Rounding.HALF_UP)
            rounding = Rounding.HALF_AWAY if away else Rounding.HALF_TO_ZERO
        return int(quotient.to_integral_value(BY_NAME[rounding]))


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(-40, 40), st.integers(0, 63), st.sampled_from(Rounding))
def test_quantize_is_exact_for_all_of_64_bits(value, shift, rounding):
    rounded = by_decimal(value, shift, rounding)
    codes = quantize([value], shift=shift, rounding=rounding, low=-256, high=255)
    assert codes.tolist() == [min(max(rounded, -256), 255)]


def test_quantize_keeps_shapes():
    for shape in ((2, 0, 3), (2, 3)):
        codes = quantize(np.full(shape, 9), shift=0, rounding=Rounding.FLOOR, low=0, high=1)
        assert codes.tolist() == np.ones(shape).tolist()


def test_quantize_takes_numbers_of_each_channel():
    codes = quantize([[9, 9], [-9, -9]], shift=[0, 2], rounding=Rounding.AWAY, low=[-4, 0], high=[6, 9])
    assert codes.tolist() == [[6, 3], [-4, 0]]
