"""Networks of integer operators: QLinearConv and its kin, ConvInteger and MatMulInteger, those of com.microsoft."""

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
)
from .onnx_graph import MICROSOFT, OnnxGraph, input_info, output_info


class IntegerWriter:
    """Writes a network whose tensors are codes.

    Parameters
    ----------
    network : Network
    rng : numpy.random.Generator
        Of choices that no network's meaning depends on.
    """

    def __init__(self, network: Network, rng: np.random.Generator) -> None:
        self.network, self.rng = network, rng
        self.graph = OnnxGraph(network.opset)
        self._tensors = dict[int, str]()

    def model(self) -> onnx.ModelProto:
        network, graph = self.network, self.graph
        kind = TensorProto.FLOAT
        if network.given == "codes":
            self._tensors[INPUT], kind = "x", self._kind(network.quantizer)
        else:
            tensor = "x"
            for stage in network.preparation:
                tensor = graph.stage(stage, tensor, network.shape)
            self._tensors[INPUT] = self._quantized(tensor, network.quantizer)
        for number, layer in enumerate(network.layers):
            self._tensors[number] = self._layer(layer)
        outputs = []
        for at, number in enumerate(network.outputs):
            tensor, quantizer, name = self._tensors[number], network.quantizer_of(number), f"y{at}"
            kind_out = self._kind(quantizer)
            if network.host or self.rng.random() < 0.5:
                tensor = graph.node("DequantizeLinear", tensor, *self._parameters(quantizer))
                kind_out = TensorProto.FLOAT
            graph.rename_output(graph.hosted(network.host, tensor), name)
            outputs.append(output_info(network, network.layers[number], name, kind_out))
        return graph.model([input_info(network, kind)], outputs)

    @staticmethod
    def _kind(quantizer: Quantizer) -> int:
        return TensorProto.INT8 if quantizer.signed else TensorProto.UINT8

    def _zero_point(self, quantizer: Quantizer) -> str:
        return self.graph.constant(np.asarray(quantizer.zero_point), self._kind(quantizer))

    def _parameters(self, quantizer: Quantizer) -> tuple[str, str]:
        return self.graph.constant(quantizer.scale), self._zero_point(quantizer)

    def _weight_parameters(self, quantizer: Quantizer) -> tuple[str, str]:
        zero_points = np.full(quantizer.scale.shape, quantizer.zero_point)
        return self.graph.constant(quantizer.scale), self.graph.constant(zero_points, self._kind(quantizer))

    def _quantized(self, tensor: str, quantizer: Quantizer) -> str:
        return self.graph.node("QuantizeLinear", tensor, *self._parameters(quantizer))

    def _layer(self, layer: Layer) -> str:
        graph, network = self.graph, self.network
        tensors = [self._tensors[number] for number in layer.sources]
        sources = [network.quantizer_of(number) for number in layer.sources]
        match layer.core:
            case Convolution() as core:
                return self._convolution(core, layer, tensors[0], sources[0])
            case Dense() as core:
                return self._dense(core, layer, tensors[0], sources[0])
            case Pool(kind="max", window=None):
                kernel = list(network.shape_of(layer.sources[0])[1:])
                return graph.node("MaxPool", tensors[0], kernel_shape=kernel)
            case Pool(kind="max") as core:
                return graph.pool(core, tensors[0], layer.shape)
            case Pool() as core:
                return self._average(core, layer, tensors[0], sources[0])
            case Addition():
                pairs = [(t, *self._parameters(q)) for t, q in zip(tensors, sources, strict=True)]
                inputs = [name for pair in pairs for name in pair]
                return self._owned("QLinearAdd", *inputs, *self._parameters(layer.quantizer))
            case Concatenation():
                pairs = [(t, *self._parameters(q)) for t, q in zip(tensors, sources, strict=True)]
                inputs = [name for pair in pairs for name in pair]
                return self._owned("QLinearConcat", *self._parameters(layer.quantizer), *inputs, axis=1)
            case Flattening(operator=operator):
                return graph.flattened(operator, tensors[0])
            case Nothing():
                numbers = graph.node("DequantizeLinear", tensors[0], *self._parameters(sources[0]))
                return self._quantized(numbers, layer.quantizer)

    def _owned(self, operator: str, *inputs: str, **attributes: object) -> str:
        return self.graph.node(operator, *inputs, domain=MICROSOFT, **attributes)

    def _padded(self, core: Convolution, tensor: str, source: Quantizer) -> tuple[str, dict[str, object]]:
        attributes = self.graph.window(core.window)
        if core.pad_before:
            tensor = self.graph.padded(tensor, core.window, self._zero_point(source))
            attributes["pads"] = None
        if core.groups > 1:
            attributes["group"] = core.groups
        return tensor, attributes

    def _convolution(self, core: Convolution, layer: Layer, tensor: str, source: Quantizer) -> str:
        graph, weights = self.graph, core.weights
        tensor, attributes = self._padded(core, tensor, source)
        codes = graph.constant(weights.codes, self._kind(weights.quantizer))
        if core.operator == "ConvInteger":
            zeros = (self._zero_point(source), self._zero_point(weights.quantizer))
            sums = graph.node("ConvInteger", tensor, codes, *zeros, **attributes)
            return self._scaled(sums, core, layer, source, (-1, *(1 for _ in layer.shape[1:])))
        bias = [] if core.bias is None else [graph.constant(core.bias)]
        return graph.node(
            "QLinearConv",
            tensor,
            *self._parameters(source),
            codes,
            *self._weight_parameters(weights.quantizer),
            *self._parameters(layer.quantizer),
            *bias,
            **attributes,
        )

    def _scaled(
        self, sums: str, core: Convolution | Dense, layer: Layer, source: Quantizer, shape: tuple[int, ...]
    ) -> str:
        """Whole sums as numbers, with bias and Relu, and their quantizer."""
        graph, unit = self.graph, core.weights.unit(source)
        numbers = graph.node("Cast", sums, to=TensorProto.FLOAT)
        numbers = graph.node("Mul", numbers, graph.constant(unit.reshape(shape) if unit.ndim else unit))
        if core.bias is not None:
            bias = (core.bias * unit).astype(np.float32).reshape(shape)
            numbers = graph.node("Add", numbers, graph.constant(bias))
        for stage in layer.after:
            numbers = graph.stage(stage, numbers, layer.shape)
        return self._quantized(numbers, layer.quantizer)

    def _dense(self, core: Dense, layer: Layer, tensor: str, source: Quantizer) -> str:
        graph, weights = self.graph, core.weights
        kind = self._kind(weights.quantizer)
        if core.operator == "QGemm":
            transposed = bool(self.rng.random() < 0.5)
            codes = graph.constant(weights.codes if transposed else weights.codes.T, kind)
            bias = "" if core.bias is None else graph.constant(core.bias)
            return self._owned(
                "QGemm",
                tensor,
                *self._parameters(source),
                codes,
                *self._weight_parameters(weights.quantizer),
                bias,
                *self._parameters(layer.quantizer),
                transB=int(transposed),
            )
        codes = graph.constant(weights.codes.T, kind)
        if core.operator == "MatMulInteger":
            zeros = (self._zero_point(source), self._zero_point(weights.quantizer))
            sums = graph.node("MatMulInteger", tensor, codes, *zeros)
            return self._scaled(sums, core, layer, source, (-1,))
        return graph.node(
            "QLinearMatMul",
            tensor,
            *self._parameters(source),
            codes,
            *self._weight_parameters(weights.quantizer),
            *self._parameters(layer.quantizer),
        )

    def _average(self, core: Pool, layer: Layer, tensor: str, source: Quantizer) -> str:
        parameters = (*self._parameters(source), *self._parameters(layer.quantizer))
        if core.window is None:
            found = self._owned("QLinearGlobalAveragePool", tensor, *parameters)
            return self.graph.flattened("Flatten", found) if core.mean else found
        attributes = self.graph.window(core.window, ceil_mode=core.window.ceil_mode)
        return self._owned(
            "QLinearAveragePool", tensor, *parameters, count_include_pad=int(core.count_padding), **attributes
        )
