"""Operators of several tensors: ADD, SUB and CONCATENATION."""

import numpy as np

from spinplane.machine import SpinplaneError

from ..building import Value
from ..tflite_file.model import Operator as FileOperator
from . import tables
from .fixed_point import quantize_multiplier
from .operator import Context
from .pointwise import with_constant


def add(context: Context, operator: FileOperator) -> Value:
    """ADD of two tensors of one shape, or of a tensor and a constant."""
    return _added(context, operator, 1)


def sub(context: Context, operator: FileOperator) -> Value:
    """SUB of the same, constants in either order."""
    return _added(context, operator, -1)


def _added(context: Context, operator: FileOperator, sign: int) -> Value:
    if not (context.is_value(operator, 0) and context.is_value(operator, 1)):
        return with_constant(context, operator, lambda a, b, scales: tables.added(a, b, scales, sign))
    first, second, made = context.input(operator, 0), context.input(operator, 1), context.output(operator)
    if not first.shape == second.shape == made.shape or not first.dtype == second.dtype == made.dtype:
        raise SpinplaneError(
            f"{operator.label}: {operator.code} of {first.dtype} of shape {first.shape} and {second.dtype} of shape "
            f"{second.shape}, expected one type and shape"
        )
    scales = [context.codes(operator, tensor)[0] for tensor in (first, second, made)]
    own, other, total = tables.addition(*scales)
    if total >= 1:
        raise SpinplaneError(
            f"{operator.label}: its output's scale is too small for TFLite's {operator.code}"
        )
    # The kernels of SUB are those of ADD with a negative multiplier.
    pairs = [quantize_multiplier(factor) for factor in (own, sign * other, total)]
    low, high = context.limits(operator)
    return context.builder.add_doubling(
        operator.label,
        context.value(operator, 0),
        context.value(operator, 1),
        left_shift=tables.ADDITION_SHIFT,
        multipliers=(pairs[0][0], pairs[1][0], pairs[2][0]),
        shifts=(pairs[0][1], pairs[1][1], pairs[2][1]),
        zero_point=context.codes(operator, made)[1],
        low=low,
        high=high,
    )


def concatenation(context: Context, operator: FileOperator) -> Value:
    """CONCATENATION; uint8 of several scales is requantized."""
    made, label = context.output(operator), operator.label
    rank = len(made.shape)
    if not rank or not operator.inputs:
        raise SpinplaneError(f"{label}: concatenates no tensors, or tensors without axes")
    axis = operator.options.integer("Axis", least=-rank, most=rank - 1) % rank
    if operator.options.integer("FusedActivationFunction", least=-128, most=127):
        raise SpinplaneError(f"{label}: activations of CONCATENATION are not supported")
    values, sides = [], 0
    for number in range(len(operator.inputs)):
        given = context.input(operator, number)
        if len(given.shape) != rank or given.shape[:axis] + given.shape[axis + 1 :] != (
            made.shape[:axis] + made.shape[axis + 1 :]
        ):
            raise SpinplaneError(
                f"{label}: shapes {given.shape} and {made.shape} differ elsewhere than at axis {axis}"
            )
        sides += given.shape[axis]
        values.append(_alike(context, operator, number))
    if sides != made.shape[axis]:
        raise SpinplaneError(f"{label}: gives {sides} at axis {axis}, its output has {made.shape[axis]}")
    return context.builder.concatenate(label, values, axis)


def _alike(context: Context, operator: FileOperator, number: int) -> Value:
    """An input in the codes of the output."""
    given, made = context.input(operator, number), context.output(operator)
    (scale, zero_point), (made_scale, made_zero) = (
        context.codes(operator, given),
        context.codes(operator, made),
    )
    value = context.value(operator, number)
    if given.dtype == made.dtype and (scale, zero_point) == (made_scale, made_zero):
        return value
    if given.dtype != "uint8" or made.dtype != "uint8":
        raise SpinplaneError(
            f"{operator.label}: {given.label} and {made.label} have different scales or zero points: TFLite "
            f"concatenates only uint8 so"
        )
    least, greatest = given.bounds
    numbers = tables.concatenated(np.arange(least, greatest + 1), scale, zero_point, made_scale)
    return context.builder.table(
        operator.label,
        value,
        least - zero_point,
        np.clip(numbers + made_zero, *made.bounds) - made_zero,
        axis=len(given.shape) - 1,
    )
