import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.behavioral import pool
from spinplane.behavioral.output import pooling
from spinplane.machine.descriptor import Pool

SUMS = [[3, -7, 5, 2], [-1, -2, -3, -4]]


def test_examples_of_the_docstrings() -> None:
    assert doctest.testmod(pooling) == (0, 1)


@pytest.mark.parametrize(
    ("mode", "expected"), [(Pool.NONE, [2, -4]), (Pool.SUM, [1, -6]), (Pool.MAX, [5, -3])]
)
def test_by_hand(mode: Pool, expected: list[int]) -> None:
    """Of the first three windows; the second region's channel takes the least."""
    found = pool(SUMS, mode, counts=[True, True, True, False], least=[False, True])
    assert found.dtype == np.int64
    assert found.tolist() == expected


def test_every_window_counts_if_nothing_is_said() -> None:
    assert pool(SUMS, Pool.SUM).tolist() == [3, -10]
    assert pool(SUMS, Pool.MAX).tolist() == [5, -1]


@pytest.mark.parametrize("mode", [Pool.SUM, Pool.MAX])
def test_where_no_window_counts_there_is_0(mode: Pool) -> None:
    found = pool(SUMS, mode, counts=[[0, 0, 0, 0], [0, 1, 0, 0]], least=[True, False])
    assert found.tolist() == [0, -2]


@given(st.sampled_from(Pool), st.booleans(), st.data())
def test_as_plain_loops(mode: Pool, least: bool, data: st.DataObject) -> None:
    windows = data.draw(st.lists(st.tuples(st.integers(-(2**31), 2**31 - 1), st.booleans()), min_size=1))
    counted = [value for value, counts in windows if counts]
    if mode is Pool.NONE:
        expected = windows[-1][0]
    elif mode is Pool.SUM:
        expected = sum(counted)
    else:
        expected = (min if least else max)(counted, default=0)
    values, counts = zip(*windows, strict=True)
    assert pool(values, mode, counts=counts, least=least) == expected


@given(
    st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1),
    st.integers(-(2**27), 2**27),
    st.integers(0, 2**40),
)
def test_pooling_before_scaling_is_pooling_after_it(sums: list[int], multiplier: int, offset: int) -> None:
    assert pool(sums, Pool.SUM) * multiplier == sum(x * multiplier for x in sums)
    greatest = int(pool(sums, Pool.MAX, least=multiplier < 0))
    assert greatest * multiplier + offset == max(x * multiplier + offset for x in sums)
