"""Random networks of TFLite: random weights, with scales that spread the codes, of every operator that is taken."""

from dataclasses import dataclass
from math import prod

import numpy as np
import tflite
from tflite_models import TfliteFile

NONE, RELU, RELU_N1_TO_1, RELU6 = range(4)
SAME, VALID = tflite.Padding.SAME, tflite.Padding.VALID
#: Versions from which on the runtime takes int8.
_VERSIONS = {
    "CONV_2D": 3,
    "DEPTHWISE_CONV_2D": 3,
    "FULLY_CONNECTED": 4,
    "RELU_N1_TO_1": 1,
    "HARD_SWISH": 1,
    "PRELU": 1,
    "PADV2": 2,
    "EXPAND_DIMS": 1,
    "RESHAPE": 1,
    "SQUEEZE": 1,
    "SPACE_TO_BATCH_ND": 2,
    "BATCH_TO_SPACE_ND": 2,
}


@dataclass(frozen=True, kw_only=True)
class Map:
    """A tensor of codes in a file that is being written."""

    index: int
    shape: tuple[int, ...]
    scale: np.float32
    zero_point: int


class Network:
    """A file that is written operator by operator.

    Parameters
    ----------
    rng : numpy.random.Generator
    dtype : {"int8", "uint8"}
        Of all maps.
    """

    def __init__(self, rng: np.random.Generator, dtype: str = "int8") -> None:
        self.rng, self.dtype = rng, dtype
        self.file = TfliteFile()
        self._low = 0 if dtype == "uint8" else -128

    def input(self, shape: tuple[int, ...], *, dtype: str | None = None) -> Map:
        """The network's input: codes, or codes of another type or float32 that a QUANTIZE follows."""
        scale, zero_point = self._scale(2.0**-6), self._zero_point()
        if dtype in (None, self.dtype):
            codes = self._map(shape, scale, zero_point)
            self.file.inputs = [codes.index]
            return codes
        if dtype == "float32":
            given = self.file.tensor("x", shape, "float32")
        else:
            middle = 128 if dtype == "uint8" else 0
            given = self.file.tensor("x", shape, dtype, scale=scale, zero_point=middle)
        self.file.inputs = [given]
        return self._append("QUANTIZE", [given], self._map(shape, scale, zero_point), "QuantizeOptions")

    def quantize(self, given: int, shape: tuple[int, ...]) -> Map:
        """A QUANTIZE of a float32 tensor."""
        made = self._map(shape, self._scale(2.0**-5), self._zero_point())
        return self._append("QUANTIZE", [given], made, "QuantizeOptions")

    def conv(
        self,
        x: Map,
        kernels: int,
        size: tuple[int, int] = (3, 3),
        *,
        stride: tuple[int, int] = (1, 1),
        dilation: tuple[int, int] = (1, 1),
        padding: int = SAME,
        activation: int = NONE,
        groups: int = 1,
        by_kernel: bool = True,
        bits: int = 8,
    ) -> Map:
        """CONV_2D."""
        shape = (kernels, *size, x.shape[3] // groups)
        weights = self._weights(shape, 0, by_kernel, bits)
        made = self._convolved(x, kernels, size, stride, dilation, padding, prod(shape[1:]), weights[1], bits)
        return self._append(
            "CONV_2D",
            [x.index, weights[0], self._bias(x, weights[1], kernels)],
            made,
            "Conv2DOptions",
            Padding=padding,
            StrideH=stride[0],
            StrideW=stride[1],
            DilationHFactor=dilation[0],
            DilationWFactor=dilation[1],
            FusedActivationFunction=activation,
        )

    def dilated(self, x: Map, kernels: int, block: tuple[int, ...]) -> Map:
        """A dilated convolution as SPACE_TO_BATCH_ND, CONV_2D and BATCH_TO_SPACE_ND.

        On a map of one side, EXPAND_DIMS and SQUEEZE stand around the CONV_2D.
        """
        sides, is_line = x.shape[1:-1], len(block) == 1
        rest = [-side % step for side, step in zip(sides, block, strict=True)]
        pads = [(step, step + more) for step, more in zip(block, rest, strict=True)]
        blocks, batch = self.file.constant("", block, "int32"), prod(block)
        small = [(side + sum(pair)) // step for side, pair, step in zip(sides, pads, block, strict=True)]
        spread = self._map((batch, *small, x.shape[-1]), x.scale, x.zero_point)
        self._append("SPACE_TO_BATCH_ND", [x.index, blocks, self.file.constant("", pads, "int32")], spread)
        if is_line:
            spread = self.move("EXPAND_DIMS", spread, (batch, 1, *small, x.shape[-1]), 1)
        made = self.conv(spread, kernels, (1, 3) if is_line else (3, 3), padding=VALID)
        self.file.tensors[made.index]["shape"][0] = batch
        if is_line:
            made = self.move("SQUEEZE", made, (batch, *made.shape[2:]), 1)
        y = self._map((1, *sides, kernels), made.scale, made.zero_point)
        crops = self.file.constant("", [(0, more) for more in rest], "int32")
        return self._append("BATCH_TO_SPACE_ND", [made.index, blocks, crops], y)

    def depthwise(
        self,
        x: Map,
        multiplier: int = 1,
        size: tuple[int, int] = (3, 3),
        *,
        stride: tuple[int, int] = (1, 1),
        padding: int = SAME,
        activation: int = NONE,
        by_kernel: bool = True,
    ) -> Map:
        """DEPTHWISE_CONV_2D."""
        kernels = multiplier * x.shape[3]
        weights = self._weights((1, *size, kernels), 3, by_kernel, 8)
        made = self._convolved(x, kernels, size, stride, (1, 1), padding, prod(size), weights[1], 8)
        return self._append(
            "DEPTHWISE_CONV_2D",
            [x.index, weights[0], self._bias(x, weights[1], kernels)],
            made,
            "DepthwiseConv2DOptions",
            Padding=padding,
            StrideH=stride[0],
            StrideW=stride[1],
            DepthMultiplier=multiplier,
            FusedActivationFunction=activation,
        )

    def dense(
        self,
        x: Map,
        kernels: int,
        *,
        activation: int = NONE,
        by_kernel: bool = False,
        bias: bool = True,
        bits: int = 8,
        places: bool = False,
    ) -> Map:
        """FULLY_CONNECTED of all elements, or of the channels at each place."""
        depth = x.shape[-1] if places else prod(x.shape)
        weights = self._weights((kernels, depth), 0, by_kernel, bits)
        shape = (*x.shape[:-1], kernels) if places else (1, kernels)
        made = self._map(shape, self._spread(x, weights[1], depth, bits), self._zero_point())
        inputs = [x.index, weights[0], *([self._bias(x, weights[1], kernels)] if bias else [])]
        version = 12 if by_kernel else None
        return self._append(
            "FULLY_CONNECTED",
            inputs,
            made,
            "FullyConnectedOptions",
            version,
            FusedActivationFunction=activation,
            KeepNumDims=places,
        )

    def add(self, a: Map, b: Map, *, activation: int = NONE, code: str = "ADD") -> Map:
        """ADD or SUB of two maps of one shape."""
        scale = np.float32((a.scale + b.scale) * self.rng.uniform(0.4, 1))
        made = self._map(a.shape, scale, self._zero_point())
        options = f"{code.title()}Options"
        return self._append(code, [a.index, b.index], made, options, FusedActivationFunction=activation)

    def with_constant(self, code: str, x: Map, *, by_channel: bool, first: bool = False) -> Map:
        """ADD, SUB or MUL of a constant, which comes `first` or second."""
        codes = self.rng.integers(0, 256, x.shape[-1] if by_channel else 1) + self._low
        scale = self._scale(float(x.scale))
        constant = self.file.constant("", codes, self.dtype, scale=scale, zero_point=self._zero_point())
        made_scale = x.scale * scale * np.float32(80) if code == "MUL" else x.scale + scale
        made = self._map(x.shape, made_scale, self._zero_point())
        inputs = [constant, x.index] if first else [x.index, constant]
        return self._append(code, inputs, made, f"{code.title()}Options")

    def concatenate(self, maps: list[Map], axis: int = 3) -> Map:
        """CONCATENATION; maps of int8 have one scale and zero point."""
        shape = list(maps[0].shape)
        shape[axis] = sum(one.shape[axis] for one in maps)
        made = self._map(tuple(shape), maps[0].scale, maps[0].zero_point)
        return self._append(
            "CONCATENATION", [one.index for one in maps], made, "ConcatenationOptions", Axis=axis
        )

    def pool(
        self,
        x: Map,
        code: str,
        size: tuple[int, int] = (2, 2),
        stride: tuple[int, int] = (2, 2),
        *,
        padding: int = VALID,
        activation: int = NONE,
    ) -> Map:
        """MAX_POOL_2D or AVERAGE_POOL_2D."""
        made = self._map(
            (1, *_output(x.shape[1:3], size, stride, (1, 1), padding), x.shape[3]), x.scale, x.zero_point
        )
        return self._append(
            code,
            [x.index],
            made,
            "Pool2DOptions",
            Padding=padding,
            StrideH=stride[0],
            StrideW=stride[1],
            FilterHeight=size[0],
            FilterWidth=size[1],
            FusedActivationFunction=activation,
        )

    def mean(self, x: Map, axes: tuple[int, ...] = (1, 2), *, keep: bool = False, code: str = "MEAN") -> Map:
        """MEAN, with another scale for the output, or REDUCE_MAX."""
        axes_of = self.file.constant("", axes, "int32")
        shape = [1 if axis in axes else side for axis, side in enumerate(x.shape)]
        kept = tuple(side for axis, side in enumerate(shape) if keep or axis not in axes)
        scale = np.float32(x.scale * self.rng.uniform(0.2, 1))
        made = self._map(kept, scale, self._zero_point())
        if code == "REDUCE_MAX":
            made = self._map(kept, x.scale, x.zero_point)
        return self._append(code, [x.index, axes_of], made, "ReducerOptions", KeepDims=keep)

    def function(self, x: Map, code: str) -> Map:
        """An activation, or QUANTIZE."""
        scale, zero_point, fields, options = self._scale(float(x.scale)), self._zero_point(), {}, ""
        inputs = [x.index]
        if code in ("LOGISTIC", "TANH"):
            scale = np.float32(1 / 256 if code == "LOGISTIC" else 1 / 128)
            zero_point = self._low + (0 if code == "LOGISTIC" else 128)
        elif code == "LEAKY_RELU":
            options, fields = "LeakyReluOptions", {"Alpha": float(self.rng.uniform(-0.2, 0.8))}
        elif code == "PRELU":
            slopes = self.rng.integers(0, 256, (1, 1, x.shape[-1])) + self._low
            inputs.append(
                self.file.constant(
                    "", slopes, self.dtype, scale=self._scale(2.0**-7), zero_point=self._zero_point()
                )
            )
        return self._append(code, inputs, self._map(x.shape, scale, zero_point), options, **fields)

    def pad(self, x: Map, pads: list[tuple[int, int]], *, by_constant: bool = False) -> Map:
        """PAD, or PADV2 by a random code."""
        inputs = [x.index, self.file.constant("", pads, "int32")]
        if by_constant:
            code = self.rng.integers(0, 256) + self._low
            inputs.append(self.file.constant("", code, self.dtype, scale=x.scale, zero_point=x.zero_point))
        shape = tuple(side + sum(pair) for side, pair in zip(x.shape, pads, strict=True))
        made = self._map(shape, x.scale, x.zero_point)
        return self._append("PADV2" if by_constant else "PAD", inputs, made)

    def reshape(self, x: Map, shape: tuple[int, ...]) -> Map:
        """RESHAPE."""
        target = self.file.constant("", shape, "int32")
        return self._append(
            "RESHAPE",
            [x.index, target],
            self._map(shape, x.scale, x.zero_point),
            "ReshapeOptions",
            NewShape=shape,
        )

    def move(self, code: str, x: Map, shape: tuple[int, ...], axis: int) -> Map:
        """SQUEEZE of an axis, or EXPAND_DIMS at an axis."""
        made = self._map(shape, x.scale, x.zero_point)
        if code == "SQUEEZE":
            return self._append(code, [x.index], made, "SqueezeOptions", SqueezeDims=(axis,))
        return self._append(code, [x.index, self.file.constant("", axis, "int32")], made)

    def transpose(self, x: Map, order: tuple[int, ...]) -> Map:
        """TRANSPOSE."""
        made = self._map(tuple(x.shape[axis] for axis in order), x.scale, x.zero_point)
        return self._append("TRANSPOSE", [x.index, self.file.constant("", order, "int32")], made)

    def finish(self, *maps: Map, dequantize: bool = False) -> TfliteFile:
        """The file with these outputs, behind a DEQUANTIZE if asked for."""
        self.file.outputs = [one.index for one in maps]
        if dequantize:
            self.file.outputs = []
            for one in maps:
                made = self.file.tensor(f"float_{one.index}", one.shape, "float32")
                self.file.operator("DEQUANTIZE", [one.index], made, "DequantizeOptions", version=2)
                self.file.outputs.append(made)
        return self.file

    def _append(
        self, code: str, inputs: list[int], made: Map, options: str = "", version: int | None = None, **fields
    ) -> Map:
        name = f"{code.lower()}_{len(self.file.operators)}"
        self.file.tensors[made.index]["name"] = name
        self.file.operator(code, inputs, made.index, options, version or _VERSIONS.get(code, 2), **fields)
        return made

    def _map(self, shape: tuple[int, ...], scale: np.float32, zero_point: int) -> Map:
        index = self.file.tensor("x", shape, self.dtype, scale=scale, zero_point=zero_point)
        return Map(index=index, shape=tuple(shape), scale=np.float32(scale), zero_point=zero_point)

    def _convolved(self, x, kernels, size, stride, dilation, padding, depth, scales, bits) -> Map:
        sides = _output(x.shape[1:3], size, stride, dilation, padding)
        return self._map((1, *sides, kernels), self._spread(x, scales, depth, bits), self._zero_point())

    def _spread(self, x: Map, scales: np.ndarray, depth: int, bits: int) -> np.float32:
        """A scale with which sums of random products reach most codes."""
        product = 60 * 2 ** (bits - 2) * np.sqrt(depth)
        return np.float32(x.scale * np.mean(scales) * product / 50 * self.rng.uniform(0.7, 1.4))

    def _weights(
        self, shape: tuple[int, ...], axis: int, by_kernel: bool, bits: int
    ) -> tuple[int, np.ndarray]:
        most = 2 ** (bits - 1) - 1
        codes = np.clip(np.rint(self.rng.normal(size=shape) * 2 ** (bits - 2)), -most, most).astype(np.int64)
        kernels = shape[axis]
        scales = np.float32(2.0 ** self.rng.uniform(-9, -7, kernels if by_kernel else 1))
        if self.dtype == "uint8":
            scales = scales[:1]
            zero_point = int(self.rng.integers(100, 156))
            codes = np.clip(codes + zero_point, 0, 255)
            index = self.file.constant("", codes, "uint8", scale=scales, zero_point=zero_point)
        else:
            index = self.file.constant("", codes, "int4" if bits == 4 else "int8", scale=scales, axis=axis)
        return index, np.broadcast_to(scales, (kernels,))

    def _bias(self, x: Map, scales: np.ndarray, kernels: int) -> int:
        bias = self.rng.integers(-8000, 8000, kernels)
        return self.file.constant("", bias, "int32", scale=x.scale * scales)

    def _scale(self, near: float) -> np.float32:
        return np.float32(near * 2.0 ** self.rng.uniform(-1, 1))

    def _zero_point(self) -> int:
        return self._low + int(self.rng.integers(0, 256))


def _output(sides, size, stride, dilation, padding) -> tuple[int, ...]:
    reach = [d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)]
    if padding == SAME:
        return tuple(-(-side // step) for side, step in zip(sides, stride, strict=True))
    return tuple((side - r) // step + 1 for side, r, step in zip(sides, reach, stride, strict=True))


FUNCTIONS = (
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "LEAKY_RELU",
    "PRELU",
    "LOGISTIC",
    "TANH",
    "HARD_SWISH",
    "QUANTIZE",
)


def random_network(seed: int) -> TfliteFile:
    """A file of three to six layers with branches, and what may stand between them."""
    rng = np.random.default_rng(seed)
    net = Network(rng, "uint8" if seed % 5 == 4 else "int8")
    side = int(rng.integers(5, 10))
    x = net.input(
        (1, side, side + int(rng.integers(-1, 2)), int(rng.integers(1, 4))),
        dtype=_draw(rng, [None, None, "float32", "uint8"]),
    )
    before = []
    for _ in range(int(rng.integers(2, 6))):
        x = _layer(net, x, before)
        before.append(x)
    ends = [x]
    if rng.random() < 0.2 and len(before) > 1:
        ends.append(before[-2])
    ending = int(rng.integers(0, 4))
    if ending == 0:
        ends[0] = net.dense(
            net.mean(x, keep=bool(rng.random() < 0.5)), 5, by_kernel=_is(rng) and net.dtype == "int8"
        )
    elif ending == 1:
        ends[0] = net.dense(
            net.reshape(x, (1, prod(x.shape))), 5, activation=_draw(rng, [NONE, RELU]), bias=_is(rng)
        )
    elif ending == 2:
        ends[0] = net.dense(x, 4)
    return net.finish(*ends, dequantize=_is(rng))


def _layer(net: Network, x: Map, before: list[Map]) -> Map:
    rng = net.rng
    kind = _draw(
        rng,
        [
            "conv",
            "conv",
            "conv",
            "depthwise",
            "pool",
            "function",
            "function",
            "add",
            "join",
            "pad",
            "constant",
        ],
    )
    activation = _draw(rng, [NONE, RELU, RELU6, RELU_N1_TO_1])
    large = min(x.shape[1:3]) >= 4
    stride = _draw(rng, [(1, 1), (1, 1), (2, 2), (1, 2)]) if large else (1, 1)
    padding = _draw(rng, [SAME, VALID]) if large else SAME
    by_kernel = net.dtype == "int8" and _is(rng)
    if kind == "depthwise":
        return net.depthwise(
            x,
            int(rng.integers(1, 3)),
            stride=stride,
            padding=padding,
            activation=activation,
            by_kernel=by_kernel,
        )
    if kind == "pool" and large:
        code = _draw(rng, ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
        size, step = _draw(rng, [((2, 2), (2, 2)), ((3, 3), (1, 1)), ((3, 2), (2, 1))])
        over = padding if code == "MAX_POOL_2D" else VALID
        return net.pool(x, code, size, step, padding=over, activation=activation)
    if kind == "function":
        codes = [code for code in FUNCTIONS if net.dtype == "int8" or code not in ("HARD_SWISH",)]
        return net.function(x, _draw(rng, codes))
    if kind == "add":
        alike = [one for one in before if one.shape == x.shape and one is not x]
        other = _draw(rng, alike) if alike else net.conv(x, x.shape[3], (1, 1), by_kernel=by_kernel)
        return net.add(x, other, activation=activation, code=_draw(rng, ["ADD", "SUB"]))
    if kind == "join":
        branch = net.conv(x, 2, (3, 3), activation=activation, by_kernel=by_kernel)
        if net.dtype == "int8":
            made = net.file.tensors[branch.index]
            made["scales"], made["zero_points"] = [float(x.scale)], [x.zero_point]
            branch = Map(index=branch.index, shape=branch.shape, scale=x.scale, zero_point=x.zero_point)
        return net.concatenate([x, branch] if _is(rng) else [branch, x])
    if kind == "pad":
        return net.pad(x, [(0, 0), (1, 0), (0, 2), (0, 0)], by_constant=_is(rng))
    if kind == "constant":
        code = _draw(rng, ["ADD", "SUB", "MUL"])
        return net.with_constant(code, x, by_channel=_is(rng), first=_is(rng))
    size = _draw(rng, [(3, 3), (1, 1), (2, 3)]) if large else (1, 1)
    dilation = (2, 1) if large and stride == (1, 1) and _is(rng) and min(x.shape[1:3]) > 4 else (1, 1)
    if large and net.dtype == "int8" and rng.random() < 0.1:
        return net.dilated(x, 2, _draw(rng, [(2, 2), (2, 1)]))
    groups = 2 if x.shape[3] % 2 == 0 and net.dtype == "int8" and rng.random() < 0.3 else 1
    bits = 4 if by_kernel and rng.random() < 0.2 else 8
    return net.conv(
        x,
        _draw(rng, [2, 4]),
        size,
        stride=stride,
        dilation=dilation,
        padding=padding,
        activation=activation,
        groups=groups,
        by_kernel=by_kernel,
        bits=bits,
    )


def _draw(rng: np.random.Generator, choices):
    return choices[int(rng.integers(len(choices)))]


def _is(rng: np.random.Generator) -> bool:
    return bool(rng.random() < 0.5)
