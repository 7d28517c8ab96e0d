"""Convolutions and matrix products."""

import numpy as np

from spinplane.machine import SpinplaneError

from ..building import Value, Weights
from ..onnx_file.domains import ONNX
from ..onnx_file.node import Node
from ..onnx_file.windows import read_window
from .operator import Context, Operator


def conv(context: Context, node: Node) -> Value:
    """Conv: x, weights and a bias."""
    return convolve(context, node, context.value(node), context.weights(node, 1))


def convolve(context: Context, node: Node, x: Value, weights: Weights) -> Value:
    """A convolution whose tensors have their channels first."""
    label = node.label
    sides = weights.values.shape[2:]
    window = read_window(node.attributes, sides, max(weights.values.ndim - 2, 0), label)
    if weights.values.ndim not in (3, 4) or len(x.shape) != weights.values.ndim:
        raise SpinplaneError(f"{label}: expected a convolution of one or two dimensions")
    bias = None
    if context.has(node, 2):
        bias = context.reals(node, 2)
        if bias.shape != (len(weights.values),):
            raise SpinplaneError(
                f"{label}: a constant of shape {bias.shape}: expected {(len(weights.values),)}, one value per channel"
            )
    return context.builder.convolution(
        label,
        x,
        weights,
        stride=window.stride,
        padding=window.padding(x.shape[2:]),
        dilation=window.dilation,
        groups=node.attributes.integer("group", 1, least=1),
        bias=bias,
    )


def matmul(context: Context, node: Node) -> Value:
    """MatMul: activations times a matrix of weights, or a matrix times activations."""
    if not context.is_value(node, 0):
        weights = _matrix(context, node, 0)
        turned = Weights(values=weights.values.T, scale=_turned(weights.scale), operand=weights.operand)
        return _from_left(context, node, context.value(node, 1), turned)
    if context.is_value(node, 1):
        raise SpinplaneError(f"{node.label}: a product of two activations is not supported")
    return context.builder.matrix_product(node.label, context.value(node), _matrix(context, node, 1))


def _from_left(context: Context, node: Node, x: Value, weights: Weights) -> Value:
    """Product weights @ x: along the axis before the last one."""
    order = list(range(len(x.shape)))
    order[-2], order[-1] = order[-1], order[-2]
    turned = context.builder.transpose(node.label, x, order)
    made = context.builder.matrix_product(node.label, turned, weights)
    return context.builder.transpose(node.label, made, order)


def _matrix(context: Context, node: Node, number: int) -> Weights:
    weights = context.weights(node, number)
    if weights.values.ndim != 2:
        raise SpinplaneError(f"{node.label}: expected a matrix of weights")
    return weights


def _turned(scale: np.ndarray) -> np.ndarray:
    return scale.T if scale.ndim == 2 else scale[:, np.newaxis] if scale.ndim == 1 else scale


def gemm(context: Context, node: Node) -> Value:
    """Gemm: alpha · A · B + beta · C, of activations A."""
    attributes, label, builder = node.attributes, node.label, context.builder
    x = context.value(node)
    if context.is_value(node, 1):
        raise SpinplaneError(f"{label}: a product of two activations is not supported")
    if len(x.shape) != 2:
        raise SpinplaneError(f"{label}: expected activations of two axes")
    if attributes.flag("transA", False):
        x = builder.transpose(label, x, (1, 0))
    weights = _matrix(context, node, 1)
    if attributes.flag("transB", False):
        weights = Weights(values=weights.values.T, scale=_turned(weights.scale), operand=weights.operand)
    made = builder.matrix_product(label, x, weights)
    alpha, beta = (attributes.number(name, 1.0) for name in ("alpha", "beta"))
    if alpha != 1:
        made = builder.arithmetic(label, made, "multiply", np.float32(alpha))
    if not context.has(node, 2):
        return made
    if context.is_value(node, 2):
        addend = context.value(node, 2)
        if beta != 1:
            addend = builder.arithmetic(label, addend, "multiply", np.float32(beta))
        return builder.add(label, made, addend)
    bias = context.reals(node, 2)
    return builder.arithmetic(label, made, "add", bias * np.float32(beta) if beta != 1 else bias)


OPERATORS = {
    (ONNX, "Conv"): Operator(
        handler=conv,
        takes="in one and two dimensions, with every stride, padding, auto_pad, dilation and group; constant weights",
        refuses=(
            "three dimensions: windows have lines and columns",
            "weights that are not constant integers of 1 to 8 bits with a scale a kernel",
            "padding of channels without a code that stands for 0",
        ),
    ),
    (ONNX, "MatMul"): Operator(
        handler=matmul,
        takes="activations times a constant matrix, along their channels or over all their elements",
        refuses=("a product of two activations: the engine's kernels are constant",),
    ),
    (ONNX, "Gemm"): Operator(
        handler=gemm,
        takes="with alpha, beta, transB and a bias",
        refuses=("transA: its images are in a column",),
    ),
}
