"""What the paper leaves open, said once: which convolutions count, and how wide unquantized ends are."""

from dataclasses import dataclass

from spinplane.compiler.frontend.networks import BitWidths, LayerShape, Network
from spinplane.evaluation.baselines import LayerWork


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Layers that could be meant by the bit-wise convolutions of a network.

    Parameters
    ----------
    id : str
    layers : tuple of LayerShape
    """

    id: str
    layers: tuple[LayerShape, ...]

    @property
    def names(self) -> str:
        """Of the first and the last one, and how many."""
        names = [shape.layer.name for shape in self.layers]
        return f"{len(names)} layers: {', '.join(names)}"

    def ands(self, bits: BitWidths) -> int:
        """Single-bit products of an image: W · I · MAC, of a first layer as if it had these bits too."""
        return bits.inference_complexity * sum(shape.macs for shape in self.layers)


def counted_layers(network: Network) -> tuple[Counted, ...]:
    """The ways to count the bit-wise convolutions of a network.

    Parameters
    ----------
    network : Network

    Returns
    -------
    tuple of Counted
        Quantized layers with more than one window; with those of a single window, which are dense layers in other
        words; and the first set with the network's first layer.
    """
    first, *inner = network.shapes()[:-1]
    convolutions = tuple(shape for shape in inner if shape.convolved[1] > 1)
    return (
        Counted(id="convolutions", layers=convolutions),
        Counted(id="quantized", layers=tuple(inner)),
        Counted(id="with-first", layers=(first, *convolutions)),
    )


def network_works(network: Network, bits: BitWidths) -> tuple[LayerWork, ...]:
    """What the layers of a network ask of any hardware, from its shapes alone.

    Parameters
    ----------
    network : Network
    bits : BitWidths
        Of all but the first and the last layer, which have the network's own.
    """
    return tuple(_work(network, shape, bits) for shape in network.shapes())


def _work(network: Network, shape: LayerShape, bits: BitWidths) -> LayerWork:
    layer, (channels, side) = shape.layer, shape.inputs
    w, i = (network.edge_bits, network.edge_bits) if layer.edge else (bits.weight, bits.activation)
    return LayerWork(
        name=layer.name,
        quantized=not layer.edge,
        kernels=layer.channels,
        fan_in=shape.window,
        groups=layer.groups,
        windows=shape.convolved[1] ** 2,
        w_bits=w,
        i_bits=i,
        out_bits=bits.activation,
        inputs=channels * side**2,
        outputs=shape.outputs[0] * shape.outputs[1] ** 2,
        held=channels * ((layer.kernel - 1) * side + layer.kernel),
    )
