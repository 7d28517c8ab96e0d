"""The first run: a digit, its class, and what is left behind."""

import json
from pathlib import Path

import numpy as np
import pytest
from result_files import written
from small_networks import functional_rtl

import spinplane
from spinplane.cli import main
from spinplane.commands import rtl_runs
from spinplane.commands.demo import Classification
from spinplane.report.drawing import draw_network


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Classification:
    """With the functional machine in place of the RTL, whose model takes minutes to build."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rtl_runs, "run_accelerator", functional_rtl)
        return spinplane.classify(digit=7, folder=tmp_path_factory.mktemp("demo"))


def test_a_seven_is_a_seven(result: Classification) -> None:
    figures = written(result)
    assert (figures["label"], figures["class"], figures["mismatches"]) == (7, 7, 0)
    assert figures["class"] == int(np.argmax(figures["outputs"]))
    assert [layer["i"] for layer in figures["layers"]] == [8, 4, 4, 8]
    assert figures["counters"]["rtl"] == figures["counters"]["predicted"]
    assert 0 < figures["efficiency"]["cold"] < figures["efficiency"]["steady"] < 1
    assert figures["area"]["total"]["area_um2"] > 8 * figures["area"]["sub_array"]["area_um2"] > 0


def test_the_files_are_there(result: Classification) -> None:
    assert result.picture.read_bytes().startswith(b"\x89PNG")
    assert any(result.verilog.rglob("*.v"))
    assert "label 7, class 7, 0 mismatches" in str(result)
    assert "in each of 8 sub-arrays" in str(result)
    assert f"ands {result.counters.rtl.ands:,}" in str(result)
    assert str(result.picture) in str(result)


def test_values_of_all_layers_are_drawn(result: Classification) -> None:
    assert all(layer.outputs is not None and layer.outputs.any() for layer in result.layers)


@pytest.mark.thorough
def test_the_command_classifies_on_the_rtl(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    main(["demo", "--digit", "1", "--output", str(tmp_path), "--json", str(tmp_path / "d.json")])
    assert "label 1, class 1, 0 mismatches" in capsys.readouterr().out
    assert json.loads((tmp_path / "d.json").read_text())["class"] == 1


def test_maps_of_any_number_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "maps.png"
    draw_network(
        path,
        title="five maps",
        image=np.zeros((1, 4, 4)),
        layers=["a", "b"],
        values=[np.arange(30).reshape(5, 2, 3), np.arange(3).reshape(3, 1, 1)],
    )
    assert path.stat().st_size > 1000
