"""Golden bit-counter."""

import numpy as np
import pytest

from spinplane.behavioral import count_bits


def test_counts_segments_and_total() -> None:
    rows = np.array([[1, 1, 0, 1, 0, 0], [1, 1, 1, 1, 1, 1]], np.uint8)
    total, counts = count_bits(rows, 3)
    assert counts.tolist() == [[2, 1, 0], [2, 2, 2]]
    assert total.tolist() == [3, 6]


def test_counts_more_ones_than_a_byte_holds() -> None:
    total, counts = count_bits(np.ones(512, np.uint8))
    assert (int(total), counts.tolist()) == (512, [512])


def test_refuses_segments_that_do_not_divide() -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        count_bits(np.zeros(8, np.uint8), 3)
    assert str(error.value) == "segments must divide columns = 8, which 3 does not"
