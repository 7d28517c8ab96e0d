"""Constants that follow from others: what a file computes of its own numbers before any image comes."""

from collections.abc import Callable
from math import ceil, prod

import numpy as np

from spinplane.machine import SpinplaneError

from .domains import BIPOLAR_QUANT, INT_QUANT, MICROSOFT, ONNX, QUANT, Operator
from .folding_rules import RULES, VIEWS, sides_of
from .node import Node, Operands, Output
from .shapes import axis_of

Value = np.ndarray

#: Bytes that the results of a file's operators may have beyond those that the file itself has.
FREE_BYTES = 1 << 20
#: What stands for weights: their codes and scales are what a layer takes, not their numbers.
QUANTIZERS: frozenset[Operator] = frozenset(
    {QUANT, INT_QUANT, BIPOLAR_QUANT}
    | {(domain, f"{way}Linear") for domain in (ONNX, MICROSOFT) for way in ("Quantize", "Dequantize")}
)


class Folding:
    """Results of operators on constants, as many as a budget allows.

    Parameters
    ----------
    size : callable
        Bytes of the file with its external data, as far as they are read: together, the results have no more than
        these, times what `allow` says, and `FREE_BYTES`.
    """

    def __init__(self, size: Callable[[], int]) -> None:
        self._size, self._times, self._taken = size, 1, 0

    def allow(self, times: int) -> None:
        """Let results have so many times the bytes of the file: codes become numbers of four bytes."""
        self._times = times

    def is_known(self, node: Node, inputs: Operands) -> bool:
        """Whether a node on constants is one that is computed here."""
        if node.operator == (ONNX, "Shape"):
            return len(inputs) == 1 and inputs[0].shape is not None
        return node.operator in RULES

    def result(self, node: Node, inputs: Operands, output: Output) -> Value:
        """The value of a node's first output.

        Parameters
        ----------
        node : Node
            That `is_known`.
        inputs : sequence of Operand
            All constant, but for the one of a Shape.
        output : Output

        Raises
        ------
        SpinplaneError
            If the inputs do not fit the operator, or the results become too large.
        """
        if node.operator == (ONNX, "Shape"):
            return _shape(node, inputs[0].shape or ())
        values = [i.value for i in inputs if i.value is not None]
        rule = RULES[node.operator]
        if not values:
            raise SpinplaneError(f"{node.label}: has no input")
        try:
            self._take(node, _size(node, values, output.shape))
            with np.errstate(all="ignore"):
                found = np.asarray(rule(node, values, output))
        except SpinplaneError:
            raise
        except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError, KeyError) as error:
            reason = " ".join(str(error).split())[:120]
            raise SpinplaneError(f"{node.label}: its constants do not fit {node.op_type}: {reason}") from None
        if output.type == "bfloat16":
            found = _as_bfloat16(found)
        found.flags.writeable = False
        return found

    def _take(self, node: Node, size: int) -> None:
        self._taken += size
        if self._taken > self._times * self._size() + FREE_BYTES:
            times = "" if self._times == 1 else f"{self._times} times "
            raise SpinplaneError(
                f"{node.label}: what the file computes of its constants is larger than {times}the file and "
                f"{FREE_BYTES >> 20} MiB"
            )


def _size(node: Node, values: list[Value], shape: tuple[int, ...] | None) -> int:
    """Bytes of a result, before it is there. Views have none."""
    if node.op_type in VIEWS:
        return 0
    largest = 8 if node.op_type in ("Cast", "Range") else max(value.dtype.itemsize for value in values)
    if shape is not None:
        return prod(shape) * largest
    first = values[0]
    if node.op_type == "ConstantOfShape":
        return prod(sides_of(first)) * 8
    if node.op_type == "Expand":
        return prod(np.broadcast_shapes(first.shape, sides_of(values[1]))) * largest
    if node.op_type == "Gather":
        axis = axis_of(node, 0, first.ndim)
        return values[1].size * prod(first.shape[:axis] + first.shape[axis + 1 :]) * largest
    if node.op_type == "Range":
        start, end, step = (float(value.reshape(())) for value in values)
        return max(ceil((end - start) / step), 0) * largest
    return first.size * largest


def _shape(node: Node, shape: tuple[int, ...]) -> Value:
    start = node.attributes.integer("start", 0)
    end = node.attributes.integer("end", len(shape))
    return np.array(shape[start:end], dtype=np.int64)


def _as_bfloat16(values: Value) -> Value:
    """Numbers of float32 that bfloat16 has too, the nearest ones with ties to even."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    return np.where(np.isfinite(values), (rounded & 0xFFFF0000).astype(np.uint32).view(np.float32), values)
