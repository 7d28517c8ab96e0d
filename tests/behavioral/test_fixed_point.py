import doctest
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.behavioral import fixed_point
from spinplane.behavioral.fixed_point import fit, float32_integers, signed_integers


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(fixed_point) == (0, 3)


@pytest.mark.parametrize("bits", [1, 9, 63, 64])
def test_takes_the_ends(bits: int) -> None:
    ends = [[-(2 ** (bits - 1))], [2 ** (bits - 1) - 1]]
    assert signed_integers(ends, bits, "ends").tolist() == ends


@pytest.mark.parametrize("value", [-(2**31) - 1, 2**31])
def test_names_what_does_not_fit(value: int) -> None:
    with pytest.raises(OverflowError, match=f"^biases: {value} does not fit in 32 bits$"):
        signed_integers([0, value], 32, "biases")


def test_refuses_what_is_no_integer() -> None:
    with pytest.raises(TypeError, match=r"^biases must be integers that int64 holds, not float64$"):
        signed_integers([0.5], 32, "biases")


def test_numbers_that_do_not_fit_wrap_or_are_refused_where_they_count() -> None:
    numbers = np.array([7, 8, -9])
    assert fit(numbers, 4, "sum", wraps=True).tolist() == [7, -8, 7]
    assert fit(numbers, 4, "sum", wraps=False, where=np.array([True, False, False])).tolist() == [7, -8, 7]
    with pytest.raises(OverflowError, match=r"^sum 8 does not fit in 4 bits$"):
        fit(numbers, 4, "sum", wraps=False)


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(-(2**26), 2**26))
def test_float32_keeps_24_significant_bits(number: int) -> None:
    step = max(1, 2 ** (number.bit_length() - 24)) if abs(number) >= 2**24 else 1
    kept = round(Fraction(number, step)) * step
    assert float32_integers(np.array([number])) == (kept + 2**63) % 2**64 - 2**63
    assert kept == int(np.float32(number))
