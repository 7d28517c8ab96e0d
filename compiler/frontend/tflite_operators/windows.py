"""Windows over lines and columns, as TFLite's options say them. Its axes are (batch, lines, columns, channels)."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import tflite

from spinplane.machine import SpinplaneError

from ..tflite_file.model import Operator as FileOperator
from ..tflite_file.tensors import Tensor

TO_CHANNELS_FIRST, TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
_MOST = 1 << 15
#: Options that say the padding of a window where no file does.
PADS = ("Before", "After")


@dataclass(frozen=True, kw_only=True)
class Window:
    """A window over (lines, columns).

    Parameters
    ----------
    kernel, stride, dilation, before, after, output : (vertical, horizontal)
        Padded positions are `before` and `after`.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    after: tuple[int, int]
    output: tuple[int, int]


def sides_of(
    operator: FileOperator, kernel: Sequence[int], sides: Sequence[int], *, dilated: bool = False
) -> Window:
    """The window of an operator whose kernel has two sides, over a map of two sides.

    Raises
    ------
    SpinplaneError
        If an option is out of bounds, or the window does not fit.
    """
    options = operator.options
    stride = tuple(options.integer(f"Stride{axis}", least=1, most=_MOST) for axis in "HW")
    dilation = (1, 1)
    if dilated:
        height, width = (options.integer(f"Dilation{axis}Factor", least=1, most=_MOST) for axis in "HW")
        dilation = (height, width)
    same = options.integer("Padding", least=0, most=1) == tflite.Padding.SAME
    before, after, output = [], [], []
    for axis in (0, 1):
        reach = dilation[axis] * (kernel[axis] - 1) + 1
        count = -(-sides[axis] // stride[axis])
        padding = max((count - 1) * stride[axis] + reach - sides[axis], 0)
        pads = (padding // 2, padding - padding // 2) if same else (0, 0)
        if PADS[0] in options:
            pads = options.integers(PADS[0])[axis], options.integers(PADS[1])[axis]
        padded_side = sides[axis] + sum(pads)
        if padded_side < reach:
            raise SpinplaneError(
                f"{operator.label}: a window of {kernel[0]}×{kernel[1]} does not fit in a map of {sides[0]}×{sides[1]}"
            )
        before.append(pads[0])
        after.append(pads[1])
        output.append((padded_side - reach) // stride[axis] + 1)
    return Window(
        kernel=(kernel[0], kernel[1]),
        stride=(stride[0], stride[1]),
        dilation=dilation,
        before=(before[0], before[1]),
        after=(after[0], after[1]),
        output=(output[0], output[1]),
    )


def pool_window(operator: FileOperator, sides: Sequence[int]) -> Window:
    """The window of a pooling operator."""
    kernel = [operator.options.integer(f"Filter{side}", least=1, most=_MOST) for side in ("Height", "Width")]
    return sides_of(operator, kernel, sides)


def padded(window: Window) -> tuple[int, int, int, int]:
    """Padded positions as the builder takes them: all before, then all after."""
    return (*window.before, *window.after)


def check_rank(operator: FileOperator, tensor: Tensor, rank: int) -> None:
    """Refuse a tensor of another number of axes, or another batch than 1."""
    if len(tensor.shape) != rank or tensor.shape[0] != 1:
        raise SpinplaneError(
            f"{operator.label}: tensor {tensor.label} has shape {tensor.shape}, expected {rank} axes and a batch of 1"
        )


def check_shape(
    operator: FileOperator, tensor: Tensor, shape: Sequence[int], *, merged: bool = False
) -> None:
    """Refuse a tensor that the file says to have another shape than its operator gives.

    Parameters
    ----------
    merged : bool
        All axes but the last may be merged in another way.
    """
    found, expected = tensor.shape, tuple(shape)
    if merged:
        found, expected = ((prod(one[:-1]), *one[-1:]) for one in (found, expected))
    if found != expected:
        raise SpinplaneError(
            f"{operator.label}: tensor {tensor.label} has shape {tensor.shape}, its operator gives {tuple(shape)}"
        )
