"""QuantizeLinear and DequantizeLinear of ONNX and of onnxruntime: codes, and the numbers that they stand for.

A tensor of codes is a value whose numbers are the codes.
"""

import numpy as np

from spinplane.machine import Rounding, SpinplaneError

from ..building import Value, Weights
from ..onnx_file.domains import MICROSOFT, ONNX
from ..onnx_file.node import Node
from ..onnx_file.quantizer_folding import limits_of
from ..operands import least_operand, operand_of_weights
from ..quantizers import Levels
from .operator import Context, Operator
from .weights import exact

_MOST_BITS = 8


def finite(context: Context, node: Node, number: int, *, positive: bool = False) -> np.ndarray:
    """A constant of finite numbers, in float32; scales are positive."""
    value = context.constant(node, number)
    with np.errstate(over="ignore"):
        numbers = value.astype(np.float32)
    if not numbers.size or not np.isfinite(numbers).all() or (positive and (numbers <= 0).any()):
        kind = "positive" if positive else "finite"
        raise SpinplaneError(f"{node.label}: its input {number + 1} is empty, or not all {kind} numbers")
    return numbers


def zero_point(context: Context, node: Node, number: int) -> np.ndarray:
    """Whole numbers of a zero point, int64; 0 where it is left out."""
    if len(node.inputs) <= number or not node.inputs[number]:
        return np.zeros((), dtype=np.int64)
    value = context.constant(node, number)
    if value.dtype.kind not in "iu" or not value.size:
        raise SpinplaneError(f"{node.label}: its input {number + 1} is no list of whole numbers")
    return value.astype(np.int64)


def one_zero_point(context: Context, node: Node, number: int) -> int:
    """The zero point of a tensor that depends on the image."""
    found = np.unique(zero_point(context, node, number))
    if found.size > 1:
        raise SpinplaneError(f"{node.label}: several zero points of one image are not supported")
    return int(found[0])


def along(parameter: np.ndarray, axis: int, rank: int, label: str) -> np.ndarray:
    """A scale or a zero point spread along an axis of a tensor of so many axes."""
    if parameter.size == 1:
        return parameter.reshape(())
    if parameter.ndim != 1:
        raise SpinplaneError(f"{label}: scales in blocks are not supported")
    return parameter.reshape([-1 if at == axis else 1 for at in range(rank)])


def axis_of(node: Node, rank: int) -> int:
    """Attribute ``axis`` of a quantizer, counted from the first one."""
    return node.attributes.integer("axis", 1, least=-rank, most=max(rank, 1)) % max(rank, 1)


def code_levels(
    label: str, kind: str | None, step: np.ndarray, zero: int | np.ndarray, *, before_rounding: bool = False
) -> Levels:
    """Levels of codes of a type.

    Parameters
    ----------
    label : str
    kind : str
        Type of the codes.
    step : ndarray of float32
        What a real number is divided by, one number or one a channel.
    zero : int or ndarray of int64
        Zero point, one or several.
    before_rounding : bool
        Whether the zero point is added before the quotient is rounded; then the levels' numbers are the codes, else
        the codes less the zero point. Those of several zero points are codes, too.
    """
    low, high = limits_of(kind or "uint8")
    if high - low >= 2**_MOST_BITS:
        raise SpinplaneError(f"{label}: codes of {kind}: expected 1 to {_MOST_BITS} bits")
    several = np.size(zero) > 1
    first = low if before_rounding or several else low - int(zero)
    values = np.arange(first, first + high - low + 1, dtype=np.int64)
    return Levels(
        name=label,
        operand=least_operand(values, label),
        values=values,
        scale=1.0,
        step=step.astype(np.float64),
        zero_point=float(zero) if before_rounding else 0.0,
        low=first,
        rounding=Rounding.HALF_EVEN,
        shift=zero if several else 0,
    )


def quantize_linear(context: Context, node: Node) -> Value:
    """Codes of real numbers: the quotient is rounded before the zero point is added."""
    x, zero = context.value(node), zero_point(context, node, 2)
    if len(np.unique(zero)) == 1:
        zero = zero.reshape(-1)[0]
    scale = finite(context, node, 1, positive=True)
    if node.attributes.integer("block_size", 0):
        raise SpinplaneError(f"{node.label}: scales in blocks are not supported")
    kind = context.model.type(node.outputs[0])
    axis = axis_of(node, len(x.shape))
    levels = code_levels(node.label, kind, scale if scale.size > 1 else scale.reshape(()), zero)
    codes = context.builder.quantize(node.label, x, levels, axis)
    return codes if np.size(zero) > 1 else shifted(context, node, codes, zero)


def shifted(context: Context, node: Node, x: Value, addend: np.ndarray | int) -> Value:
    """A value with whole numbers added, unless they are 0."""
    numbers = np.asarray(addend)
    if not numbers.any():
        return x
    return context.builder.arithmetic(node.label, x, "add", numbers.astype(np.float64))


def dequantize_linear(context: Context, node: Node) -> Value:
    """The numbers of codes: less the zero point, times the scale."""
    x = context.value(node)
    rank = len(x.shape)
    axis = axis_of(node, rank)
    zero = along(zero_point(context, node, 2), axis, rank, node.label)
    scale = along(finite(context, node, 1, positive=True), axis, rank, node.label)
    return context.builder.arithmetic(node.label, shifted(context, node, x, -zero), "multiply", scale)


def dequantized_weights(context: Context, node: Node) -> Weights:
    """Constant codes with their scale."""
    codes = context.constant(node, 0)
    if codes.dtype.kind not in "iu":
        raise SpinplaneError(f"{node.label}: its codes are of {codes.dtype}")
    rank = codes.ndim
    axis = axis_of(node, rank)
    zero = along(zero_point(context, node, 2), axis, rank, node.label)
    scale = along(finite(context, node, 1, positive=True), axis, rank, node.label)
    values = codes.astype(np.int64) - zero
    return Weights(values=values, scale=exact(scale), operand=operand_of_weights(values, node.label))


_QUANTIZE = Operator(
    handler=quantize_linear,
    takes="codes of up to 8 bits, scales and zero points one or one a channel",
    refuses=(
        "codes of 16 bits: operands have 1 to 8 bits",
        "scales in blocks: a kernel's sum has one scale",
    ),
)
_DEQUANTIZE = Operator(
    handler=dequantize_linear,
    takes="codes and sums, one scale and zero point or one a channel; constants of up to 8 bits as weights",
    refuses=("scales in blocks: a kernel's sum has one scale",),
    weights=dequantized_weights,
)
OPERATORS: dict[tuple[str, str], Operator] = {
    (domain, name): operator
    for domain in (ONNX, MICROSOFT)
    for name, operator in (("QuantizeLinear", _QUANTIZE), ("DequantizeLinear", _DEQUANTIZE))
}
