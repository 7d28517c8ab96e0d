"""QONNX's operators whose tensors have their channels last."""

from collections.abc import Callable

from ..building import Value, Weights
from ..onnx_file.domains import CHANNELS_LAST
from ..onnx_file.node import Node
from .elementwise import normalize
from .linear import convolve
from .operator import Context, Operator
from .pools import greatest


def _first(rank: int) -> list[int]:
    """The order of axes that moves the last one to the second place."""
    return [0, rank - 1, *range(1, rank - 1)]


def _moved(context: Context, node: Node, make: Callable[[Context, Node, Value], Value]) -> Value:
    x, builder = context.value(node), context.builder
    made = make(context, node, builder.transpose(node.label, x, _first(len(x.shape))))
    return builder.transpose(node.label, made, [0, *range(2, len(made.shape)), 1])


def conv(context: Context, node: Node) -> Value:
    """Conv, whose weights have their channels last too."""
    given = context.weights(node, 1)
    order, rank = _first(given.values.ndim), given.values.ndim
    scale = given.scale
    if scale.size > 1:
        scale = scale.reshape((1,) * (rank - scale.ndim) + scale.shape).transpose(order)
    weights = Weights(values=given.values.transpose(order), scale=scale, operand=given.operand)
    return _moved(context, node, lambda context, node, x: convolve(context, node, x, weights))


def max_pool(context: Context, node: Node) -> Value:
    """MaxPool."""
    return _moved(context, node, greatest)


def normalization(context: Context, node: Node) -> Value:
    """BatchNormalization."""
    return _moved(context, node, normalize)


OPERATORS = {
    (CHANNELS_LAST, "Conv"): Operator(handler=conv, takes="as ONNX's Conv"),
    (CHANNELS_LAST, "MaxPool"): Operator(handler=max_pool, takes="as ONNX's MaxPool"),
    (CHANNELS_LAST, "BatchNormalization"): Operator(
        handler=normalization, takes="as ONNX's BatchNormalization"
    ),
}
