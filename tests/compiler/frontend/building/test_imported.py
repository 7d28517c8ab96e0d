"""Maps as tensors of a file: a number is taken for the level that float32 means, and for no other."""

import numpy as np
import pytest

from spinplane.compiler.frontend.building.imported import TensorView
from spinplane.machine import SpinplaneError


def view(scale: float, offset: float) -> TensorView:
    return TensorView(
        tensor="codes",
        shape=(1, 1, 1, 1),
        sides=(1, 1, 1),
        order=(0, 1, 2, 3),
        scale=np.array([scale]),
        offset=np.array([offset]),
        low=np.array([-np.inf]),
        high=np.array([np.inf]),
    )


def encoded(quotient: float) -> int:
    """Level of a number so many levels from 0, of scale 0.25 and offset −3."""
    number = np.full((1, 1, 1, 1), 0.25 * quotient - 3)
    return int(view(0.25, -3.0).encode(number).item())


@pytest.mark.parametrize("level", [0, 1, -1, 7, -100])
def test_a_thousandth_of_a_level_or_of_the_number_is_rounding(level: int) -> None:
    room = max(abs(level), 1) * 1e-3
    for apart in (-0.9 * room, 0.0, 0.9 * room):
        assert encoded(level + apart) == level


@pytest.mark.parametrize("level", [0, 1, -1, 7, 100])
@pytest.mark.parametrize("sign", [1, -1])
def test_more_is_no_level(level: int, sign: int) -> None:
    room = max(abs(level), 1) * 1e-3
    with pytest.raises(
        SpinplaneError, match=r"^tensor 'codes': 1 numbers, such as .*, are no levels of its map$"
    ):
        encoded(level + 1.1 * sign * room)
