"""A convolution in a faulty memory as one product: the values of the functional machine, whatever is wrong."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_compiler_convolution import MACHINES, operands
from test_sim_faults import random_faults
from test_sim_variation import drawn

from spinplane.behavioral import Engine, decode
from spinplane.compiler import Convolution, FaultyConvolution
from spinplane.compiler.mapping import layer_inputs, layer_outputs, map_network
from spinplane.fault_study import load_images
from spinplane.machine import Coding, FaultMap, Machine, Operand, SpinplaneError, load_machine
from spinplane.models import open_model


def by_engine(convolution: Convolution, faults: FaultMap, inputs: np.ndarray) -> np.ndarray:
    run = Engine(convolution.machine, faults).run(convolution.program(inputs))
    return convolution.outputs(run.results)


def maps(machine: Machine, seed: int) -> list[FaultMap]:
    """One with drifted thresholds, one with varied cells, both with stuck cells."""
    return [random_faults(machine, np.random.default_rng(seed), cells=200, drifted=0.2), drawn(machine, seed)]


@given(
    data=st.data(), machine=st.sampled_from(MACHINES), w=operands(), i=operands(), seed=st.integers(0, 999)
)
@settings(max_examples=40, deadline=None)
def test_any_layer(data: st.DataObject, machine: Machine, w: Operand, i: Operand, seed: int) -> None:
    groups, channels = data.draw(st.integers(1, 2), "groups"), data.draw(st.integers(1, 8), "channels")
    kernels = groups * data.draw(st.integers(1, 7), "kernels")
    options: dict[str, Any] = {
        "stride": data.draw(st.integers(1, 2)),
        "padding": data.draw(st.integers(0, 2)),
    }
    size = data.draw(st.integers(2, 4), "size")
    rng = np.random.default_rng(seed)
    weights = decode(rng.integers(0, 1 << w.bits, (kernels, channels, 2, 2)), w)
    inputs = decode(rng.integers(0, 1 << i.bits, (2, groups * channels, size, size)), i)
    try:
        convolution = Convolution(
            machine,
            weights,
            inputs.shape[1:],
            w=w,
            i=i,
            groups=groups,
            bias=rng.integers(-9, 9, kernels),
            **options,
        )
    except SpinplaneError:
        assume(False)
    for faults in maps(machine, seed):
        assert np.array_equal(
            FaultyConvolution(convolution, faults).outputs(inputs), by_engine(convolution, faults, inputs)
        )


def test_passes_groups_and_masks_together() -> None:
    machine = replace(MACHINES[1], rows=24)
    bipolar = Operand(bits=1, coding=Coding.BIPOLAR)
    rng = np.random.default_rng(3)
    weights, inputs = 2 * rng.integers(0, 2, (24, 3, 3, 3)) - 1, 2 * rng.integers(0, 2, (2, 6, 4, 4)) - 1
    convolution = Convolution(machine, weights, (6, 4, 4), w=bipolar, i=bipolar, groups=2, padding=1)
    assert convolution.masks
    assert convolution.layout.passes > 1
    for faults in maps(machine, 4):
        assert np.array_equal(
            FaultyConvolution(convolution, faults).outputs(inputs), by_engine(convolution, faults, inputs)
        )


def test_a_shipped_network_layer_by_layer() -> None:
    machine, graph = load_machine("paper8"), open_model("digits-1-4")
    faults, engine = drawn(machine, 2), Engine(machine, drawn(machine, 2))
    values, wrong = graph.encode_input(load_images(None)[0][:2]), 0
    for layer in map_network(graph, machine):
        given = layer_inputs(layer, values)
        run = engine.run(layer.convolution.program(given))
        expected = layer.convolution.outputs(run.results)
        assert np.array_equal(FaultyConvolution(layer.convolution, faults).outputs(given), expected)
        right = Engine(machine).run(layer.convolution.program(given)).results
        wrong += int((right != run.results).sum())
        values = layer_outputs(layer, run.results)
    assert wrong > 1000


def test_a_memory_without_faults_gives_the_convolution() -> None:
    machine = load_machine("tiny")
    weights = np.random.default_rng(5).integers(0, 4, (5, 3, 2, 2))
    inputs = np.random.default_rng(6).integers(0, 8, (2, 3, 4, 4))
    convolution = Convolution(machine, weights, (3, 4, 4), w=Operand(bits=2), i=Operand(bits=3))
    run = Engine(machine).run(convolution.program(inputs))
    outputs = FaultyConvolution(convolution, FaultMap.none(machine)).outputs(inputs)
    assert np.array_equal(outputs, convolution.outputs(run.results))


def test_a_map_of_another_machine_is_refused() -> None:
    convolution = Convolution(
        load_machine("tiny"), np.ones((1, 1, 2, 2), int), (1, 3, 3), w=Operand(bits=1), i=Operand(bits=1)
    )
    with pytest.raises(
        SpinplaneError, match="fault map of 8 sub-arrays of 512×256 does not fit machine tiny"
    ):
        FaultyConvolution(convolution, FaultMap.none(load_machine("paper8")))
