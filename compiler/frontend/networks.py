"""Networks from the literature by name, as plain data for training, compiling and counting."""

from dataclasses import dataclass, replace
from typing import Literal

from spinplane.machine import SpinplaneError
from spinplane.machine.choices import one_of
from spinplane.machine.errors import shown

Activation = Literal["clip", "abs"]
PoolKind = Literal["average", "max"]


@dataclass(frozen=True, kw_only=True)
class BitWidths:
    """A configuration W:I:G of bits of weights, inputs (activations) and gradients; 32 is unquantized.

    Parameters
    ----------
    weight, activation : int
        1 to 8, or 32.
    gradient : int
        1 to 16, or 32.

    Raises
    ------
    SpinplaneError
        If a width is not allowed.
    """

    weight: int
    activation: int
    gradient: int = 8

    def __post_init__(self) -> None:
        for name, most in (("weight", 8), ("activation", 8), ("gradient", 16)):
            bits = getattr(self, name)
            if bits != 32 and not 1 <= bits <= most:
                raise SpinplaneError(
                    f"{name} bits = {bits!r}: must be from 1 to {most}, or 32 for unquantized"
                )

    @classmethod
    def parse(cls, text: str) -> "BitWidths":
        """Read ``W:I`` or ``W:I:G``; without G, gradients have 8 bits, or 32 with 32:32.

        Raises
        ------
        SpinplaneError
            If the text is of another form, or a width is not allowed.
        """
        parts = text.split(":")
        if len(parts) not in (2, 3) or not all(p.isascii() and p.isdigit() for p in parts):
            raise SpinplaneError(f"bits {text!r}: expected W:I or W:I:G, such as 1:4 or 2:2:8")
        weight, activation, *gradient = map(int, parts)
        default = 32 if weight == activation == 32 else 8
        return cls(weight=weight, activation=activation, gradient=gradient[0] if gradient else default)

    @property
    def inference_complexity(self) -> int:
        """W × I: single-bit products of one product of the network in inference (Fig. 7)."""
        return self.weight * self.activation

    @property
    def training_complexity(self) -> int:
        """W × I + W × G: the same for forward and backward pass of training (Fig. 7)."""
        return self.weight * (self.activation + self.gradient)

    def __str__(self) -> str:
        return f"{self.weight}:{self.activation}"


#: The configurations of the paper's Fig. 7.
PAPER_CONFIGURATIONS = tuple(map(BitWidths.parse, ("32:32", "1:1", "1:2", "1:3", "1:4", "2:2")))


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Pooling over square regions.

    An average is taken of the convolution's sums, before batch-norm; a maximum after batch-norm, before the
    activation. Regions that would stick out are cut when they start inside of ``padding``.

    Parameters
    ----------
    kind : str
        ``"average"`` or ``"max"``.
    size, stride : int
        Side of a region and distance of two, in pixels.
    padding : tuple of int
        Pixels added before and after, in both directions; a maximum takes them as −∞.
    """

    kind: PoolKind
    size: int = 2
    stride: int = 2
    padding: tuple[int, int] = (0, 0)

    def output(self, side: int) -> int:
        """Side of the pooled map."""
        return (side + sum(self.padding) - self.size) // self.stride + 1


@dataclass(frozen=True, kw_only=True)
class NetworkLayer:
    """A convolution and what follows it: pooling, batch-norm, activation, dropout.

    A fully connected layer is a convolution whose kernel is as large as its input.

    Parameters
    ----------
    name : str
    channels : int
        Output channels.
    kernel, stride, padding : int
        Side of the kernel, distance of two windows, pixels of zeros on every side.
    groups : int
        Channel groups without connections between them.
    pool : Pool, optional
    edge : bool
        First or last layer: keeps the precision `Network.edge_bits` in its weights and inputs.
    bias, batch_norm, activation : bool
        Whether the layer has them.
    dropout : float
        Part of the layer's inputs that is dropped in training.
    """

    name: str
    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    pool: Pool | None = None
    edge: bool = False
    bias: bool = False
    batch_norm: bool = True
    activation: bool = True
    dropout: float = 0.0


@dataclass(frozen=True, kw_only=True)
class LayerShape:
    """Sizes of a layer inside a network; see `Network.shapes`.

    Parameters
    ----------
    layer : NetworkLayer
    inputs : tuple of int
        Channels and side of the input.
    convolved : tuple of int
        Channels and side of the convolution's output.
    outputs : tuple of int
        Channels and side after pooling.
    """

    layer: NetworkLayer
    inputs: tuple[int, int]
    convolved: tuple[int, int]
    outputs: tuple[int, int]

    @property
    def window(self) -> int:
        """Length of one dot product."""
        return self.inputs[0] // self.layer.groups * self.layer.kernel**2

    @property
    def weights(self) -> int:
        """Weights of the layer, without bias and batch-norm."""
        return self.window * self.layer.channels

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        return self.weights * self.convolved[1] ** 2


@dataclass(frozen=True, kw_only=True)
class Network:
    """A feed-forward convolutional network.

    Parameters
    ----------
    name : str
    source : str
        Where its definition is from.
    channels, side : int
        Of the input image.
    layers : tuple of NetworkLayer
    divisor : int
        An 8-bit pixel p enters as p / divisor.
    activation : str
        ``"clip"``: min(max(x, 0), 1). ``"abs"``: min(|x|, 1).
    edge_bits : int
        Bits of weights and inputs of edge layers: 8, or 32 for unquantized.
    epsilon : float
        Added to the variance by batch-norm.

    Raises
    ------
    SpinplaneError
        If a layer does not fit its input, naming it.
    """

    name: str
    source: str
    channels: int
    side: int
    layers: tuple[NetworkLayer, ...]
    divisor: int = 255
    activation: Activation = "clip"
    edge_bits: int = 32
    epsilon: float = 1e-4

    def __post_init__(self) -> None:
        if self.edge_bits not in (8, 32):
            raise SpinplaneError(f"edge_bits = {self.edge_bits!r}: must be 8, or 32 for unquantized")
        self.shapes()

    def shapes(self) -> list[LayerShape]:
        """Sizes of every layer, in order."""
        channels, side, shapes = self.channels, self.side, []
        for layer in self.layers:
            convolved = (side + 2 * layer.padding - layer.kernel) // layer.stride + 1
            pooled = layer.pool.output(convolved) if layer.pool else convolved
            if pooled < 1 or channels % layer.groups or layer.channels % layer.groups:
                raise SpinplaneError(
                    f"network {self.name}, layer {layer.name}: an input of {channels} channels, "
                    f"{side}×{side} does not fit"
                )
            shapes.append(
                LayerShape(
                    layer=layer,
                    inputs=(channels, side),
                    convolved=(layer.channels, convolved),
                    outputs=(layer.channels, pooled),
                )
            )
            channels, side = layer.channels, pooled
        return shapes

    @property
    def classes(self) -> int:
        """Channels of the last layer."""
        return self.layers[-1].channels

    @property
    def weights(self) -> int:
        """Weights of all layers, without biases and batch-norm."""
        return sum(shape.weights for shape in self.shapes())

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        return sum(shape.macs for shape in self.shapes())


def _classifier(name: str, classes: int, kernel: int = 1) -> NetworkLayer:
    """A last layer: its sums with a bias are the logits."""
    return NetworkLayer(
        name=name,
        channels=classes,
        kernel=kernel,
        edge=True,
        bias=True,
        batch_norm=False,
        activation=False,
    )


AVERAGE = Pool(kind="average")
MAX = Pool(kind="max")

_SVHN = Network(
    name="svhn",
    source="DoReFa-Net model A (tensorpack, svhn-digit-dorefa.py) with IMCE's average pooling, and a clip",
    channels=3,
    side=40,
    divisor=256,
    layers=(
        NetworkLayer(
            name="conv0", channels=48, kernel=5, pool=AVERAGE, edge=True, bias=True, batch_norm=False
        ),
        NetworkLayer(name="conv1", channels=64, kernel=3, padding=1),
        NetworkLayer(name="conv2", channels=64, kernel=3, padding=1, pool=AVERAGE),
        NetworkLayer(name="conv3", channels=128, kernel=3),
        NetworkLayer(name="conv4", channels=128, kernel=3, padding=1),
        NetworkLayer(name="conv5", channels=128, kernel=3),
        NetworkLayer(name="conv6", channels=512, kernel=5, dropout=0.5),
        _classifier("fc", 10),
    ),
)

_SVHN_DOREFA = replace(
    _SVHN,
    name="svhn-dorefa",
    source="DoReFa-Net model A (tensorpack, svhn-digit-dorefa.py)",
    activation="abs",
    layers=tuple(replace(layer, pool=MAX) if layer.pool else layer for layer in _SVHN.layers),
)

_ALEXNET_DOREFA = Network(
    name="alexnet-dorefa",
    source="DoReFa-Net AlexNet (tensorpack, alexnet-dorefa.py)",
    channels=3,
    side=224,
    layers=(
        NetworkLayer(name="conv0", channels=96, kernel=12, stride=4, edge=True, batch_norm=False),
        NetworkLayer(
            name="conv1",
            channels=256,
            kernel=5,
            padding=2,
            groups=2,
            pool=Pool(kind="max", size=3, padding=(0, 1)),
        ),
        NetworkLayer(
            name="conv2", channels=384, kernel=3, padding=1, pool=Pool(kind="max", size=3, padding=(1, 1))
        ),
        NetworkLayer(name="conv3", channels=384, kernel=3, padding=1, groups=2),
        NetworkLayer(
            name="conv4", channels=256, kernel=3, padding=1, groups=2, pool=Pool(kind="max", size=3)
        ),
        NetworkLayer(name="fc0", channels=4096, kernel=6),
        NetworkLayer(name="fc1", channels=4096, kernel=1),
        _classifier("fct", 1000),
    ),
)

_ALEXNET_XNOR = Network(
    name="alexnet-xnor",
    source="XNOR-Net AlexNet, with DoReFa's activation",
    channels=3,
    side=224,
    layers=(
        NetworkLayer(
            name="conv1",
            channels=96,
            kernel=11,
            stride=4,
            padding=2,
            edge=True,
            pool=Pool(kind="max", size=3),
        ),
        NetworkLayer(name="conv2", channels=256, kernel=5, padding=2, pool=Pool(kind="max", size=3)),
        NetworkLayer(name="conv3", channels=384, kernel=3, padding=1),
        NetworkLayer(name="conv4", channels=384, kernel=3, padding=1),
        NetworkLayer(name="conv5", channels=256, kernel=3, padding=1, pool=Pool(kind="max", size=3)),
        NetworkLayer(name="fc6", channels=4096, kernel=6),
        NetworkLayer(name="fc7", channels=4096, kernel=1),
        _classifier("fc8", 1000),
    ),
)

_LENET = Network(
    name="lenet",
    source="LeNet as Caffe defines it, with average pooling, batch-norm and DoReFa's activation",
    channels=1,
    side=28,
    edge_bits=8,
    layers=(
        NetworkLayer(name="conv1", channels=20, kernel=5, pool=AVERAGE, edge=True),
        NetworkLayer(name="conv2", channels=50, kernel=5, pool=AVERAGE),
        NetworkLayer(name="fc1", channels=500, kernel=4),
        _classifier("fc2", 10),
    ),
)

_DIGITS = Network(
    name="digits",
    source="made for spinplane's demo",
    channels=1,
    side=28,
    edge_bits=8,
    layers=(
        NetworkLayer(name="conv0", channels=16, kernel=5, pool=AVERAGE, edge=True),
        NetworkLayer(name="conv1", channels=32, kernel=3, padding=1, pool=AVERAGE),
        NetworkLayer(name="conv2", channels=64, kernel=3, padding=1, pool=AVERAGE),
        _classifier("fc", 10, kernel=3),
    ),
)

_NETWORKS = {
    network.name: network
    for network in (_SVHN, _SVHN_DOREFA, _ALEXNET_DOREFA, _ALEXNET_XNOR, _LENET, _DIGITS)
}


def network_names() -> list[str]:
    """Names that `load_network` knows."""
    return sorted(_NETWORKS)


def load_network(network: str | Network) -> Network:
    """A network by name, or as it is.

    Raises
    ------
    SpinplaneError
        If there is no network of that name.
    """
    if isinstance(network, Network):
        return network
    if not isinstance(network, str) or network not in _NETWORKS:
        raise SpinplaneError(f"network {shown(network)} is not {one_of(str(network), network_names())}")
    return _NETWORKS[network]
