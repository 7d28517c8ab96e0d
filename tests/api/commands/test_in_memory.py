"""Rows that are computed in the memory, from Python: what comes back, and what is refused."""

import re
from dataclasses import replace

import numpy as np
import pytest

import spinplane
from spinplane import (
    RowCommand,
    SpinplaneError,
    and_rows,
    compute_in_memory,
    or_rows,
    read_rows,
    write_rows,
    xor_rows,
)
from spinplane.behavioral import ArrayError
from spinplane.machine import FaultMap, load_machine

TINY = load_machine("tiny")
EXCLUSIVE = replace(TINY, name="tiny-xor", xor_sensing=True)
BITS = np.random.default_rng(0).integers(0, 2, (6, TINY.columns)).astype(np.uint8)


def commands() -> list[RowCommand]:
    """The majority of three rows, ab + c(a + b), in sub-array 1; and what masks leave alone."""
    right = np.arange(TINY.columns) >= 32
    return [
        write_rows(0, BITS[:3]),
        and_rows(0, 1, to=10, read=False),
        or_rows(0, 1, to=11, read=False),
        and_rows(2, 11, to=11, read=False),
        or_rows(10, 11, sub_arrays=range(1, 2)),
        write_rows(1, BITS[3], columns=right),
        read_rows(0, rows=2, columns=right),
        read_rows(1),
    ]


@pytest.mark.parametrize(
    "simulator", ["functional", "icarus", pytest.param("verilator", marks=pytest.mark.thorough)]
)
def test_rows_come_back(simulator: str) -> None:
    run = compute_in_memory("tiny", commands(), simulator=simulator)
    majority, masked, whole = (rows for rows in run.rows if rows is not None)
    np.testing.assert_array_equal(majority[:, 0], (BITS[:3].sum(axis=0) >= 2)[np.newaxis])
    assert majority.shape == (1, 1, TINY.columns)
    half = np.zeros((2, TINY.columns), np.uint8)
    half[:, 32:] = BITS[[0, 3], 32:]
    np.testing.assert_array_equal(masked, np.repeat(half[:, np.newaxis], 2, axis=1))
    np.testing.assert_array_equal(whole[0, 0], np.concatenate([BITS[1, :32], BITS[3, 32:]]))
    assert [rows is None for rows in run.rows] == [True] * 4 + [False, True, False, False]
    assert (run.simulator, run.machine.name, len(run.commands)) == (simulator, "tiny", 8)
    assert (run.counters.ands, run.counters.ors, run.counters.row_reads) == (4, 3, 6)
    assert run.counters.kernel_reads == 3 + 2 + 1
    assert sum(command.ands for command in run.commands) == 4


@pytest.mark.parametrize("simulator", ["functional", "icarus"])
def test_a_sum_and_its_carry_by_an_xor(simulator: str) -> None:
    """Of three rows, with one XOR less than rows; each counts as an AND and as an OR in both sub-arrays."""
    adder = [
        write_rows(0, BITS[:3]),
        xor_rows(0, 1, to=10),
        xor_rows(10, 2, columns=np.arange(TINY.columns) < 48),
        and_rows(0, 1, to=11, read=False),
        and_rows(10, 2, to=12, read=False),
        or_rows(11, 12),
    ]
    run = compute_in_memory(EXCLUSIVE, adder, simulator=simulator)
    both, total, carry = (rows[0, 1] for rows in run.rows if rows is not None)
    np.testing.assert_array_equal(both, BITS[0] ^ BITS[1])
    ones = BITS[:3].sum(axis=0)
    np.testing.assert_array_equal(total, np.where(np.arange(TINY.columns) < 48, ones % 2, 0))
    np.testing.assert_array_equal(carry, ones // 2)
    assert (run.counters.ands, run.counters.ors) == (2 * 4, 2 * 3)
    # An XOR takes the cycles of an AND.
    assert (
        run.commands[1].cycles
        == compute_in_memory(EXCLUSIVE, [adder[0], and_rows(0, 1, to=10)], simulator="functional")
        .commands[1]
        .cycles
    )


@pytest.mark.parametrize("operation", ["and", "or"])
def test_an_xor_has_the_faults_of_both_amplifiers(operation: str) -> None:
    none = FaultMap.none(EXCLUSIVE)
    never = np.full_like(none.and_thresholds, 3)
    faults = replace(none, **{f"{operation}_thresholds": never})
    run = compute_in_memory(
        EXCLUSIVE, [write_rows(0, BITS[:2]), xor_rows(0, 1)], simulator="icarus", faults=faults
    )
    assert run.rows[1] is not None
    shown = BITS[0] | BITS[1] if operation == "and" else np.zeros_like(BITS[0])
    np.testing.assert_array_equal(run.rows[1][0, 1], shown)


def test_faults_are_those_of_the_functional_machine() -> None:
    none = FaultMap.none(TINY)
    faults = replace(none, and_thresholds=np.full_like(none.and_thresholds, 1))
    run = compute_in_memory(
        "tiny", [write_rows(0, BITS[:2]), and_rows(0, 1)], simulator="icarus", faults=faults
    )
    assert run.rows[1] is not None
    np.testing.assert_array_equal(run.rows[1][0, 1], BITS[0] | BITS[1])


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (and_rows(0, 64), "command 1 (AND): no such row: the array has rows 0 to 63"),
        (read_rows(62, rows=3), "command 1 (READ): no such row: the array has rows 0 to 63"),
        (read_rows(-1), "command 1 (READ): no such row: the array has rows 0 to 63"),
        (
            write_rows(63, BITS[:2]),
            "command 1 (WRITE): no such row: the array has rows 0 to 63",
        ),
        (or_rows(3, 3), "command 1 (OR): row 3 with itself: OR takes two different rows"),
        (xor_rows(0, 1), "command 1 (XOR): machine tiny does not sense an XOR (xor_sensing)"),
        (write_rows(0, [0, 1]), "command 1 (WRITE): bits of 2 columns: the array has 64"),
        (read_rows(0, columns=[1]), "command 1 (READ): columns of 1 columns: the array has 64"),
        (read_rows(0, rows=0), "command 1 (READ): rows = 0: must be a whole number of at least 1"),
        (
            read_rows(0, sub_arrays=range(1, 3)),
            "command 1 (READ): sub_arrays = range(1, 3): must be neighbours from 0 to 1",
        ),
        (
            read_rows(0, sub_arrays=range(0)),
            "command 1 (READ): sub_arrays = range(0, 0): must be neighbours from 0 to 1",
        ),
    ],
)
def test_commands_that_are_not_for_the_machine(command: RowCommand, message: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{re.escape(message)}$"):
        compute_in_memory("tiny", [write_rows(0, BITS), command], simulator="functional")


def test_what_else_is_refused() -> None:
    with pytest.raises(SpinplaneError, match=r"^bits: must be rows of 0 and 1$"):
        write_rows(0, [2] * 64)
    with pytest.raises(SpinplaneError, match=r"^63 commands: machine tiny takes at most 62 \(descriptors\)$"):
        compute_in_memory("tiny", [read_rows(0)] * 63, simulator="functional")
    without = replace(TINY, memory_operations=False)
    with pytest.raises(
        SpinplaneError, match=r"^machine tiny has no memory operations \(memory_operations\)$"
    ):
        compute_in_memory(without, [read_rows(0)], simulator="functional")
    small = replace(TINY, name="small", image_words=16, kernel_words=16)
    with pytest.raises(SpinplaneError, match=r"do not fit in the kernel bank \(kernel_words = 16\)$"):
        compute_in_memory(small, [write_rows(0, np.ones((17, 64), int))], simulator="functional")
    with pytest.raises(SpinplaneError, match=r"do not fit in the image bank \(image_words = 16\)$"):
        compute_in_memory(small, [read_rows(0, rows=9)], simulator="functional")
    with pytest.raises(ArrayError, match="was never written"):
        spinplane.compute_in_memory("tiny", [read_rows(0)], simulator="functional")
