"""Whole networks on the RTL, and what the command says of them."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from network_strategies import networks

import spinplane
from spinplane.cli import main
from spinplane.compiler.builders import build_graph
from spinplane.compiler.networks import BitWidths
from spinplane.compiler.oracle import run_graph
from spinplane.machine import COUNTER_NAMES, SpinplaneError


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(networks())
def test_random_networks_on_one_build(drawn):
    graph, inputs = drawn
    result = spinplane.run_network(graph, inputs, machine="tiny", simulator="verilator")
    assert result.mismatches == 0
    assert (result.outputs == run_graph(graph, inputs)[-1]).all()


def test_a_run_has_the_figures_of_every_layer():
    graph = build_graph("digits", BitWidths.parse("1:1"), seed=3)
    image = np.random.default_rng(0).integers(0, 256, (28, 28))
    result = spinplane.run_network(graph, image, machine="paper8")
    figures = result.as_dict()
    assert figures["mismatches"] == 0
    assert figures["cycles"] == sum(layer["cycles"] for layer in figures["layers"])
    needed = sum(layer["w"] * layer["i"] * layer["macs"] for layer in figures["layers"])
    assert figures["efficiency"]["cold"] == needed / (figures["cycles"] * 8 * 256)
    assert set(figures["counters"]["rtl"]) == set(COUNTER_NAMES)
    assert figures["counters"]["rtl"] == figures["counters"]["functional"]
    assert figures["counters"]["predicted"].items() <= figures["counters"]["rtl"].items()
    assert np.shape(figures["outputs"]) == (1, 10)
    assert result.classes == [int(np.argmax(figures["outputs"]))]
    assert "greatest output" in str(result)


def test_a_wrong_bit_is_counted(monkeypatch):
    from spinplane import network_run

    graph = build_graph("digits", BitWidths.parse("1:1"), seed=3)
    image = np.zeros((28, 28))
    run_programs = network_run.run_programs

    def flip(programs, **options):
        rtl = run_programs(programs, **options)
        rtl.runs[1].results[7] += 1 << 20
        return rtl

    monkeypatch.setattr(network_run, "run_programs", flip)
    result = spinplane.run_network(graph, image, machine="paper8")
    assert result.mismatches >= 1
    assert [layer.mismatches > 0 for layer in result.layers][:2] == [False, True]


def test_the_command_maps_a_network(capsys, tmp_path):
    main(["compile", "svhn:1:4", "--machine", "paper", "--json", str(tmp_path / "map.json")])
    assert "svhn 1:4 on paper" in capsys.readouterr().out
    layers = json.loads((tmp_path / "map.json").read_text())["layers"]
    assert [layer["layer"] for layer in layers] == ["conv0", *(f"conv{n}" for n in range(1, 7)), "fc"]
    assert all(0 < layer["column_use"] <= 1 and layer["rows"] <= 512 for layer in layers)


def test_the_command_runs_a_network(capsys, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(784).reshape(1, 1, 28, 28) % 256)
    main(["run", "digits:1:1", "--input", str(tmp_path / "x.npy"), "--json", str(tmp_path / "run.json")])
    assert json.loads((tmp_path / "run.json").read_text())["mismatches"] == 0
    assert "digits 1:1 on the RTL of paper8" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compile", "nothing.onnx"], "model 'nothing.onnx' is neither a file nor one of digits-1-1"),
        (["compile", "svhn:1"], "bits '1': expected W:I"),
        (["compile", "svhn:1:1", "--machine", "tiny"], "machine tiny has 64 (rows)"),
        (["run", "digits:1:1", "--input", "no.npy"], "input no.npy: there is no such file"),
        (["run", "digits:1:1", "--input", "text.npy"], "input text.npy: not a .npy file"),
        (["run", "digits:1:1", "--input", "shape.npy"], "input of shape (3, 3)"),
    ],
)
def test_a_wrong_request_is_one_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.npy").write_text("hello")
    np.save(tmp_path / "shape.npy", np.zeros((3, 3)))
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    error = capsys.readouterr().err
    assert exit_.value.code == 2
    assert message in error
    assert error.strip().splitlines()[-1].startswith("spinplane: ")


def test_a_simulator_that_is_not_there_is_refused():
    graph = build_graph("digits", BitWidths.parse("1:1"))
    with pytest.raises(SpinplaneError, match="simulator 'vcs' cannot be used here"):
        spinplane.run_network(graph, np.zeros((28, 28)), machine="paper8", simulator="vcs")
