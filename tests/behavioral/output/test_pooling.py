import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.behavioral import pool
from spinplane.behavioral.output import pooling
from spinplane.machine.descriptor import PoolAt

VALUES = [[3, -7, 5, 2], [-1, -2, -3, -4]]


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(pooling) == (0, 1)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (PoolAt.NONE, [2, -4]),
        (PoolAt.SUM, [1, -6]),
        (PoolAt.MAX, [5, -1]),
        (PoolAt.MAX_BEFORE, [5, -3]),
    ],
)
def test_by_hand(mode: PoolAt, expected: list[int]) -> None:
    """Of the first three windows; the multiplier of the second region's channel is negative."""
    counts, negative = [True, True, True, False], [False, True]
    found = pool(VALUES, mode, counts=counts, negative=negative)
    assert found.dtype == np.int64
    assert found.tolist() == expected


def test_every_window_counts_if_nothing_is_said() -> None:
    assert pool(VALUES, PoolAt.SUM).tolist() == [3, -10]
    assert pool(VALUES, PoolAt.MAX_BEFORE).tolist() == [5, -1]


@pytest.mark.parametrize("mode", [PoolAt.SUM, PoolAt.MAX, PoolAt.MAX_BEFORE])
def test_where_no_window_counts_there_is_0(mode: PoolAt) -> None:
    found = pool(VALUES, mode, counts=[[0, 0, 0, 0], [0, 1, 0, 0]], negative=[True, False])
    assert found.tolist() == [0, -2]


@given(st.sampled_from(PoolAt), st.booleans(), st.data())
def test_as_plain_loops(mode: PoolAt, negative: bool, data: st.DataObject) -> None:
    windows = data.draw(st.lists(st.tuples(st.integers(-(2**55), 2**55 - 1), st.booleans()), min_size=1))
    counted = [value for value, counts in windows if counts]
    if mode is PoolAt.NONE:
        expected = windows[-1][0]
    elif mode is PoolAt.SUM:
        expected = sum(counted)
    else:
        joined = min if negative and mode is PoolAt.MAX_BEFORE else max
        expected = joined(counted, default=0)
    values, counts = zip(*windows, strict=True)
    assert pool(values, mode, counts=counts, negative=negative) == expected
