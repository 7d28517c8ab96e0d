"""Steps of sums that lie in regions of their own, in each of which they mean something else."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .exact_map import ExactMap
from .exact_steps import ExactSteps


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionSteps:
    """A quantizer's steps, once for each region of sums.

    Parameters
    ----------
    parts : tuple of ExactSteps
        Of the sums as they are in each region.
    shifts : tuple of int
        What a region's sums are moved by, ascending, so that no two regions meet.
    alone : bool
        There is one region, and sums outside it have a level of their own.
    """

    parts: tuple[ExactSteps, ...]
    shifts: tuple[int, ...]
    alone: bool = False

    @property
    def map(self) -> ExactMap:
        """Of the last region."""
        return self.parts[-1].map

    @cached_property
    def thresholds(self) -> np.ndarray:
        """Least sum of each step, shape (channels, n), int64: regions one after the other, each with its first sum."""
        rows = []
        for part, shift in zip(self.parts, self.shifts, strict=True):
            least, greatest = (end[:, np.newaxis] for end in (part.map.least, part.map.greatest))
            falling = part.map.falling[:, np.newaxis]
            # The greatest sums of falling channels, turned into the least ones after them.
            found = np.where(
                falling,
                np.clip(part.thresholds, least - 1, greatest)[:, ::-1] + 1,
                np.clip(part.thresholds, least, greatest + 1),
            )
            rows += [least + shift, found + shift, greatest + 1 + shift]
        # Between two regions is no sum.
        inner = [row for at, row in enumerate(rows) if at % 3 < 2]
        return np.concatenate(rows if self.alone else inner[1:], axis=1)

    def levels(self, levels: np.ndarray, outside: int = 0) -> np.ndarray:
        """Levels between these thresholds, of those of a quantizer; outside a region that is alone another one."""
        falling = self.map.falling[:, np.newaxis]
        rows = np.tile(np.where(falling, levels[::-1], levels), len(self.parts))
        if self.alone:
            rows = np.pad(rows, ((0, 0), (1, 1)), constant_values=outside)
        return rows if falling.any() else rows[0]

    def margins(self) -> np.ndarray:
        """As those of `ExactSteps`, the least of all regions."""
        return np.min([part.margins() for part in self.parts], axis=0)

    def extremes(self) -> tuple["RegionSteps", "RegionSteps"]:
        """As those of `ExactSteps`."""
        late, early = zip(*(part.extremes() for part in self.parts), strict=True)
        return replace(self, parts=late), replace(self, parts=early)

    def regions(self) -> Iterator[ExactSteps]:
        """The steps of each region by itself."""
        return iter(self.parts)
