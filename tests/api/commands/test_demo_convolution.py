"""The first run, on a part of the digit that Icarus simulates in seconds."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from result_files import written

from spinplane.cli import main
from spinplane.commands import demo_convolution as demonstration
from spinplane.commands import rtl_runs
from spinplane.commands.demo_convolution import Demo, demo
from spinplane.machine import ACCELERATOR_COUNTER_NAMES, SpinplaneError
from spinplane.samples import KERNELS, sample_digit
from spinplane.sim.accelerator import RtlAcceleratorRun, run_accelerator


def corner(digit: int) -> np.ndarray:
    return sample_digit(digit)[4:10, 10:17]


@pytest.fixture(scope="module")
def runs() -> list[RtlAcceleratorRun]:
    """What the simulator gave to the demonstration."""
    return []


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, runs: list[RtlAcceleratorRun]) -> Demo:
    def run(*arguments: Any, **options: Any) -> RtlAcceleratorRun:
        runs.append(run_accelerator(*arguments, **options))
        return runs[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demonstration, "sample_digit", corner)
        patch.setattr(rtl_runs, "run_accelerator", run)
        return demo(machine="tiny", simulator="icarus", folder=tmp_path_factory.mktemp("demo"))


@pytest.mark.thorough
def test_the_rtl_is_equal_to_the_oracle(result: Demo) -> None:
    assert [(f"{c.w}:{c.i}", c.coding) for c in result.configurations] == [
        ("1:1", "bipolar"),
        ("2:2", "dorefa"),
        ("3:4", "twos complement"),
    ]
    assert [c.mismatches for c in result.configurations] == [0, 0, 0]
    for configuration in result.configurations:
        assert configuration.feature_maps.shape == (len(KERNELS), 6, 7)
        assert len(np.unique(configuration.feature_maps)) > 4


def test_the_json(result: Demo) -> None:
    figures = written(result)
    assert set(figures) == {
        *("spinplane", "digit", "machine", "simulator", "configurations", "mismatches"),
        *("picture", "verilog", "waves", "build_seconds", "run_seconds", "cached", "clock"),
    }
    assert (figures["digit"], figures["machine"], figures["simulator"]) == (3, "tiny", "icarus")
    assert figures["mismatches"] == 0
    for configuration in figures["configurations"]:
        assert set(configuration) == {
            *("w", "i", "coding", "outputs", "mismatches", "efficiency", "cycles", "counters")
        }
        assert list(configuration["counters"]) == list(ACCELERATOR_COUNTER_NAMES)
        assert configuration["outputs"] == len(KERNELS) * 6 * 7
        assert configuration["cycles"] == configuration["counters"]["cycles"] > 0
        # A kernel of the machine's two segments of two sub-arrays has at least one AND for each output.
        assert configuration["counters"]["ands"] >= configuration["outputs"] // 4


def test_what_it_leaves_behind(result: Demo) -> None:
    png = result.picture.read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert width > height > 400
    assert "module accelerator(" in (result.verilog / "accelerator.v").read_text(encoding="utf-8")
    waves = result.waves.read_text(encoding="utf-8")
    assert "$enddefinitions" in waves
    assert waves.count("\n#") > 100


def test_the_table(result: Demo) -> None:
    text = str(result)
    lines = [line for line in text.splitlines() if "│" in line]
    assert [line.split("│")[1].strip() for line in lines] == ["1:1", "2:2", "3:4"]
    cycles = result.configurations[0].cycles
    assert f"{cycles:,}" in lines[0]
    for path in (result.picture, result.verilog, result.waves):
        assert str(path) in text


@pytest.mark.parametrize(
    # A sum is compared with the functional machine's, with plain numpy's and with that of Eq. 3.
    ("wrong", "mismatches"),
    [("output", 3), ("counter", 1)],
)
def test_one_wrong_figure_of_the_rtl_is_a_mismatch_and_exit_code_1(
    wrong: str,
    mismatches: int,
    result: Demo,
    runs: list[RtlAcceleratorRun],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The runs of the fixture again, with one figure of 2:2 changed."""
    *cold, steady = runs[1].images
    if wrong == "output":
        sums = np.array(steady.maps[0])
        sums[0, 1, 2] += 1
        steady = replace(steady, maps=(sums,))
    else:
        counters = replace(steady.record.counters, ands=steady.record.counters.ands + 1)
        steady = replace(steady, record=replace(steady.record, counters=counters))
    given = iter([runs[0], replace(runs[1], images=(*cold, steady)), runs[2]])
    monkeypatch.setattr(demonstration, "sample_digit", corner)
    monkeypatch.setattr(rtl_runs, "run_accelerator", lambda program, images, **options: next(given))
    monkeypatch.setattr(demonstration, "_waveform", lambda image, folder: result.waves)
    figures = tmp_path / "demo.json"
    arguments = ["demo", "--machine", "tiny", "--simulator", "icarus", "-o", str(tmp_path / "demo")]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--conv", "--json", str(figures)])
    assert ended.value.code == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"spinplane: {mismatches} mismatches between the RTL and its reference"
    found = json.loads(figures.read_text(encoding="utf-8"))["configurations"]
    assert [configuration["mismatches"] for configuration in found] == [0, mismatches, 0]


def test_a_simulator_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(
        SpinplaneError, match=r"^simulator 'modelsim' cannot be used here: use one of .*amaranth$"
    ):
        demo(simulator="modelsim", folder=tmp_path / "demo")
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("digit", [-1, 10, 11])
def test_a_digit_that_is_none(digit: int, tmp_path: Path) -> None:
    with pytest.raises(SpinplaneError, match=f"^digit = {digit}: must be a whole number from 0 to 9$"):
        demo(digit=digit, folder=tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
