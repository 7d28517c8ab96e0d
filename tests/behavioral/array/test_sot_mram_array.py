"""The golden model of the array: what it stores, senses, counts and refuses."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinplane.behavioral import ArrayError, SotMramArray
from spinplane.machine import Machine

MACHINE = Machine(name="array", sub_arrays=3, rows=8, columns=16, segments=1, accumulator_bits=16)
ALL = slice(0, 3)
ONE = slice(1, 2)


def bits(text: str) -> np.ndarray:
    """The 16 columns from the first 4 of them, the others as the last."""
    return np.array([int(bit) for bit in text] + [int(text[-1])] * 12, dtype=np.uint8)


FULL = bits("1111")


def sense(
    operation: Callable[..., np.ndarray], where: slice, *rows: int, columns: np.ndarray = FULL
) -> list[str]:
    """First 4 columns of what the sub-arrays show."""
    sensed = operation(where, *(np.array([row]) for row in rows), columns[np.newaxis])
    return ["".join(map(str, row[0, :4])) for row in sensed]


@pytest.fixture
def array() -> SotMramArray:
    """Row 0 holds 0011, row 1 holds 0101, row 2 holds 01 and two unknown cells, others are unknown."""
    array = SotMramArray(MACHINE)
    array.write(ALL, 0, bits("0011"), FULL)
    array.write(ALL, 1, bits("0101"), FULL)
    array.write(ALL, 2, bits("0100"), bits("1100"))
    return array


def test_truth_tables(array: SotMramArray) -> None:
    assert sense(array.read, ALL, 0) == ["0011"] * 3
    assert sense(array.sense_and, ALL, 0, 1) == ["0001"] * 3
    assert sense(array.sense_or, ALL, 0, 1) == ["0111"] * 3
    assert sense(array.sense_xor, ALL, 0, 1) == ["0110"] * 3


def test_several_operations_at_once(array: SotMramArray) -> None:
    columns = np.stack([FULL, bits("0110")])
    sensed = array.read(ALL, np.array([0, 1]), columns)
    assert sensed.shape == (3, 2, 16)
    assert sensed[2, :, :4].tolist() == [[0, 0, 1, 1], [0, 1, 0, 0]]


def test_columns_that_are_not_enabled_show_0_and_may_be_unknown(array: SotMramArray) -> None:
    assert sense(array.read, ALL, 0, columns=bits("1010")) == ["0010"] * 3
    assert sense(array.read, ALL, 2, columns=bits("1100")) == ["0100"] * 3
    assert sense(array.read, ALL, 7, columns=bits("0000")) == ["0000"] * 3


def test_a_masked_write_leaves_the_other_columns(array: SotMramArray) -> None:
    array.write(ONE, 0, bits("1100"), bits("0110"))
    assert sense(array.read, ALL, 0) == ["0011", "0101", "0011"]
    array.write(ALL, 2, bits("0011"), bits("0011"))
    assert sense(array.read, ALL, 2) == ["0111"] * 3


def test_sub_arrays_take_rows_of_their_own(array: SotMramArray) -> None:
    array.write(slice(0, 2), 3, np.stack([bits("1000"), bits("0001")]), FULL)
    assert sense(array.read, slice(0, 2), 3) == ["1000", "0001"]


def test_unknowns_that_do_not_matter(array: SotMramArray) -> None:
    assert sense(array.sense_and, ALL, 0, 7, columns=bits("1100")) == ["0000"] * 3
    assert sense(array.sense_or, ALL, 7, 0, columns=bits("0011")) == ["0011"] * 3
    assert sense(array.sense_or, ALL, 2, 0) == ["0111"] * 3


@pytest.mark.parametrize(
    ("name", "rows", "columns", "text"),
    [
        ("read", (2,), "1111", "EN_M senses an unknown cell: sub-array 1, row 2, column 2 was never written"),
        ("read", (7,), "0100", "EN_M senses an unknown cell: sub-array 1, row 7, column 1 was never written"),
        (
            "sense_and",
            (0, 7),
            "1111",
            "EN_AND senses an unknown cell: sub-array 1, rows 0 and 7, column 2 was never written",
        ),
        (
            "sense_and",
            (6, 7),
            "1111",
            "EN_AND senses an unknown cell: sub-array 1, rows 6 and 7, column 0 was never written",
        ),
        (
            "sense_or",
            (7, 1),
            "1111",
            "EN_OR senses an unknown cell: sub-array 1, rows 7 and 1, column 0 was never written",
        ),
        (
            "sense_xor",
            (0, 2),
            "1111",
            "EN_AND with EN_OR senses an unknown cell: sub-array 1, rows 0 and 2, column 2 was never written",
        ),
        ("sense_and", (3, 3), "1111", "EN_AND senses two different rows, not row 3 alone"),
        ("sense_or", (3, 3), "1111", "EN_OR senses two different rows, not row 3 alone"),
        ("read", (8,), "1111", "row 8 does not exist: the array has rows 0 to 7"),
        ("sense_and", (0, -1), "1111", "row -1 does not exist: the array has rows 0 to 7"),
        ("sense_or", (9, 0), "1111", "row 9 does not exist: the array has rows 0 to 7"),
    ],
)
def test_refuses(array: SotMramArray, name: str, rows: tuple[int, ...], columns: str, text: str) -> None:
    events = (array.reads, array.ands, array.ors)
    with pytest.raises(ArrayError, match=f"^{re.escape(text)}$"):
        sense(getattr(array, name), ONE, *rows, columns=bits(columns))
    assert (array.reads, array.ands, array.ors) == events


def test_refuses_to_write_a_row_that_is_not_there(array: SotMramArray) -> None:
    with pytest.raises(ArrayError, match=r"^row 8 does not exist: the array has rows 0 to 7$"):
        array.write(ALL, 8, FULL, FULL)


def test_counts_one_event_for_each_row_operation_of_each_sub_array(array: SotMramArray) -> None:
    assert (array.writes, array.reads, array.ands, array.ors) == (9, 0, 0, 0)
    array.write(ONE, 5, FULL, FULL)
    array.read(ALL, np.array([0, 1]), np.stack([FULL, FULL]))
    sense(array.sense_and, slice(0, 2), 0, 1)
    sense(array.sense_or, ONE, 0, 1)
    assert (array.writes, array.reads, array.ands, array.ors) == (10, 6, 2, 1)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1))))
def test_a_cell_holds_what_was_written_last(writes: list[tuple[int, int, int]]) -> None:
    array = SotMramArray(MACHINE)
    known: dict[tuple[int, int], int] = {}
    for row, word, mask in writes:
        word_bits, mask_bits = ([value >> c & 1 for c in range(16)] for value in (word, mask))
        array.write(ONE, row, np.array(word_bits, np.uint8), np.array(mask_bits, np.uint8))
        known |= {(row, c): word_bits[c] for c in range(16) if mask_bits[c]}
    for row in range(8):
        columns = np.array([(row, c) in known for c in range(16)], dtype=np.uint8)
        sensed = array.read(ONE, np.array([row]), columns[np.newaxis])[0, 0]
        assert sensed.tolist() == [known.get((row, c), 0) for c in range(16)]
