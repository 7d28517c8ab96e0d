"""Operators that move numbers, and leave them as they are."""

from collections.abc import Sequence
from math import prod

import numpy as np

from spinplane.machine import SpinplaneError

from ..building import Value
from ..tflite_file.model import Operator as FileOperator
from .operator import Context
from .windows import TO_CHANNELS_FIRST, TO_CHANNELS_LAST, check_shape


def reshape(context: Context, operator: FileOperator) -> Value:
    """RESHAPE: to the constant that says so, to the option that does, or to what the file declares."""
    given, made = context.input(operator, 0), context.output(operator)
    target: Sequence[int] = operator.options.integers("NewShape")
    if context.has(operator, 1):
        is_constant = context.input(operator, 1).data is not None
        target = context.integers(operator, 1) if is_constant else made.shape
    sides = list(target or made.shape)
    if context.batch > 1 and sides[0] == context.batch:
        sides[0] = 1
    if sides.count(-1) == 1:
        sides[sides.index(-1)] = prod(given.shape) // max(1, prod(side for side in sides if side != -1))
    return _reshaped(context, operator, sides)


def squeeze(context: Context, operator: FileOperator) -> Value:
    """SQUEEZE: without the axes that an option says, or without all of side 1."""
    given = context.input(operator, 0)
    rank = len(given.shape)
    axes = {axis % rank for axis in operator.options.integers("SqueezeDims") if rank}
    if not axes:
        first = 1 if context.batch > 1 else 0
        axes = {axis for axis, side in enumerate(given.shape) if side == 1 and axis >= first}
    return _reshaped(context, operator, [side for axis, side in enumerate(given.shape) if axis not in axes])


def expand_dims(context: Context, operator: FileOperator) -> Value:
    """EXPAND_DIMS: with a further axis of side 1."""
    sides = list(context.input(operator, 0).shape)
    axes = context.integers(operator, 1)
    if len(axes) != 1 or not -len(sides) - 1 <= axes[0] <= len(sides):
        raise SpinplaneError(f"{operator.label}: an axis {list(axes[:8])} of a tensor of {len(sides)} axes")
    sides.insert(axes[0] % (len(sides) + 1), 1)
    return _reshaped(context, operator, sides)


def _reshaped(context: Context, operator: FileOperator, shape: Sequence[int]) -> Value:
    given, made = context.input(operator, 0), context.output(operator)
    context.same_codes(operator)
    if prod(shape) != prod(given.shape):
        raise SpinplaneError(
            f"{operator.label}: a tensor of shape {given.shape} cannot become {tuple(shape[:8])}"
        )
    check_shape(operator, made, shape)
    if not made.shape:
        raise SpinplaneError(f"{operator.label}: gives a tensor without axes")
    return context.builder.reshape(operator.label, context.value(operator), made.shape)


def transpose(context: Context, operator: FileOperator) -> Value:
    """TRANSPOSE."""
    given = context.input(operator, 0)
    context.same_codes(operator)
    order = context.integers(operator, 1)
    if sorted(order) != list(range(len(given.shape))):
        raise SpinplaneError(
            f"{operator.label}: axes in the order {list(order[:8])}, expected {len(given.shape)} of them"
        )
    check_shape(operator, context.output(operator), tuple(given.shape[axis] for axis in order))
    return context.builder.transpose(operator.label, context.value(operator), order)


def pad(context: Context, operator: FileOperator) -> Value:
    """PAD by the number 0, PADV2 by a constant."""
    given, label = context.input(operator, 0), operator.label
    context.same_codes(operator)
    pads = np.array(context.integers(operator, 1), dtype=object)
    if len(pads) != 2 * len(given.shape) or (pads < 0).any():
        raise SpinplaneError(f"{label}: pads {pads[:8].tolist()}, expected two of 0 or more for each axis")
    pads = pads.reshape(-1, 2)
    check_shape(
        operator,
        context.output(operator),
        tuple(int(side + before + after) for side, (before, after) in zip(given.shape, pads, strict=True)),
    )
    number = 0.0
    if context.has(operator, 2):
        tensor, constant = context.input(operator, 2), context.constant(operator, 2)
        if constant.size != 1 or context.codes(operator, tensor) != context.codes(operator, given):
            raise SpinplaneError(f"{label}: its number {tensor.label} is not one code of the input's")
        number = float(int(constant.ravel()[0]) - context.codes(operator, given)[1])
    x, order = context.value(operator), tuple(range(len(pads)))
    if len(order) == 4:
        order = TO_CHANNELS_FIRST
        x = context.builder.transpose(label, x, order)
    y = context.builder.pad(label, x, [int(n) for n in pads[list(order)].T.ravel()], number)
    return context.builder.transpose(label, y, TO_CHANNELS_LAST) if len(order) == 4 else y
