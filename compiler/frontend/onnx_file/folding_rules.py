"""What operators make of constants.

Sums, products, quotients and roots are rounded once, as executors do. What a processor has no instruction for (powers,
exponentials, logarithms) is computed in float64 and then rounded to the file's type.
"""

from collections.abc import Callable
from math import prod

import numpy as np
import onnx

from .domains import BIPOLAR_QUANT, INT_QUANT, MICROSOFT, ONNX, QUANT, Operator
from .node import Node, Operand, Output
from .quantizer_folding import bipolar_quant, dequantize_linear, quant, quantize_linear
from .shapes import MOST_AXES, axis_of, pads_of, permutation, reduced_axes

Value = np.ndarray
#: Products that a matrix product of constants may take.
_MOST_PRODUCTS = 1 << 28


def sides_of(value: Value) -> tuple[int, ...]:
    sides = tuple(int(side) for side in value.ravel()[: MOST_AXES + 1])
    if value.dtype.kind != "i" or len(sides) > MOST_AXES or min(sides, default=0) < 0:
        raise ValueError(f"no shape of up to {MOST_AXES} sides")
    return sides


Rule = Callable[[Node, list[Value], Output], Value]


def _elementwise(operation: Callable[..., Value]) -> Rule:
    """Of operands of one type, which the result has too."""

    def rule(node: Node, values: list[Value], output: Output) -> Value:
        if any(value.dtype != values[0].dtype for value in values):
            raise TypeError("its operands differ in type")
        return np.asarray(operation(*values)).astype(values[0].dtype, copy=False)

    return rule


def _folded(operation: Callable[..., Value]) -> Rule:
    """Of any number of operands, one after the other."""

    def rule(node: Node, values: list[Value], output: Output) -> Value:
        if any(value.dtype != values[0].dtype for value in values):
            raise TypeError("its operands differ in type")
        found = values[0].copy()
        for value in values[1:]:
            found = np.asarray(operation(found, value))
        return found

    return rule


def _wide(operation: Callable[..., Value]) -> Rule:
    """Of numbers in float64, rounded to the type of the first one."""

    def rule(node: Node, values: list[Value], output: Output) -> Value:
        if values[0].dtype.kind != "f":
            raise TypeError("it is not computed of whole numbers")
        return np.asarray(operation(*(value.astype(np.float64) for value in values))).astype(values[0].dtype)

    return rule


def _compared(operation: Callable[..., Value]) -> Rule:
    return lambda node, values, output: np.asarray(operation(*values))


def _divide(left: Value, right: Value) -> Value:
    if left.dtype.kind == "f":
        return left / right
    if not right.all():
        raise ZeroDivisionError("a division by 0")
    # Whole numbers are rounded toward 0.
    quotient = np.abs(left) // np.abs(right)
    return np.where((left < 0) != (right < 0), -quotient, quotient)


def _where(node: Node, values: list[Value], output: Output) -> Value:
    condition, yes, no = values
    if condition.dtype != bool or yes.dtype != no.dtype:
        raise TypeError("a choice among numbers of two types, or by other than truth values")
    return np.where(condition, yes, no)


def _cast(node: Node, values: list[Value], output: Output) -> Value:
    kind = node.attributes.integer("to")
    # Its numbers are kept in float32, and rounded where results are.
    dtype = np.dtype(np.float32) if kind == onnx.TensorProto.BFLOAT16 else _dtype(kind)
    if dtype.kind in "iu":
        if not np.isfinite(values[0]).all():
            raise ValueError("a number that is not finite has no whole one")
        limits, whole = np.iinfo(dtype.name), np.trunc(values[0])
        if whole.size and not (limits.min <= whole.min() and whole.max() <= limits.max):
            raise ValueError(f"a number beyond {dtype}")
    return values[0].astype(dtype)


def _dtype(kind: int) -> np.dtype:
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind))
    except KeyError:
        raise ValueError(f"no type {kind}") from None
    if dtype.kind not in "biuf":
        raise TypeError(f"{dtype} is no type of numbers")
    return dtype


def _constant_of_shape(node: Node, values: list[Value], output: Output) -> Value:
    fill: Value = np.zeros(1, np.float32)
    if "value" in node.attributes:
        tensor = node.attributes.tensor("value")
        fill = onnx.numpy_helper.to_array(tensor)
        _dtype(tensor.data_type)
        if fill.size != 1:
            raise ValueError("a value of more than one element")
    return np.full(sides_of(values[0]), fill.reshape(()), fill.dtype)


def _slice(node: Node, values: list[Value], output: Output) -> Value:
    given = values[0]
    if len(values) > 1:
        starts, ends = _list(values[1]), _list(values[2])
        axes = _list(values[3]) if len(values) > 3 else tuple(range(len(starts)))
        steps = _list(values[4]) if len(values) > 4 else (1,) * len(starts)
    else:
        starts, ends = node.attributes.integers("starts"), node.attributes.integers("ends")
        axes = node.attributes.integers("axes", range(len(starts)))
        steps = (1,) * len(starts)
    index = [slice(None)] * given.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        # Counted from behind, an end before the first element is -1 in ONNX and left out in Python.
        before_first = step < 0 and end < -given.shape[axis]
        index[axis] = slice(start, None if before_first else end, step)
    return given[tuple(index)]


def _list(value: Value) -> tuple[int, ...]:
    if value.dtype.kind != "i" or value.size > MOST_AXES:
        raise ValueError(f"no list of up to {MOST_AXES} whole numbers")
    return tuple(int(number) for number in value.ravel())


def _gather(node: Node, values: list[Value], output: Output) -> Value:
    if values[1].dtype.kind != "i":
        raise TypeError("indices that are not whole numbers")
    return np.asarray(np.take(values[0], values[1], axis=axis_of(node, 0, values[0].ndim)))


def _concat(node: Node, values: list[Value], output: Output) -> Value:
    if any(value.dtype != values[0].dtype for value in values):
        raise TypeError("its operands differ in type")
    return np.concatenate(values, axis=axis_of(node, 0, values[0].ndim))


def _reshape(node: Node, values: list[Value], output: Output) -> Value:
    if output.shape is None:
        raise ValueError("its axes are not known")
    return values[0].reshape(output.shape)


def _clip(node: Node, values: list[Value], output: Output) -> Value:
    low, high = node.attributes.number("min", -np.inf), node.attributes.number("max", np.inf)
    given, *bounds = values
    if bounds:
        names = [name for name in node.inputs[1:] if name]
        if len(names) == 1 and names[0] != node.inputs[1]:
            return np.minimum(given, bounds[0])
        lowest = np.maximum(given, bounds[0])
        return np.minimum(lowest, bounds[1]) if len(bounds) > 1 else lowest
    return np.minimum(np.maximum(given, given.dtype.type(low)), given.dtype.type(high))


def _matmul(node: Node, values: list[Value], output: Output) -> Value:
    left, right = values
    if left.dtype != right.dtype or left.dtype.kind != "f" or output.shape is None:
        raise TypeError("a matrix product of whole numbers, or of two types")
    if prod(output.shape) * left.shape[-1] > _MOST_PRODUCTS:
        raise ValueError(f"more than {_MOST_PRODUCTS} products")
    return np.asarray(left @ right)


def _reduce(operation: Callable[..., Value]) -> Rule:
    def rule(node: Node, values: list[Value], output: Output) -> Value:
        operands = [
            Operand(name=name, shape=None, value=value)
            for name, value in zip(node.inputs, values, strict=False)
        ]
        axes = reduced_axes(node, operands, values[0].ndim)
        if axes is None or values[0].dtype.kind not in "if":
            raise ValueError("its axes are not known, or its numbers of another kind")
        keep = node.attributes.flag("keepdims", True)
        return np.asarray(operation(values[0], axis=axes, keepdims=keep)).astype(values[0].dtype)

    return rule


def _pad(node: Node, values: list[Value], output: Output) -> Value:
    if node.attributes.text("mode", "constant") != "constant" or output.shape is None:
        raise ValueError("only constant padding is computed")
    operands = [
        Operand(name=name, shape=None, value=value) for name, value in zip(node.inputs, values, strict=False)
    ]
    pads = pads_of(node, operands, values[0].ndim)
    if pads is None or min(map(min, pads), default=0) < 0 or len(values) < sum(map(bool, node.inputs)):
        raise ValueError("pads that are negative, or not known")
    fill = (
        values[2].reshape(()) if len(values) > 2 and node.inputs[2] else node.attributes.number("value", 0.0)
    )
    return np.pad(values[0], pads, constant_values=fill)


def _tile(node: Node, values: list[Value], output: Output) -> Value:
    if output.shape is None:
        raise ValueError("its repeats are not known")
    return np.tile(values[0], _list(values[1]))


def _range(node: Node, values: list[Value], output: Output) -> Value:
    start, end, step = (value.reshape(()).item() for value in values)
    return np.arange(start, end, step, dtype=values[0].dtype)


_BINARY: dict[str, Callable[..., Value]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": _divide,
}
_UNARY: dict[str, Callable[..., Value]] = {
    "Neg": np.negative,
    "Abs": np.abs,
    "Sign": np.sign,
    "Floor": np.floor,
    "Ceil": np.ceil,
    "Round": np.rint,
    "Sqrt": np.sqrt,
    "Reciprocal": np.reciprocal,
    "Relu": lambda x: np.maximum(x, 0),
    "Not": np.logical_not,
}
_WIDE: dict[str, Callable[..., Value]] = {"Pow": np.power, "Exp": np.exp, "Log": np.log}
_COMPARED: dict[str, Callable[..., Value]] = {
    "Equal": np.equal,
    "Greater": np.greater,
    "Less": np.less,
    "And": np.logical_and,
    "Or": np.logical_or,
}
_FOLDED: dict[str, Callable[..., Value]] = {"Min": np.minimum, "Max": np.maximum, "Sum": np.add}
_REDUCE: dict[str, Callable[..., Value]] = {
    "ReduceSum": np.sum,
    "ReduceMean": np.mean,
    "ReduceMax": np.max,
    "ReduceMin": np.min,
    "ReduceProd": np.prod,
}
VIEWS = ("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice")
_STANDARD: dict[str, Rule] = {
    **{name: _elementwise(operation) for name, operation in (_BINARY | _UNARY).items()},
    **{name: _wide(operation) for name, operation in _WIDE.items()},
    **{name: _compared(operation) for name, operation in _COMPARED.items()},
    **{name: _folded(operation) for name, operation in _FOLDED.items()},
    **{name: _reduce(operation) for name, operation in _REDUCE.items()},
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), _reshape),
    "Identity": lambda node, values, output: values[0].view(),
    "Transpose": lambda node, values, output: values[0].transpose(permutation(node, values[0].ndim)),
    "Expand": lambda node, values, output: values[0] * np.ones(sides_of(values[1]), values[0].dtype),
    "Where": _where,
    "Cast": _cast,
    "ConstantOfShape": _constant_of_shape,
    "Slice": _slice,
    "Gather": _gather,
    "Concat": _concat,
    "Range": _range,
    "Clip": _clip,
    "MatMul": _matmul,
    "Pad": _pad,
    "Tile": _tile,
}
RULES: dict[Operator, Rule] = {
    **{(ONNX, name): rule for name, rule in _STANDARD.items()},
    **dict.fromkeys([(ONNX, "QuantizeLinear"), (MICROSOFT, "QuantizeLinear")], quantize_linear),
    **dict.fromkeys([(ONNX, "DequantizeLinear"), (MICROSOFT, "DequantizeLinear")], dequantize_linear),
    **dict.fromkeys([QUANT, INT_QUANT], quant),
    BIPOLAR_QUANT: bipolar_quant,
}
