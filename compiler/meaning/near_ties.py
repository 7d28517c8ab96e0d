"""Near-ties: where a float32 evaluation of a network may give another code than exact arithmetic.

An element is a near-tie if its exact value before rounding lies within γ_n · Σ|terms| of a step: n operations that may
round on the way, unit roundoff u = 2^-24, γ_n = n·u / (1 − n·u) (Higham, Accuracy and Stability of Numerical
Algorithms, chapter 3). Operations whose results are all numbers of float32 do not round. Terms of a sum are taken at
their greatest. What a Relu or Clip cuts off is as exact as its bound. Layers whose operator defines its own arithmetic
have no near-ties.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..graph import CodeAddition, Layer, StepFunction, Steps
from ..oracle import finish
from .exact_steps import ExactSteps
from .region_steps import RegionSteps


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
    channels, steps = len(layer.weights), layer.steps
    if not isinstance(steps, StepFunction) or steps.exact is None:
        return NearTies(count=np.zeros(channels, dtype=np.int64), margin=np.full(channels, np.inf))
    if isinstance(steps.exact, RegionSteps):
        parts = [near_ties(replace(layer, steps=_alone(part))) for part in steps.exact.regions()]
        count = np.sum([part.count for part in parts], axis=0)
        return NearTies(count=count, margin=steps.exact.margins())
    # Falling channels are rising ones of the negative sum.
    sign = np.where(steps.rising, 1, -1)
    reached = steps.exact.map
    ends = np.sort([sign * reached.least, sign * reached.greatest], axis=0)[:, :, np.newaxis]
    # A step is open from the first sum that may have reached it to the first one that must have.
    must, may = (_positions(bound.thresholds, sign, ends[1]) for bound in _bounds(steps, steps.exact))
    before = np.concatenate([np.broadcast_to(ends[0], (channels, 1)), must[:, :-1]], axis=1)
    count = np.maximum(must - np.maximum(may, before), 0).sum(axis=1)
    return NearTies(count=count, margin=steps.exact.margins())


def value_bounds(
    layer: Layer,
    sums: np.ndarray,
    residual: np.ndarray | None = None,
    added: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest value that float32 may make of sums: an element is a near-tie where they differ.

    Parameters
    ----------
    layer : Layer
    sums : ndarray of shape (batch, channels, height, width), int64
        Not yet pooled.
    residual, added : ndarray, optional
        What the sources of the layer's residual and of its addition give.

    Returns
    -------
    least, greatest : ndarray of shape (batch, channels, height, width), int64
        As they leave the layer, pooled if it pools.
    """
    steps, addition = layer.steps, layer.addition
    of_steps: tuple[Steps | None, Steps | None] = steps, steps
    if isinstance(steps, StepFunction) and steps.exact is not None:
        of_steps = _bounds(steps, steps.exact)
    of_addition = [addition, addition]
    if isinstance(addition, CodeAddition):
        error = addition.error if addition.own_scale >= 0 else -addition.error
        of_addition = [replace(addition, offset=addition.offset + sign * error) for sign in (-1, 1)]
    late, early = (
        finish(replace(layer, steps=of_steps[at], addition=of_addition[at]), sums, residual, added)
        for at in (0, 1)
    )
    return np.minimum(late, early), np.maximum(late, early)


def _alone(exact: ExactSteps) -> StepFunction:
    """Steps of one region."""
    levels = np.arange(exact.thresholds.shape[1] + 1)
    return StepFunction(thresholds=exact.thresholds, rising=~exact.map.falling, levels=levels, exact=exact)


def _bounds(steps: StepFunction, exact: ExactSteps | RegionSteps) -> tuple[StepFunction, StepFunction]:
    """Steps taken as late, and as early, as float32 may take them."""
    late, early = (replace(steps, thresholds=bound.thresholds) for bound in exact.extremes())
    return late, early


def _positions(thresholds: np.ndarray, sign: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Thresholds of rising channels: a step that is never reached comes after the last sum."""
    never = np.isin(thresholds, [np.iinfo(np.int64).min, np.iinfo(np.int64).max])
    return np.where(never, last + 1, sign[:, np.newaxis] * thresholds)
