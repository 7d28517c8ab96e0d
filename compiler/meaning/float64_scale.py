"""LiteRT's dense layers: sums times a float64 number, rounded to nearest and from the middle away from 0."""

import numpy as np

from .steps import StepFunction

#: Beyond all sums, which have 32 bits.
_FAR = 1 << 40


def float64_steps(scale: np.ndarray, low: int, high: int) -> StepFunction:
    """The steps of clip(round(float64(sum) · scale), low, high), where the product is rounded to float64.

    Parameters
    ----------
    scale : ndarray of shape (channels,), float64
        Positive.
    low, high : int
        Least and greatest value.
    """
    values = np.arange(low + 1, high + 1, dtype=np.int64)
    factor = scale[:, np.newaxis]
    with np.errstate(over="ignore"):
        near = np.clip((values - 0.5) / factor, -_FAR, _FAR).astype(np.int64)
    # Where the product in float64 is on a step's side, its sum is at most two away from the quotient.
    thresholds = near + 3
    for sums in (near + 2, near + 1, near, near - 1, near - 2):
        thresholds = np.where(_rounded(sums * factor) >= values, sums, thresholds)
    thresholds[thresholds >= _FAR] = np.iinfo(np.int64).max
    rising = np.ones(len(scale), dtype=bool)
    return StepFunction(thresholds=thresholds, rising=rising, levels=np.arange(low, high + 1, dtype=np.int64))


def _rounded(numbers: np.ndarray) -> np.ndarray:
    whole = np.floor(np.abs(numbers))
    return np.sign(numbers) * (whole + (np.abs(numbers) - whole >= 0.5))
