"""A network on a machine: one `Convolution` for each layer, one after the other through the same sub-arrays."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import Machine, SpinplaneError

from .convolution import Convolution
from .graph import Graph, Layer
from .oracle import arrange, finish


@dataclass(frozen=True, kw_only=True, eq=False)
class MappedLayer:
    """A layer and where it lies.

    Parameters
    ----------
    layer : Layer
    convolution : Convolution
    output_shape : (channels, height, width)
        After pooling.
    """

    layer: Layer
    convolution: Convolution
    output_shape: tuple[int, int, int]

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        _, height, width = self.convolution.output_shape
        return self.layer.weights.size * height * width

    @property
    def binary_operations(self) -> int:
        """Single-bit products that the layer needs for one image: M · N · MAC."""
        return self.layer.w.bits * self.layer.i.bits * self.macs

    @property
    def column_use(self) -> float:
        """Bits of a window and its repetitions ÷ columns of the rows that are sensed for it."""
        machine, layout = self.convolution.machine, self.convolution.layout
        window = int(np.prod(self.layer.weights.shape[1:]))
        return layout.slots * window / (layout.tiles * machine.columns)


def map_network(graph: Graph, machine: Machine) -> tuple[MappedLayer, ...]:
    """Map every layer of a network onto a machine.

    Raises
    ------
    SpinplaneError
        If a layer does not fit, with its name, what is missing and the parameter of the machine; or if it takes more
        than what the layer before it gives.
    """
    shape: tuple[int, int, int] = graph.input_shape
    mapped = []
    for number, layer in enumerate(graph.layers):
        if layer.residual or graph.source(number) != number - 1:
            raise SpinplaneError(
                f"layer {layer.name}: it takes more than what the layer before it gives, which the accelerator does, "
                "and layers on the engine alone do not"
            )
        if layer.flatten:
            shape = (int(np.prod(shape)), 1, 1)
        convolution = Convolution(
            machine,
            layer.weights,
            shape,
            w=layer.w,
            i=layer.i,
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
            groups=layer.groups,
            bias=layer.bias,
            name=layer.name,
        )
        sums = np.zeros((1, *convolution.output_shape), dtype=np.int64)
        shape = tuple(map(int, finish(layer, sums).shape[1:]))  # type: ignore[assignment]
        if 0 in shape:
            raise SpinplaneError(f"layer {layer.name}: pooling leaves nothing of {convolution.output_shape}")
        mapped.append(MappedLayer(layer=layer, convolution=convolution, output_shape=shape))
    return tuple(mapped)


def layer_inputs(mapped: MappedLayer, values: np.ndarray) -> np.ndarray:
    """Values as the layer's `Convolution.program` takes them."""
    return arrange(mapped.layer, values)


def layer_outputs(mapped: MappedLayer, results: np.ndarray) -> np.ndarray:
    """From what left the engine to the values that leave the layer: pooling and requantization."""
    return finish(mapped.layer, mapped.convolution.outputs(results))
