"""Levels of whole numbers by the positions of their steps, found by evaluating the levels."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class StepTable:
    """Levels that rise with a number, or fall; each channel has its own.

    Parameters
    ----------
    levels : callable
        Takes whole numbers, an ndarray of shape (..., channels), int64, and returns their levels.
    direction : ndarray of shape (channels,), int64
        Negative where levels fall.
    bound : int
        That no number exceeds in magnitude.

    Attributes
    ----------
    steps : int
        Between the least and the greatest level that a channel has.
    """

    def __init__(self, levels: Callable[[Integers], Integers], direction: Integers, *, bound: int) -> None:
        self.bound, self._levels = bound, levels
        self._rises = np.where(direction < 0, -1, 1)
        ends = levels(np.stack([-bound * self._rises, bound * self._rises]))
        self._least, self._greatest = ends
        self.steps = int((self._greatest - self._least).max())
        self._found: Integers | None = None

    @property
    def _starts(self) -> Integers:
        """First number of each level but the least, by halving; numbers are turned so that levels rise with them."""
        if self._found is None:
            wanted = self._least + np.arange(1, self.steps + 1)[:, np.newaxis]
            low, high = np.full((2, *wanted.shape), [[[-self.bound]], [[self.bound + 1]]])
            while (low < high).any():
                middle = (low + high) >> 1
                reached = self._levels(self._rises * np.minimum(middle, self.bound)) >= wanted
                reached |= middle > self.bound
                low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
            self._found = low
        return self._found

    def levels(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Levels of whole numbers.

        Parameters
        ----------
        numbers : ndarray of shape (..., channels)
            Of a type that holds all numbers up to the bound.

        Returns
        -------
        ndarray of shape (..., channels), uint8, or int16 where a level is negative or above 255
        """
        if (self._rises < 0).any():
            numbers = numbers * self._rises.astype(numbers.dtype)
        starts = self._starts
        if numbers.dtype.kind == "f":
            # What is never reached need not be a number that the type holds.
            starts = np.where(starts > self.bound, np.inf, starts).astype(numbers.dtype)
        levels = np.zeros(numbers.shape, dtype=np.uint8)
        for start in starts:
            levels += (numbers >= start).view(np.uint8)
        small = self._least.min() >= 0 and self._greatest.max() <= 255
        least = self._least.astype(np.uint8 if small else np.int16)
        return levels + least if not small or least.any() else levels
