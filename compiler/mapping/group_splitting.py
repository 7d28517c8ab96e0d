"""Groups of numbers of channels that are no powers of two, as layers whose groups are.

A slot of a spread row holds whole groups if their channels are a power of two. A convolution by the identity writes the
map with channels between the groups that have weights of the value 0. Where whole beats of kernels leave a slot alone
with a power of two of kernels in each group, too, some are computed twice, and one more such convolution leaves them
out.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from spinplane.machine import Coding, Operand

from ..graph import DoublingMultiply, FloatScale, Layer, StepFunction, Steps
from .parts import Part, Way


def split_groups(layer: Layer) -> list[Way]:
    """Ways to compute a layer of groups as several layers, which together give the same; empty if there are none.

    Parameters
    ----------
    layer : Layer
    """
    kernels, channels = len(layer.weights) // layer.groups, layer.weights.shape[1]
    if layer.groups == 1 or layer.flatten or (_is_whole(kernels) and _is_whole(channels)):
        return []
    ways: list[Way] = []
    # Channels of the wide map: each group's own, and those after them.
    places = _in_groups(layer.groups, channels)
    chosen = np.where(
        places < channels, np.arange(layer.groups)[:, np.newaxis] * channels + places, -1
    ).ravel()
    before: Way = {}
    wide = layer
    if not _is_whole(channels):
        values = np.arange(layer.i.smallest, layer.i.largest + 1, layer.i.scale)
        before = {Part.WIDENING: _taken(layer, chosen, layer.groups * channels, layer.i, values)}
        gap = places.shape[1] - channels
        wide = replace(layer, weights=np.pad(layer.weights, ((0, 0), (0, gap), (0, 0), (0, 0))), inputs=())
        ways.append({**before, Part.SUMS: wide})
    steps, addition = layer.steps, layer.addition
    if not _is_whole(kernels) and steps is not None and layer.residual is None:
        places = _in_groups(layer.groups, kernels)
        of_group = np.arange(layer.groups)[:, np.newaxis]
        # Missing kernels are those of a group once more.
        rows = (of_group * kernels + np.minimum(places, kernels - 1)).ravel()
        kept = (of_group * places.shape[1] + np.arange(kernels)).ravel()
        levels = np.unique(steps.levels)
        span = int(levels[-1] - levels[0])
        operand = Operand(bits=max(1, span.bit_length()), coding=Coding.UNSIGNED, zero_point=-int(levels[0]))
        after = replace(_taken(layer, kept, len(rows), operand, levels), addition=addition)
        own = replace(_of_kernels(wide, rows), addition=None)
        ways.append({**before, Part.SUMS: own, Part.NARROWING: after})
    return ways


def _is_whole(number: int) -> bool:
    """Whether a number is a power of two."""
    return not number & (number - 1)


def _in_groups(groups: int, number: int) -> np.ndarray:
    """Places within each of some groups that are widened to a power of two, shape (groups, places)."""
    return np.tile(np.arange(1 << (number - 1).bit_length()), (groups, 1))


def _taken(layer: Layer, chosen: np.ndarray, channels: int, operand: Operand, levels: np.ndarray) -> Layer:
    """A layer that gives some of a map's channels as they are; −1 stands for one without a meaning."""
    kernels = len(chosen)
    weights = np.zeros((kernels, channels, 1, 1), dtype=np.int64)
    real = np.flatnonzero(chosen >= 0)
    weights[real, chosen[real]] = 1
    return Layer(
        name=layer.name,
        weights=weights,
        w=Operand(bits=1),
        i=operand,
        bias=np.zeros(kernels, dtype=np.int64),
        steps=StepFunction.one_by_one(levels, levels, kernels),
    )


def _of_kernels(layer: Layer, rows: np.ndarray) -> Layer:
    """A layer with some of its kernels, by their numbers."""
    pool, steps = layer.pool, layer.steps
    assert steps is not None
    if pool is not None and pool.least:
        pool = replace(pool, least=tuple(np.array(pool.least)[rows].tolist()))
    return replace(
        layer,
        weights=layer.weights[rows],
        bias=layer.bias[rows],
        pool=pool,
        steps=_steps_of(steps, rows),
        inputs=(),
    )


def _steps_of(steps: Steps, rows: Sequence[int] | np.ndarray) -> Steps:
    if isinstance(steps, FloatScale):
        return replace(steps, scale=steps.scale[rows])
    if isinstance(steps, DoublingMultiply):
        return replace(steps, multiplier=steps.multiplier[rows], shift=steps.shift[rows])
    levels = steps.levels if steps.levels.ndim == 1 else steps.levels[rows]
    return StepFunction(thresholds=steps.thresholds[rows], rising=steps.rising[rows], levels=levels)
