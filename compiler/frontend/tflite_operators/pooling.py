"""Pooling: greatest codes and averages of them."""

from math import prod

import numpy as np

from spinplane.machine import Coding, Operand, Rounding, SpinplaneError

from ..building import Value
from ..quantizers import Levels
from ..tflite_file.model import Operator as FileOperator
from .fixed_point import quantize_multiplier
from .operator import Context
from .windows import (
    TO_CHANNELS_FIRST,
    TO_CHANNELS_LAST,
    Window,
    check_rank,
    check_shape,
    padded,
    pool_window,
)


def max_pool_2d(context: Context, operator: FileOperator) -> Value:
    """MAX_POOL_2D, with an activation behind it."""
    x, window, label = *_pooled(context, operator), operator.label
    y = context.builder.max_pool(label, x, kernel=window.kernel, stride=window.stride, padding=padded(window))
    y = context.builder.transpose(label, y, TO_CHANNELS_LAST)
    made = context.output(operator)
    least, greatest = made.bounds
    _, zero_point = context.codes(operator, made)
    codes = np.clip(np.arange(least, greatest + 1, dtype=np.int64), *context.limits(operator))
    return context.builder.table(label, y, least - zero_point, codes - zero_point, axis=3)


def average_pool_2d(context: Context, operator: FileOperator) -> Value:
    """AVERAGE_POOL_2D: the mean of codes, rounded to nearest and from the middle away from the code 0."""
    x, window, label = *_pooled(context, operator), operator.label
    made = context.output(operator)
    _, zero_point = context.codes(operator, made)
    mean = context.builder.average_pool(
        label, x, kernel=window.kernel, stride=window.stride, padding=padded(window)
    )
    codes = context.builder.arithmetic(label, mean, "add", np.array(zero_point))
    low, high = context.limits(operator)
    levels = Levels(
        name=label,
        operand=Operand(
            bits=8,
            coding=Coding.UNSIGNED if made.dtype == "uint8" else Coding.TWOS_COMPLEMENT,
            zero_point=zero_point,
        ),
        values=np.arange(low, high + 1, dtype=np.int64) - zero_point,
        scale=1.0,
        step=1.0,
        zero_point=0.0,
        low=low,
        rounding=Rounding.HALF_AWAY,
        in_integers=True,
    )
    y = context.builder.quantize(label, codes, levels)
    return context.builder.transpose(label, y, TO_CHANNELS_LAST)


def _pooled(context: Context, operator: FileOperator) -> tuple[Value, Window]:
    """What is pooled, channels first, and the window."""
    given, made = context.input(operator, 0), context.output(operator)
    check_rank(operator, given, 4)
    context.same_codes(operator)
    window = pool_window(operator, given.shape[1:3])
    check_shape(operator, made, (1, *window.output, given.shape[3]))
    return context.builder.transpose(operator.label, context.value(operator), TO_CHANNELS_FIRST), window


def mean(context: Context, operator: FileOperator) -> Value:
    """MEAN over lines and columns, or one of them: a sum, and one fixed-point multiplication."""
    given, made, label = context.input(operator, 0), context.output(operator), operator.label
    axes, kept = _reduced(context, operator)
    (scale, _), (made_scale, zero_point) = context.codes(operator, given), context.codes(operator, made)
    count = prod(given.shape[axis] for axis in axes)
    average = context.builder.global_average(label, context.value(operator), axes, keep=kept)
    sums = context.builder.arithmetic(label, average, "multiply", np.array(count))
    multiplier, shift = _of_mean(float(scale) / float(made_scale), count)
    low, high = made.bounds
    return context.builder.scale_doubling(
        label, sums, np.array(multiplier), np.array(shift), zero_point=zero_point, low=low, high=high
    )


def reduce_max(context: Context, operator: FileOperator) -> Value:
    """REDUCE_MAX over lines and columns, or one of them."""
    given, made, label = context.input(operator, 0), context.output(operator), operator.label
    check_rank(operator, given, 4)
    context.same_codes(operator)
    axes, _ = _reduced(context, operator)
    if not set(axes) <= {1, 2}:
        raise SpinplaneError(f"{label}: a maximum over axes {axes}, expected lines and columns (1 and 2)")
    kernel = [given.shape[axis] if axis in axes else 1 for axis in (1, 2)]
    x = context.builder.transpose(label, context.value(operator), TO_CHANNELS_FIRST)
    y = context.builder.max_pool(label, x, kernel=kernel, stride=kernel, padding=(0, 0, 0, 0))
    return context.builder.reshape(label, context.builder.transpose(label, y, TO_CHANNELS_LAST), made.shape)


def _reduced(context: Context, operator: FileOperator) -> tuple[list[int], bool]:
    """Axes over which an operator goes, and whether they are kept as sides of 1."""
    given, label = context.input(operator, 0), operator.label
    rank = len(given.shape)
    axes = {axis + rank if axis < 0 else axis for axis in context.integers(operator, 1)}
    if not axes or not axes <= set(range(1, rank)):
        raise SpinplaneError(
            f"{label}: {operator.code} of axes {sorted(axes)[:8]} of a tensor of {rank} axes"
        )
    kept = operator.options.flag("KeepDims")
    sides = [1 if axis in axes else side for axis, side in enumerate(given.shape) if kept or axis not in axes]
    check_shape(operator, context.output(operator), sides)
    return sorted(axes), kept


def _of_mean(real: float, count: int) -> tuple[int, int]:
    """The multiplier of a mean, with the division by the count in it."""
    multiplier, shift = quantize_multiplier(real)
    more = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << more) // count, shift - more
