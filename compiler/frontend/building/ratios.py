"""Whole factors of two addends whose scales have a ratio of too many digits, and the proof that no step notices."""

from fractions import Fraction
from math import ceil, floor

import numpy as np

from spinplane.machine import SpinplaneError

from ...graph import Residual
from ...meaning.exact_map import ExactMap
from ...meaning.exact_steps import ExactSteps

#: Greatest factor of a sum or of a value: the output stage multiplies by 32 bits, and codes may stand for 2 of a value.
_MOST_FACTOR = (1 << 30) - 1
_MOST = 1 << 62
#: Distances of this many parts of a sum are looked at in exact arithmetic; float64 sees the others.
_CLOSE = 1e-6


def whole_factors(label: str, ratio: Fraction, first: ExactMap, added: np.ndarray) -> tuple[int, int]:
    """Factors of a sum and of a value that is added to it, in the ratio of their scales or close to it."""
    widest = max(int(abs(first.least).max()), int(abs(first.greatest).max()), 1)
    most = max(int(np.abs(added).max()), 1)
    small = max(ratio.denominator, abs(ratio.numerator)) <= _MOST_FACTOR
    if small and ratio.denominator * widest + abs(ratio.numerator) * most < _MOST:
        return ratio.denominator, ratio.numerator
    scale = min(_MOST_FACTOR, _MOST // (2 * widest))
    if abs(ratio) > 1:
        scale = int(min(scale, (_MOST_FACTOR - 1) // abs(ratio)))
    if scale < 1 or abs(ratio) * most * scale >= _MOST // 2:
        raise SpinplaneError(
            f"{label}: scales whose ratio is {float(ratio):g} are too different for one addition"
        )
    # Of all ratios of such numbers the closest, which is much closer than one unit of the greatest scale.
    closest = ratio.limit_denominator(scale)
    return closest.denominator, closest.numerator


def prove_factors(
    label: str, ratios: np.ndarray, residual: Residual, exact: ExactSteps, added: np.ndarray
) -> None:
    """Prove that steps of scale · sum + residual_scale · value are those of sum + ratio · value, in each channel.

    Raises
    ------
    SpinplaneError
        If some sum and value are on different sides of a step, naming the node.
    """
    factors = [
        np.broadcast_to(np.array(factor, dtype=object), ratios.shape).tolist()
        for factor in (residual.scale, residual.residual_scale)
    ]
    values, limits = added.astype(np.float64), np.iinfo(np.int64)
    for channel, row in enumerate(exact.thresholds.tolist()):
        slope, offset = exact.map.line.slope[channel], exact.map.line.offset[channel]
        ratio, scale, factor = ratios[channel], *(of_channel[channel] for of_channel in factors)
        if slope == 0 or factor == ratio * scale:
            continue
        rising, places = (
            slope > 0,
            np.broadcast_to(exact.twice.astype(object), exact.thresholds.shape)[channel],
        )
        for threshold, twice in zip(row, places, strict=True):
            position = (Fraction(twice) / 2 - offset) / slope / scale
            reached = ceil(position * scale) if rising else floor(position * scale)
            if abs(threshold - reached) > 1 or threshold in (limits.min, limits.max):
                continue  # a bound decides, or no sum reaches it
            apart = float(position) - float(ratio) * values
            for value in added[np.abs(apart - np.rint(apart)) < _CLOSE].tolist():
                wanted, found = position - ratio * value, Fraction(threshold - factor * value, scale)
                if (ceil(wanted) != ceil(found)) if rising else (floor(wanted) != floor(found)):
                    raise SpinplaneError(
                        f"{label}: scales whose ratio is {float(ratio)!r} put sums on its steps"
                    )
