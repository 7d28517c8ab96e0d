"""One value followed back: its steps add up to what the network computes."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_strategies import networks

import spinplane
from spinplane.cli import main
from spinplane.compiler.oracle import run_graph
from spinplane.machine import SpinplaneError
from spinplane.samples import sample_digit


@settings(max_examples=40, deadline=None)
@given(networks(), st.data())
def test_steps_add_up_in_random_networks(drawn, data):
    graph, inputs = drawn
    at = data.draw(st.integers(0, len(graph.layers) - 1))
    values = run_graph(graph, inputs[:1])[at][0]
    output = tuple(data.draw(st.integers(0, side - 1)) for side in values.shape)
    traced = spinplane.trace(graph, inputs, output=output, layer=graph.layers[at].name, machine="tiny")
    assert traced.value == values[output]
    of_window = {(y, x): total for y, x, total in traced.sums}[traced.window]
    assert traced.steps[-1].total == of_window
    total = traced.constant
    for step in traced.steps:
        assert step.count == step.bits.count("1")
        total += (-1 if step.negative else 1) * (step.count << step.shift)
        assert step.total == total
    layer = graph.layers[at]
    if layer.steps:
        level = {
            None: of_window,
            "sum": sum(s for _, _, s in traced.sums),
            "max_sums": of_window,
            "max_codes": of_window,
        }[layer.pool and layer.pool.kind]
        maps = np.zeros((1, len(layer.weights), 1, 1), dtype=np.int64)
        maps[0, output[0]] = level
        assert layer.steps.apply(maps)[0, output[0], 0, 0] == traced.value


def test_the_command_prints_a_trace(capsys, tmp_path):
    np.save(tmp_path / "x.npy", sample_digit(3))
    arguments = ["trace", "digits-1-4", "--input", str(tmp_path / "x.npy"), "--layer", "Conv_1"]
    main([*arguments, "--output", "5,2,1", "--json", str(tmp_path / "t.json")])
    text = capsys.readouterr().out
    assert "digits-1-4 on paper8: layer Conv_1, kernel 5, y 2, x 1 is" in text
    assert "pooled: (4, 2):" in text
    figures = json.loads((tmp_path / "t.json").read_text())
    assert figures["sub_array"] == 5
    assert {step["operation"] for step in figures["steps"]} == {"AND", "READ"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "Conv_9"}, "layer 'Conv_9' is not one of Conv_0, Conv_1"),
        ({"output": (10, 0, 0)}, r"output \(10, 0, 0\): layer Conv_3 has 10×1×1 of kernel, y, x"),
    ],
)
def test_what_is_not_there_is_named(options, message):
    with pytest.raises(SpinplaneError, match=message):
        spinplane.trace("digits-1-4", sample_digit(3), **{"output": (0, 0, 0), **options})


def test_an_output_that_is_no_index_is_refused(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main(["trace", "digits-1-4", "--input", "x.npy", "--output", "3,4"])
    assert "output '3,4': expected k,y,x" in capsys.readouterr().err
