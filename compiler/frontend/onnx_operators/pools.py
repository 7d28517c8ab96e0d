"""Pooling."""

from spinplane.machine import SpinplaneError

from ..building import Value
from ..onnx_file.domains import ONNX
from ..onnx_file.node import Node
from ..onnx_file.windows import Window, read_window
from .operator import Context, Operator

#: Of AveragePool: onnxruntime counts positions behind the padding before this version.
_FIRST_THAT_ENDS_AT_THE_PADDING = 19


def max_pool(context: Context, node: Node) -> list[Value]:
    """MaxPool; its second output, the places of the maxima, is left to the host, which gets its input."""
    x = context.value(node)
    return [greatest(context, node, x), context.builder.host(node.label, x, "Indices of MaxPool")]


def greatest(context: Context, node: Node, x: Value) -> Value:
    """A MaxPool whose tensors have their channels first."""
    window = read_window(node.attributes, None, len(x.shape) - 2, node.label)
    return context.builder.max_pool(
        node.label,
        x,
        kernel=window.kernel,
        stride=window.stride,
        padding=window.pool_padding(x.shape[2:], node.label),
        dilation=window.dilation,
        ceil=window.ceil and window.auto_pad == "NOTSET",
    )


def average_pool(context: Context, node: Node) -> Value:
    """AveragePool."""
    x = context.value(node)
    window = read_window(node.attributes, None, len(x.shape) - 2, node.label)
    whole = context.model.version < _FIRST_THAT_ENDS_AT_THE_PADDING
    return average(context, node, x, window, whole=whole)


def average(context: Context, node: Node, x: Value, window: Window, *, whole: bool) -> Value:
    """Means; where the padding counts and windows are `whole`, what lies behind the padding counts too."""
    counted = node.attributes.flag("count_include_pad", False)
    ends_later = counted and whole and window.ceil
    pads = window.whole_padding if ends_later else window.pool_padding
    return context.builder.average_pool(
        node.label,
        x,
        kernel=window.kernel,
        stride=window.stride,
        padding=pads(x.shape[2:], node.label),
        dilation=window.dilation,
        ceil=window.ceil and window.auto_pad == "NOTSET" and not ends_later,
        count_padding=counted,
    )


def global_average_pool(context: Context, node: Node) -> Value:
    """GlobalAveragePool."""
    x = context.value(node)
    return context.builder.global_average(node.label, x, range(2, len(x.shape)), keep=True)


def global_max_pool(context: Context, node: Node) -> Value:
    """GlobalMaxPool."""
    x = context.value(node)
    sides = x.shape[2:]
    nothing = (0,) * 2 * len(sides)
    return context.builder.max_pool(node.label, x, kernel=sides, stride=(1,) * len(sides), padding=nothing)


def reduce_mean(context: Context, node: Node) -> Value:
    """ReduceMean over lines and columns."""
    x = context.value(node)
    if context.has(node, 1):
        axes = tuple(int(axis) for axis in context.constant(node, 1).ravel())
    else:
        axes = node.attributes.integers("axes", range(len(x.shape)))
    if any(not -len(x.shape) <= axis < len(x.shape) for axis in axes):
        raise SpinplaneError(f"{node.label}: axes {list(axes)} of a tensor of {len(x.shape)} axes")
    keep = node.attributes.flag("keepdims", True)
    return context.builder.global_average(node.label, x, axes, keep=keep)


_EMPTY = "a window with gaps that takes nothing but padding: it has no number"
_AVERAGE_REFUSED = (
    "padding of sums that are not quantized",
    "of maxima, or of averages whose windows overlap, without a quantizer between",
    "SAME pads of windows that lie apart",
    "behind a Relu or a function without a quantizer",
    _EMPTY,
)
OPERATORS = {
    (ONNX, "MaxPool"): Operator(
        handler=max_pool,
        takes="in one and two dimensions, with every stride, padding, auto_pad, dilation and ceil_mode; Indices at the "
        "end are left to the host, which gets its input",
        refuses=(
            "Indices that an operator takes: windows keep a maximum, not its place",
            "of sums that are pooled or padded already, where numbers fall before their quantizer",
            _EMPTY,
        ),
    ),
    (ONNX, "GlobalMaxPool"): Operator(handler=global_max_pool, takes="of sums and of codes"),
    (ONNX, "AveragePool"): Operator(
        handler=average_pool,
        takes="of sums and of codes, in one and two dimensions, with every stride, dilation and ceil_mode",
        refuses=_AVERAGE_REFUSED,
    ),
    (ONNX, "GlobalAveragePool"): Operator(handler=global_average_pool, takes="of sums and of codes"),
    (ONNX, "ReduceMean"): Operator(handler=reduce_mean, takes="over all lines and columns"),
}
