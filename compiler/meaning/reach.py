"""The sums that a layer reaches."""

import numpy as np

from ..graph import Layer
from ..kernel_blocks import by_kernel


def reachable_sums(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest sum of each kernel over all inputs, pooled sums where the layer adds them up.

    Returns
    -------
    low, high : ndarray of shape (kernels,), int64
    """
    # The value of padding is among them, whatever the operand.
    smallest, largest = min(layer.i.smallest, layer.pad_value), max(layer.i.largest, layer.pad_value)
    sums = [(some.sum(axis=1), np.abs(some).sum(axis=1)) for some in by_kernel(layer.weights)]
    total, magnitude = np.concatenate(sums, axis=1)
    positive, negative = (total + magnitude) // 2, (total - magnitude) // 2
    low = smallest * positive + largest * negative + layer.bias
    high = largest * positive + smallest * negative + layer.bias
    regions = int(np.prod(layer.pool.size)) if layer.pool and layer.pool.kind == "sum" else 1
    return low * regions, high * regions
