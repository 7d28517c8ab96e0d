"""Operators that move numbers, and those that are left to the host."""

import numpy as np

from spinplane.machine import SpinplaneError

from ..building import Value, Weights
from ..onnx_file.domains import ONNX
from ..onnx_file.node import Node
from ..onnx_file.shapes import permutation
from .operator import Context, Operator


def reshape(context: Context, node: Node) -> Value:
    """Flatten, Reshape, Squeeze and Unsqueeze: to the shape that the file's tensor has."""
    shape = context.model.shape(node.outputs[0], node.label)
    return context.builder.reshape(node.label, context.value(node), shape)


def reshaped_weights(context: Context, node: Node) -> Weights:
    """The same of constants with one scale."""
    weights = context.weights(node, 0)
    if weights.scale.size > 1:
        raise SpinplaneError(
            f"{node.label}: a {node.op_type} of weights with several scales is not supported"
        )
    shape = context.model.shape(node.outputs[0], node.label)
    return Weights(
        values=weights.values.reshape(shape), scale=weights.scale.reshape(()), operand=weights.operand
    )


def transpose(context: Context, node: Node) -> Value:
    """Transpose."""
    x = context.value(node)
    return context.builder.transpose(node.label, x, permutation(node, len(x.shape)))


def transposed_weights(context: Context, node: Node) -> Weights:
    """The same of constants."""
    weights = context.weights(node, 0)
    order, rank = permutation(node, weights.values.ndim), weights.values.ndim
    scale = weights.scale
    if scale.size > 1:
        scale = scale.reshape((1,) * (rank - scale.ndim) + scale.shape).transpose(order)
    return Weights(values=weights.values.transpose(order), scale=scale, operand=weights.operand)


def concat(context: Context, node: Node) -> Value:
    """Concat."""
    values = [context.value(node, number) for number in range(len(node.inputs))]
    axis = node.attributes.integer("axis", least=-len(values[0].shape), most=len(values[0].shape) - 1)
    return context.builder.concatenate(node.label, values, axis)


def pad(context: Context, node: Node) -> Value:
    """Pad by a constant, or by copies."""
    x, attributes = context.value(node), node.attributes
    mode = attributes.text("mode", "constant")
    if mode not in ("constant", "edge", "reflect", "wrap"):
        raise SpinplaneError(f"{node.label}: attribute 'mode' is none of constant, edge, reflect and wrap")
    if "pads" in attributes:
        pads = list(attributes.integers("pads"))
        number = attributes.number("value", 0.0)
    else:
        pads = [int(count) for count in context.constant(node, 1).ravel()]
        number = float(np.reshape(context.constant(node, 2), ())) if context.has(node, 2) else 0.0
    rank = len(x.shape)
    if context.has(node, 3):
        axes = [int(axis) % rank for axis in context.constant(node, 3).ravel()]
        every = [0] * 2 * rank
        for at, axis in enumerate(axes):
            every[axis], every[rank + axis] = pads[at], pads[len(axes) + at]
        pads = every
    if len(pads) != 2 * rank:
        raise SpinplaneError(f"{node.label}: {len(pads)} counts for a tensor of {rank} axes")
    if mode != "constant":
        return context.builder.pad_with_copies(node.label, x, pads, mode)
    return context.builder.pad(node.label, x, pads, number)


def host(context: Context, node: Node) -> list[Value]:
    """Softmax, LogSoftmax, ArgMax, ArgMin and TopK at the end."""
    left = context.builder.host(node.label, context.value(node), node.op_type)
    return [left] * len(node.outputs)


_SHAPE = Operator(
    handler=reshape, weights=reshaped_weights, takes="another order of the same numbers, at no cost"
)
_HOST = Operator(handler=host, takes="at the end, left to the host")
OPERATORS = {
    (ONNX, "Flatten"): _SHAPE,
    (ONNX, "Reshape"): _SHAPE,
    (ONNX, "Squeeze"): _SHAPE,
    (ONNX, "Unsqueeze"): _SHAPE,
    (ONNX, "Transpose"): Operator(
        handler=transpose, weights=transposed_weights, takes="another order of axes, at no cost"
    ),
    (ONNX, "Concat"): Operator(
        handler=concat,
        takes="of codes along channels, lines or columns",
        refuses=("along lines or columns, of more than two tensors of different scales",),
    ),
    (ONNX, "Pad"): Operator(
        handler=pad,
        takes="of codes and sums along lines and columns by a constant; of codes by copies (edge, reflect, wrap)",
        refuses=("a number that no code of a channel stands for, or an infinite one",),
    ),
    (ONNX, "Softmax"): _HOST,
    (ONNX, "LogSoftmax"): _HOST,
    (ONNX, "ArgMax"): _HOST,
    (ONNX, "ArgMin"): _HOST,
    (ONNX, "TopK"): _HOST,
}
