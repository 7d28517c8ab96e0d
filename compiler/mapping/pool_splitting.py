"""Maxima over overlapping regions as a separate layer.

A region's windows are computed for it alone, so regions of 3×3 windows that lie 2 apart compute each window 2¼ times.
The greatest code can be taken afterwards: the layer writes the codes of all windows, and a convolution by the identity,
1×1 with weights of one bit, takes the maxima over its regions.
"""

from dataclasses import replace

import numpy as np

from spinplane.machine import Operand

from ..graph import Layer, StepFunction


def split_pool(layer: Layer, output: Operand) -> tuple[Layer, Layer] | None:
    """A layer with overlapping maxima as one without and one of maxima, which together give the same.

    Parameters
    ----------
    layer : Layer
    output : Operand
        Of what it gives.

    Returns
    -------
    (Layer, Layer) or None
        None if no maxima overlap, the greatest sum is not the greatest code, or a residual is added to it.
    """
    pool, steps = layer.pool, layer.steps
    if pool is None or steps is None or pool.kind == "sum" or layer.residual:
        return None
    if all(size <= stride for size, stride in zip(pool.size, pool.stride, strict=True)):
        return None
    if pool.kind == "max_sums" and not steps.rising.all():
        return None
    kernels = len(layer.weights)
    maxima = Layer(
        name=layer.name,
        weights=np.eye(kernels, dtype=np.int64).reshape(kernels, kernels, 1, 1),
        w=Operand(bits=1),
        i=output,
        bias=np.zeros(kernels, dtype=np.int64),
        pool=replace(pool, kind="max_codes"),
        # Each value is a step of its own.
        steps=StepFunction(
            thresholds=np.tile(steps.levels[1:], (kernels, 1)),
            rising=np.ones(kernels, dtype=bool),
            levels=steps.levels,
        ),
    )
    return replace(layer, pool=None), maxima
