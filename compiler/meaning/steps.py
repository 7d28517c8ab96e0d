"""Requantization: the maps by which a layer's sums become values of its output's operand.

Each tells the `levels` that it gives, whether it is `rising` in each channel, whether its levels ascend (`monotone`)
and the `count` of its steps, and `apply` gives the values of sums.
"""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import SpinplaneError

from .doubling import INT32, multiply_doubling
from .exact_steps import ExactSteps
from .region_steps import RegionSteps

_SPREAD = (-1, 1, 1)  # one number a channel over maps of shape (batch, channels, height, width)


@dataclass(frozen=True, kw_only=True, eq=False)
class StepFunction:
    """A piecewise constant map.

    Parameters
    ----------
    thresholds : ndarray of shape (channels, n), int64
        Ascending where ``rising``: the least sum of each further step; descending where it is not: the greatest sum
        of each further step. A step that no sum reaches has the extreme of int64.
    rising : ndarray of shape (channels,), bool
        All true where the levels do not ascend.
    levels : ndarray of shape (n + 1,) or (channels, n + 1), int64
        Values of the output's operand; ascending where the map is monotone.
    exact : ExactSteps or RegionSteps, optional
        The real numbers and the quantizer that the thresholds come from, if there are any.
    """

    thresholds: np.ndarray
    rising: np.ndarray
    levels: np.ndarray
    exact: ExactSteps | RegionSteps | None = None

    @classmethod
    def between(cls, exact: ExactSteps | RegionSteps, levels: np.ndarray) -> "StepFunction":
        """The levels of a quantizer, ascending, between its steps."""
        return cls(thresholds=exact.thresholds, rising=exact.rising, levels=exact.levels(levels), exact=exact)

    @classmethod
    def one_by_one(cls, given: np.ndarray, table: np.ndarray, channels: int) -> "StepFunction":
        """Steps from each given value, ascending, to what a table of shape (n,) or (channels, n) has for it."""
        thresholds, rising = np.tile(given[1:], (channels, 1)), np.ones(channels, dtype=bool)
        return cls(thresholds=thresholds, rising=rising, levels=table)

    @property
    def count(self) -> int:
        """Number of steps."""
        return self.thresholds.shape[1]

    @property
    def monotone(self) -> bool:
        """Whether the levels ascend."""
        return bool((np.diff(self.levels, axis=-1) >= 0).all())

    def apply(self, sums: np.ndarray) -> np.ndarray:
        """Values of sums of shape (batch, channels, height, width), int64."""
        taken = np.zeros(sums.shape, dtype=np.int64)
        rising = self.rising.reshape(_SPREAD)
        for column in self.thresholds.T:
            limit = column.reshape(_SPREAD)
            taken += np.where(rising, sums >= limit, sums <= limit)
        if self.levels.ndim == 1:
            return self.levels[taken]
        return self.levels[np.arange(len(self.levels)).reshape(_SPREAD), taken]


@dataclass(frozen=True, kw_only=True, eq=False)
class _AllValues:
    """A monotone map to all values from low to high."""

    low: int
    high: int

    @property
    def levels(self) -> np.ndarray:
        """All values, ascending."""
        return np.arange(self.low, self.high + 1, dtype=np.int64)

    @property
    def count(self) -> int:
        """Number of steps."""
        return self.high - self.low

    @property
    def monotone(self) -> bool:
        """Always: roundings keep the order."""
        return True


@dataclass(frozen=True, kw_only=True, eq=False)
class FloatScale(_AllValues):
    """QLinearConv's arithmetic: value = clip(rint(float32(sum) · scale), low, high).

    The sum is rounded to float32, the product is rounded to float32 once, and `rint` goes half to even.

    Parameters
    ----------
    scale : ndarray of shape (channels,), float32
    low, high : int
        Least and greatest value: codes less their zero point.

    Raises
    ------
    SpinplaneError
        If a scale is not finite or of another type.
    """

    scale: np.ndarray

    def __post_init__(self) -> None:
        if self.scale.dtype != np.float32 or not np.isfinite(self.scale).all():
            raise SpinplaneError(f"scales of {self.scale.dtype}: must be finite numbers of float32")

    @property
    def rising(self) -> np.ndarray:
        """Where the scale is not negative."""
        return self.scale >= 0

    def apply(self, sums: np.ndarray) -> np.ndarray:
        """Values of sums of shape (batch, channels, height, width), int64."""
        with np.errstate(over="ignore"):  # what exceeds float32 is clipped
            product = sums.astype(np.float32) * self.scale.reshape(_SPREAD)
        return np.clip(np.rint(product), self.low, self.high).astype(np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class DoublingMultiply(_AllValues):
    """TFLite's arithmetic: value = clip(sum · multiplier · 2^(shift − 31), low, high), rounded twice.

    A doubling high multiply rounds to nearest (ties toward +∞), the right shift after it to nearest (ties away from 0).

    Parameters
    ----------
    multiplier : ndarray of shape (channels,), int32
        Not negative.
    shift : ndarray of shape (channels,)
        −31 to 30; to the left, before the multiplication, where positive.
    low, high : int
        Least and greatest value: codes less their zero point.

    Raises
    ------
    SpinplaneError
        If a multiplier or a shift is outside its range.
    """

    multiplier: np.ndarray
    shift: np.ndarray

    def __post_init__(self) -> None:
        if (self.multiplier < 0).any() or (self.multiplier > INT32.max).any():
            raise SpinplaneError(f"multipliers from {self.multiplier.min()}: must be from 0 to 2^31 − 1")
        if (self.shift < -31).any() or (self.shift > 30).any():
            raise SpinplaneError(
                f"shifts from {self.shift.min()} to {self.shift.max()}: must be from −31 to 30"
            )

    @property
    def rising(self) -> np.ndarray:
        """True in all channels."""
        return np.ones(len(self.multiplier), dtype=bool)

    def apply(self, sums: np.ndarray) -> np.ndarray:
        """Values of sums of shape (batch, channels, height, width), int64.

        Raises
        ------
        SpinplaneError
            If a sum that is shifted to the left leaves 32 bits.
        """
        multiplier, shift = (part.astype(np.int64).reshape(_SPREAD) for part in (self.multiplier, self.shift))
        return np.clip(multiply_doubling(sums, multiplier, shift), self.low, self.high)


Steps = StepFunction | FloatScale | DoublingMultiply
