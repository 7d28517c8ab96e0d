"""The table of line voltages: right for both technologies, and faults in it are found."""

import re
from dataclasses import replace

import pytest

from spinplane.device import check_biasing, check_overlap, load_technology, write_overlap
from spinplane.device.technology import Operation, Technology


def changed(technology: Technology, operation: str, part: str, line: str, drive: str) -> Technology:
    """The technology with one entry of its table changed."""
    old = technology.operations[operation]
    new: Operation = replace(old, **{part: {**getattr(old, part), line: drive}})
    return replace(technology, operations={**technology.operations, operation: new})


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
def test_every_operation_conducts_where_it_should_and_nowhere_else(name: str) -> None:
    technology = load_technology(name)
    checks = {check.name: check for check in check_biasing(technology)}
    assert list(checks) == ["write 1", "write 0", "write 0 and 1", "read", "AND, OR"]
    for check in checks.values():
        assert check.legal, check.reason
        assert check.leakage_a < 1.2e-6
    # The farthest cell gets the write current. With a mesh it gets more, as few columns are written here.
    write, most = technology["write.current_1"], 1.05 if name == "sot-mram" else 1
    assert write * (1 - 2e-4) < checks["write 1"].current_a < write * most
    assert write * (1 - 2e-4) < -checks["write 0"].current_a < write * most
    for sense in ("read", "AND, OR"):
        # The transistors of 511 other cells take half a percent.
        assert 0.99 * technology["read.current"] < checks[sense].current_a < technology["read.current"]


def test_separate_paths_allow_a_write_beside_a_sense_and_a_shared_one_does_not() -> None:
    assert write_overlap(load_technology("sot-mram")) == "same_array"
    assert write_overlap(load_technology("stt-mram")) == "none"
    check = check_overlap(load_technology("stt-mram"))
    assert check.reason == "BL of column 0 is driven to both '+write' and 'read'"


def with_source_lines(way: str) -> Technology:
    """sot-mram with a source line for each row or column in place of its mesh."""
    sot = load_technology("sot-mram")
    part = "other_rows" if way == "row" else "idle_columns"
    operations = {
        name: replace(operation, **{part: {**getattr(operation, part), "SL": "0"}})
        for name, operation in sot.operations.items()
    }
    parameters = {key: value for key, value in sot.parameters.items() if not key.startswith("mesh.")}
    return replace(sot, lines={**sot.lines, "SL": way}, operations=operations, parameters=parameters)


def test_a_sense_weakens_a_write_through_a_source_line_that_they_share() -> None:
    """30 µA through half of the source line's 172 Ω are 2.6 mV, of 200 mV that write."""
    column = with_source_lines("column")
    assert all(check.legal for check in check_biasing(column))
    assert check_overlap(column).reason == "118.4 µA in the write transistor, write_1 needs 120.0 µA"
    assert write_overlap(column) == "none"
    assert write_overlap(column.with_values({"bit_line.resistance_per_cell": 0})) == "same_array"


@pytest.mark.parametrize(
    ("operation", "part", "line", "drive", "failing", "reason"),
    [
        # Grounded or not, an unselected row is behind transistors that are off; a word line left on is not.
        ("write_1", "other_rows", "WWL", "vdd", "write 1", "µA leak through the "),
        ("write_1", "selected", "WWL", "0", "write 1", "write_1 needs 120.0 µA"),
        ("write_1", "selected", "RWL", "vdd", "write 1", "µA leak through the "),
        ("write_1", "selected", "WBL", "-write", "write 1", "writes the other bit"),
        ("write_0", "selected", "WBL", "0", "write 0", "write_0 needs 120.0 µA"),
        ("read", "selected", "RWL", "0", "read", "read needs 30.0 µA"),
        ("read", "other_rows", "RWL", "vdd", "read", "read needs 30.0 µA"),
        ("read", "selected", "WWL", "vdd", "read", "read needs 30.0 µA"),
    ],
)
def test_a_fault_in_the_table_is_found(
    operation: str, part: str, line: str, drive: str, failing: str, reason: str
) -> None:
    technology = changed(load_technology("sot-mram"), operation, part, line, drive)
    checks = {check.name: check for check in check_biasing(technology)}
    assert not checks[failing].legal
    assert reason in checks[failing].reason
    assert checks["AND, OR" if failing.startswith("write") else "write 1"].legal


def test_a_source_line_that_floats_is_found() -> None:
    floating = changed(with_source_lines("row"), "read", "selected", "SL", "float")
    checks = {check.name: check for check in check_biasing(floating)}
    assert "µA leak through the " in checks["read"].reason
    assert checks["write 1"].legal


def test_a_write_that_shifts_the_mesh_is_refused() -> None:
    """A strap a third as wide: the ground of the sensed rows rises by 120 µA · 8½ · 0.05 Ω · 128."""
    sot = load_technology("sot-mram")
    assert check_overlap(sot).legal
    check = check_overlap(sot.with_values({"mesh.strap_resistance_per_cell": 0.05}))
    assert not check.legal
    assert re.fullmatch(
        r"the write shifts a sensed bit line by 6\.53 mV, whose margin is 10\.48 mV", check.reason
    )


def test_a_write_beside_a_sense_needs_write_word_lines_below_ground() -> None:
    """At 0, a transistor of a sensed row leaks into a write bit line at −0.2 V: 0.36 µA of 15."""
    read = load_technology("sot-mram").operations["read"]
    at_ground = changed(load_technology("sot-mram"), "read", "selected", "WWL", "0")
    assert read.selected["WWL"] == "-write"
    assert re.match(
        r"29\.2 µA in the heavy metal, source side, read needs 30\.0 µA", check_overlap(at_ground).reason
    )


def test_swapped_pulses_of_the_shared_path_are_found() -> None:
    stt = load_technology("stt-mram")
    swapped = replace(
        stt,
        operations={
            **stt.operations,
            "write_1": stt.operations["write_0"],
            "write_0": stt.operations["write_1"],
        },
    )
    checks = {check.name: check for check in check_biasing(swapped)}
    assert not checks["write 1"].legal
    assert not checks["write 0"].legal
