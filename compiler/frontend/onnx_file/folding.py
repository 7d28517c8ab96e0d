"""Operators on constants: what a file computes of its own numbers before any image comes.

Sums, products, quotients and roots are rounded once, as executors do. What a processor has no instruction for (powers,
exponentials, logarithms) is computed in float64 and then rounded to the file's type.
"""

from collections.abc import Callable
from math import prod

import numpy as np
import onnx

from spinplane.machine import SpinplaneError

from .node import Node, Operands
from .shapes import MOST_AXES, axis_of, permutation

Value = np.ndarray

#: Bytes that the results of a file's operators may have beyond those that the file itself has.
FREE_BYTES = 1 << 20


class Folding:
    """Results of operators on constants, as many as a budget allows.

    Parameters
    ----------
    size : int
        Bytes of the file: together, the results have no more than these and `FREE_BYTES`.
    """

    def __init__(self, size: int) -> None:
        self._left = size + FREE_BYTES

    def result(self, node: Node, inputs: Operands, shape: tuple[int, ...] | None) -> Value | None:
        """The value of a node's first output.

        Parameters
        ----------
        node : Node
        inputs : sequence of Operand
        shape : tuple of int, optional
            What `output_shape` says of the output.

        Returns
        -------
        ndarray, or None if an input is not constant, or the operator not one that is computed here

        Raises
        ------
        SpinplaneError
            If the inputs do not fit the operator, or the results become too large.
        """
        if node.op_type == "Shape" and len(inputs) == 1 and inputs[0].shape is not None:
            return _shape(node, inputs[0].shape)
        values = [i.value for i in inputs if i.name]
        constants = [value for value in values if value is not None]
        rule = _RULES.get(node.op_type)
        if rule is None or not constants or len(constants) < len(inputs):
            return None
        try:
            self._take(node, _size(node, constants, shape))
            with np.errstate(all="ignore"):
                found = rule(node, constants, shape)
        except SpinplaneError:
            raise
        except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError) as error:
            reason = " ".join(str(error).split())[:120]
            raise SpinplaneError(f"{node.label}: its constants do not fit {node.op_type}: {reason}") from None
        found.flags.writeable = False
        return found

    def _take(self, node: Node, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise SpinplaneError(
                f"{node.label}: what the file computes of its constants is larger than the file and "
                f"{FREE_BYTES >> 20} MiB"
            )


def _size(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> int:
    """Bytes of a result, before it is there. Views have none."""
    if node.op_type in _VIEWS:
        return 0
    largest = 8 if node.op_type in ("Cast", "Range") else max(value.dtype.itemsize for value in values)
    if shape is not None:
        return prod(shape) * largest
    first = values[0]
    if node.op_type == "ConstantOfShape":
        return prod(_sides(first)) * 8
    if node.op_type == "Expand":
        return prod(np.broadcast_shapes(first.shape, _sides(values[1]))) * largest
    if node.op_type == "Gather":
        axis = axis_of(node, 0, first.ndim)
        return values[1].size * prod(first.shape[:axis] + first.shape[axis + 1 :]) * largest
    if node.op_type == "Range":
        start, end, step = (float(value.reshape(())) for value in values)
        return int(max((end - start) / step, 0)) * largest
    return first.size * largest


def _sides(value: Value) -> tuple[int, ...]:
    sides = tuple(int(side) for side in value.ravel()[: MOST_AXES + 1])
    if value.dtype.kind != "i" or len(sides) > MOST_AXES or min(sides, default=0) < 0:
        raise ValueError(f"no shape of up to {MOST_AXES} sides")
    return sides


def _shape(node: Node, shape: tuple[int, ...]) -> Value:
    start = node.attributes.integer("start", 0)
    end = node.attributes.integer("end", len(shape))
    return np.array(shape[start:end], dtype=np.int64)


Rule = Callable[[Node, list[Value], "tuple[int, ...] | None"], Value]


def _elementwise(operation: Callable[..., Value]) -> Rule:
    """Of operands of one type, which the result has too."""

    def rule(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> Value:
        if any(value.dtype != values[0].dtype for value in values):
            raise TypeError("its operands differ in type")
        return np.asarray(operation(*values)).astype(values[0].dtype, copy=False)

    return rule


def _wide(operation: Callable[..., Value]) -> Rule:
    """Of numbers in float64, rounded to the type of the first one."""

    def rule(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> Value:
        if values[0].dtype.kind != "f":
            raise TypeError("it is not computed of whole numbers")
        return np.asarray(operation(*(value.astype(np.float64) for value in values))).astype(values[0].dtype)

    return rule


def _compared(operation: Callable[..., Value]) -> Rule:
    return lambda node, values, shape: np.asarray(operation(*values))


def _divide(left: Value, right: Value) -> Value:
    if left.dtype.kind == "f":
        return left / right
    if not right.all():
        raise ZeroDivisionError("a division by 0")
    # Whole numbers are rounded toward 0.
    quotient = np.abs(left) // np.abs(right)
    return np.where((left < 0) != (right < 0), -quotient, quotient)


def _where(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> Value:
    condition, yes, no = values
    if condition.dtype != bool or yes.dtype != no.dtype:
        raise TypeError("a choice among numbers of two types, or by other than truth values")
    return np.where(condition, yes, no)


def _cast(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> Value:
    dtype = _dtype(node.attributes.integer("to"))
    if dtype.kind in "iu":
        if not np.isfinite(values[0]).all():
            raise ValueError("a number that is not finite has no whole one")
        limits, whole = np.iinfo(dtype), np.trunc(values[0])
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


def _constant_of_shape(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> Value:
    fill: Value = np.zeros(1, np.float32)
    if "value" in node.attributes:
        tensor = node.attributes.tensor("value")
        fill = onnx.numpy_helper.to_array(tensor)
        _dtype(tensor.data_type)
        if fill.size != 1:
            raise ValueError("a value of more than one element")
    return np.full(_sides(values[0]), fill.reshape(()), fill.dtype)


def _slice(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> Value:
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


def _gather(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> Value:
    if values[1].dtype.kind != "i":
        raise TypeError("indices that are not whole numbers")
    return np.asarray(np.take(values[0], values[1], axis=axis_of(node, 0, values[0].ndim)))


def _concat(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> Value:
    if any(value.dtype != values[0].dtype for value in values):
        raise TypeError("its operands differ in type")
    return np.concatenate(values, axis=axis_of(node, 0, values[0].ndim))


def _reshape(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> Value:
    if shape is None:
        raise ValueError("its axes are not known")
    return values[0].reshape(shape)


def _range(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> Value:
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
_VIEWS = ("Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice")
_RULES: dict[str, Rule] = {
    **{name: _elementwise(operation) for name, operation in (_BINARY | _UNARY).items()},
    **{name: _wide(operation) for name, operation in _WIDE.items()},
    **{name: _compared(operation) for name, operation in _COMPARED.items()},
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), _reshape),
    "Identity": lambda node, values, shape: values[0].view(),
    "Transpose": lambda node, values, shape: values[0].transpose(permutation(node, values[0].ndim)),
    "Expand": lambda node, values, shape: values[0] * np.ones(_sides(values[1]), values[0].dtype),
    "Where": _where,
    "Cast": _cast,
    "ConstantOfShape": _constant_of_shape,
    "Slice": _slice,
    "Gather": _gather,
    "Concat": _concat,
    "Range": _range,
}
