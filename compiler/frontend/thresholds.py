"""Steps of a monotone map from integer sums to levels, found by evaluating the map itself."""

from collections.abc import Callable

import numpy as np

from spinplane.machine import SpinplaneError

from ..graph import Layer, StepFunction
from ..mapping.kernel_blocks import by_kernel
from .quantizers import Levels

_NEVER = np.iinfo(np.int64)


def reachable_sums(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest sum of each kernel over all inputs, pooled sums where the layer adds them up.

    Returns
    -------
    low, high : ndarray of shape (kernels,), int64
    """
    # Inputs that are padded are 0, so 0 is among them whatever the operand.
    smallest, largest = min(layer.i.smallest, 0), max(layer.i.largest, 0)
    sums = [(some.sum(axis=1), np.abs(some).sum(axis=1)) for some in by_kernel(layer.weights)]
    total, magnitude = np.concatenate(sums, axis=1)
    positive, negative = (total + magnitude) // 2, (total - magnitude) // 2
    low = smallest * positive + largest * negative + layer.bias
    high = largest * positive + smallest * negative + layer.bias
    regions = int(np.prod(layer.pool.size)) if layer.pool and layer.pool.kind == "sum" else 1
    return low * regions, high * regions


def find_steps(layer: Layer, real: Callable[[np.ndarray], np.ndarray], levels: Levels) -> StepFunction:
    """Thresholds of a layer by bisection over its reachable sums.

    Parameters
    ----------
    layer : Layer
    real : callable
        From sums of shape (kernels, n), int64, to real numbers of that shape, monotone in each row.
    levels : Levels
        Of the quantizer that takes the real numbers.

    Raises
    ------
    SpinplaneError
        If a real number is not finite.
    """
    low, high = reachable_sums(layer)
    ends = real(np.stack([low, high], axis=1))
    if not np.isfinite(ends).all():
        raise SpinplaneError(
            f"layer {layer.name}: the operators after its sums yield values that are not finite"
        )
    rising = ends[:, 1] >= ends[:, 0]
    count = len(levels.values) - 1
    wanted = np.arange(1, count + 1)
    # In a falling row the sums are walked from the greatest down: position p stands for the sum start ± p.
    start, sign = np.where(rising, low, high)[:, np.newaxis], np.where(rising, 1, -1)[:, np.newaxis]
    length = (high - low)[:, np.newaxis]
    below = np.full((len(low), count), -1, dtype=np.int64)
    above = np.broadcast_to(length + 1, below.shape).copy()
    while (above - below > 1).any():
        middle = (above + below) // 2
        inside = np.clip(middle, 0, length)
        reached = levels.index(real(start + sign * inside)) >= wanted
        above = np.where(reached, np.minimum(above, middle), above)
        below = np.where(reached, below, np.maximum(below, middle))
        done = above - below <= 1
        below = np.where(done, above - 1, below)
    never = np.where(rising, _NEVER.max, _NEVER.min)[:, np.newaxis]
    thresholds = np.where(above > length, never, start + sign * above)
    return StepFunction(thresholds=thresholds, rising=rising, levels=levels.values)
