"""Residual networks of int8 as TFLite and ONNX write them: random weights, scales of each channel, ReLU6, additions."""

from dataclasses import replace
from fractions import Fraction

import numpy as np

from spinplane.compiler.graph import (
    CodeAddition,
    DoublingAddition,
    DoublingMultiply,
    FloatScale,
    Graph,
    InputCoding,
    Layer,
    Pooling,
    unscaled_output,
)
from spinplane.machine import Coding, Operand

#: Outputs of a ReLU6 have the least code for 0, others the middle one.
RELU = Operand(bits=8)
LINEAR = Operand(bits=8, coding=Coding.TWOS_COMPLEMENT)
SAME = (1, 1, 1, 1)


class Int8Network:
    """Layers one after the other.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (channels, height, width)
        Of the input, signed codes of 8 bits.
    tflite : bool
        Whether doubling multiplications scale sums, and not float32 numbers.
    """

    def __init__(self, rng: np.random.Generator, shape: tuple[int, int, int], *, tflite: bool) -> None:
        self._rng, self._shape, self._tflite = rng, shape, tflite
        self._layers = list[Layer]()
        self._operands = [LINEAR]
        self._channels = [shape[0]]

    @property
    def last(self) -> int:
        """Number of the last layer, −1 if there is none."""
        return len(self._layers) - 1

    def conv(
        self,
        kernels: int,
        size: int = 3,
        *,
        stride: int = 1,
        relu: bool = True,
        source: int | None = None,
        add: int | None = None,
        groups: int = 1,
    ) -> int:
        """Append a convolution, to whose codes those of the layer `add` are added; its number is returned."""
        rng, taken = self._rng, self.last if source is None else source
        channels, operand = self._channels[taken + 1], RELU if relu and add is None else LINEAR
        weights = np.clip(np.rint(rng.normal(size=(kernels, channels // groups, size, size)) * 40), -127, 127)
        own = RELU if relu else LINEAR
        layer = Layer(
            name=f"conv{len(self._layers)}",
            weights=weights.astype(np.int64),
            w=Operand(bits=8, coding=Coding.TWOS_COMPLEMENT),
            i=self._operands[taken + 1],
            bias=rng.integers(-20000, 20000, kernels),
            stride=(stride, stride),
            padding=SAME if size == 3 else (0, 0, 0, 0),
            groups=groups,
            inputs=(taken,),
            steps=self._steps(weights, own),
            addition=None if add is None else self._addition(add, operand),
        )
        return self._append(layer, kernels, operand)

    def average(self, side: int) -> int:
        """Append an average of codes over whole maps, whose rounding is float32's."""
        kernels = self._channels[-1]
        layer = Layer(
            name=f"average{len(self._layers)}",
            weights=np.ones((kernels, 1, 1, 1), dtype=np.int64),
            w=Operand(bits=1),
            i=self._operands[-1],
            bias=np.zeros(kernels, dtype=np.int64),
            groups=kernels,
            pool=Pooling(kind="sum", size=(side, side), stride=(side, side)),
            steps=FloatScale(
                scale=np.full(kernels, 1 / side**2, dtype=np.float32),
                low=self._operands[-1].smallest,
                high=self._operands[-1].largest,
            ),
        )
        return self._append(layer, kernels, self._operands[-1])

    def dense(self, kernels: int) -> Graph:
        """The network with a dense layer at its end, whose sums it gives."""
        channels = self._channels[-1]
        layer = Layer(
            name="dense",
            weights=self._rng.integers(-127, 128, (kernels, channels, 1, 1)),
            w=Operand(bits=8, coding=Coding.TWOS_COMPLEMENT),
            i=self._operands[-1],
            bias=self._rng.integers(-9999, 9999, kernels),
        )
        return Graph(
            name="int8",
            input_shape=self._shape,
            input_coding=InputCoding(low=-128, high=127),
            layers=(*self._layers, layer),
            outputs=(unscaled_output(len(self._layers), (1, kernels)),),
        )

    def _append(self, layer: Layer, kernels: int, operand: Operand) -> int:
        self._layers.append(replace(layer, inputs=layer.inputs or (self.last,)))
        self._operands.append(operand)
        self._channels.append(kernels)
        return self.last

    def _steps(self, weights: np.ndarray, operand: Operand) -> FloatScale | DoublingMultiply:
        """Scales that spread the codes over most sums; ReLU6 may end below the greatest code."""
        spread = 40 * np.sqrt(weights[0].size) * 60 / 2.0 ** self._rng.uniform(-1, 1, len(weights))
        high = operand.largest - int(self._rng.integers(0, 60)) if operand is RELU else operand.largest
        if not self._tflite:
            return FloatScale(scale=(64 / spread).astype(np.float32), low=operand.smallest, high=high)
        significand, exponent = np.frexp(64 / spread)
        multiplier = np.minimum(np.rint(significand * 2.0**31), 2**31 - 1).astype(np.int32)
        return DoublingMultiply(multiplier=multiplier, shift=exponent, low=operand.smallest, high=high)

    def _addition(self, source: int, operand: Operand) -> CodeAddition | DoublingAddition:
        own, residual = (float(n) for n in np.float32(2.0 ** self._rng.uniform(-2, 0.5, 2)))
        low, high = operand.smallest, operand.largest
        if not self._tflite:
            return CodeAddition(
                source=source, own_scale=Fraction(own), residual_scale=Fraction(residual), low=low, high=high
            )
        twice = 2 * max(own, residual)
        numbers = [np.frexp(scale) for scale in (own / twice, residual / twice, twice / 2**20)]
        multipliers = [min(round(float(significand) * 2**31), 2**31 - 1) for significand, _ in numbers]
        return DoublingAddition(
            source=source,
            left_shift=20,
            own_multiplier=multipliers[0],
            own_shift=int(numbers[0][1]),
            residual_multiplier=multipliers[1],
            residual_shift=int(numbers[1][1]),
            output_multiplier=multipliers[2],
            output_shift=int(numbers[2][1]),
            low=low,
            high=high,
        )


def residual_network(seed: int, shape: tuple[int, int, int], *, width: int = 16, tflite: bool) -> Graph:
    """Eight layers: two blocks with additions, the second one half as large, an average and a dense layer."""
    net = Int8Network(np.random.default_rng(seed), shape, tflite=tflite)
    stem = net.conv(width)
    net.conv(width)
    block = net.conv(width, relu=False, add=stem)
    net.conv(2 * width, stride=2, source=block)
    inner = net.last
    down = net.conv(2 * width, 1, stride=2, source=block, relu=False)
    net.conv(2 * width, source=inner, relu=False, add=down)
    net.average((shape[1] + 1) // 2)
    return net.dense(10)
