"""The device report, and the command that prints it."""

import json
import math
from functools import partial

import pytest
from result_files import written

import spinplane
from spinplane.cli import main
from spinplane.commands import device, device_array
from spinplane.machine import SpinplaneError


@pytest.fixture(scope="module", params=["sot-mram", "stt-mram"])
def report(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    return spinplane.report_device(request.param, folder=folder, trials=20_000, writes=200)


def figure(report, name):
    (found,) = [q.value for q in report.results if q.name == name]
    return found


def test_every_figure_has_unit_mark_and_source(report):
    figures = written(report)
    assert figures["technology"] == report.technology
    for quantity in (*report.parameters, *report.results):
        assert quantity.mark in ("measured", "published", "derived", "assumed")
        assert quantity.source
        assert math.isfinite(quantity.value)


def test_figures_agree_with_each_other(report):
    parallel, antiparallel = figure(report, "R_P"), figure(report, "R_AP")
    assert figure(report, "TMR") == pytest.approx(100 * (antiparallel / parallel - 1))
    for sense, reference in (("read", "EN_M"), ("AND", "EN_AND"), ("OR", "EN_OR")):
        low, high = figure(report, f"{sense}: highest 0"), figure(report, f"{sense}: lowest 1")
        assert low < figure(report, f"{sense}: {reference}") < high
    assert figure(report, "AND: margin") < figure(report, "read: margin")


@pytest.mark.thorough
def test_a_thicker_oxide_has_more_resistance():
    thin, thick = (
        spinplane.report_device("sot-mram", values={"oxide.thickness": t}, trials=2000, writes=20)
        for t in (1.2, 1.3)
    )
    assert figure(thick, "R_P") > figure(thin, "R_P")


def test_a_write_that_never_ends_has_no_time_in_the_json(monkeypatch):
    def refuse(*_, **__):
        raise SpinplaneError("it does not switch")

    # It would wait for the write as long as it waits for any.
    monkeypatch.setattr(device_array, "at_equal_terms", refuse)
    weak = {"write.current_1": 30}
    report = spinplane.report_device("sot-mram", values=weak, trials=100, writes=1)
    plain = written(report)
    values = {quantity["name"]: quantity["value"] for quantity in plain["results"]}
    assert values["write 1: time"] is None
    assert values["write 1: switched"] == 0
    assert "inf" in str(report)
    (line,) = [line for line in report.every_figure.splitlines() if "write 1: switched" in line]
    assert " no " in line


def test_the_summary_fits_a_screen(report):
    lines = str(report).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "…" not in str(report)
    for name in (
        "R_P, R_AP",
        "TMR",
        "margin",
        "error rate",
        "retention",
        "endurance",
        "equal terms",
        "biasing",
    ):
        assert name in str(report)
    for shown in ("AND: margin", "OR: EN_OR", "write 1: energy from the supply", "fastest clock"):
        assert next(q.shown for q in report.results if q.name == shown) in str(report)


def test_the_summary_of_two_amplifiers_has_an_xor_and_fits():
    report = spinplane.report_device("stt-aggressive", trials=2000, writes=1000)
    lines = str(report).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert "XOR" in lines[1]
    assert "…" not in str(report)


def test_every_figure_has_one_line(report):
    lines = report.every_figure.splitlines()
    assert max(map(len, lines)) <= 100
    quantities = (*report.results, *report.parameters)
    sections = len({quantity.section for quantity in quantities})
    # Title, head and caption are around them.
    assert 0 < len(lines) - len(quantities) - sections <= 10
    for quantity in quantities:
        name = quantity.name.removeprefix("equal terms: ")
        assert any(name in line and quantity.shown in line for line in lines), name


def test_what_is_true_or_not_is_yes_or_no(report):
    truths = [quantity for quantity in report.results if quantity.unit == "yes/no"]
    assert {quantity.name.split(": ")[-1] for quantity in truths} == {"legal", "switched", "possible"}
    assert {quantity.shown for quantity in truths} <= {"yes", "no"}
    assert all(quantity.shown_unit == "" for quantity in truths)


def test_the_command(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(device, "report_device", partial(device.report_device, writes=20))
    path = tmp_path / "device.json"
    asked = ["device", "--all", "--technology", "sot-mram", "--trials", "2000", "-o", str(tmp_path)]
    main([*asked, "--json", str(path)])
    assert "R_AP" in capsys.readouterr().out
    assert "2,000 trials" in path.read_text()
    assert json.loads(path.read_text())["technology"] == "sot-mram"
    assert list(tmp_path.glob("*.png"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--technology", "dram"],
            "technology 'dram' is neither a file nor one of sot-mram, stt-aggressive, stt-mram",
        ),
        (["--set", "oxide.thickness"], "--set 'oxide.thickness': expected key=value with a number"),
        (["--set", "oxide.colour=1"], "unknown parameter 'oxide.colour'"),
    ],
)
def test_wrong_requests_are_one_line(options, message, capsys, tmp_path):
    with pytest.raises(SystemExit) as ended:
        main(["device", "-o", str(tmp_path), *options])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
