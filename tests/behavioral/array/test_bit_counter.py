"""Golden bit-counter."""

import numpy as np
import pytest

from spinplane.behavioral import count_bits


def test_counts_slots_and_planes() -> None:
    rows = np.array([[1, 1, 0, 1, 0, 0, 1, 0], [1, 1, 1, 1, 1, 1, 1, 1]], np.uint8)
    assert count_bits(rows).tolist() == [[4], [8]]
    assert count_bits(rows, 2).tolist() == [[3, 1], [4, 4]]
    assert count_bits(rows, 1, 2).tolist() == [[3 + 2 * 1], [4 + 2 * 4]]
    assert count_bits(rows, 1, 4).tolist() == [[2 + 2 * 1 + 4 * 0 + 8 * 1], [2 * 15]]
    assert count_bits(rows, 2, 2).tolist() == [[2 + 2 * 1, 0 + 2 * 1], [6, 6]]


def test_counts_more_ones_than_a_byte_holds() -> None:
    assert count_bits(np.ones(512, np.uint8)).tolist() == [512]
    assert count_bits(np.ones(512, np.uint8), 1, 8).tolist() == [64 * 255]


def test_refuses_blocks_that_do_not_divide() -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        count_bits(np.zeros(8, np.uint8), 2, 3)
    assert str(error.value) == "slots × planes must divide columns = 8, not 2 × 3"
