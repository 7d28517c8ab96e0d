"""Functions of single numbers: activations, requantization, and constants that are added."""

from collections.abc import Callable, Sequence

import numpy as np

from spinplane.machine import SpinplaneError

from ..building import Value
from ..tflite_file.model import Operator as FileOperator
from . import tables
from .operator import CODES, Context, clipped

Function = Callable[[np.ndarray, np.float32, np.float32], np.ndarray]


def mapped(
    context: Context,
    operator: FileOperator,
    function: Function,
    limits: Sequence[int] | None = None,
    number: int = 0,
) -> Value:
    """A function of the numbers of an input, whose results are clipped to the output's codes, or closer."""
    given, made = context.input(operator, number), context.output(operator)
    scale, zero_point = context.codes(operator, given)
    made_scale, made_zero = context.codes(operator, made)
    if given.shape != made.shape:
        raise SpinplaneError(f"{operator.label}: gives {made.shape} of {given.shape}, expected one shape")
    least, greatest = (bound - zero_point for bound in given.bounds)
    results = function(np.arange(least, greatest + 1, dtype=np.int64), scale, made_scale)
    low, high = limits or made.bounds
    return context.builder.table(
        operator.label,
        context.value(operator, number),
        least,
        np.clip(results + made_zero, low, high) - made_zero,
        axis=len(given.shape) - 1,
    )


def relu(context: Context, operator: FileOperator) -> Value:
    """RELU."""
    return _rectified(context, operator, 0.0, None)


def relu6(context: Context, operator: FileOperator) -> Value:
    """RELU6."""
    return _rectified(context, operator, 0.0, 6.0)


def relu_n1_to_1(context: Context, operator: FileOperator) -> Value:
    """RELU_N1_TO_1."""
    return _rectified(context, operator, -1.0, 1.0)


def _rectified(context: Context, operator: FileOperator, low: float, high: float | None) -> Value:
    made = context.output(operator)
    limits = clipped(made, *context.codes(operator, made), low, high)
    return mapped(context, operator, tables.rectified, limits)


def leaky_relu(context: Context, operator: FileOperator) -> Value:
    """LEAKY_RELU."""
    slope = operator.options.number("Alpha")
    return mapped(context, operator, lambda x, scale, made: tables.leaky(x, scale, made, slope))


def prelu(context: Context, operator: FileOperator) -> Value:
    """PRELU, with one slope or one a channel."""
    given, slopes = context.input(operator, 0), context.input(operator, 1)
    slope_scale, slope_zero = context.codes(operator, slopes)
    channels = given.shape[-1] if given.shape else 1
    values = context.constant(operator, 1).astype(np.int64).reshape(-1, 1) - slope_zero
    if len(values) not in (1, channels) or (slopes.shape and slopes.shape[-1] != len(values)):
        raise SpinplaneError(f"{operator.label}: slopes of shape {slopes.shape}, expected one a channel")
    return mapped(
        context,
        operator,
        lambda x, scale, made: tables.leaky_by_channel(x, scale, made, values, slope_scale),
    )


def logistic(context: Context, operator: FileOperator) -> Value:
    """LOGISTIC."""
    return mapped(context, operator, lambda x, scale, made: tables.looked_up(x, scale, made, tables.logistic))


def tanh(context: Context, operator: FileOperator) -> Value:
    """TANH."""
    return mapped(context, operator, lambda x, scale, made: tables.looked_up(x, scale, made, tables.tanh))


def hard_swish(context: Context, operator: FileOperator) -> Value:
    """HARD_SWISH."""
    scales = [
        context.codes(operator, one)[0] for one in (context.input(operator, 0), context.output(operator))
    ]
    if np.float32(1 / 128) * scales[0] / scales[1] >= 1:
        raise SpinplaneError(f"{operator.label}: its output's scale is below 1/128 of its input's")
    return mapped(context, operator, tables.hard_swish)


def requantized(context: Context, operator: FileOperator) -> Value:
    """QUANTIZE of a tensor of codes."""
    return mapped(context, operator, tables.rescaled)


def with_constant(
    context: Context,
    operator: FileOperator,
    function: Callable[[np.ndarray, np.ndarray, tables.Scales], np.ndarray],
) -> Value:
    """A function of two inputs in their order, one of which is a constant of one number or one a channel."""
    number = 0 if context.is_value(operator, 0) else 1
    given, constant = context.input(operator, number), context.input(operator, 1 - number)
    if given.dtype != constant.dtype or given.dtype not in CODES:
        raise SpinplaneError(
            f"{operator.label}: takes {given.dtype} and {constant.dtype}, expected one type of codes"
        )
    constant_scale, zero_point = context.codes(operator, constant)
    values = context.constant(operator, 1 - number).astype(np.int64) - zero_point
    channels = given.shape[-1] if given.shape else 1
    if values.size != 1 and (values.size != channels or values.shape[-1] != channels):
        raise SpinplaneError(
            f"{operator.label}: a constant of shape {values.shape}, expected one number a channel"
        )
    rows = values.reshape(-1, 1)

    def of_one(numbers: np.ndarray, scale: np.float32, made: np.float32) -> np.ndarray:
        if number:
            return function(rows, numbers, (constant_scale, scale, made))
        return function(numbers, rows, (scale, constant_scale, made))

    return mapped(context, operator, of_one, context.limits(operator), number)


def mul(context: Context, operator: FileOperator) -> Value:
    """MUL of a tensor and a constant."""
    if context.is_value(operator, 0) and context.is_value(operator, 1):
        raise SpinplaneError(f"{operator.label}: MUL of two tensors is not supported")
    return with_constant(context, operator, tables.multiplied)
