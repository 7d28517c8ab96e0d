"""Weights of more than 8 bits: their layer takes copies of each channel, whose weights of 8 bits add up to them."""

from dataclasses import replace

import numpy as np

from spinplane.machine import Coding, Operand, SpinplaneError

from ...graph import StepFunction
from .access import Line
from .copies import copying
from .drafts import Drafts
from .layout import Sides

_LEAST, _GREATEST = -128, 127
#: Copies of a channel.
_MOST_PARTS = 4


def in_parts(
    drafts: Drafts, label: str, line: Line, sides: Sides, weights: np.ndarray, *, flatten: bool
) -> tuple[Line, np.ndarray]:
    """Maps with each channel several times, and weights of 8 bits that take them.

    Parameters
    ----------
    line : Line
        Of the maps that the layer takes, whose slopes and offsets are left as they are.
    sides : (channels, lines, columns)
        Of the maps, without padding.
    weights : ndarray of shape (kernels, channels of a group, height, width), int64
        With channels · lines · columns of them where the layer flattens its input.
    """
    parts = max(-(-int(weights.max()) // _GREATEST), -(int(weights.min()) // -_LEAST))
    if parts > _MOST_PARTS:
        raise SpinplaneError(
            f"{label}: weights from {weights.min()} to {weights.max()}, a layer takes them from "
            f"{_MOST_PARTS * _LEAST} to {_MOST_PARTS * _GREATEST}"
        )
    channels, lines, columns = sides
    repeated = np.repeat(np.arange(channels), parts)
    layer = replace(
        copying(label, line.maps, len(repeated), line.operand),
        groups=channels,
        steps=StepFunction.one_by_one(line.levels, line.levels, len(repeated)),
    )
    number = drafts.add(layer, line.levels, line.operand, (len(repeated), lines, columns))
    of_pixel = lines * columns if flatten else 1
    kernels, taken, *window = weights.shape
    # Σ ⌊(w + k) / n⌋ over k < n is w.
    split = (weights[:, :, np.newaxis] + np.arange(parts).reshape(-1, 1, 1)) // parts
    by_channel = split.reshape(kernels, taken // of_pixel, of_pixel, parts, *window).swapaxes(2, 3)
    return replace(line, maps=(number,)), by_channel.reshape(kernels, taken * parts, *window)


#: Of the weights of copies.
PART = Operand(bits=8, coding=Coding.TWOS_COMPLEMENT)
