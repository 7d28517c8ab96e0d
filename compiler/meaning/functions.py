"""Functions between sums and a quantizer: where they never fall, inverses give the steps of the numbers before.

A step through a transcendental function lies at a number that no file can hold, unless it is 0: the inverse in 50
digits stands on the right side of every number of a file. A function that falls up to a number and rises from there on
is two that never fall: its negative below that number, and itself above.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from math import isqrt

import numpy as np

#: Decimal digits of inverses and values.
_DIGITS = Context(prec=50)
#: Bits of an irrational root.
_ROOT_BITS = 320
#: Operations that may round in an evaluation in float32, for its error at most.
_ROUNDINGS_OF_SERIES = 16

#: Numbers from a position on, itself included or not; None: all numbers (True) or no number (False).
Reached = tuple[Fraction, bool] | bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Function:
    """A function that never falls, but for numbers below a turning point if it has one.

    Parameters
    ----------
    reached : function of (channel, position, inclusive) to Reached
        The numbers, of those above the turning point, whose values are at the position or beyond it.
    value : function of (channel, number) to Fraction
    roundings : int
        Operations that may round, if float32 evaluates the function.
    weight : function of (channel, number) to Fraction, optional
        Sum of the absolute values of the terms that float32 adds up, which grows on both sides of 0; without one it is
        that of the value.
    uniform : bool
        Whether it is the same in all channels.
    turn : Turn, optional
        Where it ceases to fall.
    """

    reached: Callable[[int, Fraction, bool], Reached]
    value: Callable[[int, Fraction], Fraction]
    roundings: int
    weight: Callable[[int, Fraction], Fraction] | None = None
    uniform: bool = True
    turn: "Turn | None" = None

    def channels(self, chosen: np.ndarray) -> "Function":
        """The function of some channels, by their numbers."""
        weight, turn = self.weight, self.turn
        return replace(
            self,
            reached=lambda channel, position, inclusive: self.reached(chosen[channel], position, inclusive),
            value=lambda channel, number: self.value(chosen[channel], number),
            weight=None if weight is None else lambda channel, number: weight(chosen[channel], number),
            turn=None if turn is None else turn.channels(chosen),
        )

    def largest(self, channel: int, number: Fraction) -> Fraction:
        """What float32's error is a part of, at a number."""
        return abs(self.value(channel, number)) if self.weight is None else self.weight(channel, number)

    def turns_between(self, channel: int, *ends: Fraction) -> Iterator[Fraction]:
        """The turning point of a channel, if it lies between two numbers."""
        turn = self.turn
        if turn is not None and turn.of(channel) and min(ends) < turn.at < max(ends):
            yield turn.at

    def part(self, below: np.ndarray) -> "Function":
        """One that never falls: the negative of what is below the turning point where that is wanted, else the rest."""
        turn = self.turn
        assert turn is not None

        def reached(channel: int, position: Fraction, inclusive: bool) -> Reached:
            part = turn.reached if below[channel] else self.reached
            return part(channel, position, inclusive)

        def value(channel: int, number: Fraction) -> Fraction:
            found = self.value(channel, number)
            return -found if below[channel] else found

        return replace(self, reached=reached, value=value, turn=None)


@dataclass(frozen=True, kw_only=True, eq=False)
class Turn:
    """Where a function ceases to fall, and what it is up to there.

    Parameters
    ----------
    turns : ndarray of shape (channels,), bool, optional
        Whether it falls at all; None: in every channel.
    at : Fraction
    reached : function of (channel, position, inclusive) to Reached
        The numbers, of those below, whose negative values are at the position or beyond it.
    """

    at: Fraction
    reached: Callable[[int, Fraction, bool], Reached]
    turns: np.ndarray | None = None

    def of(self, channel: int) -> bool:
        """Whether the function falls in a channel."""
        return self.turns is None or bool(self.turns[channel])

    def channels(self, chosen: np.ndarray) -> "Turn":
        """The same of some channels, by their numbers."""
        return replace(
            self,
            reached=lambda channel, position, inclusive: self.reached(chosen[channel], position, inclusive),
            turns=None if self.turns is None else self.turns[chosen],
        )


def sigmoid() -> Function:
    """1 / (1 + exp(−x))."""

    def reached(channel: int, position: Fraction, inclusive: bool) -> Reached:
        if not 0 < position < 1:
            return position <= 0
        return _logit(position), inclusive

    return Function(reached=reached, value=lambda _, x: _logistic(x), roundings=_ROUNDINGS_OF_SERIES)


def tanh() -> Function:
    """tanh(x) = 2 · sigmoid(2x) − 1."""

    def reached(channel: int, position: Fraction, inclusive: bool) -> Reached:
        if not -1 < position < 1:
            return position <= -1
        return _logit((position + 1) / 2) / 2, inclusive

    return Function(
        reached=reached, value=lambda _, x: 2 * _logistic(2 * x) - 1, roundings=_ROUNDINGS_OF_SERIES
    )


def sign() -> Function:
    """−1, 0 or 1."""

    def reached(channel: int, position: Fraction, inclusive: bool) -> Reached:
        values = [v for v in (-1, 0, 1) if v > position or (inclusive and v == position)]
        if len(values) in (0, 3):
            return bool(values)
        return Fraction(0), values[0] == 0

    return Function(reached=reached, value=lambda _, x: Fraction((x > 0) - (x < 0)), roundings=0)


def hard_swish() -> Function:
    """The number x · min(max(x + 3, 0), 6) / 6, which falls from −3 to −3/2."""
    least = Fraction(-3, 8)

    def value(channel: int, number: Fraction) -> Fraction:
        return number * min(max(number + 3, Fraction(0)), Fraction(6)) / 6

    def above(channel: int, position: Fraction, inclusive: bool) -> Reached:
        if position < least or (position == least and inclusive):
            return True
        return (position if position > 3 else (_root(9 + 24 * position) - 3) / 2), inclusive

    def below(channel: int, position: Fraction, inclusive: bool) -> Reached:
        if position < 0 or (position == 0 and inclusive):
            return True
        if position > -least or (position == -least and not inclusive):
            return False
        return (-3 - _root(9 - 24 * position)) / 2, inclusive

    def weight(channel: int, number: Fraction) -> Fraction:
        return max(number, min(-number, Fraction(3)))

    return Function(
        reached=above,
        value=value,
        roundings=4,
        weight=weight,
        turn=Turn(at=Fraction(-3, 2), reached=below),
    )


def leaky(slopes: np.ndarray) -> Function:
    """The number x where it is positive, slope · x elsewhere: it falls below 0 where the slope is negative.

    Parameters
    ----------
    slopes : ndarray of shape (channels,), of Fraction
    """
    turns = slopes < 0

    def above(channel: int, position: Fraction, inclusive: bool) -> Reached:
        slope = slopes[channel]
        if position > 0 or (position == 0 and not inclusive):
            return position, inclusive
        if slope <= 0:
            return True
        return position / slope, inclusive

    def below(channel: int, position: Fraction, inclusive: bool) -> Reached:
        return position / -slopes[channel], inclusive

    return Function(
        reached=above,
        value=lambda channel, x: x if x >= 0 else slopes[channel] * x,
        roundings=1,
        uniform=bool((slopes == slopes[0]).all()),
        turn=Turn(at=Fraction(0), reached=below, turns=turns) if turns.any() else None,
    )


def _root(number: Fraction) -> Fraction:
    """Square root, exact where it is rational."""
    product = number.numerator * number.denominator
    whole = isqrt(product)
    if whole * whole == product:
        return Fraction(whole, number.denominator)
    return Fraction(isqrt(product << 2 * _ROOT_BITS), number.denominator << _ROOT_BITS)


def _exact(number: Fraction) -> Decimal:
    return _DIGITS.divide(Decimal(number.numerator), Decimal(number.denominator))


@lru_cache(maxsize=1 << 16)
def _logit(position: Fraction) -> Fraction:
    if position == Fraction(1, 2):
        return Fraction(0)
    return Fraction(_DIGITS.ln(_exact(position / (1 - position))))


@lru_cache(maxsize=1 << 16)
def _logistic(number: Fraction) -> Fraction:
    # Beyond 200 the value differs from 0 or 1 in the 86th digit.
    small = _DIGITS.exp(-abs(_exact(min(max(number, Fraction(-200)), Fraction(200)))))
    greater = Fraction(_DIGITS.divide(Decimal(1), _DIGITS.add(Decimal(1), small)))
    return greater if number >= 0 else 1 - greater
