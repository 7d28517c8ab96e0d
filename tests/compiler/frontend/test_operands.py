"""The least operand of integers, at the ends of each."""

import numpy as np
import pytest

from spinplane.compiler.frontend.operands import least_operand, operand_of_weights
from spinplane.machine import Coding, Operand, SpinplaneError


def unsigned(bits: int, zero_point: int = 0) -> Operand:
    return Operand(bits=bits, coding=Coding.UNSIGNED, zero_point=zero_point)


def signed(bits: int) -> Operand:
    return Operand(bits=bits, coding=Coding.TWOS_COMPLEMENT)


@pytest.mark.parametrize(
    ("least", "greatest", "operand"),
    [
        (0, 0, unsigned(1)),
        (0, 1, unsigned(1)),
        (0, 2, unsigned(2)),
        (0, 255, unsigned(8)),
        (7, 7, unsigned(3)),
        (-1, 0, signed(1)),
        (-1, 1, signed(2)),
        (-2, 1, signed(2)),
        (-128, 127, signed(8)),
        (-129, 126, unsigned(8, 129)),
        (-127, 128, unsigned(8, 127)),
        (1, 256, unsigned(8, -1)),
        (-256, -1, unsigned(8, 256)),
        (256, 256, unsigned(1, -256)),
        (256, 258, unsigned(2, -256)),
    ],
)
def test_the_least_operand(least: int, greatest: int, operand: Operand) -> None:
    values = np.array([least, greatest])
    assert least_operand(values, "map") == operand
    assert operand_of_weights(values, "map") == operand


@pytest.mark.parametrize(
    ("least", "greatest", "bits"), [(0, 256, 9), (-129, 127, 9), (-256, 0, 9), (-1, 255, 9)]
)
def test_nine_bits_are_too_many(least: int, greatest: int, bits: int) -> None:
    values = np.array([least, greatest])
    text = f"^map: values {least} to {greatest} need {bits} bits, the engine takes 1 to 8$"
    with pytest.raises(SpinplaneError, match=text):
        least_operand(values, "map")
    assert operand_of_weights(values, "map") is None
