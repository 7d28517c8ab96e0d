"""Graphs without a file: single layers, and networks from the literature with seeded weights.

The latter are for mapping and counting, not for classifying.
"""

from itertools import pairwise
from typing import Literal

import numpy as np

from spinplane.machine import Coding, Operand, SpinplaneError

from ..graph import Graph, InputCoding, Layer, Pooling, StepFunction, unscaled_output
from ..kernel_blocks import by_kernel, kernel_blocks
from ..oracle import arrange, finish, linear
from .networks import BitWidths, LayerShape, Network, Pool, load_network

_EDGE_BITS = 8


def layer_graph(layer: Layer, input_shape: tuple[int, int, int]) -> Graph:
    """A network of one layer, which takes the values of its operand as they are and gives its own.

    Parameters
    ----------
    layer : Layer
        Without steps, the network gives its sums.
    input_shape : (channels, height, width)
    """
    nothing = np.zeros((1, *input_shape), dtype=np.int64)
    output_shape = finish(layer, linear(layer, arrange(layer, nothing))).shape
    return Graph(
        name=layer.name,
        input_shape=input_shape,
        input_coding=InputCoding(low=layer.i.smallest, high=layer.i.largest),
        layers=(layer,),
        outputs=(unscaled_output(0, output_shape),),
    )


def build_graph(network: str | Network, bits: BitWidths, *, seed: int = 0) -> Graph:
    """A network with random weights and a batch-norm that spreads the codes over all of their levels.

    First and last layers, which the literature leaves unquantized, have 8-bit weights and inputs. Weights of one
    bit are ±1, of more those of DoReFa; activations are unsigned. The thresholds of a channel are those of a batch-norm
    with a positive factor: they are equally spaced around a seeded centre.

    Parameters
    ----------
    network : str or Network
    bits : BitWidths
        Of the layers between the first and the last.
    seed : int

    Raises
    ------
    SpinplaneError
        If there is no such network, the bits are unquantized, or the activation is not monotone.
    """
    network = load_network(network)
    if bits.weight == 32 or bits.activation == 32:
        raise SpinplaneError(f"bits {bits}: the engine takes 1 to 8 bits, not unquantized layers")
    if network.activation != "clip":
        raise SpinplaneError(
            f"network {network.name}: its activation |x| is not monotone, so no list of thresholds computes it; "
            f"use one with a clip, such as svhn"
        )
    rng = np.random.default_rng(seed)
    shapes = network.shapes()
    operands = [_input_operand(shape, bits) for shape in shapes]
    layers = [
        _layer(shape, operand, operands[at + 1] if at + 1 < len(shapes) else None, bits, rng)
        for at, (shape, operand) in enumerate(zip(shapes, operands, strict=True))
    ]
    return Graph(
        name=f"{network.name} {bits}",
        input_shape=(network.channels, network.side, network.side),
        input_coding=InputCoding(low=0, high=2**_EDGE_BITS - 1),
        layers=tuple(layers),
        outputs=(unscaled_output(len(layers) - 1, (1, network.classes)),),
    )


def _input_operand(shape: LayerShape, bits: BitWidths) -> Operand:
    return Operand(bits=_EDGE_BITS if shape.layer.edge else bits.activation)


def _layer(
    shape: LayerShape, i: Operand, output: Operand | None, bits: BitWidths, rng: np.random.Generator
) -> Layer:
    layer = shape.layer
    if layer.edge:
        w = Operand(bits=_EDGE_BITS, coding=Coding.TWOS_COMPLEMENT)
    else:
        w = Operand(bits=bits.weight, coding=Coding.BIPOLAR if bits.weight == 1 else Coding.DOREFA)
    weights = _weights(shape, w, rng)
    pool = _pool(layer.pool) if layer.pool else None
    windows = layer.pool.size**2 if layer.pool and layer.pool.kind == "average" else 1
    return Layer(
        name=layer.name,
        weights=weights,
        w=w,
        i=i,
        bias=rng.integers(-64, 64, layer.channels)
        if layer.bias
        else np.zeros(layer.channels, dtype=np.int64),
        stride=(layer.stride, layer.stride),
        padding=(layer.padding,) * 4,
        groups=layer.groups,
        pool=pool,
        steps=_steps(weights, i, output, windows, rng) if output else None,
    )


def _weights(shape: LayerShape, w: Operand, rng: np.random.Generator) -> np.ndarray:
    """Weights of an operand as int16: normal ones of two's complement, else all values alike."""
    layer = shape.layer
    size = (layer.channels, shape.inputs[0] // layer.groups, layer.kernel, layer.kernel)
    weights = np.empty(size, dtype=np.int16)
    for block in kernel_blocks(weights):
        some = weights[block]
        if w.coding is Coding.TWOS_COMPLEMENT:
            drawn = np.rint(rng.normal(0, w.largest / 3, some.shape))
            some[:] = np.clip(drawn, -w.largest, w.largest)
        else:
            some[:] = w.scale * rng.integers(0, 2**w.bits, some.shape) + w.offset
    return weights


def _pool(pool: Pool) -> Pooling:
    size, stride = pool.size, pool.stride
    before, after = pool.padding
    kind: Literal["sum", "max_codes"] = "sum" if pool.kind == "average" else "max_codes"
    return Pooling(
        kind=kind,
        size=(size, size),
        stride=(stride, stride),
        padding=(before, before, after, after),
    )


def _steps(
    weights: np.ndarray, i: Operand, output: Operand, windows: int, rng: np.random.Generator
) -> StepFunction:
    """Thresholds over ±1.5 standard deviations of sums of independent, evenly spread inputs."""
    moments = [(some.sum(axis=1), np.einsum("ij,ij->i", some, some)) for some in by_kernel(weights)]
    total, squares = np.concatenate(moments, axis=1).astype(float)
    middle = i.largest / 2
    mean = total * middle * windows
    spread = np.sqrt(squares * i.largest * (i.largest + 2) / 12 * windows)
    count = 2**output.bits - 1
    at = np.linspace(-1.5, 1.5, count + 2)[1:-1]
    centre = mean + rng.normal(0, 0.2, len(mean)) * spread
    thresholds = np.ceil(centre[:, np.newaxis] + spread[:, np.newaxis] * at).astype(np.int64)
    assert all((a <= b).all() for a, b in pairwise(thresholds.T))
    return StepFunction(
        thresholds=thresholds,
        rising=np.ones(len(weights), dtype=bool),
        levels=np.arange(count + 1, dtype=np.int64),
    )
