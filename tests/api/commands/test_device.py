"""The device report, and the command that prints it."""

import json
import math

import pytest
from result_files import written

import spinplane
from spinplane.cli import main


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


def test_a_thicker_oxide_has_more_resistance():
    thin, thick = (
        spinplane.report_device("sot-mram", values={"oxide.thickness": t}, trials=2000, writes=20)
        for t in (1.2, 1.3)
    )
    assert figure(thick, "R_P") > figure(thin, "R_P")


def test_a_write_that_never_ends_has_no_time_in_the_json():
    weak = {"write.current_1": 30, "free_layer.thickness": 40}
    report = spinplane.report_device("sot-mram", values=weak, trials=100, writes=1)
    plain = written(report)
    values = {quantity["name"]: quantity["value"] for quantity in plain["results"]}
    assert values["write 1: time"] is values["retention"] is None
    assert values["write 1: switched"] == 0
    assert "inf" in str(report)


def test_the_command(capsys, tmp_path):
    path = tmp_path / "device.json"
    main(["device", "--technology", "sot-mram", "-o", str(tmp_path), "--json", str(path)])
    assert "R_AP" in capsys.readouterr().out
    assert json.loads(path.read_text())["technology"] == "sot-mram"
    assert list(tmp_path.glob("*.png"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--technology", "dram"], "technology 'dram' is neither a file nor one of sot-mram, stt-mram"),
        (["--set", "oxide.thickness"], "--set 'oxide.thickness': expected key=value with a number"),
        (["--set", "oxide.colour=1"], "unknown parameter 'oxide.colour'"),
    ],
)
def test_wrong_requests_are_one_line(options, message, capsys, tmp_path):
    with pytest.raises(SystemExit) as ended:
        main(["device", "-o", str(tmp_path), *options])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
