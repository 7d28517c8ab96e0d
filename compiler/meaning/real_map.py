"""From a carrier's integers to a tensor's numbers, channel by channel: lines with bounds, and functions between."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from .exact_map import ExactMap
from .exact_steps import ExactSteps
from .functions import Function, Reached
from .region_steps import RegionSteps


@dataclass(frozen=True, kw_only=True, eq=False)
class Stage:
    """A function, and the line with bounds behind it."""

    function: Function
    map: ExactMap


@dataclass(frozen=True, kw_only=True, eq=False)
class RealMap:
    """What operators make of integers.

    Parameters
    ----------
    first : ExactMap
        Of the integers.
    stages : tuple of Stage
        Each takes what the one before it gives.
    operators : int
        How many have made it.
    """

    first: ExactMap
    stages: tuple[Stage, ...] = ()
    operators: int = 0

    @property
    def channels(self) -> int:
        """How many it has."""
        return len(self.first.weight)

    @property
    def last(self) -> ExactMap:
        """Of what the last function gives; of the integers without one."""
        return self.stages[-1].map if self.stages else self.first

    @property
    def is_line(self) -> bool:
        """Whether there is neither a function nor a bound."""
        return not self.stages and not self.first.bounded

    @property
    def falling(self) -> np.ndarray:
        """Channels in which greater integers give lesser numbers, above all turning points of functions."""
        falling = self.first.falling
        for stage in self.stages:
            falling = falling ^ stage.map.falling
        return falling

    @property
    def turns(self) -> np.ndarray:
        """How many functions turn in each channel, shape (channels,), int64."""
        turns = np.zeros(self.channels, dtype=np.int64)
        for stage in self.stages:
            if stage.function.turn is not None:
                turns += 1 if stage.function.turn.turns is None else stage.function.turn.turns
        return turns

    @property
    def uniform(self) -> bool:
        """Whether it is the same in all channels."""
        functions = all(stage.function.uniform for stage in self.stages)
        return functions and all(one.uniform for one in (self.first, *(stage.map for stage in self.stages)))

    def of_channels(self, chosen: np.ndarray) -> "RealMap":
        """The map of some channels, by their numbers."""
        stages = [
            Stage(function=stage.function.channels(chosen), map=stage.map.channels(chosen))
            for stage in self.stages
        ]
        return replace(self, first=self.first.channels(chosen), stages=tuple(stages))

    def changed(self, last: ExactMap) -> "RealMap":
        """The same with another last map, which one more operator has made."""
        if not self.stages:
            return replace(self, first=last, operators=self.operators + 1)
        stages = (*self.stages[:-1], replace(self.stages[-1], map=last))
        return replace(self, stages=stages, operators=self.operators + 1)

    def through(self, function: Function) -> "RealMap":
        """The function of the numbers."""
        ends = self._reach()
        weights = [[function.largest(c, number) for c, number in enumerate(end)] for end in ends]
        weight = np.max(np.array(weights, dtype=object), axis=0)
        ones = np.array([Fraction(1)] * self.channels, dtype=object)
        behind = ExactMap.of_numbers(weight, ones, roundings=function.roundings)
        stages = (*self.stages, Stage(function=function, map=behind))
        return replace(self, stages=stages, operators=self.operators + 1)

    def numbers(self, integers: np.ndarray) -> np.ndarray:
        """The numbers of integers of shape (channels, n), or (n,) for all of them; of Fraction, shape (channels, n)."""
        given = np.broadcast_to(integers, (self.channels, np.shape(integers)[-1]))
        numbers = self.first.numbers(given.astype(object))
        for stage in self.stages:
            values = [[stage.function.value(c, number) for number in row] for c, row in enumerate(numbers)]
            numbers = stage.map.numbers(np.array(values, dtype=object).reshape(numbers.shape))
        return numbers

    def _reach(self) -> tuple[np.ndarray, np.ndarray]:
        """Least and greatest number of each channel."""
        ends = self.first.numbers(np.stack([self.first.least, self.first.greatest], axis=1).astype(object))
        for stage in self.stages:
            values = [
                [stage.function.value(c, number) for number in (*row, *stage.function.turns_between(c, *row))]
                for c, row in enumerate(ends)
            ]
            ends = stage.map.numbers(np.array([[min(row), max(row)] for row in values], dtype=object))
        return ends.min(axis=1), ends.max(axis=1)

    def branches(self) -> tuple["RealMap", ...]:
        """The same in regions of the integers, ascending, in none of which a function turns.

        Where no function of a channel turns, all but one of its regions are empty.
        """
        for at, stage in enumerate(self.stages):
            if stage.function.turn is not None:
                return tuple(part for half in self._halves(at) for part in half.branches())
        return (self,)

    def turning_points(self) -> Iterator[ExactSteps]:
        """Where functions turn, as steps of the integers."""
        for at, stage in enumerate(self.stages):
            if stage.function.turn is not None:
                yield self._turning_point(at)
                for half in self._halves(at):
                    yield from half.turning_points()
                return

    def _turning_point(self, at: int) -> ExactSteps:
        """Where the first function that turns does."""
        turn = self.stages[at].function.turn
        assert turn is not None
        twice = np.array([[2 * turn.at]] * self.channels, dtype=object)
        before = replace(self, stages=self.stages[:at])
        return before._steps(twice, np.ones(twice.shape, dtype=bool))

    def _halves(self, at: int) -> tuple["RealMap", "RealMap"]:
        """The same below and above the sums where the first function that turns does, without its turn."""
        stage, steps = self.stages[at], self._turning_point(at)
        turn = stage.function.turn
        assert turn is not None
        turns = np.ones(self.channels, dtype=bool) if turn.turns is None else turn.turns
        second = np.where(turns, steps.starts[:, 0], self.first.least)
        halves = []
        for upper in (False, True):
            ends = (second, self.first.greatest) if upper else (self.first.least, second - 1)
            first = replace(self.first, least=ends[0], greatest=ends[1])
            below = turns & (steps.map.falling == upper)
            line = stage.map.line
            turned = replace(line, slope=np.where(below, -line.slope, line.slope))
            part = Stage(function=stage.function.part(below), map=replace(stage.map, line=turned))
            halves.append(
                replace(self, first=first, stages=(*self.stages[:at], part, *self.stages[at + 1 :]))
            )
        return halves[0], halves[1]

    def steps(self, twice: np.ndarray, inclusive: np.ndarray) -> ExactSteps | RegionSteps:
        """Where the numbers reach positions, as steps of the integers.

        Parameters
        ----------
        twice : ndarray of shape (n,), int64, or (channels, n), of Fraction
            Twice the positions, ascending.
        inclusive : ndarray of the same shape, bool
            Whether a number that is just there has reached the step.
        """
        if any(stage.function.turn is not None for stage in self.stages):
            parts = tuple(branch._steps(twice, inclusive) for branch in self.branches())
            return RegionSteps(parts=parts, shifts=(0,) * len(parts))
        return self._steps(twice, inclusive)

    def _steps(self, twice: np.ndarray, inclusive: np.ndarray) -> ExactSteps:
        """The same of a map in which no function turns."""
        if not self.stages:
            return ExactSteps(map=self.first, twice=twice, inclusive=inclusive)
        turned = self.falling ^ self.first.falling
        sign = np.where(turned, -1, 1).astype(object) * Fraction(1)
        first = self.first.times(sign, roundings=0)
        least, greatest = first.reach()
        shape = (self.channels, twice.shape[-1])
        wanted, reaches = np.broadcast_to(twice, shape), np.broadcast_to(inclusive, shape)
        pulled = []
        for error in (0, -1, 1):
            stages = [replace(s, map=s.map.moved(error) if error else s.map) for s in self.stages]
            rows = [
                _pulled(stages, c, turned[c], wanted[c], reaches[c], least[c], greatest[c])
                for c in range(self.channels)
            ]
            pulled.append(rows)
        positions, late, early = ([[2 * p for p, _ in row] for row in rows] for rows in pulled)
        reached = [[at_it for _, at_it in row] for row in pulled[0]]
        return ExactSteps(
            map=first,
            twice=np.array(positions, dtype=object).reshape(shape),
            inclusive=np.array(reached, dtype=bool).reshape(shape),
            late=np.array(late, dtype=object).reshape(shape),
            early=np.array(early, dtype=object).reshape(shape),
        )


def concatenated(maps: Sequence[RealMap]) -> RealMap:
    """Maps without functions, channel after channel."""
    assert all(not one.stages for one in maps)
    return RealMap(
        first=ExactMap.concatenated([one.first for one in maps]),
        operators=max(one.operators for one in maps),
    )


def _pulled(
    stages: Sequence[Stage],
    channel: int,
    turned: bool,
    twice: np.ndarray,
    inclusive: np.ndarray,
    least: Fraction,
    greatest: Fraction,
) -> list[tuple[Fraction, bool]]:
    """Steps of one channel before all functions; where the channel is turned, of the negative number."""
    found = []
    for position, reaches in zip(twice.tolist(), inclusive.tolist(), strict=True):
        reached = _pull(stages, channel, Fraction(position) / 2, reaches)
        if isinstance(reached, bool):
            # Beyond all numbers, on one side or the other.
            found.append((least - 1, True) if reached else (greatest + 1, True))
        else:
            at, reaches = reached
            found.append((-at if turned else at, reaches))
    return found


def _pull(stages: Sequence[Stage], channel: int, position: Fraction, inclusive: bool) -> Reached:
    """Numbers before the functions whose numbers behind them reach a position.

    They lie from the position found on, or up to it where an odd number of lines falls.
    """
    up = True
    for stage in reversed(stages):
        of_line = _reached_by_line(stage.map, channel, position, inclusive, up)
        if isinstance(of_line, bool):
            return of_line
        position, inclusive, up = of_line
        # {v ≤ p} are all v that do not reach {v > p}.
        reached = stage.function.reached(channel, position, inclusive if up else not inclusive)
        if isinstance(reached, bool):
            return reached if up else not reached
        position, inclusive = reached[0], reached[1] if up else not reached[1]
    return position, inclusive


def _reached_by_line(
    line: ExactMap, channel: int, position: Fraction, inclusive: bool, up: bool
) -> tuple[Fraction, bool, bool] | bool:
    """Numbers that a line with bounds takes to {y ≥ p} (up) or {y ≤ p}."""
    slope, offset = line.line.slope[channel], line.line.offset[channel]

    def holds(number: Fraction) -> bool:
        return (number > position if up else number < position) or (inclusive and number == position)

    low = line.low.offset[channel] if line.has_low[channel] else None
    high = line.high.offset[channel] if line.has_high[channel] else None
    if slope == 0:
        number = offset if low is None else max(offset, low)
        return holds(number if high is None else min(number, high))
    if low is not None and holds(low) == up:
        return up
    if high is not None and holds(high) != up:
        return not up
    return (position - offset) / slope, inclusive, up == (slope > 0)
