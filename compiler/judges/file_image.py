"""An image as channels, height, width, and as a file's input has it: other axes, another type, a batch."""

from collections.abc import Sequence
from math import prod

import numpy as np

Shape = tuple[int, ...]


def to_file(image: np.ndarray, shape: Shape, dtype: np.dtype, order: Sequence[int] | None) -> np.ndarray:
    """An image in the axes and type of a file's input, rounded where these are whole numbers.

    Parameters
    ----------
    image : ndarray of shape (channels, height, width)
    shape : tuple of int
        Of the file's input; the first side is its batch, along which the image is repeated. Free sides are less than 1.
    dtype : dtype
    order : sequence of int, optional
        The file's order of (batch, channels, height, width), if it is known.

    Raises
    ------
    ValueError
        If the image has not as many numbers as the input.
    """
    batch, *sides = shape or (1,)
    fixed = tuple(sides) if min(sides, default=1) > 0 else image.shape
    if prod(fixed) != image.size:
        raise ValueError(f"its input has the shape {shape}, an image {image.shape}")
    arranged = image.transpose(_axes(image.shape, fixed, order)).reshape(fixed)
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        arranged = np.clip(np.rint(arranged), limits.min, limits.max)
    repeated = np.repeat(arranged[np.newaxis].astype(dtype), max(batch, 1), axis=0)
    return repeated.reshape(repeated.shape[: len(shape)]) if len(shape) < 2 else repeated


def from_file(given: np.ndarray, image: Shape, order: Sequence[int] | None) -> np.ndarray:
    """The first image of a file's input as channels, height, width: what `to_file` has made of it."""
    sides = given.shape[1:]
    axes = _axes(image, sides, order)
    back = np.argsort(axes)
    return given[0].reshape([image[axis] for axis in axes]).transpose(back).astype(np.float32)


def _axes(image: Shape, sides: Shape, order: Sequence[int] | None) -> tuple[int, ...]:
    """The axes of an image in the order in which a file has them."""
    if order is not None:
        return tuple(axis - 1 for axis in order if axis)
    longer = tuple(side for side in image if side > 1)
    last = (1, 2, 0)
    by_channels_last = tuple(image[axis] for axis in last if image[axis] > 1)
    found = tuple(side for side in sides if side > 1)
    return last if found == by_channels_last and found != longer else (0, 1, 2)
