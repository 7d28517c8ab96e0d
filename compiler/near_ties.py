"""Near-ties: where a float32 evaluation of a network may give another code than exact arithmetic.

An element is a near-tie if its exact value before rounding lies within γ_n · Σ|terms| of a step: n operations that may
round on the way, unit roundoff u = 2^-24, γ_n = n·u / (1 − n·u) (Higham, Accuracy and Stability of Numerical
Algorithms, chapter 3). Operations whose results are all numbers of float32 do not round. Terms of a sum are taken at
their greatest. What a Relu or Clip cuts off is as exact as its bound. Layers whose operator defines its own arithmetic
have no near-ties.
"""

from dataclasses import dataclass, replace

import numpy as np

from .graph import CodeAddition, Layer, StepFunction
from .oracle import finish


@dataclass(frozen=True, kw_only=True, eq=False)
class NearTies:
    """Near-ties among all sums that a layer reaches, pooled ones where it adds them up.

    Parameters
    ----------
    count : ndarray of shape (channels,), int64
        Sums that are near-ties.
    margin : ndarray of shape (channels,), float64
        Least distance of a sum's exact value to a step that the channel takes, in codes of the output; infinite where
        it takes none.
    """

    count: np.ndarray
    margin: np.ndarray


def near_ties(layer: Layer) -> NearTies:
    """Count the near-ties of a layer's steps."""
    channels = len(layer.weights)
    bounds = _bounds(layer)
    if bounds is None:
        return NearTies(count=np.zeros(channels, dtype=np.int64), margin=np.full(channels, np.inf))
    exact = bounds.nominal.exact
    assert exact is not None
    # Falling channels are rising ones of the negative sum.
    sign = np.where(bounds.nominal.rising, 1, -1)
    ends = np.sort([sign * exact.map.least, sign * exact.map.greatest], axis=0)[:, :, np.newaxis]
    never = np.iinfo(np.int64)
    # A step is open from the first sum that may have reached it to the first one that must have.
    first, last = (
        np.where(np.isin(steps.thresholds, [never.min, never.max]), ends[1] + 1, sign[:, np.newaxis] * steps.thresholds)
        for steps in (bounds.greatest, bounds.least)
    )  # fmt: skip
    before = np.concatenate([np.broadcast_to(ends[0], (channels, 1)), last[:, :-1]], axis=1)
    count = np.maximum(last - np.maximum(first, before), 0).sum(axis=1)
    return NearTies(count=count, margin=exact.margins())


def value_bounds(
    layer: Layer, sums: np.ndarray, added: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest value that float32 may make of sums: an element is a near-tie where they differ.

    Parameters
    ----------
    layer : Layer
        Without residual.
    sums : ndarray of shape (batch, channels, height, width), int64
        Not yet pooled.
    added : ndarray, optional
        What the source of the layer's addition gives.

    Returns
    -------
    least, greatest : ndarray of shape (batch, channels, height, width), int64
        As they leave the layer, pooled if it pools.
    """
    bounds = _bounds(layer)
    if bounds is None:
        exact = finish(layer, sums, added=added)
        return exact, exact
    addition, least, greatest = layer.addition, layer.addition, layer.addition
    if isinstance(addition, CodeAddition):
        least, greatest = (
            replace(addition, offset=addition.offset + sign * addition.error) for sign in (-1, 1)
        )
    return (
        finish(replace(layer, steps=bounds.least, addition=least), sums, added=added),
        finish(replace(layer, steps=bounds.greatest, addition=greatest), sums, added=added),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Bounds:
    """Steps of a layer, and the last and the first sums at which float32 may take them."""

    nominal: StepFunction
    least: StepFunction
    greatest: StepFunction


def _bounds(layer: Layer) -> _Bounds | None:
    steps = layer.steps
    if not isinstance(steps, StepFunction) or steps.exact is None:
        return None
    least, greatest = (
        replace(steps, thresholds=replace(steps.exact, map=extreme).thresholds)
        for extreme in steps.exact.map.extremes()
    )
    return _Bounds(nominal=steps, least=least, greatest=greatest)
