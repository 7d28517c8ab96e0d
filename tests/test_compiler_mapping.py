"""Whole networks through the functional machine: equal to the oracle, layer by layer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_strategies import networks

from spinplane.behavioral import Engine
from spinplane.compiler.builders import build_graph
from spinplane.compiler.mapping import layer_inputs, layer_outputs, map_network
from spinplane.compiler.networks import BitWidths
from spinplane.compiler.oracle import run_graph
from spinplane.machine import SpinplaneError, load_machine


def check(graph, machine, inputs):
    expected = run_graph(graph, inputs)
    engine, values = Engine(machine), inputs
    for mapped, right in zip(map_network(graph, machine), expected, strict=True):
        run = engine.run(mapped.convolution.program(layer_inputs(mapped, values)))
        values = layer_outputs(mapped, run.results)
        assert values.shape[1:] == mapped.output_shape
        assert (values == right).all(), mapped.layer.name
        predicted = mapped.convolution.predicted(len(inputs)).as_dict()
        counted = run.counters.as_dict()
        assert {n: c for n, c in counted.items() if n not in ("cycles", "stalled")} == {
            n: c for n, c in predicted.items() if n not in ("cycles", "stalled")
        }


@settings(max_examples=40, deadline=None)
@given(networks())
def test_random_networks_equal_the_oracle(drawn):
    graph, inputs = drawn
    branching = [layer.name for layer in graph.layers if layer.residual]
    if branching:
        with pytest.raises(SpinplaneError, match=f"layer {branching[0]}: it takes more than"):
            map_network(graph, load_machine("tiny"))
        return
    check(graph, load_machine("tiny"), inputs)


@settings(max_examples=2, deadline=None)
@given(st.sampled_from(["1:1", "2:2"]))
def test_digits_with_seeded_weights(bits):
    graph = build_graph("digits", BitWidths.parse(bits), seed=5)
    inputs = np.random.default_rng(0).integers(0, 256, (1, 1, 28, 28))
    check(graph, load_machine("paper8"), inputs)


def test_figures_of_a_layer():
    graph = build_graph("digits", BitWidths.parse("1:4"))
    conv0, conv1, _, fc = map_network(graph, load_machine("paper8"))
    assert conv0.macs == 16 * 25 * 24 * 24
    assert conv1.binary_operations == 4 * conv1.macs == 4 * 32 * 16 * 9 * 144
    assert conv0.column_use == 4 * 25 / 256
    assert fc.column_use == 576 / 768


def test_what_does_not_fit_says_so():
    graph = build_graph("digits", BitWidths.parse("1:4"))
    with pytest.raises(SpinplaneError, match=r"layer fc: .* need 145 rows, machine tiny has 64 \(rows\)"):
        map_network(graph, load_machine("tiny"))
