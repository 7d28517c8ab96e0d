"""ONNX and QONNX models as integer graphs.

The walk goes along the chain of a model's operators, from its input. Between a linear operator and the quantizer after
it, values are real: what they are of a sum is an exact map, because the constants of a file are exact numbers, and its
inverse gives the thresholds of the sums.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from spinplane.machine import SpinplaneError

from ..graph import Graph, InputCoding, InputOperation, Layer, Output, Pooling
from ..meaning.exact_map import ExactMap, fractions
from .onnx_file.model import Model, read_model
from .onnx_file.names import quoted, shown
from .onnx_file.node import Node
from .onnx_file.operators import BIPOLAR_QUANT, ONNX, QUANT
from .onnx_file.shapes import permutation
from .onnx_file.windows import read_window
from .quantizers import Levels, bipolar, levels_of_quant
from .thresholds import exact_sums, find_steps, normalize

#: Operators between a layer's sums and its quantizer, and their product with the channels: exact numbers grow in each.
_MOST_OPERATORS, _MOST_MAPS = 64, 1 << 18

_CONSTANT_OPERATORS = {"Mul", "Div", "Add", "Sub"}
_INPUT_OPERATIONS: dict[str, Literal["multiply", "divide", "add", "subtract"]] = {
    "Mul": "multiply",
    "Div": "divide",
    "Add": "add",
    "Sub": "subtract",
}


def load_model(path: Path) -> Graph:
    """Read a model.

    Parameters
    ----------
    path : Path
        An ONNX file: a chain of Conv, MatMul, Gemm, BatchNormalization, Mul, Div, Add, Sub, Relu, Clip, AveragePool,
        MaxPool, Flatten and Reshape, quantized by QONNX's Quant and BipolarQuant.

    Raises
    ------
    SpinplaneError
        If the file is not a model, or has an operator or a number that an integer graph cannot express, naming it.
    """
    try:
        return _Walk(read_model(path), Path(path).stem).graph()
    except SpinplaneError as error:
        raise SpinplaneError(f"model {path}: {error}") from None


@dataclass
class _Open:
    """A linear layer whose requantization is not complete."""

    layer: Layer
    real: ExactMap  # from its sums, pooled where they are
    operators: int = 0  # that have changed its sums
    # Channels in which greater sums gave lesser numbers where a maximum of numbers was taken.
    falling: np.ndarray | None = None

    def closed(self) -> Layer:
        """The layer, with the maximum as one of codes if no negative factor came after it, else as one of sums."""
        if self.falling is None or self.layer.pool is None:
            return self.layer
        if self.layer.steps is not None and (self.falling == self.real.falling).all():
            return self.layer
        least = tuple(self.falling.tolist()) if self.falling.any() else ()
        return replace(self.layer, pool=replace(self.layer.pool, kind="max_sums", least=least))


class _Walk:
    def __init__(self, model: Model, name: str) -> None:
        self._model, self._name = model, name
        self._layers: list[Layer] = []
        self._open: _Open | None = None
        self._levels: Levels | None = None
        self._flatten = False
        self._channel_axis = 1  # of the tensor that the walk has reached
        self._operations: list[InputOperation] = []
        self._coding: InputCoding | None = None
        self._input_shape: tuple[int, ...] = ()

    def graph(self) -> Graph:
        inputs, outputs = self._model.inputs, self._model.outputs
        if len(inputs) != 1 or len(outputs) != 1:
            raise SpinplaneError(f"{len(inputs)} inputs and {len(outputs)} outputs: expected one of each")
        ((tensor, shape),) = inputs.items()
        if not shape:
            raise SpinplaneError(f"input {quoted(tensor)} has no fixed shape")
        self._input_shape = shape
        while tensor != outputs[0]:
            consumers = self._model.consumers(tensor)
            if len(consumers) != 1:
                raise SpinplaneError(
                    f"tensor {quoted(tensor)} has {len(consumers)} consumers: expected a chain"
                )
            self._step(consumers[0], tensor)
            tensor = consumers[0].outputs[0]
        return self._finish()

    def _finish(self) -> Graph:
        shape = self._input_shape
        if (self._open is None and self._levels is None) or self._coding is None or not self._shape_ok(shape):
            raise SpinplaneError(
                f"input of shape {shape}: expected one image, quantized before its first layer"
            )
        if self._open is None and not self._layers:
            raise SpinplaneError("has no convolution or matrix product")
        low = high = None
        if self._open is not None:
            real = self._open.real
            scale, offset = real.line.slope.astype(np.float64), real.line.offset.astype(np.float64)
            if real.has_low.any():
                low = np.where(real.has_low, real.low.offset, -np.inf).astype(np.float64)
            if real.has_high.any():
                high = np.where(real.has_high, real.high.offset, np.inf).astype(np.float64)
            self._layers.append(self._open.closed())
        else:
            assert self._levels is not None
            kernels = len(self._layers[-1].weights)
            scale, offset = np.full(kernels, self._levels.scale), np.zeros(kernels)
        inner = shape[1:]
        return Graph(
            name=self._name,
            input_shape=inner if len(inner) == 3 else (int(np.prod(inner)), 1, 1),
            input_coding=self._coding,
            layers=tuple(self._layers),
            outputs=(
                Output(
                    name=self._model.outputs[0],
                    layers=(len(self._layers) - 1,),
                    scale=scale,
                    offset=offset,
                    shape=self._model.shape(self._model.outputs[0], "output"),
                    low=low,
                    high=high,
                ),
            ),
        )

    @staticmethod
    def _shape_ok(shape: tuple[int, ...]) -> bool:
        return len(shape) >= 2 and shape[0] == 1

    def _step(self, node: Node, tensor: str) -> None:
        standard: dict[str, Callable[[Node, str], None]] = {
            "Conv": self._conv,
            "MatMul": self._matmul,
            "Gemm": self._matmul,
            "BatchNormalization": self._batch_norm,
            "Relu": self._clip,
            "Clip": self._clip,
            "AveragePool": self._pool,
            "MaxPool": self._pool,
            "Flatten": self._reshape,
            "Reshape": self._reshape,
            "Squeeze": self._reshape,
            "Identity": lambda node, tensor: None,
        }
        standard |= dict.fromkeys(_CONSTANT_OPERATORS, self._constant_operator)
        handlers = {(ONNX, name): handler for name, handler in standard.items()}
        handlers |= dict.fromkeys((QUANT, BIPOLAR_QUANT), self._quantize)
        if node.operator not in handlers:
            raise SpinplaneError(f"{node.label}: operator {shown(node.op_type)} is not supported")
        if not node.outputs[0]:
            raise SpinplaneError(f"{node.label}: its first output has no name")
        if node.inputs[0] != tensor and node.op_type not in _CONSTANT_OPERATORS:
            raise SpinplaneError(f"{node.label}: {quoted(tensor)} is not its first input")
        handlers[node.operator](node, tensor)

    # --- quantizers -------------------------------------------------------------------------------------------

    def _levels_of(self, node: Node) -> Levels:
        label, attributes = node.label, node.attributes
        parameters = [self._parameter(name, label) for name in node.inputs[1:]]
        if node.operator == BIPOLAR_QUANT:
            return bipolar(parameters[0], label)
        return levels_of_quant(
            scale=parameters[0],
            zero_point=parameters[1],
            bits=parameters[2],
            signed=attributes.flag("signed"),
            narrow=attributes.flag("narrow"),
            rounding=attributes.text("rounding_mode", "ROUND").upper(),
            name=label,
        )

    def _parameter(self, tensor: str, label: str) -> np.ndarray:
        """Scale, zero point or bits of a quantizer: numbers that float32 holds."""
        value = self._model.constant(tensor, label)
        with np.errstate(over="ignore"):
            if not value.size or not np.isfinite(value.astype(np.float32)).all():
                raise SpinplaneError(
                    f"{label}: its input {quoted(tensor)} is empty, or not all finite numbers"
                )
        return value

    def _quantize(self, node: Node, tensor: str) -> None:
        levels = self._levels_of(node)
        if np.size(levels.scale) != 1:
            raise SpinplaneError(f"{levels.name}: an activation with one scale per channel is not supported")
        if self._open is not None:
            steps = find_steps(self._open.real, levels)
            self._open.layer = replace(self._open.layer, steps=steps)
            self._layers.append(self._open.closed())
            self._open = None
        elif self._coding is None:
            self._coding = levels.input_coding(tuple(self._operations))
        else:
            self._requantize(levels)
            return
        self._levels = levels

    def _requantize(self, levels: Levels) -> None:
        """A second quantizer in a row."""
        assert self._levels is not None
        addition = levels.requantize(self._levels)
        if addition is None:
            return
        if not self._layers or self._layers[-1].addition is not None:
            raise SpinplaneError(
                f"{levels.name}: a {'third' if self._layers else 'second'} quantizer that changes "
                f"{'values' if self._layers else 'the input'} is not supported"
            )
        self._layers[-1] = replace(self._layers[-1], addition=addition)
        self._levels = levels

    # --- linear operators -------------------------------------------------------------------------------------

    def _conv(self, node: Node, tensor: str) -> None:
        name = node.label
        self._expect_channels_first(name)
        shape = self._model.shape(node.inputs[1], name)
        window = read_window(node.attributes, shape[2:], max(len(shape) - 2, 0), name)
        if len(shape) != 4 or not window.explicit:
            raise SpinplaneError(f"{name}: expected a two-dimensional convolution with explicit padding")
        weights, levels = self._weights(node.inputs[1], name, kernel_axis=0)
        self._begin(
            name,
            weights,
            levels,
            stride=window.stride,
            padding=(*window.before, *window.after),
            dilation=window.dilation,
            groups=node.attributes.integer("group", 1),
        )
        if len(node.inputs) > 2:
            self._constant_step(name, "Add", self._by_channel(node.inputs[2], name))

    def _matmul(self, node: Node, tensor: str) -> None:
        attributes, name = node.attributes, node.label
        gemm = node.op_type == "Gemm"
        factors = [attributes.number(key, 1.0) for key in ("alpha", "beta")] if gemm else []
        if node.inputs[0] != tensor or any(factor != 1 for factor in factors):
            raise SpinplaneError(f"{name}: expected activations × weights, without alpha or beta")
        if len(self._model.shape(node.inputs[1], name)) != 2 or (gemm and attributes.flag("transA", False)):
            raise SpinplaneError(f"{name}: expected a matrix of weights")
        transposed = gemm and attributes.flag("transB", False)
        weights, levels = self._weights(node.inputs[1], name, kernel_axis=0 if transposed else 1)
        by_kernel = weights if transposed else weights.T
        shape = self._model.shape(tensor, name)
        if int(np.prod(shape)) != by_kernel.shape[1]:
            raise SpinplaneError(
                f"{name}: a matrix of {by_kernel.shape[1]} inputs times a tensor of shape {shape}: flatten it first"
            )
        self._flatten, self._channel_axis = True, len(shape) - 1
        self._begin(name, by_kernel[:, :, np.newaxis, np.newaxis], levels)
        if len(node.inputs) > 2:
            bias = self._along_channels(self._reals(node.inputs[2], name), 2, name)
            self._constant_step(name, "Add", bias)

    def _weights(self, tensor: str, layer: str, kernel_axis: int) -> tuple[np.ndarray, Levels]:
        """Integer values of a layer's weights, with one scale or one for each kernel, in one dimension."""
        node, orders = self._model.producer(tensor), []
        while node is not None and node.operator == (ONNX, "Transpose"):
            orders.append(permutation(node, len(self._model.shape(node.outputs[0], layer))))
            kernel_axis = orders[-1][kernel_axis]
            node = self._model.producer(node.inputs[0])
        if node is None or node.operator not in (QUANT, BIPOLAR_QUANT):
            raise SpinplaneError(f"{layer}: its weights are not quantized by Quant or BipolarQuant")
        levels = self._levels_of(node)
        real = self._model.constant(node.inputs[0], layer)
        if not np.isfinite(real).all():
            raise SpinplaneError(f"{layer}: its weights are not all finite")
        by_kernel = [side if axis == kernel_axis else 1 for axis, side in enumerate(real.shape)]
        if np.size(levels.scale) > 1 and _with_axes(np.shape(levels.scale), real.ndim) != by_kernel:
            raise SpinplaneError(
                f"{layer}: weights of shape {real.shape} with scales of shape {np.shape(levels.scale)}: expected "
                f"one scale, or one for each kernel, of shape {tuple(by_kernel)}"
            )
        values = levels.quantize(real)
        for order in reversed(orders):
            values = values.transpose(order)
        return values, replace(levels, scale=np.reshape(levels.scale, -1))

    def _begin(self, name: str, weights: np.ndarray, w: Levels, **geometry: object) -> None:
        if self._open is not None or self._levels is None:
            raise SpinplaneError(f"{name}: its input is not quantized")
        scale = fractions(np.asarray(w.scale), len(weights)) * Fraction(float(self._levels.scale))
        layer = Layer(
            name=name,
            weights=np.ascontiguousarray(weights),
            w=w.operand,
            i=self._levels.operand,
            bias=np.zeros(len(weights), dtype=np.int64),
            flatten=self._flatten,
            **geometry,  # type: ignore[arg-type]
        )
        self._flatten = False
        self._open = _Open(layer=layer, real=exact_sums(layer, scale))

    # --- between sums and codes -------------------------------------------------------------------------------

    def _batch_norm(self, node: Node, tensor: str) -> None:
        name = node.label
        if self._open is None:
            raise SpinplaneError(f"{name}: a BatchNormalization of the input or of codes is not supported")
        self._expect_channels_first(name)
        if node.attributes.flag("training_mode", False):
            raise SpinplaneError(f"{name}: a BatchNormalization that is being trained is not supported")
        constants = [self._by_channel(n, name) for n in node.inputs[1:5]]
        self._check_finite(*constants)
        gamma, beta, mean, variance = (fractions(c, self._channels()) for c in constants)
        variance = variance + Fraction(node.attributes.number("epsilon", 1e-5))
        if not (variance > 0).all():
            raise SpinplaneError(f"{name}: its variance must be positive")
        self._become(normalize(self._open.real, gamma, beta, mean, variance))

    def _constant_operator(self, node: Node, tensor: str) -> None:
        name = node.label
        is_left = node.inputs[0] == tensor
        constant = self._reals(node.inputs[1 if is_left else 0], name)
        if not is_left and node.op_type in ("Sub", "Div"):
            raise SpinplaneError(f"{name}: a constant {node.op_type} value is not supported")
        if self._open is not None:
            rank = len(self._model.shape(tensor, name))
            self._constant_step(name, node.op_type, self._along_channels(constant, rank, name))
        elif self._coding is None and constant.size == 1:
            self._prepare_input(node.op_type, constant, name)
        else:
            raise SpinplaneError(f"{name}: {node.op_type} of quantized values is not supported")

    def _prepare_input(self, operator: str, constant: np.ndarray, name: str) -> None:
        if operator not in _INPUT_OPERATIONS:
            raise SpinplaneError(f"{name}: {operator} of the input is not supported")
        number = constant.reshape(()).astype(np.float32)
        if not np.isfinite(number):
            raise SpinplaneError(f"{name}: the input times or less its constant is not finite")
        self._operations.append(InputOperation(kind=_INPUT_OPERATIONS[operator], constant=number))

    def _expect_channels_first(self, name: str) -> None:
        if self._channel_axis != 1:
            raise SpinplaneError(
                f"{name}: its input has the channels on axis {self._channel_axis}, expected axis 1"
            )

    def _by_channel(self, tensor: str, name: str) -> np.ndarray:
        """A constant of an operator that takes it as a list with one value a channel."""
        constant, kernels = self._reals(tensor, name), self._channels()
        if constant.shape != (kernels,):
            raise SpinplaneError(
                f"{name}: a constant of shape {constant.shape}: expected {(kernels,)}, one value per channel"
            )
        return constant

    def _reals(self, tensor: str, name: str) -> np.ndarray:
        """A constant of an operator on real numbers, which takes no others."""
        constant = self._model.constant(tensor, name)
        if constant.dtype.kind != "f":
            raise SpinplaneError(
                f"{name}: its input {quoted(tensor)} is of type {constant.dtype}, expected float32"
            )
        return constant

    def _along_channels(self, constant: np.ndarray, rank: int, name: str) -> np.ndarray:
        """A constant that is spread over a tensor of `rank` axes, if it has one value, or one for each channel."""
        channels = self._channels()
        by_channel = [channels if axis == self._channel_axis else 1 for axis in range(rank)]
        if constant.size > 1 and _with_axes(constant.shape, rank) != by_channel:
            raise SpinplaneError(f"{name}: a constant of shape {constant.shape} is not one value per channel")
        return constant

    def _channels(self) -> int:
        assert self._open is not None
        return len(self._open.layer.weights)

    def _constant_step(self, name: str, operator: str, constant: np.ndarray) -> None:
        """Mul, Div, Add or Sub of a constant."""
        assert self._open is not None
        self._check_finite(constant)
        numbers, real = fractions(constant, self._channels()), self._open.real
        if operator == "Div" and (numbers == 0).any():
            raise SpinplaneError(f"{name}: a division by 0")
        steps: dict[str, Callable[[], ExactMap]] = {
            "Mul": lambda: real.times(numbers),
            "Div": lambda: real.times(1 / numbers),
            "Add": lambda: real.plus(numbers),
            "Sub": lambda: real.plus(-numbers),
        }
        self._become(steps[operator]())

    def _become(self, real: ExactMap) -> None:
        assert self._open is not None
        self._open.real = real
        self._open.operators += 1
        if self._open.operators > min(_MOST_OPERATORS, _MOST_MAPS // self._channels()):
            raise SpinplaneError(
                f"layer {self._open.layer.name}: more than {self._open.operators - 1} operators after its sums of "
                f"{self._channels()} channels"
            )

    def _check_finite(self, *constants: np.ndarray) -> None:
        assert self._open is not None
        if not all(np.isfinite(constant).all() for constant in constants):
            raise SpinplaneError(
                f"layer {self._open.layer.name}: the operators after its sums have constants that are not finite"
            )

    def _clip(self, node: Node, tensor: str) -> None:
        """Relu and Clip."""
        name = node.label
        low, high = (0.0, np.inf) if node.op_type == "Relu" else self._bounds(node, name)
        if np.isnan([low, high]).any():
            raise SpinplaneError(f"{name}: its bounds are not numbers")
        if self._open is None:
            self._check_uncut(node.op_type, name, low, high)
            return
        real = self._open.real
        for bound, clip in ((low, ExactMap.at_least), (high, ExactMap.at_most)):
            if np.isfinite(bound):
                real = clip(real, fractions(np.asarray(bound), self._channels()))
        self._become(real)

    def _bounds(self, node: Node, name: str) -> tuple[float, float]:
        """Of a Clip, whose bounds were attributes once."""
        attributes = node.attributes
        given = [attributes.number("min", -np.inf), attributes.number("max", np.inf)]
        for at, bound in enumerate(node.inputs[1:3]):
            if bound:
                value = self._reals(bound, name)
                if value.size != 1:
                    raise SpinplaneError(f"{name}: its bounds are not numbers")
                given[at] = float(value.reshape(()))
        return given[0], given[1]

    def _check_uncut(self, operator: str, name: str, low: float, high: float) -> None:
        if self._levels is None:
            raise SpinplaneError(f"{name}: a {operator} of the input is not supported")
        ends = self._levels.values[[0, -1]] * np.float64(self._levels.scale)
        if not (low <= ends[0] and ends[1] <= high):
            raise SpinplaneError(f"{name}: a {operator} that changes codes is not supported")

    def _pool(self, node: Node, tensor: str) -> None:
        name = node.label
        self._expect_channels_first(name)
        window = read_window(node.attributes, None, len(self._model.shape(tensor, name)) - 2, name)
        if len(window.kernel) != 2 or not window.explicit or set(window.dilation) != {1}:
            raise SpinplaneError(
                f"{name}: expected two-dimensional pooling in floor mode with explicit padding"
            )
        average = node.op_type == "AveragePool"
        target = self._open.layer if self._open else self._layers[-1] if self._layers else None
        if target is None or target.pool is not None:
            raise SpinplaneError(f"{name}: pooling the input, or pooling twice, is not supported")
        if average and (self._open is None or self._open.real.bounded or any(window.before + window.after)):
            raise SpinplaneError(
                f"{name}: average pooling must follow sums, without padding and before any Relu or Clip"
            )
        kind = "sum" if average else "max_sums" if self._open and not self._open.operators else "max_codes"
        pool = Pooling(
            kind=kind,  # type: ignore[arg-type]
            size=window.kernel,  # type: ignore[arg-type]
            stride=window.stride,  # type: ignore[arg-type]
            padding=(*window.before, *window.after),  # type: ignore[arg-type]
        )
        if self._open:
            self._open.layer = replace(target, pool=pool)
            if average:
                self._become(self._open.real.average(int(np.prod(window.kernel))))
            elif kind == "max_codes":
                self._open.falling = self._open.real.falling
        else:
            self._layers[-1] = replace(target, pool=pool)

    def _reshape(self, node: Node, tensor: str) -> None:
        name = node.label
        shape = self._model.shape(node.outputs[0], name)
        one_image = shape[:1] == (1,)
        is_image = len(shape) == 4 and (len(self._input_shape) == 2 or shape == self._input_shape)
        if one_image and len(shape) == 2:
            self._flatten, self._channel_axis = self._coding is not None, 1
        elif one_image and is_image and self._coding is None:
            self._input_shape = shape
        else:
            raise SpinplaneError(f"{name}: a reshape to {shape} is not supported")


def _with_axes(shape: tuple[int, ...], rank: int) -> list[int]:
    """Sides of a constant that is spread over a tensor of `rank` axes."""
    return [1] * (rank - len(shape)) + list(shape)
