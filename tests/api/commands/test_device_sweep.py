"""Figures over a parameter: their slopes have the signs that physics says, and wrong requests are one line."""

from itertools import pairwise

import numpy as np
import pytest
from result_files import written

import spinplane
from spinplane.cli import main
from spinplane.commands import device_sweep
from spinplane.machine import SpinplaneError

WRITES = 100


def falls(values):
    return all(later < before for before, later in pairwise(values))


def rises(values):
    return all(later > before for before, later in pairwise(values))


def level(values):
    return np.ptp(values) <= 1e-9 * abs(values[0])


@pytest.fixture(scope="module", params=["sot-mram", "stt-mram"])
def heated(request):
    return spinplane.sweep_device(request.param, "temperature", (260, 320, 390), writes=WRITES, jobs=1)


def test_heat_takes_margin_and_retention_and_makes_writing_easier(heated):
    assert heated.key == "process.temperature"
    for operation in ("read", "AND", "OR"):
        assert falls(heated["margin", operation])
        assert rises(heated["sense error rate", operation])
    for write in ("write 0", "write 1"):
        assert falls(heated["write error rate", write])
        assert heated["switching time", write][-1] < heated["switching time", write][0]
        assert level(heated["energy from the supply", write])
    assert falls(heated["retention", "cell"])
    assert falls(heated["retention", "array"])
    assert all(
        array < cell
        for array, cell in zip(heated["retention", "array"], heated["retention", "cell"], strict=True)
    )
    assert heated.reasons == ()


@pytest.mark.parametrize("technology", ["sot-mram", "stt-mram"])
def test_the_supply_costs_energy_and_changes_nothing_else(technology):
    sweep = spinplane.sweep_device(technology, "voltage", (1.0, 1.3), writes=1, jobs=1)
    for figure in sweep.figures:
        assert (rises if figure.kind == "energy from the supply" else level)(figure.values), figure
    low, high = sweep["energy from the supply", "write 1"]
    assert high / low == pytest.approx(1.3)


def test_a_thicker_oxide_has_larger_margins_and_slower_senses():
    sweep = spinplane.sweep_device("sot-mram", "oxide.thickness", (1.15, 1.2, 1.25), writes=1, jobs=1)
    for operation in ("read", "AND", "OR"):
        assert rises(sweep["margin", operation])
        assert rises(sweep["sense time", operation])
    assert level(sweep["retention", "cell"])


def test_a_wider_metal_takes_current_density_from_a_write():
    sweep = spinplane.sweep_device("sot-mram", "heavy_metal.width", (90, 110, 130), writes=WRITES, jobs=1)
    assert rises(sweep["write error rate", "write 1"])
    assert falls(sweep["energy in the cell", "write 1"])
    assert level(sweep["retention", "cell"])


def test_a_figure_that_the_cell_has_not_is_told():
    sweep = spinplane.sweep_device("stt-mram", "voltage", (0.7, 1.1), writes=1, jobs=1)
    assert sweep["write error rate", "write 0"][0] is None
    assert sweep["energy from the supply", "write 0"][0] is None
    assert sweep["energy from the supply", "write 1"][0] is not None
    assert "missing: at 0.7 V" in str(sweep)
    assert "–" in str(sweep)
    assert written(sweep)["key"] == "process.supply_voltage"


def test_many_points_are_several_tables(monkeypatch):
    found = {"figures": [["margin", "AND", 12.345]], "missing": []}
    monkeypatch.setattr(device_sweep, "figures_at", lambda task: found)
    sweep = spinplane.sweep_device("sot-mram", "voltage", np.linspace(1.0, 1.2, 10), jobs=1)
    assert [len(table.columns) for table in sweep.tables()] == [11, 3]
    assert str(sweep).count("12.35") == 10
    assert max(map(len, str(sweep).splitlines())) <= 120


def test_the_bounds_of_a_parameter_are_its_usual_range(monkeypatch):
    monkeypatch.setattr(device_sweep, "figures_at", lambda task: {"figures": [], "missing": []})
    sweep = spinplane.sweep_device("sot-mram", "free_layer.exchange_stiffness", jobs=1)
    assert sweep.points == (10, 14.5, 19, 23.5, 28)
    assert sweep.unit == "pJ/m"
    assert spinplane.sweep_device("sot-mram", "temperature", jobs=1).points == (250, 280, 310, 340, 370, 400)


@pytest.mark.parametrize(
    ("key", "points", "message"),
    [
        ("temperature", (200, 300), "process.temperature: value = 200.0: must be from 250 to 400 K"),
        ("temperature", (300, 450), "process.temperature: value = 450.0"),
        ("temperature", (300,), "sweep of process.temperature: 1 points: must be 2 to 64"),
        ("write.current_1", None, "sweep of write.current_1: it has no bounds"),
        ("oxide.colour", None, "unknown parameter 'oxide.colour'"),
    ],
)
def test_wrong_sweeps_are_refused_before_any_work(key, points, message):
    with pytest.raises(SpinplaneError, match=message):
        spinplane.sweep_device("sot-mram", key, points)


def test_the_command(capsys, tmp_path):
    path = tmp_path / "sweep.json"
    main(["device", "--sweep", "voltage=1:1.2:2", "-o", str(tmp_path), "--json", str(path)])
    assert "margin, AND" in capsys.readouterr().out
    assert spinplane.read_result(path).points == (1.0, 1.2)
    assert (tmp_path / "sweep.png").stat().st_size > 10_000


@pytest.mark.thorough
def test_points_shared_among_processes_give_the_same() -> None:
    alone, shared = (
        spinplane.sweep_device("sot-mram", "temperature", [300, 350], writes=50, jobs=jobs) for jobs in (1, 2)
    )
    assert shared == alone


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sweep", "temperature=250:400"], "expected KEY or KEY=FIRST:LAST:POINTS with numbers"),
        (["--sweep", "temperature=a:b:c"], "expected KEY or KEY=FIRST:LAST:POINTS with numbers"),
        (
            ["--sweep", "temperature=200:400:3"],
            "process.temperature: value = 200.0: must be from 250 to 400 K",
        ),
        (["--sweep", "temperature", "--all"], "--sweep goes without --all, --clock, --network and --trials"),
    ],
)
def test_wrong_requests_are_one_line(options, message, capsys, tmp_path):
    with pytest.raises(SystemExit) as ended:
        main(["device", "-o", str(tmp_path), *options])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
