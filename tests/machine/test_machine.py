"""Machines: what they may be, and how they are read."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest

from spinplane.machine import Machine, SpinplaneError, load_machine, machine_names
from spinplane.machine.registers import machine_digest

LEAST = {"name": "m", "sub_arrays": 1, "rows": 8, "columns": 64, "segments": 2}
NAMES = "paper, paper-overlap, paper8, tiny, wide"


def test_extremes_are_allowed() -> None:
    Machine(
        name="A-z_9",
        sub_arrays=256,
        rows=4096,
        columns=2048,
        segments=32,
        accumulator_bits=48,
        sense_cycles=16,
        write_cycles=64,
    )
    Machine(name="m", sub_arrays=1, rows=8, columns=16, segments=1, accumulator_bits=16, write_cycles=1)


def test_programs_for_machines_without_an_option_stay_as_they_are() -> None:
    # Checksums from before there was the option.
    known = {"tiny": 0x911E5E4D, "paper8": 0x37376838, "paper": 0xA03902CD}
    assert {name: machine_digest(load_machine(name)) for name in known} == known
    exclusive = dataclasses.replace(load_machine("tiny"), xor_sensing=True)
    assert machine_digest(exclusive) != known["tiny"]


def test_derived_sizes() -> None:
    machine = Machine(**LEAST | {"sub_arrays": 3})
    assert (machine.segment_columns, machine.accumulators, machine.leaves) == (32, 6, 4)


@pytest.mark.parametrize(
    ("lanes", "multipliers", "expected"), [(1, 0, (1, 1)), (8, 0, (1, 8)), (16, 0, (2, 8)), (16, 4, (4, 4))]
)
def test_lanes_share_multipliers(lanes: int, multipliers: int, expected: tuple[int, int]) -> None:
    machine = Machine(**LEAST | {"sub_arrays": 16, "results_per_cycle": lanes, "multipliers": multipliers})
    assert (machine.multipliers, machine.lanes_per_multiplier) == expected


@pytest.mark.parametrize(
    ("sub_arrays", "columns", "expected"),
    [(3, 64, (1, 1, 64)), (8, 256, (4, 8, 128)), (48, 32, (4, 16, 32))],
)
def test_buses_that_are_not_given(sub_arrays: int, columns: int, expected: tuple[int, int, int]) -> None:
    machine = Machine(**LEAST | {"sub_arrays": sub_arrays, "columns": columns, "segments": 1})
    assert (machine.row_buses, machine.results_per_cycle, machine.bus_bits) == expected


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"name": ""}, "name = '': must consist of letters, digits, '-' and '_'"),
        ({"name": "a b"}, "name = 'a b': must consist of letters, digits, '-' and '_'"),
        ({"name": "../x"}, "name = '../x': must consist of letters, digits, '-' and '_'"),
        ({"name": "é"}, "name = 'é': must consist of letters, digits, '-' and '_'"),
        ({"sub_arrays": 0}, "sub_arrays = 0: must be a whole number from 1 to 256"),
        ({"xor_sensing": 1}, "xor_sensing = 1: must be true or false"),
        ({"xor_sensing": True}, "xor_sensing = True: only with memory_operations = true"),
        ({"sub_arrays": 257}, "sub_arrays = 257: must be a whole number from 1 to 256"),
        ({"sub_arrays": True}, "sub_arrays = True: must be a whole number from 1 to 256"),
        ({"rows": 7}, "rows = 7: must be a whole number from 8 to 4096"),
        ({"rows": 8.0}, "rows = 8.0: must be a whole number from 8 to 4096"),
        ({"rows": "8"}, "rows = '8': must be a whole number from 8 to 4096"),
        ({"columns": 4}, "columns = 4: must be a power of two from 16 to 2048"),
        ({"columns": 96}, "columns = 96: must be a power of two from 16 to 2048"),
        ({"columns": 4096}, "columns = 4096: must be a power of two from 16 to 2048"),
        ({"segments": 3}, "segments = 3: must be a power of two from 1 to 4"),
        ({"segments": 32}, "segments = 32: must be a power of two from 1 to 4"),
        ({"accumulator_bits": 15}, "accumulator_bits = 15: must be a whole number from 16 to 48"),
        ({"accumulator_bits": 49}, "accumulator_bits = 49: must be a whole number from 16 to 48"),
        ({"sense_cycles": 0}, "sense_cycles = 0: must be a whole number from 1 to 16"),
        ({"sense_cycles": 17}, "sense_cycles = 17: must be a whole number from 1 to 16"),
        ({"write_cycles": 0}, "write_cycles = 0: must be a whole number from 1 to 64"),
        ({"write_cycles": 65}, "write_cycles = 65: must be a whole number from 1 to 64"),
        ({"write_overlap": "all"}, "write_overlap = 'all': must be one of none, same_array"),
        ({"write_overlap": 1}, "write_overlap = 1: must be one of none, same_array"),
        ({"memory_operations": 1}, "memory_operations = 1: must be true or false"),
        ({"row_buses": 3}, "row_buses = 3: must be a power of two from 1 to 8"),
        ({"row_buses": 2}, "row_buses = 2: must be a power of two that divides sub_arrays = 1"),
        (
            {"results_per_cycle": 2},
            "results_per_cycle = 2: must be a power of two that divides sub_arrays = 1",
        ),
        ({"multipliers": 2}, "multipliers = 2: must be a power of two from 1 to 1"),
        (
            {"sub_arrays": 8, "results_per_cycle": 8, "multipliers": 3},
            "multipliers = 3: must be a power of two from 1 to 8",
        ),
        ({"bus_bits": 128}, "bus_bits = 128: must be a power of two from 16 to 64"),
        ({"columns": 512, "bus_bits": 256}, "bus_bits = 256: must be a power of two from 16 to 128"),
        ({"image_words": 17}, "image_words = 17: must be even"),
        ({"kernel_words": 8}, "kernel_words = 8: must be a whole number from 16 to 4194304"),
        ({"parameter_beats": 0}, "parameter_beats = 0: must be a whole number from 16 to 65536"),
        ({"threshold_beats": 0}, "threshold_beats = 0: must be a whole number from 16 to 65536"),
        ({"pool_beats": 3}, "pool_beats = 3: must be a whole number from 4 to 4096"),
        ({"descriptors": 3}, "descriptors = 3: must be a whole number from 4 to 1024"),
    ],
)
def test_refuses_what_is_not_allowed(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        Machine(**LEAST | fields)


def test_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Machine(**LEAST).rows = 9  # type: ignore[misc]


def test_machines_that_come_with_the_package() -> None:
    assert machine_names() == NAMES.split(", ")
    loaded = {name: load_machine(name) for name in machine_names()}
    assert all(machine.name == name and machine.description for name, machine in loaded.items())
    sizes = {name: (m.sub_arrays, m.rows, m.columns) for name, m in loaded.items()}
    assert sizes["paper"] == (32, 512, 256)
    assert sizes["paper8"] == (8, 512, 256)
    assert loaded["paper-overlap"] == dataclasses.replace(
        loaded["paper"],
        name="paper-overlap",
        description=loaded["paper-overlap"].description,
        write_overlap="same_array",
    )
    array = ("rows", "columns", "segments", "accumulator_bits", "sense_cycles", "write_cycles")
    assert all(getattr(loaded["paper8"], key) == getattr(loaded["paper"], key) for key in array)


def test_a_machine_loads_as_it_is() -> None:
    machine = Machine(**LEAST)
    assert load_machine(machine) is machine


def text_of(**fields: Any) -> str:
    return "".join(f"{key} = {value!r}\n" for key, value in fields.items())


def test_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text_of(**LEAST, write_cycles=5))
    expected = Machine(**LEAST, write_cycles=5)
    assert load_machine(path) == expected
    assert load_machine(str(path)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rows = ", "not TOML: Invalid value (at end of document)"),
        (text_of(**LEAST, row=8), "unknown key 'row': did you mean 'rows'?"),
        (
            text_of(**LEAST, voltage=8),
            "unknown key 'voltage': must be one of name, sub_arrays, rows, columns, segments, accumulator_bits, "
            "sense_cycles, write_cycles, write_overlap, memory_operations, xor_sensing, row_buses, …",
        ),
        (text_of(name="m", sub_arrays=1, rows=8, segments=2), "missing key 'columns'"),
        ("", "missing key 'name'"),
        (text_of(**LEAST | {"name": 5}), "name = 5: must be text on one line"),
        (text_of(**LEAST, description=5), "description = 5: must be text on one line"),
        (text_of(**LEAST | {"rows": 4}), "rows = 4: must be a whole number from 8 to 4096"),
    ],
)
def test_refuses_a_file_by_its_name(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(SpinplaneError) as error:
        load_machine(path)
    assert str(error.value) == f"machine file {path}: {message}"


def test_refuses_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(SpinplaneError) as error:
        load_machine(path)
    assert str(error.value) == (
        f"machine file {path}: cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"
    )


@pytest.mark.parametrize("name", ["papr", "no/such.toml", "."])
def test_refuses_an_unknown_machine(name: str) -> None:
    meant = "; did you mean 'paper'?" if name == "papr" else ""
    with pytest.raises(SpinplaneError) as error:
        load_machine(name)
    assert str(error.value) == f"machine '{name}' is neither a file nor one of {NAMES}{meant}"


#: Another value for each field.
OTHER: dict[str, Any] = {
    "name": "other",
    "sub_arrays": 4,
    "rows": 128,
    "columns": 128,
    "segments": 4,
    "accumulator_bits": 24,
    "sense_cycles": 2,
    "write_cycles": 3,
    "write_overlap": "same_array",
    "memory_operations": False,
    "xor_sensing": True,
    "row_buses": 1,
    "results_per_cycle": 1,
    "multipliers": 2,
    "bus_bits": 32,
    "image_words": 2048,
    "kernel_words": 4096,
    "parameter_beats": 512,
    "threshold_beats": 512,
    "pool_beats": 32,
    "descriptors": 32,
    "description": "another",
}


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Machine)])
def test_machines_that_differ_in_one_field_have_different_fingerprints(field: str) -> None:
    machine = load_machine("tiny")
    other = dataclasses.replace(machine, **{field: OTHER[field]})
    assert getattr(other, field) != getattr(machine, field)
    assert other.fingerprint != machine.fingerprint
    assert dataclasses.replace(machine).fingerprint == machine.fingerprint
