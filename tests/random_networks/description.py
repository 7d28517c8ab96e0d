"""A quantized network free of any file format: layers of a linear or pooling core, what follows it, and a quantizer."""

from dataclasses import dataclass, field
from math import ceil

import numpy as np

#: The network's input, as a source of layers.
INPUT = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantizer:
    """Code = clip(round(x / scale + zero_point), least, greatest), and x ≈ scale · (code − zero_point).

    Parameters
    ----------
    bits : int
    signed, narrow : bool
        As QONNX means them; one signed bit is ±1.
    scale : ndarray of shape () or (channels,), float32
    zero_point : int
    rounding : str
        Of QONNX; the other forms round half to even.
    thresholds : ndarray of shape (channels or 1, 2^bits − 1), float32, optional
        The code is the number of thresholds that x reaches; `rounding` has no meaning.
    truncates : int, optional
        x are codes of so many bits and of the same scale, of which the lowest ones are cut off.
    """

    bits: int
    signed: bool
    scale: np.ndarray
    narrow: bool = False
    zero_point: int = 0
    rounding: str = "ROUND"
    thresholds: np.ndarray | None = None
    truncates: int | None = None

    @property
    def least(self) -> int:
        if self.bits == 1 and self.signed:
            return -1
        return -(2 ** (self.bits - 1)) + self.narrow if self.signed else 0

    @property
    def greatest(self) -> int:
        if self.bits == 1 and self.signed:
            return 1
        return 2 ** (self.bits - 1) - 1 if self.signed else 2**self.bits - 1 - self.narrow

    @property
    def reach(self) -> float:
        """Greatest absolute number that it gives."""
        codes = (self.least - self.zero_point, self.greatest - self.zero_point)
        return float(self.scale.max()) * max(map(abs, codes))


@dataclass(frozen=True, kw_only=True)
class Window:
    """Of a convolution or a pool over one axis or two; `pads` are those before, then those after."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    pads: tuple[int, ...]
    auto_pad: str = "NOTSET"
    ceil_mode: bool = False

    def output(self, sides: tuple[int, ...]) -> tuple[int, ...]:
        """Sides of what comes out of `sides`; an axis on which no window fits has 0."""
        return tuple(self._side(axis, side) for axis, side in enumerate(sides))

    def explicit_pads(self, sides: tuple[int, ...]) -> tuple[int, ...]:
        """The pads that `auto_pad` stands for on these sides."""
        if self.auto_pad == "NOTSET":
            return self.pads
        if self.auto_pad == "VALID":
            return (0,) * len(self.pads)
        wanted = [
            max(0, (ceil(side / stride) - 1) * stride + reach - side)
            for side, stride, reach in zip(sides, self.stride, self.reach, strict=True)
        ]
        fewer, more = [n // 2 for n in wanted], [n - n // 2 for n in wanted]
        return tuple(fewer + more if self.auto_pad == "SAME_UPPER" else more + fewer)

    @property
    def reach(self) -> tuple[int, ...]:
        """Sides of the dilated kernel."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def _side(self, axis: int, side: int) -> int:
        pads = self.explicit_pads((side,) * len(self.kernel))
        over = side + pads[axis] + pads[axis + len(self.kernel)] - self.reach[axis]
        steps = -(-over // self.stride[axis]) if self.ceil_mode else over // self.stride[axis]
        return 0 if over < 0 else steps + 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Weights:
    """Codes of shape (kernels, channels of a group, *kernel) or (outputs, inputs) with their quantizer."""

    codes: np.ndarray
    quantizer: Quantizer

    def unit(self, source: Quantizer) -> np.ndarray:
        """Scale of sums of products of codes of `source`, of shape () or (kernels,), in float32."""
        scale = source.scale
        if scale.ndim:
            # Each of its channels is taken by some kernels of its own.
            scale = np.repeat(scale, len(self.codes) // len(scale))
        return np.asarray(scale * self.quantizer.scale, dtype=np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Convolution:
    """By the operator Conv, QLinearConv or ConvInteger."""

    weights: Weights
    window: Window
    groups: int = 1
    #: Whole numbers: multiples of input scale times weight scale.
    bias: np.ndarray | None = None
    #: Zeros are written around the map by an operator of their own.
    pad_before: bool = False
    operator: str = "Conv"


@dataclass(frozen=True, kw_only=True, eq=False)
class Dense:
    """By the operator MatMul, Gemm, QLinearMatMul, QGemm or MatMulInteger."""

    weights: Weights
    bias: np.ndarray | None = None
    operator: str = "Gemm"


@dataclass(frozen=True, kw_only=True)
class Pool:
    """`kind` is "max" or "average"; without a window over the whole map, of which `mean` keeps no sides."""

    kind: str
    window: Window | None = None
    count_padding: bool = False
    mean: bool = False


@dataclass(frozen=True)
class Addition:
    """Of two sources."""


@dataclass(frozen=True)
class Concatenation:
    """Of its sources along their channels."""


@dataclass(frozen=True)
class Flattening:
    """To (batch, features), by the operator Flatten or Reshape."""

    operator: str = "Flatten"


@dataclass(frozen=True)
class Nothing:
    """The source as it is, for what follows it."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Normalization:
    scale: np.ndarray
    bias: np.ndarray
    mean: np.ndarray
    variance: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Arithmetic:
    """Mul, Add, Sub or Div with a constant, one number or one a channel."""

    operator: str
    constant: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Activation:
    """Relu, Clip (low, high), LeakyRelu and PRelu (slope, of each channel), or a function without parameters."""

    operator: str
    low: float | None = None
    high: float | None = None
    slope: np.ndarray = field(default_factory=lambda: np.float32(0))


@dataclass(frozen=True, kw_only=True)
class Border:
    """One number around a map: `pads` are those before, then those after."""

    pads: tuple[int, ...]
    number: float = 0.0


Core = Convolution | Dense | Pool | Addition | Concatenation | Flattening | Nothing
Stage = Normalization | Arithmetic | Activation | Pool | Border


@dataclass(frozen=True, kw_only=True, eq=False)
class Layer:
    """A core, stages after it and a quantizer.

    Parameters
    ----------
    sources : tuple of int
        Numbers of earlier layers; `INPUT` is the network's input.
    shape : (channels, *sides) or (features,)
        Of what it gives.
    quantizer : Quantizer, optional
        Without, numbers leave it as they are: codes stay codes, sums are sums.
    """

    sources: tuple[int, ...]
    core: Core
    shape: tuple[int, ...]
    after: tuple[Stage, ...] = ()
    quantizer: Quantizer | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """Layers, each after its sources.

    Parameters
    ----------
    shape : (channels, *sides) or (features,)
    preparation : tuple of Stage
        Of the input, before its quantizer.
    quantizer : Quantizer
        Of the input.
    outputs : tuple of int
        Layers whose numbers leave the network.
    host : str, optional
        Softmax, ArgMax or TopK after the only output.
    batch : int or str
        Of the file; a name is any number.
    opset : int
    given : str
        "float" numbers, "uint8" ones that are cast, or "codes" of the input's quantizer.
    low, high : float
        Numbers that are given, about.
    channels_last : bool
        The input's channels are its last axis.
    """

    shape: tuple[int, ...]
    preparation: tuple[Stage, ...]
    quantizer: Quantizer
    layers: tuple[Layer, ...]
    outputs: tuple[int, ...]
    host: str | None = None
    batch: int | str = 1
    opset: int = 13
    given: str = "float"
    low: float = -1.0
    high: float = 1.0
    channels_last: bool = False

    def shape_of(self, number: int) -> tuple[int, ...]:
        return self.shape if number == INPUT else self.layers[number].shape

    def quantizer_of(self, number: int) -> Quantizer | None:
        """Of the codes that a layer gives: its own, or that of the codes that it passes on."""
        if number == INPUT:
            return self.quantizer
        layer = self.layers[number]
        passes = isinstance(layer.core, Flattening | Concatenation | Nothing) or (
            isinstance(layer.core, Pool) and layer.core.kind == "max"
        )
        if layer.quantizer or not passes or layer.after:
            return layer.quantizer
        return self.quantizer_of(layer.sources[0])
