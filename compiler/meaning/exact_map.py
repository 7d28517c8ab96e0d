"""From sums to the real numbers that a quantizer takes, exactly: a line between two bounds, channel by channel.

Products, sums, Relu and Clip of one number a channel, in any order, make of a sum x the number
clip(slope · x + offset, low, high). The constants of a file are exact numbers, and so are these four. A line also knows
how often float32 may round on its way, n times: an evaluation in float32 differs from the exact one by no more than
γ_n · Σ|terms|, with γ_n = n·u / (1 − n·u) and u = 2^-24.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import gcd
from typing import Any

import numpy as np

#: Whole numbers up to this are numbers of float32.
_FLOAT32_WHOLE = 1 << 24


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """The map slope · x + offset of each channel, and what float32 may make of it.

    Parameters
    ----------
    slope, offset : ndarray of shape (channels,), of Fraction
    magnitude : ndarray of shape (channels,), of Fraction
        Sum of the absolute values of the terms that make the offset.
    roundings : ndarray of shape (channels,), int64
        Operations that may round, if float32 evaluates the line.
    """

    slope: np.ndarray
    offset: np.ndarray
    magnitude: np.ndarray
    roundings: np.ndarray

    @classmethod
    def constant(cls, values: np.ndarray) -> "Line":
        """Numbers that depend on no sum and are there without any rounding."""
        nothing = values * 0
        return cls(
            slope=nothing,
            offset=values,
            magnitude=abs(values),
            roundings=np.zeros(len(values), dtype=np.int64),
        )

    def times(self, factor: np.ndarray, weight: np.ndarray, roundings: int | None) -> "Line":
        """The line times a number a channel; `roundings` says how often this rounds, None that it is one product."""
        made = replace(
            self,
            slope=self.slope * factor,
            offset=self.offset * factor,
            magnitude=self.magnitude * abs(factor),
        )
        if roundings is None:
            return made._after(self.roundings, _is_power_of_two(factor), weight)
        return replace(made, roundings=self.roundings + roundings)

    def plus(self, addend: np.ndarray, weight: np.ndarray) -> "Line":
        """The line plus a number a channel."""
        made = replace(self, offset=self.offset + addend, magnitude=self.magnitude + abs(addend))
        return made._after(self.roundings, addend == 0, weight)

    def added(self, other: "Line", weight: np.ndarray) -> "Line":
        """The line plus another one of the same slope, over the sum of both sums, of which `weight` tells the total."""
        made = replace(self, offset=self.offset + other.offset, magnitude=self.magnitude + other.magnitude)
        return made._after(
            np.maximum(self.roundings, other.roundings), np.zeros(len(weight), dtype=bool), weight
        )

    def total(self, count: int, weight: np.ndarray) -> "Line":
        """The sum of so many values of the line, of which `weight` tells the total."""
        made = replace(self, offset=self.offset * count, magnitude=self.magnitude * count)
        exact = made._fits(weight, self.roundings == 0)
        return replace(made, roundings=np.where(exact, 0, self.roundings + count - 1))

    def _after(self, roundings: np.ndarray, keeps: np.ndarray, weight: np.ndarray) -> "Line":
        """The same with one more rounding, unless the operation keeps all bits or gives numbers of float32 alone."""
        exact = keeps.astype(bool)
        exact |= self._fits(weight, ~exact & (roundings == 0))
        return replace(self, roundings=roundings + ~exact)

    def _fits(self, weight: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Whether all values are numbers of float32, of chosen channels; False of others."""
        fits = np.zeros(len(weight), dtype=bool)
        fits[chosen] = _fits_float32(self.slope[chosen], self.offset[chosen], weight[chosen]).astype(bool)
        return fits

    def where(self, chosen: np.ndarray, other: "Line") -> "Line":
        """Channels of this line where they are chosen, of the other one elsewhere."""
        parts = {name: np.where(chosen, part, getattr(other, name)) for name, part in vars(self).items()}
        return Line(**parts)

    def error(self, weight: np.ndarray) -> np.ndarray:
        """γ_n · Σ|terms| of each channel, of Fraction."""
        return _gamma(self.roundings) * (abs(self.slope) * weight + self.magnitude)


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactMap:
    """What the operators after a layer's sums make of a sum: clip(line, low, high).

    Parameters
    ----------
    least, greatest : ndarray of shape (channels,), int64
        Sums that the layer reaches.
    weight : ndarray of shape (channels,), of int
        Greatest sum of the absolute values of the products that a sum adds.
    line : Line
    low, high : Line
        Bounds, with slope 0.
    has_low, has_high : ndarray of shape (channels,), bool
        Whether they bound anything.
    """

    least: np.ndarray
    greatest: np.ndarray
    weight: np.ndarray
    line: Line
    low: Line
    high: Line
    has_low: np.ndarray
    has_high: np.ndarray

    @classmethod
    def of_sums(
        cls, least: np.ndarray, greatest: np.ndarray, weight: np.ndarray, scale: np.ndarray, terms: int
    ) -> "ExactMap":
        """The map from sums of `terms` products each to real numbers: times the scale of weights and inputs.

        Products of powers of two are exact in float32, and so is a small sum of them. Else weight, input and product
        are rounded, and each addition.
        """
        exact = _is_power_of_two(scale).astype(bool) & (weight <= _FLOAT32_WHOLE)
        return cls._scaled(least, greatest, weight, scale, roundings=np.where(exact, 0, terms + 2))

    @classmethod
    def of_codes(cls, values: np.ndarray, scale: np.ndarray) -> "ExactMap":
        """The map from values of one operand to real numbers, one product of a scale a channel, of Fraction."""
        ones = np.ones(len(scale), dtype=np.int64)
        roundings = 1 - _is_power_of_two(scale).astype(np.int64)
        largest = np.abs(values).max() * ones
        return cls._scaled(values.min() * ones, values.max() * ones, largest, scale, roundings)

    @classmethod
    def of_numbers(cls, weight: np.ndarray, scale: np.ndarray, *, roundings: int) -> "ExactMap":
        """The map from numbers, no greater than `weight` and made by so many operations that round, times a scale."""
        reach = np.zeros(len(scale), dtype=np.int64)
        return cls._scaled(reach, reach, weight, scale, reach + roundings)

    @classmethod
    def concatenated(cls, maps: Sequence["ExactMap"]) -> "ExactMap":
        """The channels of several maps."""

        def joined(name: str) -> np.ndarray | Line:
            parts = [getattr(one, name) for one in maps]
            if isinstance(parts[0], Line):
                return Line(
                    **{key: np.concatenate([vars(part)[key] for part in parts]) for key in vars(parts[0])}
                )
            return np.concatenate(parts)

        return cls(**{name: joined(name) for name in vars(maps[0])})  # type: ignore[arg-type]

    @classmethod
    def _scaled(
        cls,
        least: np.ndarray,
        greatest: np.ndarray,
        weight: np.ndarray,
        scale: np.ndarray,
        roundings: np.ndarray,
    ) -> "ExactMap":
        nothing = Line.constant(scale * 0)
        line = replace(nothing, slope=scale, roundings=roundings)
        unbounded = np.zeros(len(scale), dtype=bool)
        return cls(
            least=least,
            greatest=greatest,
            weight=weight,
            line=line,
            low=nothing,
            high=nothing,
            has_low=unbounded,
            has_high=unbounded,
        )

    @property
    def bounded(self) -> bool:
        """Whether a channel has a bound."""
        return bool(self.has_low.any() or self.has_high.any())

    @property
    def uniform(self) -> bool:
        """Whether all channels have the same line and the same bounds."""
        lines = all(
            (part.slope == part.slope[0]).all() and (part.offset == part.offset[0]).all()
            for part in (self.line, self.low, self.high)
        )
        return lines and len(set(self.has_low)) == 1 and len(set(self.has_high)) == 1

    @property
    def falling(self) -> np.ndarray:
        """Channels in which a greater sum gives a lesser number, shape (channels,), bool."""
        return self.line.slope < 0

    def times(self, factor: np.ndarray, *, roundings: int | None = None) -> "ExactMap":
        """The map times a number a channel, of Fraction; a negative one exchanges the bounds."""
        line, low, high = self._each(lambda part: part.times(factor, self.weight, roundings))
        kept = factor >= 0
        return replace(
            self,
            line=line,
            low=low.where(kept, high),
            high=high.where(kept, low),
            has_low=np.where(kept, self.has_low, self.has_high),
            has_high=np.where(kept, self.has_high, self.has_low),
        )

    def plus(self, addend: np.ndarray) -> "ExactMap":
        """The map plus a number a channel, of Fraction."""
        line, low, high = self._each(lambda part: part.plus(addend, self.weight))
        return replace(self, line=line, low=low, high=high)

    def _each(self, change: Callable[[Line], Line]) -> tuple[Line, Line, Line]:
        """Something done to the line, and to the bounds that there are."""
        bounds = (self.low, self.has_low), (self.high, self.has_high)
        low, high = (change(part) if has.any() else part for part, has in bounds)
        return change(self.line), low, high

    def at_least(self, bound: np.ndarray) -> "ExactMap":
        """The greater of the map and a number a channel, of Fraction."""
        given = Line.constant(bound)
        stays = self.has_low & (self.low.offset >= bound)
        reaches = self.high.offset >= bound
        return replace(
            self,
            low=self.low.where(stays, given),
            high=self.high.where(reaches, given),
            has_low=np.ones_like(self.has_low),
        )

    def at_most(self, bound: np.ndarray) -> "ExactMap":
        """The lesser of the map and a number a channel, of Fraction."""
        return -(-self).at_least(-bound)

    def __neg__(self) -> "ExactMap":
        return self.times(np.array([Fraction(-1)] * len(self.weight), dtype=object))

    def average(self, count: int) -> "ExactMap":
        """The mean of so many values of a map without bounds, as a map from the sum of their sums."""
        assert not self.bounded
        weight = self.weight * count
        whole = replace(
            self,
            least=self.least * count,
            greatest=self.greatest * count,
            weight=weight,
            line=self.line.total(count, weight),
        )
        return whole.times(np.array([Fraction(1, count)] * len(weight), dtype=object))

    def numbers(self, integers: np.ndarray) -> np.ndarray:
        """What integers, or Fractions, of shape (channels, n) become, of Fraction."""
        columns = [part[:, np.newaxis] for part in (self.line.slope, self.line.offset)]
        numbers = columns[0] * integers + columns[1]
        for has, bound, cut in ((self.has_low, self.low, np.maximum), (self.has_high, self.high, np.minimum)):
            numbers = np.where(has[:, np.newaxis], cut(numbers, bound.offset[:, np.newaxis]), numbers)
        return numbers

    def cuts(self) -> bool:
        """Whether a bound changes a number."""
        ends = np.stack([self.least, self.greatest], axis=1).astype(object)
        on_line = self.line.slope[:, np.newaxis] * ends + self.line.offset[:, np.newaxis]
        return bool((self.numbers(ends) != on_line).any())

    def channels(self, chosen: np.ndarray) -> "ExactMap":
        """Some channels, by their numbers."""
        return ExactMap(**{name: _chosen(part, chosen) for name, part in vars(self).items()})

    def reach(self) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest number of each channel, with what float32 may add to it."""
        ends = np.stack([self.least, self.greatest], axis=1).astype(object)
        error = self.line.error(self.weight) + self.low.error(self.weight) + self.high.error(self.weight)
        numbers = self.numbers(ends)
        return numbers.min(axis=1) - error, numbers.max(axis=1) + error

    def extremes(self) -> tuple["ExactMap", "ExactMap"]:
        """The least and the greatest that float32 may make of the map."""
        return self.moved(-1), self.moved(1)

    def moved(self, sign: int) -> "ExactMap":
        """The least (−1) or the greatest (1) that float32 may make of the map."""
        line, low, high = (
            replace(part, offset=part.offset + sign * part.error(self.weight))
            for part in (self.line, self.low, self.high)
        )
        return replace(self, line=line, low=low, high=high)


def _chosen(part: Line | np.ndarray, chosen: np.ndarray) -> Any:
    if isinstance(part, Line):
        return Line(**{name: of_line[chosen] for name, of_line in vars(part).items()})
    return part[chosen]


def fractions(constant: np.ndarray, channels: int) -> np.ndarray:
    """The numbers of a constant exactly, one a channel, of Fraction; all of them must be finite."""
    spread = np.broadcast_to(np.reshape(constant, -1), channels)
    return np.array([Fraction(number) for number in spread.tolist()], dtype=object)


def _power_of_two(number: Fraction) -> bool:
    numerator, denominator = abs(number.numerator), number.denominator
    return not numerator & (numerator - 1) and not denominator & (denominator - 1)


def _fits(slope: Fraction, offset: Fraction, weight: int) -> bool:
    units = slope.denominator, offset.denominator
    if any(unit & (unit - 1) for unit in units):
        return False
    unit = max(units)
    step, first = slope.numerator * (unit // units[0]), offset.numerator * (unit // units[1])
    common = gcd(step, first)
    spacing = common & -common  # all values are multiples of this power of two
    return abs(step) * weight + abs(first) <= spacing * _FLOAT32_WHOLE


_is_power_of_two = np.frompyfunc(_power_of_two, 1, 1)
_fits_float32 = np.frompyfunc(_fits, 3, 1)
_gamma = np.frompyfunc(lambda n: Fraction(int(n), _FLOAT32_WHOLE - int(n)), 1, 1)
