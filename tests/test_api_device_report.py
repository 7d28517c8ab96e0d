"""The device report: figures with their sources, files, and what a changed parameter moves."""

import json
from pathlib import Path

import pytest

from spinplane.device_report import DeviceReport, device_report
from spinplane.machine import SpinplaneError


def report(technology: str, folder: Path | None = None, **values: float) -> DeviceReport:
    keys = {key.replace("__", "."): value for key, value in values.items()}
    return device_report(technology, values=keys, folder=folder, trials=2000, writes=50)


@pytest.fixture(scope="module")
def sot() -> DeviceReport:
    return report("sot-mram")


def test_every_figure_has_a_mark_and_a_source(sot: DeviceReport) -> None:
    for quantity in (*sot.parameters, *sot.results):
        assert quantity.mark in ("measured", "published", "derived", "assumed")
        assert quantity.source
    names = [quantity.name for quantity in sot.results]
    assert len(names) == len(set(names))


def test_figures_of_sot_mram(sot: DeviceReport) -> None:
    assert sot["R_P"] == pytest.approx(3327.7, rel=1e-3)
    assert sot["R_AP"] == pytest.approx(9045, rel=1e-3)
    assert sot["R_SHM"] == pytest.approx(444.4, rel=1e-3)
    assert sot["write 1: critical current"] == pytest.approx(38.72, rel=1e-3)
    assert sot["write 1: switched"] == 1
    assert sot["write with AND: legal"] == 1
    assert sot["AND: margin"] > sot["OR: margin"] > 0
    assert sot.electrical.write_overlap == "same_array"
    assert not sot.overlap_reason
    assert not sot.pictures


def test_the_circuit_agrees_with_the_levels(sot: DeviceReport) -> None:
    for operation, name in (("read", "read"), ("and", "AND"), ("or", "OR")):
        half = (sot[f"{name}: lowest 1"] - sot[f"{name}: highest 0"]) / 2
        assert sot[f"{operation}: half distance of the levels"] == pytest.approx(half, rel=1e-7)


def test_it_is_json_and_a_table(sot: DeviceReport) -> None:
    table = json.loads(json.dumps(sot.as_dict()))
    found = {quantity["name"]: quantity for quantity in table["results"]}
    assert found["R_P"]["value"] == sot["R_P"]
    assert found["AND: error rate"]["interval"][0] <= found["AND: error rate"]["value"]
    assert table["electrical"]["ports"] == ["read", "write"]
    text = str(sot)
    for word in ("R_P", "3,328", "oxide.thickness", "published", "EN_AND", "95 %"):
        assert word in text
    assert "Rows of an array can be sensed while another of its rows is written." in text


def test_a_changed_parameter_moves_what_physics_says(sot: DeviceReport) -> None:
    changed = report("sot-mram", oxide__thickness=1.25, heavy_metal__spin_hall_angle=0.2)
    assert changed["R_P"] > sot["R_P"]
    assert changed["AND: margin"] > sot["AND: margin"]
    assert changed["write 1: critical current"] == pytest.approx(1.5 * sot["write 1: critical current"])
    assert changed["write 1: time"] > sot["write 1: time"]
    assert changed["write 1: error rate"] > sot["write 1: error rate"]
    marks = {quantity.name: quantity.mark for quantity in changed.parameters}
    assert marks["oxide.thickness"] == "assumed"


def test_stt_mram_with_files(tmp_path: Path) -> None:
    found = report("stt-mram", folder=tmp_path)
    files = {Path(name).name for name in found.pictures}
    assert files == {"sense_levels.png", "switching.png", "write_errors.png", "read_and.sp"}
    assert all(Path(name).is_file() for name in found.pictures)
    assert found["write with AND: legal"] == 0
    assert "BL of column 0 is needed at" in found.overlap_reason
    assert "No row can be sensed while another is written: BL of column 0" in " ".join(str(found).split())
    assert found["write 1: critical current"] > found["write 0: critical current"]


def test_refuses_unknown_names() -> None:
    with pytest.raises(SpinplaneError, match=r"^technology 'ram' is neither a file nor one of sot-mram, "):
        report("ram")
    with pytest.raises(SpinplaneError, match=r"^unknown parameter 'oxide.colour': sot-mram has "):
        report("sot-mram", oxide__colour=1.0)
