"""Levels of whole numbers by the positions of their steps, found by evaluating the levels."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class StepTable:
    """Levels that rise with a number, or fall, by a few steps; each channel has its own.

    Parameters
    ----------
    levels : callable
        Takes whole numbers, an ndarray of shape (..., channels), int64, and returns their levels.
    direction : ndarray of shape (channels,), int64
        Negative where levels fall.
    least, steps : int
        Least level, and steps that there are at most from it on.
    bound : int
        That no number exceeds in magnitude.
    """

    def __init__(
        self,
        levels: Callable[[Integers], Integers],
        direction: Integers,
        *,
        least: int,
        steps: int,
        bound: int,
    ) -> None:
        self.bound, self._least = bound, least
        sign = np.where(direction < 0, -1, 1)
        # The first number of each level and channel, by halving.
        wanted = least + np.arange(1, steps + 1)[:, np.newaxis]
        low, high = np.full((2, steps, len(sign)), [[[-bound]], [[bound + 1]]])
        while (low < high).any():
            middle = (low + high) >> 1
            reached = (levels(sign * np.minimum(middle, bound)) >= wanted) | (middle > bound)
            low, high = np.where(reached, low, middle + 1), np.where(reached, middle, high)
        self._starts = low
        self._sign = sign if (sign < 0).any() else None

    def levels(self, numbers: NDArray[Any]) -> NDArray[Any]:
        """Levels of whole numbers.

        Parameters
        ----------
        numbers : ndarray of shape (..., channels)
            Of a type that holds all numbers up to the bound.

        Returns
        -------
        ndarray of shape (..., channels), uint8, or int16 where a level may be negative
        """
        if self._sign is not None:
            numbers = numbers * self._sign.astype(numbers.dtype)
        starts = self._starts
        if numbers.dtype.kind == "f":
            # What is never reached need not be a number that the type holds.
            starts = np.where(starts > self.bound, np.inf, starts).astype(numbers.dtype)
        levels = np.zeros(numbers.shape, dtype=np.uint8)
        for start in starts:
            levels += (numbers >= start).view(np.uint8)
        return levels + np.int16(self._least) if self._least < 0 else levels + np.uint8(self._least)
