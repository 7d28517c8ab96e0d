"""The report of a network: one page, of one opened network and one program, with or without the RTL."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from result_files import written
from small_networks import functional_rtl, small_graph, small_images

import spinplane
from spinplane.cli import main
from spinplane.command_line.network_report import page_name
from spinplane.commands import report_network as reporting
from spinplane.commands import rtl_runs, simulators
from spinplane.commands import run as running
from spinplane.compiler.graph import Graph
from spinplane.device import load_technology
from spinplane.device.electrical import electrical
from spinplane.machine import SpinplaneError, load_machine
from spinplane.machine.drawing import Drawing
from spinplane.machine.reporting.shown import Section
from spinplane.models import open_network

EVIL = "<script>alert(1)</script>"
EVIL_LAYER = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    make_quick(monkeypatch)


@pytest.fixture(scope="module")
def small() -> spinplane.NetworkReport:
    """Without the RTL."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        make_quick(monkeypatch)
        return small_report()


def make_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is computed of the cells, and nothing is drawn."""
    monkeypatch.setattr(Drawing, "png", lambda drawing: b"")
    technology = load_technology("sot-mram")
    report = spinplane.DeviceReport(
        technology=technology.name,
        description="cells",
        structure="2T1R",
        parameters=(),
        results=(),
        electrical=electrical(technology),
        overlap_reason="",
        pictures=(),
    )
    monkeypatch.setattr(reporting, "report_device", lambda *arguments, **options: report)


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[str]:
    """A name for each time that a function of a module is called from now on."""
    calls: list[str] = []
    function: Callable[..., Any] = getattr(module, name)

    def call(*arguments: Any, **options: Any) -> Any:
        calls.append(name)
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, call)
    return calls


def evil_graph() -> Graph:
    graph = small_graph()
    conv, dense = graph.layers
    return replace(graph, name=EVIL, layers=(replace(conv, name=EVIL_LAYER), dense))


def small_report(**options: Any) -> spinplane.NetworkReport:
    return spinplane.report_network(
        small_graph(), small_images(1), **({"machine": "tiny", "rtl": False} | options)
    )


def section_of(result: spinplane.NetworkReport, title: str) -> Section:
    return next(section for section in result.sections() if section.title == title)


def test_the_parts_are_those_of_the_other_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = [
        counted(monkeypatch, reporting, name) for name in ("open_network", "compile_graph", "run_program")
    ]
    result = small_report()
    assert [len(of_one) for of_one in calls] == [1, 1, 1]
    compiled = spinplane.compile_model(small_graph(), machine="tiny")
    estimate = spinplane.estimate(small_graph(), machine="tiny", by_layer=True)
    assert result.compilation == replace(compiled, model=result.run.model)
    assert result.estimate == replace(estimate, model=result.run.model)
    assert result.run.cycles == compiled.steady.cycles
    assert result.mismatches == 0


def test_a_page_begins_with_the_figures_that_count(
    small: spinplane.NetworkReport,
) -> None:
    figures = {figure.name: figure for figure in small.top_figures()}
    assert list(figures) == [
        *("greatest output", "cycles", "time", "energy", "power", "area", "mismatches"),
    ]
    assert small.estimate is not None
    energy = small.estimate.technologies[0].energy
    assert energy.value is not None
    assert figures["cycles"].value == f"{small.run.cycles:,}"
    assert figures["energy"].value == f"{energy.value * 1e6:.3g} µJ"
    assert " to " in figures["area"].bounds
    assert figures["mismatches"].value == "0"
    assert [section.title for section in small.sections()] == [
        *("The network", "Feature maps of the image", "Where it lies in the arrays", "The run"),
        *("Cycles and events", "What an image costs", "The cells: sot-mram"),
    ]


def test_without_the_rtl_the_functional_machine_stands_beside_the_prediction(
    small: spinplane.NetworkReport,
) -> None:
    steady, first = section_of(small, "Cycles and events").tables
    assert [column.header for column in steady.columns] == ["counter", "functional machine", "prediction"]
    rows = dict(zip(*(column.cells for column in first.columns[:2]), strict=True))
    assert rows["cycles"] == f"{small.run.cycles_cold:,}"
    assert small.run.counters.rtl is None
    assert small.run.simulator is None
    assert "RTL left out: about 1 s of simulation on Verilator" in small.run.run_notes()


def test_with_the_rtl_all_three_stand_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        simulators, "missing_of_simulators", lambda: {"verilator": "no Verilator", "icarus": ""}
    )
    monkeypatch.setattr(rtl_runs, "run_accelerator", functional_rtl)
    result = small_report(rtl=True)
    steady, _ = section_of(result, "Cycles and events").tables
    assert [column.header for column in steady.columns] == [
        *("counter", "RTL", "functional machine", "prediction"),
    ]
    assert (result.simulator, result.run.counters.rtl) == ("icarus", result.run.counters.functional)


def test_a_value_that_differs_from_the_oracle_is_a_mismatch_without_the_rtl_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_graph = running.run_graph
    monkeypatch.setattr(
        running, "run_graph", lambda graph, inputs: [maps + 1 for maps in run_graph(graph, inputs)]
    )
    result = small_report()
    # In the first run and in the steady one.
    assert result.mismatches == 2 * sum(layer.wrong for layer in result.run.layers) > 0
    assert (
        result.failure == f"{result.mismatches} mismatches between the functional machine and its reference"
    )


def test_an_input_that_nobody_gave_is_told() -> None:
    result = spinplane.report_network(small_graph(), machine="tiny", rtl=False, seed=5)
    assert result.input == "random numbers from 0 to 3, seed 5, as no image was given"
    assert result.input in str(result)
    image = np.random.default_rng(5).uniform(0, 3, (1, 6, 6))
    run = spinplane.run_network(small_graph(), image, machine="tiny", rtl=False)
    assert np.array_equal(run.outputs, result.run.outputs)


def test_a_shipped_network_gets_a_digit() -> None:
    result = spinplane.report_network("digits-1-4", rtl=False, check=False)
    assert result.input == "a handwritten 3 of MNIST's test set, as none was given"
    assert result.run.classes == [3]
    drawn = [drawing.name for section in result.sections() for drawing in section.drawn]
    assert drawn == ["network", "rows"]


def test_a_machine_without_the_technology_has_a_page_without_costs() -> None:
    machine = replace(load_machine("tiny"), name="mine", xor_sensing=True)
    result = small_report(machine=machine)
    assert (result.estimate, result.device) == (None, None)
    assert section_of(result, "What an image costs").notes[0].startswith("no energy")
    assert "energy" not in {figure.name for figure in result.top_figures()}


def test_a_report_is_read_back_without_its_pictures(small: spinplane.NetworkReport) -> None:
    figures = written(small)
    assert figures["run"]["cycles"] == figures["compilation"]["steady"]["cycles"]
    assert "drawn" not in figures["run"]


def test_no_simulator_names_the_way_without(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {"verilator": "no Verilator", "icarus": "no Icarus"}
    monkeypatch.setattr(simulators, "missing_of_simulators", lambda: missing)
    with pytest.raises(SpinplaneError, match=r"; or leave the RTL out: --no-rtl, or rtl=False$"):
        small_report(rtl=True)


def test_names_of_a_hostile_model_are_text(tmp_path: Path) -> None:
    result = spinplane.report_network(evil_graph(), small_images(1), machine="tiny", rtl=False)
    spinplane.write_page(result, tmp_path / "a.html")
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; on tiny" in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_the_command_names_its_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reporting, "open_network", lambda model, check: open_network(small_graph()))
    np.save("x.npy", small_images(1))
    main(["report", "up/net.onnx", "--machine", "tiny", "--input", "x.npy", "--no-rtl", "--json", "a.json"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "net-report.html", "x.npy"]
    told = capsys.readouterr().out
    assert "page              net-report.html\n" in told
    assert "input             x.npy\n" in told
    assert spinplane.read_result("a.json").input == "x.npy"


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("digits-1-4", "digits-1-4-report.html"),
        ("../up/net.onnx", "net-report.html"),
        ("svhn:1:4", "svhn-1-4-report.html"),
        ("<b>.tflite", "b--report.html"),
        (".", "model-report.html"),
    ],
)
def test_a_page_is_named_after_its_model(model: str, name: str) -> None:
    assert page_name(model) == name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input", "no.npy"], "input no.npy: cannot be read: No such file or directory"),
        (["--machine", "none"], "machine 'none'"),
        (["--simulator", "icarus"], "simulator = 'icarus': the RTL is left out"),
        (["--output", "."], 'Invalid value "." for --output. Is a folder.'),
        ([], "digits-1-1-report.html: Is a folder."),
    ],
)
def test_a_wrong_request_leaves_nothing(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if not arguments:
        (tmp_path / "digits-1-1-report.html").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(SystemExit) as ended:
        main(["report", "digits-1-1", "--no-rtl", *arguments])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before
