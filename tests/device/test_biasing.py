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
        assert check.leakage_a < 1e-8
    write = technology["write.current_1"]
    assert checks["write 1"].current_a == pytest.approx(write, rel=1e-3)
    assert checks["write 0"].current_a == pytest.approx(-write, rel=1e-3)
    for sense in ("read", "AND, OR"):
        assert checks[sense].current_a == pytest.approx(technology["read.current"], rel=1e-3)


def test_separate_paths_allow_a_write_beside_a_sense_and_a_shared_one_does_not() -> None:
    assert write_overlap(load_technology("sot-mram")) == "same_array"
    assert write_overlap(load_technology("stt-mram")) == "none"
    check = check_overlap(load_technology("stt-mram"))
    assert check.reason == "BL of column 0 is driven to both '+write' and 'read'"


def test_a_source_line_that_columns_share_still_allows_overlap() -> None:
    """The sense shares its source line with the write, both grounded: no wire between them in this model."""
    sot = load_technology("sot-mram")
    shared = {
        name: replace(
            operation,
            other_rows={k: v for k, v in operation.other_rows.items() if k != "SL"},
            idle_columns={**operation.idle_columns, "SL": "0"},
        )
        for name, operation in sot.operations.items()
    }
    column = replace(sot, lines={**sot.lines, "SL": "column"}, operations=shared)
    assert all(check.legal for check in check_biasing(column))
    assert write_overlap(column) == "same_array"


@pytest.mark.parametrize(
    ("operation", "part", "line", "drive", "failing", "reason"),
    [
        # Grounded or not, an unselected row is behind transistors that are off; a word line left on is not.
        ("write_1", "other_rows", "WWL", "vdd", "write 1", "µA leak through the "),
        ("write_1", "selected", "WWL", "0", "write 1", "write_1 needs 120.0 µA"),
        ("write_1", "selected", "RWL", "vdd", "write 1", "µA leak through the "),
        ("write_1", "selected", "WBL", "-write", "write 1", "writes the other bit"),
        ("write_0", "selected", "WBL", "0", "write 0", "write_0 needs 120.0 µA"),
        ("read", "selected", "SL", "float", "read", "µA leak through the "),
        ("read", "selected", "RWL", "0", "read", "read needs 30.0 µA"),
        ("read", "other_rows", "RWL", "vdd", "read", "read needs 30.0 µA"),
        ("read", "selected", "WWL", "vdd", "read", "read needs 30.0 µA"),
    ],
)
def test_a_fault_in_the_table_is_found(
    operation: str, part: str, line: str, drive: str, failing: str, reason: str
) -> None:
    technology = changed(load_technology("sot-mram"), operation, part, line, drive)
    if part == "other_rows" and operation == "read":
        # A floating row carries nothing even with its word line on; grounded it does.
        technology = changed(technology, operation, part, "SL", "0")
    if part == "other_rows" and operation == "write_1":
        technology = changed(technology, operation, part, "SL", "0")
    checks = {check.name: check for check in check_biasing(technology)}
    assert not checks[failing].legal
    assert reason in checks[failing].reason
    assert checks["AND, OR" if failing.startswith("write") else "write 1"].legal


def test_a_write_that_disturbs_a_sensed_bit_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transistors that leak: the write pulls at the bit lines of the rows that are sensed."""
    leaky = load_technology("sot-mram").with_values({"access.off_resistance": 0.001})
    assert check_overlap(leaky).legal
    monkeypatch.setattr("spinplane.device.biasing.DISTURBANCE", 5e-4)
    check = check_overlap(leaky)
    assert not check.legal
    assert re.fullmatch(r"the write shifts a sensed bit line by 0\.\d\d mV", check.reason)
    assert write_overlap(leaky) == "none"
    assert check_overlap(load_technology("sot-mram")).legal


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
