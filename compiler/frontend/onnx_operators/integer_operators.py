"""Operators that take and give integers: ONNX's, onnxruntime's, and PULP's RequantShift.

Those with scales mean what onnxruntime computes: an int32 sum becomes float32, is multiplied by one float32 scale, and
is rounded half to even.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from spinplane.machine import Coding, Operand, Rounding, SpinplaneError

from ...meaning.additions import FloatAddition, float_offset
from ..building import Value, Weights
from ..onnx_file.domains import MICROSOFT, ONNX, PULP
from ..onnx_file.node import Node
from ..onnx_file.quantizer_folding import limits_of
from ..onnx_file.windows import Window, read_window
from ..operands import least_operand, operand_of_weights
from ..quantizers import Levels
from .operator import Context, Operator
from .pools import average
from .quantize_linear import code_levels, finite, one_zero_point, shifted, zero_point

_FLOAT32 = np.float32
#: What exceeds float32 becomes infinite, and is clipped or refused.
_QUIET = np.errstate(over="ignore")
#: A bound of codes less their zero points.
_CODES = 512


def _scale(context: Context, node: Node, number: int) -> np.float32:
    """One positive scale."""
    found = finite(context, node, number, positive=True)
    if found.size != 1:
        raise SpinplaneError(f"{node.label}: its input {number + 1} has {found.size} numbers, expected one")
    return _FLOAT32(found.reshape(()))


def _image(context: Context, node: Node, number: int, zero: int) -> Value:
    """Codes less their zero point."""
    return shifted(context, node, context.value(node, number), -one_zero_point(context, node, zero))


def _integers(context: Context, node: Node, number: int, zero: int, axis: int) -> Weights:
    """Constant codes less their zero point, which may run along the axis of the kernels."""
    codes, zeros = context.constant(node, number).astype(np.int64), zero_point(context, node, zero)
    if zeros.size > 1:
        zeros = zeros.reshape([-1 if at == axis else 1 for at in range(codes.ndim)])
    values = codes - zeros.reshape(() if zeros.size == 1 else zeros.shape)
    scale = np.array(Fraction(1), dtype=object)
    return Weights(values=values, scale=scale, operand=operand_of_weights(values, node.label))


def _bias(context: Context, node: Node, number: int, kernels: int) -> np.ndarray | None:
    """Whole numbers that are added to the sums of each kernel."""
    if len(node.inputs) <= number or not node.inputs[number]:
        return None
    value = context.constant(node, number)
    if value.size not in (1, kernels) or (value.size > 1 and value.shape[-1] != kernels):
        raise SpinplaneError(
            f"{node.label}: its input {number + 1} of shape {value.shape} is no number of each of {kernels} kernels"
        )
    return np.broadcast_to(value.ravel(), (kernels,)).astype(np.float64)


def _codes(context: Context, node: Node, sums: Value, multiplier: np.ndarray, zero: int) -> Value:
    """Codes of sums, of the type of the node's output."""
    low, high = limits_of(context.model.type(node.outputs[0]) or "uint8")
    _expect_finite(node, multiplier)
    found = context.builder.scale_float32(
        node.label, sums, multiplier.astype(_FLOAT32), zero_point=zero, low=low, high=high
    )
    return shifted(context, node, found, zero)


def _windows(context: Context, node: Node, weights: Weights, x: Value) -> tuple[Window, tuple[int, ...]]:
    """A convolution's window, and what it pads the image of a value by."""
    shape = weights.values.shape
    window = read_window(node.attributes, shape[2:], len(shape) - 2, node.label)
    return window, window.padding(x.shape[2:])


def _expect_finite(node: Node, *ratios: np.ndarray | np.float32) -> None:
    """Refuse scales whose quotient is no number of float32."""
    if not all(np.isfinite(ratio).all() for ratio in ratios):
        raise SpinplaneError(
            f"{node.label}: its scales are so far apart that float32 has no quotient of them"
        )


def _convolved(
    context: Context, node: Node, x: Value, weights: Weights, bias: np.ndarray | None = None
) -> Value:
    window, padding = _windows(context, node, weights, x)
    return context.builder.convolution(
        node.label,
        x,
        weights,
        stride=window.stride,
        padding=padding,
        dilation=window.dilation,
        groups=node.attributes.integer("group", 1),
        bias=bias,
    )


def conv_integer(context: Context, node: Node) -> Value:
    """Sums of products of codes."""
    return _convolved(context, node, _image(context, node, 0, 2), _integers(context, node, 1, 3, axis=0))


@_QUIET
def qlinear_conv(context: Context, node: Node) -> Value:
    """A convolution of codes, with its bias in the sums."""
    weights = _integers(context, node, 3, 5, axis=0)
    bias = _bias(context, node, 8, len(weights.values))
    sums = _convolved(context, node, _image(context, node, 0, 2), weights, bias)
    multiplier = _scale(context, node, 1) * finite(context, node, 4, positive=True).ravel()
    zero = one_zero_point(context, node, 7)
    return _codes(context, node, sums, multiplier / _scale(context, node, 6), zero)


def _matrix(context: Context, node: Node, number: int, zero: int) -> Weights:
    """Constant codes as a matrix of axes (inputs, outputs)."""
    found = _integers(context, node, number, zero, axis=context.constant(node, number).ndim - 1)
    shape = found.values.shape
    if len(shape) < 2 or any(side != 1 for side in shape[:-2]):
        raise SpinplaneError(f"{node.label}: weights of shape {shape}: expected one matrix")
    return Weights(values=found.values.reshape(shape[-2:]), scale=found.scale, operand=found.operand)


def matmul_integer(context: Context, node: Node) -> Value:
    """Sums of products of codes."""
    return context.builder.matrix_product(
        node.label, _image(context, node, 0, 2), _matrix(context, node, 1, 3)
    )


@_QUIET
def qlinear_matmul(context: Context, node: Node) -> Value:
    """A matrix product of codes."""
    sums = context.builder.matrix_product(
        node.label, _image(context, node, 0, 2), _matrix(context, node, 3, 5)
    )
    multiplier = _scale(context, node, 1) * finite(context, node, 4, positive=True).ravel()
    zero = one_zero_point(context, node, 7)
    return _codes(context, node, sums, multiplier / _scale(context, node, 6), zero)


@_QUIET
def qgemm(context: Context, node: Node) -> Value:
    """Onnxruntime's Gemm of codes; without a scale of its output, its real numbers."""
    attributes = node.attributes
    transposed = attributes.flag("transB", False)
    weights = _integers(context, node, 3, 5, axis=0 if transposed else 1)
    if weights.values.ndim != 2:
        raise SpinplaneError(f"{node.label}: weights of shape {weights.values.shape}: expected one matrix")
    if transposed:
        weights = Weights(values=weights.values.T, scale=weights.scale, operand=weights.operand)
    x = _image(context, node, 0, 2)
    if attributes.flag("transA", False):
        x = context.builder.transpose(node.label, x, (1, 0))
    sums = context.builder.matrix_product(node.label, x, weights)
    bias = _bias(context, node, 6, weights.values.shape[1])
    if bias is not None:
        sums = context.builder.arithmetic(node.label, sums, "add", bias)
    alpha = _FLOAT32(attributes.number("alpha", 1.0))
    multiplier = alpha * _scale(context, node, 1) * finite(context, node, 4, positive=True).ravel()
    if len(node.inputs) < 8 or not node.inputs[7]:
        return context.builder.arithmetic(node.label, sums, "multiply", multiplier)
    zero = one_zero_point(context, node, 8)
    return _codes(context, node, sums, multiplier / _scale(context, node, 7), zero)


@_QUIET
def qlinear_add(context: Context, node: Node) -> Value:
    """The sum of two tensors of codes, in float32 with fused multiplications and additions."""
    scales = [_scale(context, node, number) for number in (1, 4, 6)]
    zeros = [one_zero_point(context, node, number) for number in (2, 5, 7)]
    _expect_finite(node, _CODES * (scales[0] / scales[2]), _CODES * (scales[1] / scales[2]))
    low, high = limits_of(context.model.type(node.outputs[0]) or "uint8")
    constant = next((number for number in (0, 3) if not context.is_value(node, number)), None)
    if constant is not None:
        return _add_constant(context, node, constant, scales, zeros)
    return context.builder.add_float32(
        node.label,
        context.value(node, 0),
        context.value(node, 3),
        scales=(scales[0], scales[1], scales[2]),
        zero_points=(zeros[0], zeros[1], zeros[2]),
        low=low,
        high=high,
    )


def _add_constant(
    context: Context, node: Node, constant: int, scales: list[np.float32], zeros: list[int]
) -> Value:
    """The sum of codes and constant ones, which are one number or one a channel: a table of each channel."""
    low, high = limits_of(context.model.type(node.outputs[0]) or "uint8")
    x, codes = context.value(node, 3 - constant), context.constant(node, constant).astype(np.int64)
    longer = [axis + len(x.shape) - codes.ndim for axis, side in enumerate(codes.shape) if side > 1]
    if len(longer) > 1 or codes.ndim > len(x.shape):
        raise SpinplaneError(
            f"{node.label}: a constant of shape {codes.shape}: expected one number a channel"
        )
    ratios = _FLOAT32(scales[0] / scales[2]), _FLOAT32(scales[1] / scales[2])
    addition = FloatAddition(
        source=0,
        own_is_first=constant == 3,
        own_scale=ratios[constant == 0],
        residual_scale=ratios[constant == 3],
        offset=float_offset(ratios, (zeros[0], zeros[1]), zeros[2]),
        own_zero=0,
        residual_zero=0,
        low=low,
        high=high,
        value_offset=0,
    )
    every, added = np.meshgrid(np.arange(low, high + 1), codes.ravel())
    table = addition.apply(every, added)
    return context.builder.table(node.label, x, low, table, axis=longer[0] if longer else 1)


def qlinear_average_pool(context: Context, node: Node) -> Value:
    """Means of codes, in exact arithmetic; onnxruntime adds the numbers up in float32, one by one."""
    attributes, builder = node.attributes, context.builder
    last = attributes.flag("channels_last", False)
    x = _channels_first(context, node, _image(context, node, 0, 2), last)
    window = read_window(attributes, None, len(x.shape) - 2, node.label)
    means = average(context, node, x, window, whole=True)
    real = builder.arithmetic(node.label, means, "multiply", np.asarray(_scale(context, node, 1)))
    zero, step = one_zero_point(context, node, 4), np.asarray(_scale(context, node, 3))
    kind = context.model.type(node.outputs[0])
    levels = code_levels(node.label, kind, step, zero, before_rounding=True)
    return _channels_last(context, node, builder.quantize(node.label, real, levels), last)


def _channels_first(context: Context, node: Node, x: Value, last: bool) -> Value:
    rank = len(x.shape)
    order = (0, rank - 1, *range(1, rank - 1))
    return context.builder.transpose(node.label, x, order) if last else x


def _channels_last(context: Context, node: Node, x: Value, last: bool) -> Value:
    rank = len(x.shape)
    order = (0, *range(2, rank), 1)
    return context.builder.transpose(node.label, x, order) if last else x


@_QUIET
def qlinear_global_average_pool(context: Context, node: Node) -> Value:
    """The mean of all codes of a channel: their sum, scaled once."""
    last = node.attributes.flag("channels_last", False)
    x = _channels_first(context, node, _image(context, node, 0, 2), last)
    channels, *sides = x.shape[1:]
    ones = Weights(
        values=np.ones((channels, 1, *sides), dtype=np.int64),
        scale=np.array(Fraction(1), dtype=object),
        operand=Operand(bits=1, coding=Coding.UNSIGNED),
    )
    one = (1,) * len(sides)
    sums = context.builder.convolution(
        node.label, x, ones, stride=one, padding=(0, 0) * len(sides), dilation=one, groups=channels
    )
    step = _scale(context, node, 3) * _FLOAT32(np.prod(sides))
    multiplier = np.asarray(_scale(context, node, 1) / step)
    return _channels_last(
        context, node, _codes(context, node, sums, multiplier, one_zero_point(context, node, 4)), last
    )


@_QUIET
def qlinear_concat(context: Context, node: Node) -> Value:
    """Tensors of codes one after the other, each as codes of the output's scale."""
    step, zero = _scale(context, node, 0), one_zero_point(context, node, 1)
    low, high = limits_of(context.model.type(node.outputs[0]) or "uint8")
    values = []
    for number in range(2, len(node.inputs), 3):
        x, own_zero = context.value(node, number), one_zero_point(context, node, number + 2)
        own = _scale(context, node, number + 1)
        if own != step or own_zero != zero:
            numbers = (np.arange(low, high + 1) - own_zero).astype(_FLOAT32) * own
            made = np.clip(np.rint(numbers / step) + zero, low, high).astype(np.int64)
            x = context.builder.table(node.label, x, low, made, axis=1)
        values.append(x)
    axis = node.attributes.integer("axis", least=-len(values[0].shape), most=len(values[0].shape) - 1)
    return context.builder.concatenate(node.label, values, axis % len(values[0].shape))


def requant_shift(context: Context, node: Node) -> Value:
    """clip(floor((x · mul + add + div / 2) / div)), in whole numbers."""
    x = context.value(node)
    mul, add = (_spread(context, node, number, x) for number in (1, 2))
    div = _whole(node, "div")
    count = _whole(node, "n_levels" if "n_levels" in node.attributes else "n_levels_out")
    if div < 1 or not 2 <= count <= 256:
        raise SpinplaneError(f"{node.label}: a division by {div}, or {count} levels: expected 2 to 256")
    low = -(count // 2) if _whole(node, "signed") else 0
    high = low + count - 1
    values = np.arange(low, high + 1, dtype=np.int64)
    # A half is added even if the division is by 1, where it is then cut off.
    whole = np.vectorize(Fraction, otypes=[object])
    scaled = context.builder.arithmetic(node.label, x, "multiply", whole(mul, div))
    scaled = context.builder.arithmetic(node.label, scaled, "add", whole(2 * add + div, 2 * div))
    levels = Levels(
        name=node.label,
        operand=least_operand(values, node.label),
        values=values,
        scale=1.0,
        step=1.0,
        zero_point=0.0,
        low=low,
        rounding=Rounding.FLOOR,
        in_integers=True,
    )
    return context.builder.quantize(node.label, scaled, levels)


def _spread(context: Context, node: Node, number: int, x: Value) -> np.ndarray:
    """Whole numbers, one or one a channel, as Python's."""
    value = context.constant(node, number)
    if not np.isfinite(value).all() or (value != np.rint(value)).any() or not value.size:
        raise SpinplaneError(f"{node.label}: its input {number + 1} has numbers that are not whole")
    whole = np.vectorize(int, otypes=[object])(value)
    if value.size == 1:
        return whole.reshape(())
    sides = [side if axis == 1 else 1 for axis, side in enumerate(x.shape)]
    return whole.reshape(sides) if value.size == x.shape[1] else whole


def _whole(node: Node, name: str) -> int:
    """A whole number that an attribute is, alone or as a tensor of one element."""
    found = node.attributes.scalar(name)
    if found != round(found):
        raise SpinplaneError(f"{node.label}: attribute '{name}' is {found:g}, expected a whole number")
    return int(found)


def _rows(domain: str, operators: Sequence[tuple[str, Operator]]) -> dict[tuple[str, str], Operator]:
    return {(domain, name): operator for name, operator in operators}


_WEIGHTS = "weights that are not constant: the engine holds them in its arrays"
_THREE_DIMENSIONS = "three dimensions: windows have lines and columns"
OPERATORS: dict[tuple[str, str], Operator] = {
    **_rows(
        ONNX,
        [
            (
                "QLinearConv",
                Operator(
                    handler=qlinear_conv,
                    takes="in one and two dimensions, with every stride, pad, dilation and group; scales one a kernel",
                    refuses=(_WEIGHTS, _THREE_DIMENSIONS),
                ),
            ),
            (
                "QLinearMatMul",
                Operator(handler=qlinear_matmul, takes="codes times a constant matrix", refuses=(_WEIGHTS,)),
            ),
            (
                "ConvInteger",
                Operator(
                    handler=conv_integer,
                    takes="as QLinearConv; gives the sums",
                    refuses=(_WEIGHTS, _THREE_DIMENSIONS),
                ),
            ),
            (
                "MatMulInteger",
                Operator(handler=matmul_integer, takes="codes times a constant matrix", refuses=(_WEIGHTS,)),
            ),
        ],
    ),
    **_rows(
        MICROSOFT,
        [
            (
                "QLinearAdd",
                Operator(handler=qlinear_add, takes="two tensors of codes of one shape, or a constant"),
            ),
            (
                "QLinearAveragePool",
                Operator(
                    handler=qlinear_average_pool,
                    takes="in one and two dimensions, with every window, channels first or last",
                ),
            ),
            (
                "QLinearGlobalAveragePool",
                Operator(handler=qlinear_global_average_pool, takes="channels first or last"),
            ),
            (
                "QLinearConcat",
                Operator(
                    handler=qlinear_concat, takes="tensors of any scales along channels, lines or columns"
                ),
            ),
            (
                "QGemm",
                Operator(
                    handler=qgemm,
                    takes="codes times a constant matrix; gives codes or numbers",
                    refuses=(_WEIGHTS,),
                ),
            ),
        ],
    ),
    **_rows(
        PULP,
        [
            (
                "RequantShift",
                Operator(
                    handler=requant_shift,
                    takes="clip(floor((x·mul + add + div/2) / div)), one factor and addend or one a channel",
                ),
            )
        ],
    ),
}
