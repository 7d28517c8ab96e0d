"""Fault maps: what they mean, what they refuse, and that a file gives them back."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spinplane.machine import NOMINAL_THRESHOLDS, FaultMap, Machine, SpinplaneError, load_machine

MACHINE = Machine(name="m", sub_arrays=2, rows=8, columns=16, segments=1, accumulator_bits=16)


def fault_map(**fields: Any) -> FaultMap:
    return dataclasses.replace(FaultMap.none(MACHINE), **fields)


def random_bits(seed: int) -> tuple[np.ndarray, np.ndarray]:
    bits = np.random.default_rng(seed).integers(0, 2, (2, 2, 3, 16), dtype=np.uint8)
    return bits[0], bits[1]


def test_without_faults_it_is_the_array() -> None:
    none, (a, b) = FaultMap.none(MACHINE), random_bits(1)
    assert np.array_equal(none.sense("read", a), a)
    assert np.array_equal(none.sense("and", a, b), a & b)
    assert np.array_equal(none.sense("or", a, b), a | b)
    cells = np.random.default_rng(2).integers(0, 2, (2, 8, 16), dtype=np.uint8)
    assert np.array_equal(none.stick(cells), cells)
    assert none.faulty_columns == {"read": 0, "and": 0, "or": 0}


@pytest.mark.parametrize(
    ("operation", "threshold", "expected"),
    [
        ("and", 0, lambda a, b: np.ones_like(a)),
        ("and", 1, lambda a, b: a | b),
        ("and", 3, lambda a, b: np.zeros_like(a)),
        ("or", 0, lambda a, b: np.ones_like(a)),
        ("or", 2, lambda a, b: a & b),
        ("or", 3, lambda a, b: np.zeros_like(a)),
    ],
)
def test_a_drifted_reference_changes_its_column_alone(operation: str, threshold: int, expected: Any) -> None:
    thresholds = np.full((2, 16), NOMINAL_THRESHOLDS[operation])
    thresholds[1, 5] = threshold
    faulty, (a, b) = fault_map(**{f"{operation}_thresholds": thresholds}), random_bits(3)
    right = a & b if operation == "and" else a | b
    wrong = right.copy()
    wrong[1, :, 5] = expected(a, b)[1, :, 5]
    assert np.array_equal(faulty.sense(operation, a, b), wrong)
    assert np.array_equal(faulty.sense(operation, a[1:], b[1:], where=slice(1, 2)), wrong[1:])
    assert faulty.faulty_columns[operation] == 1


def test_a_read_of_a_drifted_reference_is_constant() -> None:
    thresholds = np.ones((2, 16), dtype=int)
    thresholds[0, 0], thresholds[0, 1] = 0, 2
    sensed = fault_map(read_thresholds=thresholds).sense("read", random_bits(4)[0])
    assert sensed[0, :, 0].all()
    assert not sensed[0, :, 1].any()


def test_stuck_cells_keep_their_values() -> None:
    cells = np.zeros((2, 8, 16), dtype=np.uint8)
    faulty = fault_map(stuck=[[1, 7, 15, 1], [0, 0, 0, 0]])
    stuck = faulty.stick(cells)
    assert stuck[1, 7, 15] == 1
    assert stuck.sum() == 1
    assert not faulty.stick(np.ones_like(cells))[0, 0, 0]
    assert not cells.any()


def test_arrays_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        FaultMap.none(MACHINE).and_thresholds[0, 0] = 3


def test_a_file_gives_the_map_back(tmp_path: Path) -> None:
    thresholds = np.full((2, 16), 2)
    thresholds[1, 3] = 1
    faulty = fault_map(stuck=[[1, 2, 3, 1]], and_thresholds=thresholds, seed=7, origin="drawn")
    faulty.save(tmp_path / "faults")
    loaded = FaultMap.load(tmp_path / "faults")
    assert loaded == faulty
    assert loaded != FaultMap.none(MACHINE)
    assert (loaded.seed, loaded.origin) == (7, "drawn")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"stuck": [[0, 8, 0, 1]]},
            "fault map: stuck cell [0, 8, 0, 1] (sub-array, row, column, value) does not exist in 2 sub-arrays of 8×16",
        ),
        (
            {"stuck": [[0, 0, 0, 2]]},
            "fault map: stuck cell [0, 0, 0, 2] (sub-array, row, column, value) does not exist in 2 sub-arrays of 8×16",
        ),
        ({"stuck": [[0, 1, 2, 0], [0, 1, 2, 1]]}, "fault map: stuck cell [0, 1, 2] is listed twice"),
        (
            {"or_thresholds": np.ones((2, 8))},
            "fault map: or_thresholds has shape (2, 8), the machine (2, 16)",
        ),
        (
            {"read_thresholds": np.full((2, 16), 3)},
            "fault map: read_thresholds must hold values from 0 to 2",
        ),
    ],
)
def test_refuses_what_does_not_exist(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        fault_map(**fields)


def test_refuses_another_machine() -> None:
    FaultMap.none(MACHINE).check(MACHINE)
    text = "fault map of 2 sub-arrays of 8×16 does not fit machine tiny of 2 sub-arrays of 64×64"
    with pytest.raises(SpinplaneError, match=f"^{text}$"):
        FaultMap.none(MACHINE).check(load_machine("tiny"))


def test_refuses_other_operands() -> None:
    with pytest.raises(SpinplaneError, match=r"^and senses 2 rows, not 1$"):
        FaultMap.none(MACHINE).sense("and", random_bits(5)[0])


def test_refuses_what_is_no_fault_map(tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError, match=f"^fault map {tmp_path}/none: cannot be read: No such file"):
        FaultMap.load(tmp_path / "none")
    (tmp_path / "text").write_text("text")
    np.savez(tmp_path / "other.npz", a=1)
    np.save(tmp_path / "array.npy", np.ones(2))
    for name in ("text", "other.npz", "array.npy"):
        with pytest.raises(SpinplaneError, match=f"^fault map {tmp_path}/{name}: not a fault map: "):
            FaultMap.load(tmp_path / name)
