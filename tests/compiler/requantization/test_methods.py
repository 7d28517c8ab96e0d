"""Lists of thresholds at the ends of their widths."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from spinplane.compiler.requantization.lines import Staircase
from spinplane.compiler.requantization.methods import search_lists
from spinplane.machine import SpinplaneError

LAYER: Any = SimpleNamespace(name="conv")
#: What no threshold reaches.
UNUSED = 2**31 - 1


def lists(at: list[int], sign: int) -> list[int]:
    """Thresholds of the only channel of a layer, which reaches all numbers."""
    steps = np.array([at])
    reach = np.array([1 << 40])
    stairs = Staircase(
        before=steps - 1, at=steps, inside=np.ones(steps.shape, dtype=bool), least=-reach, greatest=reach
    )
    [found] = search_lists(LAYER, stairs, np.array([sign]), np.array([True]))
    return found.tolist()


def test_the_ends_of_what_a_search_looks_at() -> None:
    assert lists([1 - UNUSED, 5, UNUSED - 1], 1) == [1 - UNUSED, 5, UNUSED - 1]
    # −y reaches t where y is 1 − t at the most.
    assert lists([2 - UNUSED, -4, UNUSED], -1) == [1 - UNUSED, 5, UNUSED - 1]


@pytest.mark.parametrize(
    ("at", "sign", "least", "greatest"),
    [
        ([5, UNUSED], 1, 5, UNUSED),
        ([-UNUSED, 5], 1, -UNUSED, 5),
        ([1 - UNUSED, 5], -1, -4, UNUSED),
        ([5, UNUSED + 1], -1, -UNUSED, -4),
    ],
)
def test_one_more_is_refused(at: list[int], sign: int, least: int, greatest: int) -> None:
    with pytest.raises(SpinplaneError) as error:
        lists(at, sign)
    assert (
        str(error.value) == f"layer conv: its steps from {least} to {greatest} exceed thresholds of 32 bits"
    )
