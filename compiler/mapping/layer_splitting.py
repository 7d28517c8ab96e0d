"""Layers that become codes in several stages: after the first codes, a convolution by the identity goes on.

A region's windows are computed for it alone, so regions of 3×3 windows that lie 2 apart compute each window 2¼ times.
The greatest code can be taken afterwards: the layer writes the codes of all windows, and a convolution by the identity,
1×1 with weights of one bit, takes the maxima over its regions. So it is with maxima of codes that do not grow with the
sums. Own codes that are no single product of the sums are written likewise before others are added to them.
"""

from dataclasses import replace

import numpy as np

from spinplane.machine import Operand

from ..graph import Layer, StepFunction
from ..requantization.added_codes import own_codes
from ..requantization.native_scales import exact_steps
from ..requantization.values import Addend, value_of
from .parts import Part, Way


def split_pool(layer: Layer, output: Operand) -> Way | None:
    """A layer with overlapping maxima as one without and one of maxima, which together give the same.

    Parameters
    ----------
    layer : Layer
    output : Operand
        Of what it gives.

    Returns
    -------
    Way or None
        None if no maxima overlap, the greatest sum is not the greatest code, or something is added to it.
    """
    pool, steps = layer.pool, layer.steps
    if pool is None or steps is None or pool.kind == "sum" or layer.residual or layer.addition:
        return None
    if all(size <= stride for size, stride in zip(pool.size, pool.stride, strict=True)):
        return None
    if pool.kind == "max_sums" and (pool.least or not (steps.monotone and steps.rising.all())):
        return None
    levels = np.unique(steps.levels)
    maxima = _identity(layer, output, StepFunction.one_by_one(levels, levels, len(layer.weights)))
    rest = replace(maxima, pool=replace(pool, kind="max_codes"))
    return {Part.SUMS: replace(layer, pool=None), Part.REST: rest}


def split_layer(layer: Layer, addend: Addend | None) -> Way:
    """A layer as those that are computed one after the other: itself alone, unless its codes need several stages.

    Parameters
    ----------
    layer : Layer
    addend : Addend, optional
        What is added to its sums, or to its codes if nothing is.

    Raises
    ------
    SpinplaneError
        If a number does not fit, naming the layer.
    """
    steps, pool = layer.steps, layer.pool
    pools_codes = pool is not None and pool.kind == "max_codes" and pool.size != (1, 1)
    if isinstance(steps, StepFunction) and not steps.monotone and pools_codes:
        # The greatest code is neither that of the greatest sum nor that of the least.
        return _split_codes(layer, steps, pool=True)
    if steps and layer.addition and layer.addition.source is not None:
        value = value_of(layer, addend)
        if own_codes(layer, value) is None:
            exact = (
                steps if isinstance(steps, StepFunction) else exact_steps(layer, steps, value.low, value.high)
            )
            return _split_codes(layer, exact, pool=False)
    return {Part.SUMS: layer}


def _split_codes(layer: Layer, steps: StepFunction, *, pool: bool) -> Way:
    """A layer as one that gives its own codes, from 0 on, and one that goes on from there.

    Parameters
    ----------
    layer : Layer
    steps : StepFunction
        Its own steps.
    pool : bool
        Whether the maxima of codes are left to the second one, as the addition of codes always is.
    """
    least = int(steps.levels.min())
    apart = steps.levels - least
    distance = max(1, int(np.gcd.reduce(apart, axis=None)))
    count = int(apart.max()) // distance
    codes = np.arange(count + 1)
    back = StepFunction.one_by_one(codes, least + distance * codes, len(layer.weights))
    rest = _identity(layer, Operand(bits=max(1, count.bit_length())), back)
    own = replace(layer, steps=replace(steps, levels=apart // distance), addition=None)
    if pool:
        own, rest = replace(own, pool=None), replace(rest, pool=layer.pool)
    return {Part.SUMS: own, Part.REST: replace(rest, addition=layer.addition)}


def _identity(layer: Layer, operand: Operand, steps: StepFunction) -> Layer:
    """A layer that takes the codes of another one, channel by channel."""
    kernels = len(layer.weights)
    return Layer(
        name=layer.name,
        weights=np.ones((kernels, 1, 1, 1), dtype=np.int64),
        groups=kernels,
        w=Operand(bits=1),
        i=operand,
        bias=np.zeros(kernels, dtype=np.int64),
        steps=steps,
    )
