"""Layers of groups: the functional machine gives what the oracle does, in the cycles that are predicted."""

from dataclasses import replace

import numpy as np
import pytest

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import Graph, InputCoding, Layer, unscaled_output
from spinplane.compiler.mapping import stages
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict
from spinplane.machine import Coding, Machine, Operand, load_machine
from spinplane.machine.registers import Error
from tests.grouped_networks import grouped_network
from tests.networks_on_rtl import input_codes, values_of

PAPER8, WIDE = load_machine("paper8"), load_machine("wide")
#: Two lanes, two slots: rows hold few channels, so that layers take many passes.
NARROW = replace(load_machine("tiny"), rows=256, sub_arrays=4, image_words=16384)


def check(graph: Graph, machine: Machine, inputs: np.ndarray) -> int:
    """Run a network cold and steady; returns how many of its passes are spread."""
    program, wanted = compile_graph(graph, machine), run_graph(graph, inputs)
    functional = Accelerator(machine)
    functional.load(program)
    for resident in (False, True):
        functional.write_map(program.input, input_codes(program, inputs))
        found = functional.run()
        assert found.error == Error.NONE
        assert found.counters == predict(program, resident=resident).total
        for layer, values in zip(program.layers, wanted, strict=True):
            if layer.kept:
                codes = functional.read_map(layer.output)
                np.testing.assert_array_equal(values_of(layer.output, codes), values[0])
    return sum(layer_pass.spread for layer_pass in program.passes)


@pytest.mark.parametrize(
    ("machine", "most"), [(PAPER8, 160), (WIDE, 200), (NARROW, 40)], ids=["paper8", "wide", "narrow"]
)
def test_random_networks(machine: Machine, most: int) -> None:
    networks = (grouped_network(seed, most=most) for seed in range(40))
    spread = [check(graph, machine, inputs) for graph, inputs in networks]
    assert sum(number > 0 for number in spread) >= 8


def depthwise(channels: int, side: int, **changes: object) -> tuple[Graph, np.ndarray]:
    """A depthwise layer 3×3 at 8:8, and an input."""
    rng = np.random.default_rng(channels)
    layer = Layer(
        name="depthwise",
        weights=rng.integers(-128, 128, (channels, 1, 3, 3)),
        w=Operand(bits=8, coding=Coding.TWOS_COMPLEMENT),
        i=Operand(bits=8),
        bias=rng.integers(-999, 999, channels),
        padding=(1, 1, 1, 1),
        groups=channels,
    )
    graph = Graph(
        name="depthwise",
        input_shape=(channels, side, side),
        input_coding=InputCoding(low=0, high=255),
        layers=(replace(layer, **changes),),
        outputs=(unscaled_output(0, (1, channels, side, side)),),
    )
    return graph, rng.integers(0, 256, (1, channels, side, side))


@pytest.mark.parametrize(("channels", "passes"), [(64, 1), (100, 2), (128, 2), (256, 4)])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_depthwise_layer_of_many_channels(channels: int, passes: int, stride: int) -> None:
    graph, inputs = depthwise(channels, 7, stride=(stride, stride))
    assert check(graph, PAPER8, inputs) == len(compile_graph(graph, PAPER8).passes) == passes


@pytest.mark.parametrize(("channels", "times"), [(32, 1.9), (64, 3.9), (128, 7.9), (256, 15)])
def test_as_many_times_faster_as_rows_are_fuller(
    channels: int, times: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph, _ = depthwise(channels, 16)
    spread = predict(compile_graph(graph, PAPER8), resident=True).total.cycles
    monkeypatch.setattr(stages, "lower_spread", lambda *_: None)
    dense = predict(compile_graph(graph, PAPER8), resident=True).total.cycles
    assert dense > times * spread
