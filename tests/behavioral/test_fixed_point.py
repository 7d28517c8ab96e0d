import doctest

import pytest

from spinplane.behavioral import fixed_point
from spinplane.behavioral.fixed_point import signed_integers


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(fixed_point) == (0, 2)


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
