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


@pytest.mark.parametrize("name", ["digits", "lenet", "svhn"])
def test_an_image_has_codes_of_eight_bits(name):
    coding = build_graph(name, BitWidths.parse("1:2")).input_coding
    assert (coding.low, coding.high) == (0, 255)


@pytest.mark.parametrize("bits", ["1:1", "1:2", "1:4"])
def test_thresholds_divide_the_sums_of_even_inputs(bits):
    """At places from -1.5 to 1.5 standard deviations, both left out, of sums whose mean is moved a little."""
    layer = build_graph("digits", BitWidths.parse(bits), seed=1).layers[0]
    weights = layer.weights.reshape(len(layer.weights), -1)
    windows = int(np.prod(layer.pool.size))
    images = np.random.default_rng(3).integers(0, 256, (4000, windows, weights.shape[1]))
    sums = images.sum(axis=1) @ weights.T
    mean, spread = sums.mean(axis=0), sums.std(axis=0)
    thresholds = layer.steps.thresholds
    places = (thresholds - mean[:, np.newaxis]) / spread[:, np.newaxis]
    count = thresholds.shape[1]
    assert (abs(places.mean(axis=1)) < 0.8).all()
    assert np.allclose(places[:, -1] - places[:, 0], 3 * (count - 1) / (count + 1), atol=0.1)


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
