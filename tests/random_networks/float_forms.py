"""Networks as QONNX and as QDQ: operators of float32 between quantizers."""

import numpy as np
import onnx
from onnx import TensorProto

from .description import (
    INPUT,
    Addition,
    Concatenation,
    Convolution,
    Dense,
    Flattening,
    Layer,
    Network,
    Nothing,
    Pool,
    Quantizer,
    Weights,
)
from .onnx_graph import QONNX, OnnxGraph, input_info, output_info


class FloatWriter:
    """Writes a network; how numbers, weights and biases are quantized is a form's own.

    Parameters
    ----------
    network : Network
    rng : numpy.random.Generator
        Of choices that no network's meaning depends on.
    """

    def __init__(self, network: Network, rng: np.random.Generator) -> None:
        self.network, self.rng = network, rng
        self.graph = OnnxGraph(network.opset, qonnx_version=int(rng.choice([1, 2])))
        self._tensors = dict[int, str]()

    def model(self) -> onnx.ModelProto:
        network, kind = self.network, self._input()
        for number, layer in enumerate(network.layers):
            self._tensors[number] = self._layer(layer)
        outputs = []
        for at, number in enumerate(network.outputs):
            name = f"y{at}"
            self.graph.rename_output(self.graph.hosted(network.host, self._tensors[number]), name)
            outputs.append(output_info(network, network.layers[number], name, TensorProto.FLOAT))
        return self.graph.model([input_info(network, kind)], outputs)

    def quantized(self, tensor: str, quantizer: Quantizer, axes: int) -> str:
        """A tensor of (batch, channels) and further axes, as its quantizer leaves it."""
        raise NotImplementedError

    def codes_given(self, tensor: str, quantizer: Quantizer) -> tuple[str, int]:
        """Numbers of codes that the network's input takes, and the input's type."""
        raise NotImplementedError

    def weights(self, weights: Weights, *, transposed: bool) -> str:
        """Numbers of weights; transposed ones have their kernels last."""
        raise NotImplementedError

    def bias(self, bias: np.ndarray, weights: Weights, source: Quantizer) -> str:
        raise NotImplementedError

    def _input(self) -> int:
        network, graph = self.network, self.graph
        tensor, kind = "x", TensorProto.FLOAT
        if network.given == "codes":
            tensor, kind = self.codes_given(tensor, network.quantizer)
        if network.given == "uint8":
            tensor, kind = graph.node("Cast", tensor, to=TensorProto.FLOAT), TensorProto.UINT8
        if network.channels_last:
            tensor = graph.node("Transpose", tensor, perm=[0, 3, 1, 2])
        for stage in network.preparation:
            tensor = graph.stage(stage, tensor, network.shape)
        if network.given != "codes":
            tensor = self.quantized(tensor, network.quantizer, 1 + len(network.shape))
        self._tensors[INPUT] = tensor
        return kind

    def _layer(self, layer: Layer) -> str:
        tensor, shape = self._core(layer), layer.shape
        # A pool after the sums changes their sides; only the channels matter before it.
        for stage in layer.after:
            tensor = self.graph.stage(stage, self._neutral(tensor), shape)
        return self.quantized(tensor, layer.quantizer, 1 + len(shape)) if layer.quantizer else tensor

    def _neutral(self, tensor: str) -> str:
        """Behind an operator that changes nothing, at times."""
        if self.rng.random() < 0.95:
            return tensor
        return self.graph.node(str(self.rng.choice(["Identity", "Dropout"])), tensor)

    def _core(self, layer: Layer) -> str:
        graph, network = self.graph, self.network
        tensors = [self._tensors[number] for number in layer.sources]
        match layer.core:
            case Convolution() as core:
                return self._convolution(core, tensors[0], network.quantizer_of(layer.sources[0]))
            case Dense() as core:
                return self._dense(core, tensors[0], network.quantizer_of(layer.sources[0]))
            case Pool() as core:
                return graph.pool(core, tensors[0], network.shape_of(layer.sources[0]))
            case Addition():
                return graph.node("Add", *tensors)
            case Concatenation():
                return graph.node("Concat", *tensors, axis=1)
            case Flattening(operator=operator):
                return graph.flattened(operator, tensors[0])
            case Nothing():
                return tensors[0]

    def _convolution(self, core: Convolution, tensor: str, source: Quantizer) -> str:
        inputs = [tensor, self.weights(core.weights, transposed=False)]
        if core.bias is not None:
            inputs.append(self.bias(core.bias, core.weights, source))
        attributes = self.graph.window(core.window)
        if core.pad_before:
            inputs[0] = self.graph.padded(tensor, core.window)
            attributes["pads"] = None
        if core.groups > 1:
            attributes["group"] = core.groups
        return self.graph.node("Conv", *inputs, **attributes)

    def _dense(self, core: Dense, tensor: str, source: Quantizer) -> str:
        graph = self.graph
        bias = self.bias(core.bias, core.weights, source) if core.bias is not None else None
        if core.operator == "MatMul":
            sums = graph.node("MatMul", tensor, self.weights(core.weights, transposed=True))
            return sums if bias is None else graph.node("Add", sums, bias)
        transposed = bool(self.rng.random() < 0.3)
        inputs = [tensor, self.weights(core.weights, transposed=transposed)]
        # Before version 11 a Gemm has a bias.
        if bias is None and graph.opset < 11:
            bias = graph.constant(np.zeros(len(core.weights.codes), dtype=np.float32))
        return graph.node("Gemm", *inputs, *([bias] if bias else []), transB=0 if transposed else 1)


class QonnxWriter(FloatWriter):
    """With Quant, IntQuant and BipolarQuant."""

    def quantized(self, tensor: str, quantizer: Quantizer, axes: int) -> str:
        if quantizer.thresholds is not None:
            return self._thresholds(tensor, quantizer, axes)
        if quantizer.truncates is not None:
            return self._truncated(tensor, quantizer)
        scale = quantizer.scale
        return self._quant(
            tensor, quantizer, scale.reshape(1, -1, *[1] * (axes - 2)) if scale.ndim else scale
        )

    def weights(self, weights: Weights, *, transposed: bool) -> str:
        quantizer = weights.quantizer
        codes, scale = weights.codes, quantizer.scale
        if scale.ndim:
            scale = scale.reshape(-1, *(1 for _ in codes.shape[1:]))
        # Numbers beside codes: no quantizer's float32 decides which code they are.
        beside = self.rng.uniform(-0.4, 0.4, codes.shape)
        numbers = (scale * (codes - quantizer.zero_point + beside)).astype(np.float32)
        if transposed:
            numbers, scale = numbers.T, scale.T
        return self._quant(self.graph.constant(numbers), quantizer, scale)

    def bias(self, bias: np.ndarray, weights: Weights, source: Quantizer) -> str:
        unit = weights.unit(source)
        numbers = self.graph.constant((bias * unit).astype(np.float32))
        if self.rng.random() < 0.6:
            return numbers
        quantizer = Quantizer(bits=24, signed=True, scale=unit, rounding="ROUND")
        return self._quant(numbers, quantizer, unit)

    def _quant(self, tensor: str, quantizer: Quantizer, scale: np.ndarray) -> str:
        graph = self.graph
        if quantizer.bits == 1 and quantizer.signed and self.rng.random() < 0.5:
            return graph.node("BipolarQuant", tensor, graph.constant(scale), domain=QONNX)
        constants = [graph.constant(np.float32(n)) for n in (quantizer.zero_point, quantizer.bits)]
        return graph.node(
            "IntQuant" if self.rng.random() < 0.2 else "Quant",
            tensor,
            graph.constant(scale),
            *constants,
            domain=QONNX,
            signed=int(quantizer.signed),
            narrow=int(quantizer.narrow),
            rounding_mode=quantizer.rounding,
        )

    def _thresholds(self, tensor: str, quantizer: Quantizer, axes: int) -> str:
        low = -quantizer.zero_point
        return self.graph.node(
            "MultiThreshold",
            tensor,
            self.graph.constant(quantizer.thresholds),
            domain=QONNX,
            out_dtype=f"INT{quantizer.bits + 1}" if low else f"UINT{quantizer.bits}",
            out_scale=float(quantizer.scale),
            out_bias=float(low * quantizer.scale),
            # Without, three axes are taken as channels-last.
            data_layout={2: "NC", 3: "NCW", 4: "NCHW"}[axes],
        )

    def _truncated(self, tensor: str, quantizer: Quantizer) -> str:
        """By the first version of Trunc, whose scale stays, or the second, to which a greater one is given."""
        graph, cut = self.graph, quantizer.truncates - quantizer.bits
        numbers = [quantizer.scale, 0, quantizer.truncates, quantizer.bits]
        attributes = {"rounding_mode": quantizer.rounding}
        if graph.qonnx_version == 2:
            numbers.insert(3, quantizer.scale)
            attributes |= {"narrow": 0, "signed": int(quantizer.signed)}
            numbers[3] = quantizer.scale * np.float32(2**cut)
        constants = [graph.constant(np.float32(number)) for number in numbers]
        return graph.node("Trunc", tensor, *constants, domain=QONNX, **attributes)


class QdqWriter(FloatWriter):
    """With QuantizeLinear and DequantizeLinear; codes of less than a type's bits are clipped between them."""

    def quantized(self, tensor: str, quantizer: Quantizer, axes: int) -> str:
        kind, graph = self._kind(quantizer), self.graph
        axis = 1 if quantizer.scale.ndim else None
        parameters = self._parameters(quantizer, kind)
        codes = graph.node("QuantizeLinear", tensor, *parameters, axis=axis)
        if quantizer.bits < (4 if kind in (TensorProto.INT4, TensorProto.UINT4) else 8):
            ends = (graph.constant(n, kind) for n in (quantizer.least, quantizer.greatest))
            codes = graph.node("Clip", codes, *ends)
        return graph.node("DequantizeLinear", codes, *parameters, axis=axis)

    def codes_given(self, tensor: str, quantizer: Quantizer) -> tuple[str, int]:
        kind = TensorProto.INT8 if quantizer.signed else TensorProto.UINT8
        return self.graph.node("DequantizeLinear", tensor, *self._parameters(quantizer, kind)), kind

    def weights(self, weights: Weights, *, transposed: bool) -> str:
        quantizer, codes = weights.quantizer, weights.codes
        kind = self._kind(quantizer)
        axis = None
        if quantizer.scale.ndim:
            axis = codes.ndim - 1 if transposed else 0
        if transposed:
            codes = codes.T
        return self.graph.node(
            "DequantizeLinear",
            self.graph.constant(codes, kind),
            *self._parameters(quantizer, kind),
            axis=axis,
        )

    def bias(self, bias: np.ndarray, weights: Weights, source: Quantizer) -> str:
        scale = weights.unit(source)
        if self.rng.random() < 0.2:
            return self.graph.constant((bias * scale).astype(np.float32))
        zeros = []
        if self.rng.random() < 0.5:
            zeros = [self.graph.constant(np.zeros(scale.shape, dtype=np.int32))]
        return self.graph.node(
            "DequantizeLinear",
            self.graph.constant(bias),
            self.graph.constant(scale),
            *zeros,
            axis=0 if scale.ndim else None,
        )

    def _kind(self, quantizer: Quantizer) -> int:
        if quantizer.bits == 4 and self.network.opset >= 21 and self.rng.random() < 0.6:
            return TensorProto.INT4 if quantizer.signed else TensorProto.UINT4
        return TensorProto.INT8 if quantizer.signed else TensorProto.UINT8

    def _parameters(self, quantizer: Quantizer, kind: int) -> tuple[str, str]:
        zero_points = np.full(quantizer.scale.shape, quantizer.zero_point)
        return self.graph.constant(quantizer.scale), self.graph.constant(zero_points, kind)
