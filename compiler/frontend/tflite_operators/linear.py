"""Convolutions and dense layers: sums of products, and their scales."""

from fractions import Fraction
from math import prod

import numpy as np

from spinplane.machine import Coding, Operand, SpinplaneError

from ..building import Value, Weights
from ..tflite_file.model import Operator as FileOperator
from .fixed_point import multipliers_of_kernels
from .operator import Context
from .windows import TO_CHANNELS_FIRST, TO_CHANNELS_LAST, check_rank, check_shape, padded, sides_of

_WEIGHTS = {"int8": 8, "uint8": 8, "int4": 4}
_MOST_KERNELS = 1 << 15


def conv_2d(context: Context, operator: FileOperator) -> Value:
    """CONV_2D: weights of shape (kernels, height, width, channels of a group)."""
    weights, scales = _weights(context, operator, axis=0)
    given = context.input(operator, 0)
    check_rank(operator, given, 4)
    channels, shape = given.shape[3], weights.values.shape
    if len(shape) != 4 or channels % shape[3] or len(scales) % (channels // shape[3]):
        raise SpinplaneError(f"{operator.label}: weights of shape {shape}, an input of {channels} channels")
    kernels = _weights_of(weights, weights.values.transpose(0, 3, 1, 2))
    return _convolved(context, operator, kernels, scales, channels // shape[3])


def depthwise_conv_2d(context: Context, operator: FileOperator) -> Value:
    """DEPTHWISE_CONV_2D: weights of shape (1, height, width, channels · multiplier)."""
    weights, scales = _weights(context, operator, axis=3)
    given = context.input(operator, 0)
    check_rank(operator, given, 4)
    channels, shape = given.shape[3], weights.values.shape
    if len(shape) != 4 or shape[0] != 1 or shape[3] % channels:
        raise SpinplaneError(f"{operator.label}: weights of shape {shape}, an input of {channels} channels")
    kernels = _weights_of(weights, weights.values.transpose(3, 0, 1, 2))
    return _convolved(context, operator, kernels, scales, channels)


def _convolved(
    context: Context, operator: FileOperator, weights: Weights, scales: np.ndarray, groups: int
) -> Value:
    given, made, label = context.input(operator, 0), context.output(operator), operator.label
    window = sides_of(operator, weights.values.shape[2:], given.shape[1:3], dilated=True)
    check_shape(operator, made, (1, *window.output, len(weights.values)))
    x = context.builder.transpose(label, context.value(operator), TO_CHANNELS_FIRST)
    sums = context.builder.convolution(
        label,
        x,
        weights,
        stride=window.stride,
        padding=padded(window),
        dilation=window.dilation,
        groups=groups,
        bias=_bias(context, operator, len(weights.values)),
    )
    (scale, _), (made_scale, zero_point) = context.codes(operator, given), context.codes(operator, made)
    if given.dtype == "uint8":
        # Here the kernels multiply in float32.
        real = (scale * scales).astype(np.float64) / float(made_scale)
    else:
        real = float(scale) * scales.astype(np.float64) / float(made_scale)
    multiplier, shift = multipliers_of_kernels(real)
    low, high = context.limits(operator)
    y = context.builder.scale_doubling(
        label, sums, multiplier, shift, zero_point=zero_point, low=low, high=high
    )
    return context.builder.transpose(label, y, TO_CHANNELS_LAST)


def fully_connected(context: Context, operator: FileOperator) -> Value:
    """FULLY_CONNECTED: weights of shape (outputs, inputs), one scale for all sums in float64."""
    given, made, label = context.input(operator, 0), context.output(operator), operator.label
    weights, scales = _weights(context, operator, axis=0)
    if operator.options.integer("WeightsFormat", least=-128, most=127):
        raise SpinplaneError(f"{label}: weights in a shuffled order are not supported")
    if weights.values.ndim != 2:
        raise SpinplaneError(f"{label}: weights of {weights.values.ndim} axes, expected 2")
    kernels, depth = weights.values.shape
    x, size = context.value(operator), prod(given.shape)
    if size == depth:
        x = context.builder.reshape(label, x, (1, depth))
    elif given.shape[-1:] != (depth,):
        raise SpinplaneError(f"{label}: a matrix of {depth} inputs times a tensor of shape {given.shape}")
    check_shape(operator, made, (size // depth, kernels), merged=True)
    sums = context.builder.matrix_product(label, x, _weights_of(weights, weights.values.T))
    bias = _bias(context, operator, kernels)
    if bias is not None:
        sums = context.builder.arithmetic(label, sums, "add", bias)
    (scale, _), (made_scale, zero_point) = context.codes(operator, given), context.codes(operator, made)
    low, high = context.limits(operator)
    real = float(scale) * scales.astype(np.float64) / float(made_scale)
    y = context.builder.scale_float64(label, sums, real, zero_point=zero_point, low=low, high=high)
    return context.builder.reshape(label, y, made.shape)


def _weights(context: Context, operator: FileOperator, axis: int) -> tuple[Weights, np.ndarray]:
    """The second input as integers, and the scales of all kernels, which lie along an axis."""
    tensor, label = context.input(operator, 1), operator.label
    found = tensor.quantization
    if tensor.dtype not in _WEIGHTS or found is None:
        raise SpinplaneError(
            f"{label}: its weights are {tensor.dtype}{'' if found else ' without scales'}, "
            f"expected quantized int8, uint8 or int4"
        )
    codes = context.constant(operator, 1).astype(np.int64)
    kernels = codes.shape[axis] if codes.ndim > axis else 0
    if not 1 <= kernels <= _MOST_KERNELS:
        raise SpinplaneError(
            f"{label}: weights of shape {codes.shape}: expected 1 to {_MOST_KERNELS} kernels"
        )
    if len(found.scales) > 1 and (found.axis != axis or len(found.scales) != kernels):
        raise SpinplaneError(
            f"{label}: its weights have scales along axis {found.axis}, not along that of the kernels"
        )
    zero_point = int(found.zero_points[0])
    if (found.zero_points != zero_point).any() or (zero_point and tensor.dtype != "uint8"):
        raise SpinplaneError(f"{label}: its weights have zero points other than 0")
    coding = Coding.UNSIGNED if tensor.dtype == "uint8" else Coding.TWOS_COMPLEMENT
    operand = Operand(bits=_WEIGHTS[tensor.dtype], coding=coding, zero_point=zero_point)
    weights = Weights(values=codes - zero_point, scale=np.array(Fraction(1)), operand=operand)
    return weights, np.broadcast_to(found.scales, (kernels,))


def _weights_of(weights: Weights, values: np.ndarray) -> Weights:
    return Weights(values=values, scale=weights.scale, operand=weights.operand)


def _bias(context: Context, operator: FileOperator, kernels: int) -> np.ndarray | None:
    if not context.has(operator, 2):
        return None
    tensor, bias = context.input(operator, 2), context.constant(operator, 2)
    if tensor.dtype != "int32" or bias.size != kernels:
        raise SpinplaneError(
            f"{operator.label}: a bias of {tensor.dtype} of shape {bias.shape}, expected {kernels} of int32"
        )
    return bias.astype(np.int64).ravel()
