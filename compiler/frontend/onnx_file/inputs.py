"""Inputs of a file: their types and sides, with the images of a batch set apart."""

from collections.abc import Sequence
from math import prod

import onnx

from spinplane.machine import SpinplaneError

from .names import quoted
from .node import Shape
from .shapes import MOST_AXES, MOST_ELEMENTS
from .signatures import type_name


def input_type(value: onnx.ValueInfoProto) -> str:
    """Type of an input's elements.

    Raises
    ------
    SpinplaneError
        If it is no tensor of numbers.
    """
    kind = type_name(value.type.tensor_type.elem_type)
    if kind is None or kind in ("undefined", "string"):
        raise SpinplaneError(f"input {quoted(value.name)} is no tensor of numbers")
    return kind


def input_shape(value: onnx.ValueInfoProto) -> Shape:
    """Sides of an input as the file gives them, 1 for a batch of any size.

    The first axis is that of the images, whatever the file says of it.

    Raises
    ------
    SpinplaneError
        If another axis has no number, or the tensor is too large.
    """
    given = value.type.tensor_type
    if not given.HasField("shape"):
        raise SpinplaneError(f"input {quoted(value.name)} has no fixed shape")
    sides = given.shape.dim
    for axis, side in enumerate(sides):
        if axis and side.dim_value < 1:
            symbol = f" ({quoted(side.dim_param)})" if side.dim_param else ""
            raise SpinplaneError(
                f"input {quoted(value.name)}: its axis {axis}{symbol} has no fixed size: export it with a number"
            )
    shape = tuple(side.dim_value for side in sides)
    if shape and shape[0] < 1:
        shape = (1, *shape[1:])
    if len(shape) > MOST_AXES or prod(shape) > MOST_ELEMENTS:
        raise SpinplaneError(
            f"input {quoted(value.name)}: {len(shape)} axes, or more than {MOST_ELEMENTS} elements"
        )
    return shape


def batch_of(shapes: Sequence[Shape]) -> int:
    """Images that a file takes at once.

    Raises
    ------
    SpinplaneError
        If its inputs differ.
    """
    found = {shape[0] for shape in shapes if shape}
    if len(found) > 1:
        raise SpinplaneError(f"inputs of {' and '.join(map(str, sorted(found)[:4]))} images")
    return found.pop() if found else 1
