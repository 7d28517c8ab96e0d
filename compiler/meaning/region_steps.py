"""Steps of sums that lie in regions of their own, in each of which they mean something else."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .exact_steps import ExactSteps


@dataclass(frozen=True, kw_only=True, eq=False)
class RegionSteps:
    """A quantizer's steps, once for each region of sums: in each, a channel's numbers rise or fall.

    Parameters
    ----------
    parts : tuple of ExactSteps
        Of the sums as they are in each region.
    shifts : tuple of int
        What a region's sums are moved by, so that regions ascend, and no two of them have a sum in common.
    alone : bool
        Sums outside the regions, between which there are none, have a level of their own.
    """

    parts: tuple[ExactSteps, ...]
    shifts: tuple[int, ...]
    alone: bool = False

    @property
    def rising(self) -> np.ndarray:
        """True in all channels: the thresholds ascend."""
        return np.ones(len(self.parts[-1].map.least), dtype=bool)

    @cached_property
    def thresholds(self) -> np.ndarray:
        """Least sum of each step, shape (channels, n), int64: regions one after the other, each with its first sum."""
        rows = []
        for part, shift in zip(self.parts, self.shifts, strict=True):
            least, greatest = (end[:, np.newaxis] for end in (part.map.least, part.map.greatest))
            rows += [least + shift, part.starts + shift, greatest + 1 + shift]
        # Between two regions is no sum.
        inner = [row for at, row in enumerate(rows) if at % 3 < 2]
        return np.concatenate([*inner, rows[-1]] if self.alone else inner[1:], axis=1)

    def levels(self, levels: np.ndarray, outside: int = 0) -> np.ndarray:
        """Levels between these thresholds, of those of a quantizer; outside regions that are alone another one."""
        falling = [part.map.falling[:, np.newaxis] for part in self.parts]
        rows = np.concatenate([np.where(falls, levels[::-1], levels) for falls in falling], axis=1)
        if self.alone:
            rows = np.pad(rows, ((0, 0), (1, 1)), constant_values=outside)
        return rows if any(falls.any() for falls in falling) else rows[0]

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
