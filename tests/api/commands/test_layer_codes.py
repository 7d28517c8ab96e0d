"""What `compile --explain` tells of the way from sums to codes."""

import json
from pathlib import Path

import numpy as np
import pytest
from int8_networks import residual_network
from result_files import written

import spinplane
from spinplane.cli import main
from spinplane.compiler.graph import Graph, InputCoding, Layer, StepFunction, unscaled_output
from spinplane.machine import Operand


def bent_graph() -> Graph:
    """A layer whose steps lie on no line, and one of sums."""
    limits = np.concatenate([np.arange(-600, 0, 40), np.arange(0, 112, 7)])
    steps = StepFunction(
        thresholds=np.tile(limits, (4, 1)), rising=np.ones(4, dtype=bool), levels=np.arange(len(limits) + 1)
    )
    rng = np.random.default_rng(0)
    first = Layer(
        name="bent",
        weights=rng.integers(0, 4, (4, 2, 3, 3)),
        w=Operand(bits=2),
        i=Operand(bits=4),
        bias=np.full(4, -300),
        steps=steps,
    )
    last = Layer(
        name="last",
        weights=rng.integers(0, 4, (3, 4, 2, 2)),
        w=Operand(bits=2),
        i=Operand(bits=5),
        bias=np.zeros(3, dtype=np.int64),
    )
    return Graph(
        name="bent",
        input_shape=(2, 4, 4),
        input_coding=InputCoding(low=0, high=15),
        layers=(first, last),
        outputs=(unscaled_output(1, (1, 3)),),
    )


def test_methods_are_told_by_channel() -> None:
    result = spinplane.compile_model(bent_graph(), machine="paper8", explain=True)
    bent, last = written(result)["codes"]
    assert (bent["searched"], bent["line"], bent["native"], bent["table"]) == (4, 0, 0, 0)
    assert (bent["rounding"], bent["interval"]) == ("", 5)
    assert bent["threshold_words"] == result.threshold_beats
    # 18 weights up to 3 times codes up to 15.
    assert bent["accumulator_bits_needed"] <= 11 <= bent["accumulator_bits"]
    assert (last["searched"], last["threshold_words"], last["margin"], last["near_ties"]) == (0, 0, None, 0)
    assert "from sums to codes" in str(result)


@pytest.mark.parametrize(
    ("tflite", "roundings"), [(False, {"half_even", "half_even, floor"}), (True, {"half_away"})]
)
def test_native_arithmetic_is_told(tflite: bool, roundings: set[str]) -> None:
    graph = residual_network(0, (3, 8, 8), width=8, tflite=tflite)
    codes = spinplane.compile_model(graph, machine="paper8", explain=True).codes
    assert codes is not None
    assert all(
        one.native == layer.weights.shape[0] for one, layer in zip(codes[:-1], graph.layers, strict=False)
    )
    assert codes[1].rounding in roundings


def test_it_is_told_where_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["compile", "digits:1:4", "--explain", "--json", str(tmp_path / "result.json")])
    assert "from sums to codes" in capsys.readouterr().out
    assert len(json.loads((tmp_path / "result.json").read_text())["codes"]) == 4
    main(["compile", "digits:1:4"])
    assert "from sums to codes" not in capsys.readouterr().out
