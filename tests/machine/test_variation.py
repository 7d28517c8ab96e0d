"""Conductances of single cells: what a sense makes of them, what they refuse, and that a file gives them back."""

import dataclasses
import re
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spinplane.machine import FaultMap, Machine, SpinplaneError
from spinplane.machine.variation import ALWAYS, Variation

MACHINE = Machine(name="m", sub_arrays=2, rows=8, columns=16, segments=1, accumulator_bits=16)
SHAPE = (2, 8, 16)


def nominal(**fields: Any) -> Variation:
    """Cells of 3000 and 1300 units, references midway."""
    arrays = {
        "parallel": np.full(SHAPE, 3000),
        "antiparallel": np.full(SHAPE, 1300),
        "read_references": np.full((2, 16), 2000),
        "and_references": np.full((2, 16), 3400),
        "or_references": np.full((2, 16), 5100),
    }
    return Variation(**arrays | fields)


def fault_map(variation: Variation | None) -> FaultMap:
    return dataclasses.replace(FaultMap.none(MACHINE), variation=variation)


ROWS = (np.array([0, 1, 2]), np.array([3, 4, 5]))


def test_cells_that_are_alike_are_the_array() -> None:
    faults = fault_map(nominal())
    a, b = np.random.default_rng(1).integers(0, 2, (2, 2, 3, 16), dtype=np.uint8)
    assert np.array_equal(faults.sense("read", a, rows=ROWS[:1]), a)
    assert np.array_equal(faults.sense("and", a, b, rows=ROWS), a & b)
    assert np.array_equal(faults.sense("or", a, b, rows=ROWS), a | b)


def test_one_cell_spoils_its_pairs_alone() -> None:
    # 2150 + 1300 is above the reference of 3400: with this cell a 1 AND 1 is 0, its read is 0 too.
    antiparallel = np.full(SHAPE, 1300)
    antiparallel[1, 4, 7] = 2150
    faults = fault_map(nominal(antiparallel=antiparallel))
    ones = np.ones((2, 3, 16), dtype=np.uint8)
    for operation, rows in (("and", ROWS), ("and", ROWS[::-1]), ("read", ROWS[1:])):
        wrong = np.argwhere(faults.sense(operation, *[ones] * len(rows), rows=rows) == 0)
        assert wrong.tolist() == [[1, 1, 7]]
    assert np.array_equal(faults.sense("and", ones[1:], ones[1:], rows=ROWS, where=slice(1, 2))[0].sum(), 47)


def test_a_sense_is_the_sum_of_whole_numbers_below_a_reference() -> None:
    rng = np.random.default_rng(2)
    parallel = rng.integers(2000, 4000, SHAPE)
    antiparallel = rng.integers(500, 2000, SHAPE)
    references = rng.integers(0, 8000, (2, 16))
    faults = fault_map(nominal(parallel=parallel, antiparallel=antiparallel, or_references=references))
    a, b = rng.integers(0, 2, (2, 2, 3, 16), dtype=np.uint8)
    sensed = faults.sense("or", a, b, rows=ROWS)
    for s, n, c in product(range(2), range(3), range(16)):
        total = sum(
            int((antiparallel if bits[s, n, c] else parallel)[s, rows[n], c])
            for bits, rows in ((a, ROWS[0]), (b, ROWS[1]))
        )
        assert sensed[s, n, c] == (total < references[s, c])


def test_the_ends_of_a_reference_are_constant() -> None:
    ends = np.tile([0, ALWAYS], (2, 8))
    most = np.full(SHAPE, 65535)
    faults = fault_map(nominal(parallel=most, antiparallel=most, and_references=ends))
    zeros = np.zeros((2, 3, 16), dtype=np.uint8)
    assert np.array_equal(faults.sense("and", zeros, zeros, rows=ROWS), np.tile([0, 1], (2, 3, 8)))


def test_a_file_gives_the_map_back(tmp_path: Path) -> None:
    faults = fault_map(nominal(or_references=np.full((2, 16), 5000)))
    faults.save(tmp_path / "faults.npz")
    loaded = FaultMap.load(tmp_path / "faults.npz")
    assert loaded == faults
    assert loaded != fault_map(nominal())
    assert loaded != fault_map(None)
    assert loaded.variation is not None
    with pytest.raises(ValueError, match="read-only"):
        loaded.variation.parallel[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"parallel": np.ones((2, 8))}, "parallel has shape (2, 8): expected (sub-arrays, rows, columns)"),
        ({"antiparallel": np.ones((2, 4, 16))}, "antiparallel has shape (2, 4, 16), not (2, 8, 16)"),
        ({"or_references": np.ones((2, 8))}, "or_references has shape (2, 8), not (2, 16)"),
        ({"parallel": np.full(SHAPE, 3000.5)}, "parallel holds float64, not whole numbers"),
        ({"parallel": np.full(SHAPE, 65536)}, "parallel must hold values from 0 to 65535"),
        ({"read_references": np.full((2, 16), -1)}, "read_references must hold values from 0 to 131072"),
        (
            {"antiparallel": np.full(SHAPE, 3001)},
            "a cell conducts better anti-parallel than parallel",
        ),
    ],
)
def test_refuses_what_does_not_exist(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^variation: {re.escape(text)}$"):
        nominal(**fields)


def test_refuses_another_size_and_operands_without_rows() -> None:
    small = Machine(name="s", sub_arrays=2, rows=16, columns=16, segments=1, accumulator_bits=16)
    text = "fault map: its variation has shape (2, 8, 16), the machine (2, 16, 16)"
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        dataclasses.replace(FaultMap.none(small), variation=nominal())
    bits = np.zeros((2, 3, 16), dtype=np.uint8)
    with pytest.raises(SpinplaneError, match=r"^and of varying cells: 2 operands, 0 rows$"):
        fault_map(nominal()).sense("and", bits, bits)
