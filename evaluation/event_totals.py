"""Totals of many events with correlated bounds: a parameter has one value at a time, in all events that read it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .sources import Figure, MissingParameter, Sources, Values


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A figure and its bounds.

    Parameters
    ----------
    value, low, high : float or None
        None where a parameter is missing.
    missing : str
        That parameter; empty if all are there.
    """

    value: float | None
    low: float | None
    high: float | None
    missing: str = ""

    @classmethod
    def of(cls, figure: Figure) -> "Interval":
        """The value and the bounds of a figure."""
        return cls(value=figure.value, low=figure.low, high=figure.high, missing=figure.missing)

    @classmethod
    def exact(cls, value: float) -> "Interval":
        """A value that no parameter leaves open."""
        return cls(value=float(value), low=float(value), high=float(value))

    @classmethod
    def without(cls, missing: str) -> "Interval":
        """No value, and what is missing for one."""
        return cls(value=None, low=None, high=None, missing=missing)

    def scaled(self, factor: float) -> "Interval":
        """The same times a number above 0."""
        return self._each(lambda value: value * factor)

    def under(self, number: float) -> "Interval":
        """A number above 0 divided by it."""
        other = self._each(lambda value: number / value)
        return replace(other, low=other.high, high=other.low)

    def _each(self, function: Callable[[float], float]) -> "Interval":
        if self.value is None or self.low is None or self.high is None:
            return self
        return Interval(value=function(self.value), low=function(self.low), high=function(self.high))


@dataclass(frozen=True, kw_only=True)
class _Event:
    """What an event takes once, with all parameters at their values, and with one of them at each end of its bounds."""

    middle: float
    ends: dict[str, tuple[float, float]]
    missing: str = ""


class EventTotals:
    """Sums of how often events happen times what they take.

    An event is evaluated when it first happens: with all parameters at their values, at each end of each parameter's
    bounds, and at the corners that a sum asks for. A sum is linear in these, and has the bounds that `Sources.figure`
    would find for it as one function.

    Parameters
    ----------
    sources : Sources
    functions : sequence of callable
        Of each event, from `Values` to what it takes once.
    """

    def __init__(self, sources: Sources, functions: Sequence[Callable[[Values], float]]) -> None:
        self._sources = sources
        self._functions = functions
        self._events: dict[int, _Event] = {}
        self._corners: dict[tuple[int, tuple[int, ...]], float] = {}

    def of(self, counts: Sequence[float]) -> Interval:
        """A sum.

        Parameters
        ----------
        counts : sequence of float
            How often each event happens.
        """
        happen = [(number, count) for number, count in enumerate(counts) if count]
        events = {number: self._event(number) for number, _ in happen}
        for event in events.values():
            if event.missing:
                return Interval.without(event.missing)
        middle = float(sum(count * events[number].middle for number, count in happen))
        ends: dict[str, list[float]] = {}
        for number, count in happen:
            event = events[number]
            for key, values in event.ends.items():
                of_key = ends.setdefault(key, [middle, middle])
                for end in (0, 1):
                    of_key[end] += count * (values[end] - event.middle)
        seen = [middle, *(value for of_key in ends.values() for value in of_key)]
        smaller = {key: int(of_key[0] > of_key[1]) for key, of_key in ends.items()}
        for corner in (smaller, {key: 1 - end for key, end in smaller.items()}):
            seen.append(float(sum(count * self._corner(number, corner) for number, count in happen)))
        return Interval(value=middle, low=min(seen), high=max(seen))

    def _event(self, number: int) -> _Event:
        if number not in self._events:
            values = self._sources.values({})
            try:
                middle = self._functions[number](values)
            except MissingParameter as error:
                self._events[number] = _Event(middle=0.0, ends={}, missing=error.key)
            else:
                keys = sorted(key for key in values.read if self._sources[key].bounds is not None)
                ends = {key: (self._at(number, {key: 0}), self._at(number, {key: 1})) for key in keys}
                self._events[number] = _Event(middle=middle, ends=ends)
        return self._events[number]

    def _corner(self, number: int, corner: Mapping[str, int]) -> float:
        """What an event takes with all of its parameters at ends."""
        ends = {key: corner[key] for key in self._event(number).ends}
        key = number, tuple(ends.values())
        if key not in self._corners:
            self._corners[key] = self._at(number, ends)
        return self._corners[key]

    def _at(self, number: int, ends: Mapping[str, int]) -> float:
        changed = {}
        for key, end in ends.items():
            parameter = self._sources[key]
            if parameter.bounds is None:
                raise TypeError(f"{key} has no bounds")
            changed[key] = replace(parameter, value=parameter.bounds[end])
        return self._functions[number](self._sources.values(changed))
