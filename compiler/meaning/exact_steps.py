"""Where a quantizer's steps are among the sums before it, in whole numbers."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import lcm

import numpy as np

from .exact_map import ExactMap

_NEVER = np.iinfo(np.int64)
#: Channels that are solved at once, to bound the memory that their steps take.
_BLOCK = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactSteps:
    """The steps of a quantizer behind an exact map, whose numbers are in units of the quantizer's codes.

    Parameters
    ----------
    map : ExactMap
        Of steps before a function, in units of its argument.
    twice : ndarray of shape (n,), int64, or (channels, n), of Fraction
        Where each step is, times two, ascending.
    inclusive : ndarray of the same shape, bool
        Whether a number that is just there has reached the step.
    late, early : ndarray of shape (channels, n), of Fraction, optional
        Twice the last and the first place of a step that the float32 evaluation of what is behind the map may take.
    """

    map: ExactMap
    twice: np.ndarray
    inclusive: np.ndarray
    late: np.ndarray | None = None
    early: np.ndarray | None = None

    @cached_property
    def thresholds(self) -> np.ndarray:
        """Least sum of each step, in falling channels the greatest one, shape (channels, n), int64.

        A step that the least (greatest) sum has reached has this one; one that no sum reaches the extreme of int64.
        """
        rows = [self._solve(block) for block in self._blocks()]
        return np.concatenate(rows) if rows else np.zeros((0, self.twice.shape[-1]), dtype=np.int64)

    @property
    def starts(self) -> np.ndarray:
        """Least sum behind each step, all steps in ascending order, shape (channels, n), int64; no step is left out.

        One that no sum reaches, or all do, is at an end of the sums.
        """
        least, greatest = (end[:, np.newaxis] for end in (self.map.least, self.map.greatest))
        # The greatest sums of falling channels, turned into the least ones after them.
        return np.where(
            self.map.falling[:, np.newaxis],
            np.clip(self.thresholds, least - 1, greatest)[:, ::-1] + 1,
            np.clip(self.thresholds, least, greatest + 1),
        )

    @property
    def rising(self) -> np.ndarray:
        """Channels whose thresholds ascend."""
        return ~self.map.falling

    def levels(self, levels: np.ndarray) -> np.ndarray:
        """Levels between the thresholds, of those of a quantizer."""
        return levels

    def margins(self) -> np.ndarray:
        """Distance in codes of the nearest number to a step, infinite where a channel takes none.

        Returns
        -------
        ndarray of shape (channels,), float64
            Over the sums on both sides of every step that the channel takes.
        """
        return np.concatenate([self._nearest(block) for block in self._blocks()])

    def extremes(self) -> tuple["ExactSteps", "ExactSteps"]:
        """Steps taken as late, and as early, as float32 may take them."""
        least, greatest = self.map.extremes()
        late = replace(self, map=least, twice=self.twice if self.late is None else self.late)
        early = replace(self, map=greatest, twice=self.twice if self.early is None else self.early)
        return late, early

    def regions(self) -> Iterator["ExactSteps"]:
        """Itself: all sums lie in one region."""
        yield self

    def _blocks(self) -> list[slice]:
        return [slice(start, start + _BLOCK) for start in range(0, len(self.map.weight), _BLOCK)]

    def _solve(self, block: slice) -> np.ndarray:
        whole = _WholeNumbers(self.map, block)
        inclusive = self._of(block, self.inclusive).astype(int).astype(object)
        wanted = self._of(block, self.twice).astype(object) * whole.unit
        if self.twice.ndim > 1:
            # A whole number is at the place or beyond it if it is so at the next (last) whole one.
            wanted = -(-wanted // 1) * inclusive + wanted // 1 * (1 - inclusive)
        # Falling channels are rising ones of the negative sum.
        slope = abs(whole.slope)
        level = slope == 0
        needed = wanted - whole.offset - inclusive
        position = needed // np.where(level, 1, slope) + 1
        sign, first, last = whole.sign, whole.first, whole.last
        always = (level & (needed < 0)) | (whole.has_low & (wanted - inclusive < whole.low))
        never = (level & (needed >= 0)) | (whole.has_high & (wanted - inclusive >= whole.high))
        position = np.where(always, first, np.where(never, last + 1, position))
        position = np.minimum(np.maximum(position, first), last + 1).astype(np.int64)
        beyond = np.where(sign > 0, _NEVER.max, _NEVER.min)
        return np.where(position > last, beyond, sign * position)

    def _nearest(self, block: slice) -> np.ndarray:
        whole = _WholeNumbers(self.map, block)
        wanted = self._of(block, self.twice).astype(object) * whole.unit
        position = whole.sign * self.thresholds[block]
        taken = (position > whole.first) & (position <= whole.last)
        distances = [
            abs(whole.numbers(np.where(taken, position - before, whole.first)) - wanted) for before in (0, 1)
        ]
        nearest = np.where(taken, np.minimum(*distances), np.inf).min(axis=1, initial=np.inf)
        return (nearest / (2 * whole.unit[:, 0])).astype(np.float64)

    @staticmethod
    def _of(block: slice, steps: np.ndarray) -> np.ndarray:
        return steps[block] if steps.ndim > 1 else steps


class _WholeNumbers:
    """Twice the numbers of a block of channels in units of 1 / `unit`: all whole; columns of shape (channels, 1)."""

    def __init__(self, exact: ExactMap, block: slice) -> None:
        line, low, high = exact.line, exact.low, exact.high
        parts = [line.slope[block], line.offset[block], low.offset[block], high.offset[block]]
        self.unit = _common_denominator(*parts)[:, np.newaxis]
        columns = [_numerator(2 * part[:, np.newaxis] * self.unit) for part in parts]
        self.slope, self.offset, self.low, self.high = columns
        self.has_low, self.has_high = exact.has_low[block, np.newaxis], exact.has_high[block, np.newaxis]
        falling = exact.falling[block]
        least, greatest = exact.least[block], exact.greatest[block]
        self.sign = np.where(falling, -1, 1)[:, np.newaxis]
        self.first = np.where(falling, -greatest, least)[:, np.newaxis]
        self.last = np.where(falling, -least, greatest)[:, np.newaxis]

    def numbers(self, positions: np.ndarray) -> np.ndarray:
        """What sums, times `sign`, become."""
        raw = abs(self.slope) * positions.astype(object) + self.offset
        raised = np.where(self.has_low, np.maximum(raw, self.low), raw)
        return np.where(self.has_high, np.minimum(raised, self.high), raised)


_numerator = np.frompyfunc(lambda number: number.numerator, 1, 1)
_common_denominator = np.frompyfunc(lambda *parts: lcm(*(part.denominator for part in parts)), 4, 1)
