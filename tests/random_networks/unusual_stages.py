"""Stages between sums and their quantizer that few networks have, put into a random network by draws of their own."""

from dataclasses import replace

import numpy as np

from .description import (
    INPUT,
    Activation,
    Addition,
    Border,
    Convolution,
    Dense,
    Layer,
    Network,
    Pool,
    Quantizer,
    Stage,
    Weights,
    Window,
)
from .forms import Form

#: Of ONNX's HardSwish.
_SWISH_SINCE = 14


def with_unusual_stages(network: Network, form: Form, seed: int) -> Network:
    """The network with functions that fall and rise, with sums that are padded or pooled at its ends, or added up."""
    rng = np.random.default_rng([form.number, seed, 1])
    taken = {source for layer in network.layers for source in layer.sources}
    layers = []
    for number, layer in enumerate(network.layers):
        if layer.quantizer is None or not isinstance(layer.core, Convolution | Dense | Addition):
            layers.append(layer)
            continue
        if rng.random() < 0.6:
            layer = replace(layer, after=_turning(rng, layer, network.opset))
        if number not in taken and len(layer.shape) == 3:
            layer = _moved(rng, layer)
        layers.append(layer)
    network = replace(network, layers=tuple(layers))
    sources = [
        n for n in range(INPUT, len(layers)) if len(network.shape_of(n)) == 3 and _has_codes(network, n)
    ]
    return _with_two_sums(rng, network, form, int(rng.choice(sources))) if sources else network


def _has_codes(network: Network, number: int) -> bool:
    """Whether a layer gives codes of one scale, of its own quantizer."""
    quantizer = network.quantizer if number == INPUT else network.layers[number].quantizer
    return quantizer is not None and not quantizer.scale.ndim and quantizer.thresholds is None


def _with_two_sums(rng: np.random.Generator, network: Network, form: Form, source: int) -> Network:
    """The network, and the sum of two convolutions of one map as a further output."""
    given, (channels, *sides) = network.quantizer_of(source), network.shape_of(source)
    kernels, bits = int(rng.integers(1, 5)), int(min(3, max(form.weight_bits)))
    # Short numbers, so that three times one is a number of float32.
    scale = (2.0 ** rng.integers(-4, -1, kernels) * rng.choice([1, 1.25, 1.5, 1.75], kernels)).astype(
        np.float32
    )
    factor = rng.choice([0.5, 1, 2, 3], kernels).astype(np.float32) if rng.random() < 0.5 else np.float32(1)
    first = len(network.layers)
    layers, shape = [], (kernels, *sides)
    for unit in (scale, scale * factor):
        size = [int(rng.choice([1, 3])) for _ in sides]
        weights = Weights(
            codes=rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (kernels, channels, *size)),
            quantizer=Quantizer(bits=bits, signed=True, scale=unit),
        )
        window = Window(
            kernel=tuple(size),
            stride=(1,) * len(sides),
            dilation=(1,) * len(sides),
            pads=tuple(k // 2 for k in (*size, *size)),
        )
        layers.append(Layer(sources=(source,), core=Convolution(weights=weights, window=window), shape=shape))
    reach = given.reach * 2 ** (bits - 1) * float(scale.max()) * channels
    quantizer = Quantizer(bits=8, signed=True, scale=np.float32(reach * rng.uniform(0.5, 2) / 128))
    added = Layer(sources=(first, first + 1), core=Addition(), shape=shape, quantizer=quantizer)
    if rng.random() < 0.5:
        added = replace(added, after=_turning(rng, added, network.opset))
    return replace(
        network,
        layers=(*network.layers, *layers, added),
        outputs=(*network.outputs, first + 2),
        host=None,
    )


def _turning(rng: np.random.Generator, layer: Layer, opset: int) -> tuple[Stage, ...]:
    """Stages of a layer with such a function in place of another one, or after all but its pool."""
    kinds = ["LeakyRelu", "PRelu"] + ["HardSwish"] * 2 * (opset >= _SWISH_SINCE)
    operator = str(rng.choice(kinds))
    slope = rng.uniform(-1, 0.3, layer.shape[0] if operator == "PRelu" else ()) * 2.0 ** rng.integers(-3, 2)
    activation = Activation(operator=operator, slope=np.asarray(slope, dtype=np.float32))
    kept = tuple(stage for stage in layer.after if not isinstance(stage, Activation))
    pools = tuple(stage for stage in kept if isinstance(stage, Pool))
    before = tuple(stage for stage in kept if not isinstance(stage, Pool))
    if pools and pools[0].kind == "max" and rng.random() < 0.5:
        return (*before, *pools, activation)
    if any(pool.kind == "average" for pool in pools):
        return (*before, *pools, activation)
    return (*before, activation, *pools)


def _moved(rng: np.random.Generator, layer: Layer) -> Layer:
    """The layer with up to two borders and maxima at the end of its stages."""
    (channels, *sides), after = layer.shape, layer.after
    for _ in range(rng.integers(0, 3)):
        if rng.random() < 0.4:
            pads = rng.integers(0, 3, 2 * len(sides))
            number = float(np.float32(rng.choice([0.0, rng.normal()])))
            after = (*after, Border(pads=tuple(pads.tolist()), number=number))
            sides = [side + pads[at] + pads[at + len(sides)] for at, side in enumerate(sides)]
            continue
        kernel = [int(rng.integers(1, min(side, 3) + 1)) for side in sides]
        window = Window(
            kernel=tuple(kernel),
            stride=tuple(int(n) for n in rng.integers(1, 3, len(sides))),
            dilation=(1,) * len(sides),
            pads=tuple(int(rng.integers(0, size)) for size in (*kernel, *kernel)),
        )
        after = (*after, Pool(kind="max", window=window))
        sides = list(window.output(tuple(sides)))
    return replace(layer, shape=(channels, *(int(side) for side in sides)), after=after)
