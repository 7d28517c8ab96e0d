"""Networks of the literature as integer graphs."""

import numpy as np
import pytest

from spinplane.compiler.frontend.model_zoo import build_graph
from spinplane.compiler.frontend.networks import BitWidths, load_network
from spinplane.compiler.oracle import run_graph
from spinplane.machine import SpinplaneError


@pytest.mark.parametrize("bits", ["1:1", "1:2", "1:3", "1:4", "2:2"])
@pytest.mark.parametrize("name", ["digits", "lenet", "svhn"])
def test_layers_have_the_networks_shapes_and_use_their_levels(name, bits):
    network, widths = load_network(name), BitWidths.parse(bits)
    graph = build_graph(name, widths, seed=1)
    inputs = np.random.default_rng(2).integers(0, 256, (2, *graph.input_shape))
    outputs = run_graph(graph, inputs)
    shapes = network.shapes()
    assert [o.shape[1:] for o in outputs] == [(s.outputs[0], s.outputs[1], s.outputs[1]) for s in shapes]
    for layer, following, values in zip(graph.layers[:-1], graph.layers[1:], outputs, strict=False):
        assert len(np.unique(values)) > following.i.largest // 2, layer.name
    assert [(layer.w.bits, layer.i.bits) for layer in graph.layers] == [
        (8, 8) if s.layer.edge else (widths.weight, widths.activation) for s in shapes
    ]
    assert sum(layer.weights.size for layer in graph.layers) == network.weights


def test_the_seed_decides():
    one, again, other = (build_graph("digits", BitWidths.parse("1:2"), seed=s) for s in (1, 1, 2))
    assert (one.layers[1].weights == again.layers[1].weights).all()
    assert (one.layers[1].weights != other.layers[1].weights).any()


@pytest.mark.parametrize(
    ("name", "bits", "message"),
    [
        ("svhn", "32:32", "not unquantized"),
        ("svhn-dorefa", "1:1", "not monotone"),
        ("resnet", "1:1", "is not one of"),
    ],
)
def test_what_cannot_be_built_is_refused(name, bits, message):
    with pytest.raises(SpinplaneError, match=message):
        build_graph(name, BitWidths.parse(bits))
