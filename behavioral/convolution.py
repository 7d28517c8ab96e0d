"""Eq. 1: a layer of convolutions with bias and ReLU, every dot product taken by Eq. 3."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.machine import Operand, SpinplaneError

from .bitplane import bitplane_dot, integers

#: A number for both directions, or (vertical, horizontal).
Pair = int | tuple[int, int]
#: A pair, or (top, left, bottom, right).
Padding = Pair | tuple[int, int, int, int]

# Widest accumulator of a machine: a bias is one of its constants.
_BIAS_BITS = 48
# Bits of one AND that are held at a time, so that memory grows with neither the image nor the kernels.
_BLOCK = 2**22


def convolve(
    inputs: ArrayLike,
    weights: ArrayLike,
    *,
    w: Operand,
    i: Operand,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
    groups: int = 1,
    bias: ArrayLike | None = None,
    relu: bool = False,
) -> NDArray[np.int64]:
    """Convolve integers bit-plane by bit-plane.

    Parameters
    ----------
    inputs : array_like of int, shape (batch, channels, height, width)
        Values, not codes.
    weights : array_like of int, shape (kernels, channels / groups, kernel height, kernel width)
        Values, not codes; not flipped, as networks have it.
    w, i : Operand
        Width and coding of the weights and of the inputs.
    stride, dilation : int or (vertical, horizontal)
    padding : int, (vertical, horizontal) or (top, left, bottom, right)
        A padded position contributes the value 0, also where the operand has no code for it.
    groups : int
        Kernel k sees the channels of group ``k // (kernels / groups)`` alone.
    bias : array_like of int, shape (kernels,), optional
        Added to the dot products; at most 48 bits, signed.
    relu : bool
        Replace negative results by 0.

    Returns
    -------
    ndarray of shape (batch, kernels, output height, output width), int64
        Exact: 8-bit operands and a 48-bit bias stay within int64 for every window that fits in a memory.

    Raises
    ------
    SpinplaneError
        If shapes, geometry or groups do not fit together, or an operand cannot hold a value.
    """
    inputs, weights = integers(inputs, "inputs"), integers(weights, "weights")
    _check_shapes(inputs, weights, groups)
    kernels, group_channels, kernel_height, kernel_width = weights.shape
    kernel = (kernel_height, kernel_width)
    constants = _check_bias(bias, kernels)
    columns = windows(inputs, kernel, stride, padding, dilation)
    inside = windows(np.ones_like(inputs[:1]), kernel, stride, padding, dilation)
    batch, height, width = columns.shape[:3]

    outputs = np.empty((batch, kernels, height, width), dtype=np.int64)
    group_kernels = kernels // groups
    for group in range(groups):
        channels = slice(group * group_channels, (group + 1) * group_channels)
        members = slice(group * group_kernels, (group + 1) * group_kernels)
        flat_weights = weights[members].reshape(group_kernels, -1)
        valid = inside[..., channels, :, :].reshape(height * width, 1, -1)
        step = max(1, _BLOCK // max(1, flat_weights.size))
        for image in range(batch):
            flat_inputs = columns[image, ..., channels, :, :].reshape(height * width, 1, -1)
            dots = [
                bitplane_dot(flat_weights, flat_inputs[at : at + step], w, i, valid[at : at + step])
                for at in range(0, height * width, step)
            ]
            outputs[image, members] = np.concatenate(dots).T.reshape(group_kernels, height, width)
    outputs += constants[:, np.newaxis, np.newaxis]
    return np.maximum(outputs, 0) if relu else outputs


def windows(
    inputs: NDArray[np.int64],
    kernel: Pair,
    stride: Pair = 1,
    padding: Padding = 0,
    dilation: Pair = 1,
) -> NDArray[np.int64]:
    """What a kernel sees at each of its positions; 0 where it is padded.

    Parameters
    ----------
    inputs : ndarray of shape (batch, channels, height, width)
    kernel : int or (height, width)
    stride, padding, dilation
        As in `convolve`.

    Returns
    -------
    ndarray of shape (batch, output height, output width, channels, kernel height, kernel width)
        A read-only view of the padded inputs.

    Raises
    ------
    SpinplaneError
        If the geometry is not allowed, or the kernel is larger than the padded inputs.
    """
    kernel_height, kernel_width = pair(kernel, "kernel", "or (height, width)")
    down, right = pair(stride, "stride")
    dilation_y, dilation_x = pair(dilation, "dilation")
    pad_top, pad_left, pad_bottom, pad_right = sides(padding)
    borders = ((0, 0), (0, 0), (pad_top, pad_bottom), (pad_left, pad_right))
    padded = np.pad(inputs, borders)
    span = (dilation_y * (kernel_height - 1) + 1, dilation_x * (kernel_width - 1) + 1)
    if span[0] > padded.shape[2] or span[1] > padded.shape[3]:
        raise SpinplaneError(
            f"a kernel spanning {span[0]}×{span[1]} exceeds the padded input of "
            f"{padded.shape[2]}×{padded.shape[3]}"
        )
    every = np.lib.stride_tricks.sliding_window_view(padded, span, axis=(2, 3))
    return every[:, :, ::down, ::right, ::dilation_y, ::dilation_x].transpose(0, 2, 3, 1, 4, 5)


def pair(value: Pair, name: str, forms: str = "or (vertical, horizontal)") -> tuple[int, int]:
    """A size or a step, at least 1, in both directions; `name` and `forms` are for the error."""
    vertical, horizontal = _numbers(value, name, 1, (1, 2), forms)
    return vertical, horizontal


def sides(padding: Padding) -> tuple[int, int, int, int]:
    """A padding, at least 0, as (top, left, bottom, right)."""
    forms = "(vertical, horizontal) or (top, left, bottom, right)"
    top, left, bottom, right = _numbers(padding, "padding", 0, (1, 2, 4), forms)
    return top, left, bottom, right


def _numbers(value: Padding, name: str, least: int, counts: tuple[int, ...], forms: str) -> tuple[int, ...]:
    """`value` repeated to the greatest of `counts`: (v, h) becomes (v, h, v, h)."""
    array = np.atleast_1d(value)
    if array.dtype.kind != "i" or array.ndim != 1 or len(array) not in counts or array.min() < least:
        raise SpinplaneError(f"{name} = {value!r}: must be a whole number of at least {least}, {forms}")
    return tuple(int(number) for number in np.resize(array, max(counts)))


def _check_shapes(inputs: NDArray[np.int64], weights: NDArray[np.int64], groups: int) -> None:
    if inputs.ndim != 4:
        raise SpinplaneError(f"inputs of shape {inputs.shape}: expected (batch, channels, height, width)")
    if weights.ndim != 4:
        raise SpinplaneError(
            f"weights of shape {weights.shape}: expected (kernels, channels / groups, height, width)"
        )
    if not isinstance(groups, int) or groups < 1 or weights.shape[0] % groups:
        raise SpinplaneError(f"groups = {groups!r}: must divide the number of kernels, {weights.shape[0]}")
    if inputs.shape[1] != groups * weights.shape[1]:
        raise SpinplaneError(
            f"weights of {groups} groups × {weights.shape[1]} channels do not fit inputs of "
            f"{inputs.shape[1]} channels"
        )


def _check_bias(bias: ArrayLike | None, kernels: int) -> NDArray[np.int64]:
    constants = np.zeros(kernels, dtype=np.int64) if bias is None else integers(bias, "bias")
    if constants.shape != (kernels,):
        raise SpinplaneError(f"bias of shape {constants.shape}: expected ({kernels},), one per kernel")
    limit = 2 ** (_BIAS_BITS - 1)
    outside = (constants < -limit) | (constants >= limit)
    if outside.any():
        raise SpinplaneError(f"bias {constants[outside].min()} does not fit in {_BIAS_BITS} bits")
    return constants
