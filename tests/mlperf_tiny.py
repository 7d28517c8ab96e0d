"""Networks of MLPerf Tiny's four shapes, int8, with random weights, scales and zero points, as QDQ and as TFLite.

The shapes are those of its reference models (version 1.1): ResNet8 for CIFAR-10, a depthwise-separable CNN for 12
keywords in 49 frames of 10 coefficients, an autoencoder for 640 spectrum values, MobileNetV1 of width 0.25 for images
of 96×96.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.random_networks.description import (
    INPUT,
    Activation,
    Addition,
    Convolution,
    Core,
    Dense,
    Flattening,
    Layer,
    Network,
    Pool,
    Quantizer,
    Stage,
    Weights,
    Window,
)

RELU = Activation(operator="Relu")
RELU6 = Activation(operator="Relu6", low=0.0, high=6.0)
#: Root mean square of the sums of every layer; ReLU6 cuts some of them off.
SPREAD = 3.0


class Int8Layers:
    """Layers one after the other, all maps of signed codes of 8 bits.

    Parameters
    ----------
    seed : int
    shape : (channels, *sides) or (features,)
        Of the input.
    explicit : bool
        Pads are written as numbers, means over whole maps as such, as exporters of ONNX write them; else as TFLite's
        converter does.
    """

    def __init__(self, seed: int, shape: tuple[int, ...], *, explicit: bool) -> None:
        self._rng, self._explicit = np.random.default_rng(seed), explicit
        self._shape = shape
        self._quantizer = self._codes(1.0, zero_point=int(self._rng.integers(-128, 0)))
        self._layers = list[Layer]()

    @property
    def last(self) -> int:
        """Number of the last layer, −1 if there is none."""
        return len(self._layers) - 1

    def convolution(
        self,
        kernels: int,
        kernel: tuple[int, int] = (3, 3),
        *,
        stride: int = 1,
        depthwise: bool = False,
        activation: Activation | None = RELU,
        source: int | None = None,
    ) -> int:
        """Append a convolution whose map is as large as its input over the stride; its number is returned."""
        taken = self.last if source is None else source
        channels, *sides = self._shape_of(taken)
        window = Window(
            kernel=kernel, stride=(stride, stride), dilation=(1, 1), pads=(0, 0, 0, 0), auto_pad="SAME_UPPER"
        )
        shape = (kernels, *window.output((sides[0], sides[1])))
        if self._explicit:
            window = replace(window, pads=window.explicit_pads((sides[0], sides[1])), auto_pad="NOTSET")
        groups = channels if depthwise else 1
        weights, bias = self._weights((kernels, channels // groups, *kernel), taken)
        core = Convolution(weights=weights, bias=bias, window=window, groups=groups)
        return self._append(core, shape, activation, taken)

    def dense(self, outputs: int, activation: Activation | None = None) -> int:
        """Append a dense layer."""
        weights, bias = self._weights((outputs, self._shape_of(self.last)[0]), self.last)
        return self._append(Dense(weights=weights, bias=bias), (outputs,), activation, self.last)

    def add(self, first: int, second: int) -> int:
        """Append the sum of two maps, with a Relu."""
        return self._append(Addition(), self._shape_of(first), RELU, first, second)

    def average(self) -> int:
        """Append the mean over whole maps, which has their quantizer, and flatten it."""
        channels, *sides = self._shape_of(self.last)
        source = self._layers[self.last].quantizer
        window = Window(
            kernel=(sides[0], sides[1]), stride=(1, 1), dilation=(1, 1), pads=(0, 0, 0, 0), auto_pad="VALID"
        )
        pool = Pool(kind="average", window=None if self._explicit else window)
        self._layers.append(Layer(sources=(self.last,), core=pool, shape=(channels, 1, 1), quantizer=source))
        self._layers.append(Layer(sources=(self.last,), core=Flattening(), shape=(channels,)))
        return self.last

    def network(self, *, host: str | None = "Softmax") -> Network:
        """The network; its input are numbers of float32."""
        return Network(
            shape=self._shape,
            preparation=(),
            quantizer=self._quantizer,
            layers=tuple(self._layers),
            outputs=(self.last,),
            host=host,
        )

    def _shape_of(self, number: int) -> tuple[int, ...]:
        return self._shape if number == INPUT else self._layers[number].shape

    def _quantizer_of(self, number: int) -> Quantizer:
        found = replace(self.network(), outputs=()).quantizer_of(number)
        assert found
        return found

    def _append(
        self, core: Core, shape: tuple[int, ...], activation: Activation | None, *sources: int
    ) -> int:
        after: tuple[Stage, ...] = (activation,) if activation else ()
        if activation is RELU6:
            quantizer = self._codes(6.0, zero_point=-128)
        elif activation:
            quantizer = self._codes(self._rng.uniform(2, 3) * SPREAD, zero_point=-128)
        else:
            quantizer = self._codes(
                self._rng.uniform(4, 6) * SPREAD, zero_point=int(self._rng.integers(-30, 30))
            )
        self._layers.append(Layer(sources=sources, core=core, shape=shape, after=after, quantizer=quantizer))
        return self.last

    @staticmethod
    def _codes(reach: float, *, zero_point: int) -> Quantizer:
        """Of numbers over a range as wide as `reach`."""
        return Quantizer(bits=8, signed=True, scale=np.float32(reach / 255), zero_point=zero_point)

    def _weights(self, shape: tuple[int, ...], source: int) -> tuple[Weights, np.ndarray]:
        """Kernels with scales of their own that give sums of the usual spread, and whole biases."""
        rng, of_source = self._rng, self._quantizer_of(source)
        codes = np.clip(np.rint(rng.normal(size=shape) * 45), -127, 127).astype(np.int64)
        gains = np.sqrt((codes.reshape(len(codes), -1) ** 2).sum(axis=1)) + 1
        taken = of_source.reach / 3 if source == INPUT else SPREAD
        scale = (SPREAD / taken / gains * 2.0 ** rng.uniform(-0.5, 0.5, len(codes))).astype(np.float32)
        unit = np.float32(of_source.scale) * scale
        bias = np.rint(rng.normal(size=len(codes)) / unit).astype(np.int32)
        return Weights(codes=codes, quantizer=Quantizer(bits=8, signed=True, scale=scale)), bias


def resnet8(seed: int, *, explicit: bool) -> Network:
    """Image classification: three blocks with additions on 32×32×3."""
    net = Int8Layers(seed, (3, 32, 32), explicit=explicit)
    block = net.convolution(16)
    for kernels, stride in ((16, 1), (32, 2), (64, 2)):
        net.convolution(kernels, stride=stride, source=block)
        own = net.convolution(kernels, activation=None)
        if stride > 1:
            block = net.convolution(kernels, (1, 1), stride=stride, activation=None, source=block)
        block = net.add(block, own)
    net.average()
    net.dense(10)
    return net.network()


def ds_cnn(seed: int, *, explicit: bool) -> Network:
    """Keyword spotting: a kernel of 10×4, and four depthwise-separable blocks of 64 channels on 49×10×1."""
    net = Int8Layers(seed, (1, 49, 10), explicit=explicit)
    net.convolution(64, (10, 4), stride=2)
    for _ in range(4):
        net.convolution(64, depthwise=True)
        net.convolution(64, (1, 1))
    net.average()
    net.dense(12)
    return net.network()


def autoencoder(seed: int, *, explicit: bool) -> Network:
    """Anomaly detection: ten dense layers."""
    net = Int8Layers(seed, (640,), explicit=explicit)
    for outputs in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        net.dense(outputs, RELU)
    net.dense(640)
    return net.network(host=None)


def mobilenet(seed: int, *, explicit: bool) -> Network:
    """Visual wake words: MobileNetV1 of width 0.25 on 96×96×3, with ReLU6."""
    net = Int8Layers(seed, (3, 96, 96), explicit=explicit)
    net.convolution(8, stride=2, activation=RELU6)
    for kernels, stride in (
        (16, 1),
        (32, 2),
        (32, 1),
        (64, 2),
        (64, 1),
        (128, 2),
        *[(128, 1)] * 5,
        (256, 2),
        (256, 1),
    ):
        channels = net.network().layers[-1].shape[0]
        net.convolution(channels, stride=stride, depthwise=True, activation=RELU6)
        net.convolution(kernels, (1, 1), activation=RELU6)
    net.average()
    net.dense(2)
    return net.network()


NETWORKS: dict[str, Callable[..., Network]] = {
    "resnet8": resnet8,
    "ds-cnn": ds_cnn,
    "autoencoder": autoencoder,
    "mobilenet": mobilenet,
}
