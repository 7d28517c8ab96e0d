"""Lines over sums and codes of a residual, whose two factors are rounded apart.

A layer's steps look at x = P·u + Q·r, with u the sum or its negative and r the residual's code. The product of a
multiplier with P and with Q would leave few of its bits, so the line M·u + R·r + o has its own factors. Only numbers x
that some u and r give have to be told apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from spinplane.machine import Rounding
from spinplane.machine.output_stage import UNUSED_THRESHOLD

from .lines import (
    LARGEST_MULTIPLIER,
    LARGEST_OFFSET,
    LARGEST_PRODUCT,
    LARGEST_SHIFT,
    Limits,
    Staircase,
    code_bounds,
    fit_offsets,
    middle_slopes,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class ResidualLines:
    """Lines of all channels: code = round((multiplier · (u + windows · bias) + residual · r + offset) / 2^shift).

    Parameters
    ----------
    multiplier, residual, offset, shift, bias : ndarray of shape (channels,), int64
    fits : ndarray of shape (channels,), bool
    """

    multiplier: np.ndarray
    residual: np.ndarray
    offset: np.ndarray
    shift: np.ndarray
    bias: np.ndarray
    fits: np.ndarray


class ResidualSteps:
    """Steps over all pairs of a sum and a residual's code.

    Parameters
    ----------
    at : ndarray of shape (channels, n), int64
        Least numbers x of the further codes; a step that no x reaches may have any greater one.
    factor, residual_factor : ndarray of shape (channels,), int64
        P, positive, and Q, or its negative.
    low, high : ndarray of shape (channels,), int64
        What u reaches.
    codes : range
        Of the residual.
    """

    def __init__(
        self,
        at: np.ndarray,
        factor: np.ndarray,
        residual_factor: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        codes: range,
    ) -> None:
        # Numbers x are multiples of what divides both factors.
        whole = np.gcd(factor, residual_factor)
        self._at = -(-at // whole[:, np.newaxis])
        self._factor, self._residual_factor = factor // whole, residual_factor // whole
        self._low, self._high, self._codes = low[:, np.newaxis], high[:, np.newaxis], codes
        #: The steps over x, less what divides both factors.
        self.stairs = self.over(self._factor, self._residual_factor)

    def over(self, multiplier: np.ndarray, residual: np.ndarray) -> Staircase:
        """The steps over multiplier · u + residual · r, both of shape (channels,)."""
        extremes = np.iinfo(np.int64)
        at, before = np.full(self._at.shape, extremes.max), np.full(self._at.shape, extremes.min)
        m, q = multiplier[:, np.newaxis], residual[:, np.newaxis]
        for code, first in self._first_sums():
            reached, left = first <= self._high, first > self._low
            least, last = np.maximum(first, self._low), np.minimum(first - 1, self._high)
            np.minimum(at, m * least + q * code, out=at, where=reached)
            np.maximum(before, m * last + q * code, out=before, where=left)
        inside = (at < extremes.max) & (before > extremes.min)
        ends = np.sort([residual * self._codes[0], residual * self._codes[-1]], axis=0)
        least = multiplier * self._low[:, 0] + ends[0]
        greatest = multiplier * self._high[:, 0] + ends[1]
        # A step that none reaches lies beyond the greatest number, one that all have passed at the least.
        at = np.where(at == extremes.max, greatest[:, np.newaxis] + 1, at)
        at = np.where(before == extremes.min, least[:, np.newaxis], at)
        return Staircase(before=before, at=at, inside=inside, least=least, greatest=greatest)

    def find_lines(self, first: int, rounding: Rounding, limits: Limits) -> ResidualLines:
        """Lines that give the code first + k after k steps, proven on both sides of every step inside."""
        bounds = code_bounds(np.arange(first + 1, first + 1 + self._at.shape[1]), rounding)
        slopes = middle_slopes(self.stairs, bounds)
        shift = self._shifts(slopes)
        multiplier = np.rint(slopes * self._factor * 2.0**shift).astype(np.int64)
        residual = self._matching(multiplier)
        offset, bias, fits = fit_offsets(
            self.over(multiplier, residual), first, shift, rounding, multiplier * limits.unit, limits
        )
        return ResidualLines(
            multiplier=multiplier, residual=residual, offset=offset, shift=shift, bias=bias, fits=fits
        )

    def within_thresholds(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, Staircase]:
        """Factors, offset and steps of numbers that a search can look at; see whether they tell all steps apart.

        A search looks no further than at the thresholds, so only these must fit: the offset puts them around 0. Of all
        factors that keep them small enough those are taken whose ratio is the closest.
        """
        stairs, extremes = self.stairs, np.iinfo(np.int64)
        first = np.where(stairs.inside, stairs.before, extremes.max).min(axis=1, initial=extremes.max)
        last = np.where(stairs.inside, stairs.at, extremes.min).max(axis=1, initial=extremes.min)
        first, last = np.where(stairs.inside.any(axis=1), [first, last], 0)
        middle = (first + (last - first) // 2) / self._factor
        span = (last - first) / self._factor
        ratio = np.abs(self._residual_factor) / self._factor
        room = UNUSED_THRESHOLD - 2 * self._codes[-1] - 4
        limits = (
            room / (span / 2 + 1),
            LARGEST_OFFSET / (np.abs(middle) + 1),
            LARGEST_MULTIPLIER / (ratio + 1),
        )
        most = np.maximum(np.min(limits, axis=0), 1).astype(np.int64)
        columns = (column.tolist() for column in (self._factor, self._residual_factor, most))
        multiplier, residual = np.transpose([_closest(*numbers) for numbers in zip(*columns, strict=True)])
        offset = -np.rint(multiplier * middle).astype(np.int64)
        stairs = self.over(multiplier, residual)
        before, at = (
            np.where(stairs.inside, part + offset[:, np.newaxis], part) for part in (stairs.before, stairs.at)
        )
        return multiplier, residual, offset, replace(stairs, before=before, at=at)

    def _first_sums(self) -> Iterator[tuple[int, np.ndarray]]:
        """Each code of the residual, with the least u of each step."""
        for code in self._codes:
            beyond = (self._residual_factor * code)[:, np.newaxis] - self._at
            yield code, -(beyond // self._factor[:, np.newaxis])

    def _matching(self, multiplier: np.ndarray) -> np.ndarray:
        """The residual's factor beside a sum's."""
        return np.rint(multiplier * (self._residual_factor / self._factor)).astype(np.int64)

    def _shifts(self, slopes: np.ndarray) -> np.ndarray:
        """The greatest shift of each channel whose factors fit."""
        steepest = np.where(slopes > 0, slopes, 1) * np.maximum(self._factor, np.abs(self._residual_factor))
        reach = np.maximum(np.abs(self._low), np.abs(self._high))[:, 0] + self._codes[-1] + 1
        room = np.minimum(LARGEST_MULTIPLIER / steepest, LARGEST_PRODUCT / (steepest * reach))
        shift = np.clip(np.floor(np.log2(room)), 0, LARGEST_SHIFT).astype(np.int64)
        return np.where(self.stairs.inside.sum(axis=1) > 1, shift, 0)


def _closest(factor: int, residual: int, most: int) -> tuple[int, int]:
    """Factors in the ratio of two, or the closest to it, of which the first is no greater than `most`."""
    closest = Fraction(residual, factor).limit_denominator(most)
    return closest.denominator, closest.numerator
