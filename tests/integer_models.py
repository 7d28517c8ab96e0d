"""Random small networks of operators on codes: onnxruntime's integer operators, or quantizers around ONNX's own."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.judges.whole_products import with_whole_products

MICROSOFT = "com.microsoft"


@dataclass
class _Tensor:
    """A tensor of codes: its name, shape, type, scale and zero point."""

    name: str
    shape: tuple[int, ...]
    kind: type
    scale: np.float32
    zero: np.generic


@dataclass
class Network:
    """A network in the making.

    Parameters
    ----------
    rng : Generator
    quantizers : bool
        Whether quantizers surround ONNX's operators; else operators take codes.
    """

    rng: np.random.Generator
    quantizers: bool
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    image: tuple[str, int, tuple[int, ...]] = ("x", TensorProto.FLOAT, ())

    def constant(self, value: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(value)
        return name

    def node(self, kind: str, inputs: list[str], domain: str = "", **attributes: object) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes))
        return name

    def coding(self, tensor: _Tensor) -> list[str]:
        return [self.constant(tensor.scale), self.constant(tensor.zero)]

    def numbers(self, tensor: _Tensor) -> str:
        return self.node("DequantizeLinear", [tensor.name, *self.coding(tensor)])

    def draw(self, shape: tuple[int, ...], near: float = 0.05) -> _Tensor:
        """A tensor without a name yet."""
        kind = (np.uint8, np.int8)[self.rng.integers(2)]
        limits = np.iinfo(kind)
        zero = kind(self.rng.integers(limits.min, limits.max + 1) // 2)
        return _Tensor("", shape, kind, np.float32(near * np.exp(self.rng.normal(0, 0.4))), zero)

    def codes(self, numbers: str, tensor: _Tensor) -> _Tensor:
        tensor.name = self.node("QuantizeLinear", [numbers, *self.coding(tensor)])
        return tensor

    def begin(self, shape: tuple[int, ...]) -> _Tensor:
        found = self.draw(shape)
        if self.quantizers:
            self.image = ("x", TensorProto.FLOAT, shape)
            return self.codes("x", found)
        self.image = ("x", helper.np_dtype_to_tensor_dtype(np.dtype(found.kind)), shape)
        found.name = "x"
        return found

    def weights(self, shape: tuple[int, ...], kernel_axis: int) -> tuple[list[str], np.ndarray]:
        """Codes, scales and zero points of weights, and the scales."""
        count = shape[kernel_axis] if self.rng.random() < 0.5 else 1
        scales = (0.01 * np.exp(self.rng.normal(0, 0.5, count))).astype(np.float32)
        zeros = np.zeros(count, np.int8)
        if count == 1:
            scales, zeros = scales.reshape(()), zeros.reshape(())
        codes = self.rng.integers(-128, 128, shape).astype(np.int8)
        return [self.constant(codes), self.constant(scales), self.constant(zeros)], scales

    def convolution(self, x: _Tensor) -> _Tensor:
        rng, (_, channels, *sides) = self.rng, x.shape
        groups = int(rng.choice([1, 1, channels]))
        kernels = groups * int(rng.integers(1, 4 if groups == 1 else 2))
        window = [int(rng.integers(1, min(side, 3) + 1)) for side in sides]
        attributes = {
            "strides": [int(n) for n in rng.integers(1, 3, len(sides))],
            "pads": [int(rng.integers(0, n)) for n in window * 2],
            "group": groups,
        }
        parts, scales = self.weights((kernels, channels // groups, *window), 0)
        bias = rng.integers(-2000, 2000, kernels).astype(np.int32)
        made = self.draw((), 0.02 * (channels // groups * np.prod(window)) ** 0.5)
        if self.quantizers:
            weights = self.node("DequantizeLinear", parts, axis=0)
            own = self.constant((x.scale * np.broadcast_to(scales, kernels)).astype(np.float32))
            real = self.node("DequantizeLinear", [self.constant(bias), own], axis=0)
            self.codes(self.node("Conv", [self.numbers(x), weights, real], **attributes), made)
        else:
            made.kind, made.zero = x.kind, x.kind(made.zero.astype(np.int16) % 100)
            inputs = [x.name, *self.coding(x), *parts, *self.coding(made), self.constant(bias)]
            made.name = self.node("QLinearConv", inputs, **attributes)
        pads, strides = attributes["pads"], attributes["strides"]
        left = [
            (side + pads[at] + pads[at + len(sides)] - window[at]) // strides[at] + 1
            for at, side in enumerate(sides)
        ]
        made.shape = (1, kernels, *left)
        return made

    def addition(self, x: _Tensor) -> _Tensor:
        """Of a tensor and itself in another scale, or a convolution of it."""
        other = self.draw(x.shape)
        if self.quantizers:
            self.codes(self.numbers(x), other)
            return self.codes(
                self.node("Add", [self.numbers(x), self.numbers(other)]), self.draw(x.shape, 0.08)
            )
        other.name, other.kind, other.zero = x.name, x.kind, x.zero
        made = self.draw(x.shape, 0.08)
        made.kind, made.zero = x.kind, x.kind(made.zero.astype(np.int16) % 100)
        inputs = [x.name, *self.coding(x), other.name, *self.coding(other), *self.coding(made)]
        made.name = self.node("QLinearAdd", inputs, MICROSOFT)
        return made

    def maximum(self, x: _Tensor) -> _Tensor:
        window = [min(side, 2) for side in x.shape[2:]]
        strides = [1] * len(window)
        shape = (*x.shape[:2], *(side - n + 1 for side, n in zip(x.shape[2:], window, strict=True)))
        attributes = {"kernel_shape": window, "strides": strides}
        if self.quantizers:
            made = _Tensor("", shape, x.kind, x.scale, x.zero)
            return self.codes(self.node("MaxPool", [self.numbers(x)], **attributes), made)
        return _Tensor(self.node("MaxPool", [x.name], **attributes), shape, x.kind, x.scale, x.zero)

    def average(self, x: _Tensor) -> _Tensor:
        shape = (*x.shape[:2], *(1 for _ in x.shape[2:]))
        made = self.draw(shape)
        made.kind, made.zero = x.kind, x.kind(made.zero.astype(np.int16) % 100)
        if self.quantizers:
            return self.codes(self.node("GlobalAveragePool", [self.numbers(x)]), made)
        inputs = [x.name, *self.coding(x), *self.coding(made)]
        made.name = self.node("QLinearGlobalAveragePool", inputs, MICROSOFT, channels_last=0)
        return made

    def concatenation(self, x: _Tensor) -> _Tensor:
        """Of a tensor and a convolution of the same sides."""
        shape = (x.shape[0], 2 * x.shape[1], *x.shape[2:])
        other, made = self.draw(x.shape), self.draw(shape)
        if self.quantizers:
            self.codes(self.numbers(x), other)
            both = self.node("Concat", [self.numbers(x), self.numbers(other)], axis=1)
            return self.codes(both, made)
        made.kind, made.zero = x.kind, x.kind(made.zero.astype(np.int16) % 100)
        inputs = [*self.coding(made), x.name, *self.coding(x)]
        inputs += [x.name, self.constant(other.scale), self.constant(x.zero)]
        made.name = self.node("QLinearConcat", inputs, MICROSOFT, axis=1)
        return made

    def dense(self, x: _Tensor) -> _Tensor:
        depth, kernels = int(np.prod(x.shape)), int(self.rng.integers(1, 6))
        flat = self.node("Flatten", [x.name])
        made = self.draw((1, kernels), 0.05 * depth**0.5)
        x = _Tensor(flat, (1, depth), x.kind, x.scale, x.zero)
        parts, _ = self.weights((depth, kernels), 1)
        if self.quantizers:
            weights = self.node("DequantizeLinear", parts, axis=1)
            return self.codes(self.node("MatMul", [self.numbers(x), weights]), made)
        made.kind, made.zero = x.kind, x.kind(made.zero.astype(np.int16) % 100)
        bias = self.constant(self.rng.integers(-500, 500, kernels).astype(np.int32))
        kind = self.rng.choice(["QGemm", "QLinearMatMul"])
        inputs = [x.name, *self.coding(x), *parts, *([bias] if kind == "QGemm" else []), *self.coding(made)]
        made.name = self.node(str(kind), inputs, MICROSOFT if kind == "QGemm" else "")
        return made

    def model(self, output: _Tensor) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            "made",
            [helper.make_tensor_value_info(*self.image)],
            [helper.make_empty_tensor_value_info(output.name)],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()],
        )
        versions = [helper.make_opsetid("", 13), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=versions, ir_version=8)


def integer_model(seed: int, *, quantizers: bool) -> onnx.ModelProto:
    """One of many networks of one to four operators on codes, and a dense layer."""
    rng = np.random.default_rng(seed)
    network = Network(rng=rng, quantizers=quantizers)
    rank = int(rng.integers(1, 3))
    x = network.begin((1, int(rng.integers(1, 4)), *(int(n) for n in rng.integers(3, 7, rank))))
    steps = [network.convolution, network.addition, network.maximum, network.concatenation]
    for _ in range(int(rng.integers(1, 4))):
        x = steps[rng.integers(len(steps))](x)
    if rng.random() < 0.3:
        x = network.average(x)
    return network.model(network.dense(x) if rng.random() < 0.7 else x)


def session(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """Onnxruntime without optimization: each operator as the file has it."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        with_whole_products(model).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def image_of(model: onnx.ModelProto, rng: np.random.Generator) -> np.ndarray:
    """A random input."""
    value = model.graph.input[0].type.tensor_type
    shape = tuple(side.dim_value for side in value.shape.dim)
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(value.elem_type))
    if dtype.kind == "f":
        return rng.normal(0, rng.choice([0.5, 3, 9]), shape).astype(np.float32)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max + 1, shape).astype(dtype)


def saved(seed: int, folder: Path, *, quantizers: bool) -> onnx.ModelProto:
    """The same, written as a file and read again."""
    onnx.save(integer_model(seed, quantizers=quantizers), folder / "whole.onnx")
    return onnx.load(folder / "whole.onnx")
