"""Numbers as integers times a step: up to 16 bits of them."""

from fractions import Fraction

import numpy as np
import pytest

from spinplane.compiler.frontend.building.access import _whole
from spinplane.machine import SpinplaneError


def fractions(*numbers: int) -> np.ndarray:
    """One channel of multiples of a third."""
    return np.array([[Fraction(number, 3) for number in numbers]], dtype=object)


@pytest.mark.parametrize("numbers", [(0, 1, 2**16 - 1), (-(2**15), 1, 2**15 - 1), (1, 2, 2**16 - 1)])
def test_integers_of_16_bits(numbers: tuple[int, ...]) -> None:
    whole, steps = _whole("add", fractions(*numbers))
    assert whole.tolist() == [list(numbers)]
    assert steps.tolist() == [Fraction(1, 3)]


@pytest.mark.parametrize("numbers", [(0, 1, 2**16), (-(2**15), 1, 2**15), (-(2**16), -1), (2**17 - 1, 2**17)])
def test_more_are_refused(numbers: tuple[int, ...]) -> None:
    with pytest.raises(
        SpinplaneError, match=r"^add: its input has numbers that are no multiples of one step"
    ):
        _whole("add", fractions(*numbers))
