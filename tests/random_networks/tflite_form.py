"""Networks as TFLite of int8: maps have their channels last, a row of numbers is a map of one line."""

from collections.abc import Sequence

import numpy as np
import tflite

from tests.tflite_models import TfliteFile

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
    Window,
)

_FUSED = {
    "Relu": tflite.ActivationFunctionType.RELU,
    "Relu6": tflite.ActivationFunctionType.RELU6,
    "ReluN1": tflite.ActivationFunctionType.RELU_N1_TO_1,
}
_OPERATORS = {
    "Relu": "RELU",
    "Relu6": "RELU6",
    "ReluN1": "RELU_N1_TO_1",
    "LeakyRelu": "LEAKY_RELU",
    "HardSwish": "HARD_SWISH",
    "Sigmoid": "LOGISTIC",
    "Tanh": "TANH",
}


class TfliteWriter:
    """Writes a network.

    Parameters
    ----------
    network : Network
    rng : numpy.random.Generator
        Of choices that no network's meaning depends on.
    """

    def __init__(self, network: Network, rng: np.random.Generator) -> None:
        self.network, self.rng = network, rng
        self.file = TfliteFile()
        self._tensors = dict[int, int]()

    def model(self) -> bytes:
        network, file = self.network, self.file
        shape = self._shape(network.shape)
        if network.given == "codes":
            self._tensors[INPUT] = self._tensor("x", shape, network.quantizer)
            file.inputs = [self._tensors[INPUT]]
        else:
            given = file.tensor("x", shape, "float32")
            codes = self._tensor("x_codes", shape, network.quantizer)
            self._tensors[INPUT] = file.operator("QUANTIZE", [given], codes, "QuantizeOptions")
            file.inputs = [given]
        for number, layer in enumerate(network.layers):
            self._tensors[number] = self._layer(number, layer)
        file.outputs = [self._output(number, at) for at, number in enumerate(network.outputs)]
        return file.to_bytes()

    @staticmethod
    def image(image: np.ndarray) -> np.ndarray:
        """An image of shape (1, channels, *sides) or (1, features) as the file takes it."""
        return np.moveaxis(image, 1, -1).reshape(TfliteWriter._shape(image.shape[1:]))

    @staticmethod
    def _shape(shape: Sequence[int]) -> tuple[int, ...]:
        """In the file: channels last, and two sides."""
        if len(shape) == 1:
            return (1, *shape)
        channels, *sides = shape
        return (1, *_two(sides, 1), channels)

    def _tensor(self, name: str, shape: Sequence[int], quantizer: Quantizer) -> int:
        return self.file.tensor(name, shape, "int8", scale=quantizer.scale, zero_point=quantizer.zero_point)

    def _output(self, number: int, at: int) -> int:
        file, network = self.file, self.network
        tensor, shape = self._tensors[number], self._shape(network.layers[number].shape)
        if network.host == "Softmax":
            given = file.tensor(f"y{at}", shape, "int8", scale=1 / 256, zero_point=-128)
            return file.operator("SOFTMAX", [tensor], given, "SoftmaxOptions", Beta=1.0)
        if network.host == "ArgMax":
            axis = file.constant(f"y{at}_axis", np.array(1), "int32")
            given = file.tensor(f"y{at}", (1,), "int64")
            return file.operator(
                "ARG_MAX", [tensor, axis], given, "ArgMaxOptions", OutputType=tflite.TensorType.INT64
            )
        if self.rng.random() < 0.3:
            given = file.tensor(f"y{at}", shape, "float32")
            return file.operator("DEQUANTIZE", [tensor], given, "DequantizeOptions")
        return tensor

    def _layer(self, number: int, layer: Layer) -> int:
        network, name = self.network, f"layer{number}"
        tensors = [self._tensors[source] for source in layer.sources]
        quantizer = network.quantizer_of(number)
        given = self._tensor(name, self._shape(layer.shape), quantizer)
        fused = _FUSED[layer.after[0].operator] if layer.after and not isinstance(layer.core, Nothing) else 0
        match layer.core:
            case Convolution() as core:
                return self._convolution(core, layer, tensors[0], given, fused)
            case Dense() as core:
                source = network.quantizer_of(layer.sources[0])
                inputs = [tensors[0], *self._constants(core, core.weights.codes, 0, source, name)]
                return self.file.operator(
                    "FULLY_CONNECTED",
                    inputs,
                    given,
                    "FullyConnectedOptions",
                    version=4,
                    FusedActivationFunction=fused,
                )
            case Pool() as core:
                return self._pool(core, layer, tensors[0], given)
            case Addition():
                return self.file.operator(
                    "ADD", tensors, given, "AddOptions", version=2, FusedActivationFunction=fused
                )
            case Concatenation():
                axis = len(self._shape(layer.shape)) - 1
                return self.file.operator(
                    "CONCATENATION", tensors, given, "ConcatenationOptions", version=2, Axis=axis
                )
            case Flattening():
                shape = self.file.constant(f"{name}_shape", np.array([1, *layer.shape]), "int32")
                return self.file.operator("RESHAPE", [tensors[0], shape], given)
            case Nothing():
                return self._alone(layer, tensors[0], given)

    def _alone(self, layer: Layer, tensor: int, given: int) -> int:
        """Another quantizer, or an activation by itself."""
        if not layer.after:
            return self.file.operator("QUANTIZE", [tensor], given, "QuantizeOptions", version=2)
        (activation,) = layer.after
        operator = _OPERATORS[activation.operator]
        if operator == "LEAKY_RELU":
            return self.file.operator(
                operator, [tensor], given, "LeakyReluOptions", version=2, Alpha=float(activation.slope)
            )
        version = 1 if operator in ("HARD_SWISH", "RELU_N1_TO_1") else 2
        return self.file.operator(operator, [tensor], given, version=version)

    def _constants(
        self, core: Convolution | Dense, codes: np.ndarray, axis: int, source: Quantizer, name: str
    ) -> list[int]:
        """Weights and bias, without which only dense layers are."""
        scale = core.weights.quantizer.scale
        weights = self.file.constant(f"{name}_weights", codes, "int8", scale=scale, axis=axis)
        if core.bias is None and isinstance(core, Dense):
            return [weights, -1] if self.rng.random() < 0.5 else [weights]
        bias = np.zeros(len(core.weights.codes)) if core.bias is None else core.bias
        unit = core.weights.unit(source)
        return [weights, self.file.constant(f"{name}_bias", bias, "int32", scale=unit)]

    def _convolution(self, core: Convolution, layer: Layer, tensor: int, given: int, fused: int) -> int:
        network, file, source = self.network, self.file, layer.sources[0]
        codes = core.weights.codes
        codes = np.moveaxis(codes.reshape(*codes.shape[:2], *_two(codes.shape[2:], 1)), 1, -1)
        if core.pad_before:
            tensor = self._padded(core.window, tensor, source, given)
        fields = {**self._window(core.window), "FusedActivationFunction": fused}
        fields |= dict(
            zip(("DilationHFactor", "DilationWFactor"), _two(core.window.dilation, 1), strict=True)
        )
        operator, options = "CONV_2D", "Conv2DOptions"
        axis, quantizer = 0, network.quantizer_of(source)
        if core.groups > 1 or (network.shape_of(source)[0] == 1 and self.rng.random() < 0.3):
            operator, options, axis = "DEPTHWISE_CONV_2D", "DepthwiseConv2DOptions", 3
            codes = np.moveaxis(codes, 0, -1).reshape(1, *codes.shape[1:3], len(codes))
            fields["DepthMultiplier"] = len(core.weights.codes) // network.shape_of(source)[0]
        inputs = [tensor, *self._constants(core, codes, axis, quantizer, f"layer{given}")]
        return file.operator(operator, inputs, given, options, version=3, **fields)

    def _padded(self, window: Window, tensor: int, source: int, given: int) -> int:
        network, file = self.network, self.file
        axes = len(window.kernel)
        before, after = _two(window.pads[:axes], 0), _two(window.pads[axes:], 0)
        pads = np.array([(0, 0), *zip(before, after, strict=True), (0, 0)])
        shape = np.array(self._shape(network.shape_of(source))) + pads.sum(axis=1)
        name = f"padded{given}"
        padded = self._tensor(name, shape, network.quantizer_of(source))
        constant = file.constant(f"{name}_pads", pads, "int32")
        return file.operator("PAD", [tensor, constant], padded, "PadOptions", version=2)

    @staticmethod
    def _window(window: Window) -> dict[str, int]:
        same = window.auto_pad == "SAME_UPPER"
        height, width = _two(window.stride, 1)
        padding = tflite.Padding.SAME if same else tflite.Padding.VALID
        return {"Padding": padding, "StrideH": height, "StrideW": width}

    def _pool(self, core: Pool, layer: Layer, tensor: int, given: int) -> int:
        file, sides = self.file, self.network.shape_of(layer.sources[0])[1:]
        if core.window is None and core.kind == "average":
            axes = file.constant(f"layer{given}_axes", np.array([1, 2]), "int32")
            return file.operator(
                "MEAN", [tensor, axes], given, "ReducerOptions", version=2, KeepDims=not core.mean
            )
        window = core.window or Window(
            kernel=sides, stride=(1,) * len(sides), dilation=(1,) * len(sides), pads=(0,) * 2 * len(sides)
        )
        height, width = _two(window.kernel, 1)
        return file.operator(
            "MAX_POOL_2D" if core.kind == "max" else "AVERAGE_POOL_2D",
            [tensor],
            given,
            "Pool2DOptions",
            version=2,
            FilterHeight=height,
            FilterWidth=width,
            **self._window(window),
        )


def _two(sides: Sequence[int], filler: int) -> tuple[int, int]:
    """One number an axis of two."""
    first, second = (filler, *sides)[-2:]
    return first, second
