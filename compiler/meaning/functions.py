"""Functions between sums and a quantizer: where they never fall, inverses give the steps of the numbers before.

A step through a transcendental function lies at a number that no file can hold, unless it is 0: the inverse in 50
digits stands on the right side of every number of a file.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache

import numpy as np

#: Decimal digits of inverses and values.
_DIGITS = Context(prec=50)
#: Operations that may round in an evaluation in float32, for its error at most.
_ROUNDINGS_OF_SERIES = 16

#: Numbers from a position on, itself included or not; None: all numbers (True) or no number (False).
Reached = tuple[Fraction, bool] | bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Function:
    """A function that never falls.

    Parameters
    ----------
    reached : function of (channel, position, inclusive) to Reached
        The numbers whose values are at the position or beyond it.
    value : function of (channel, number) to Fraction
    roundings : int
        Operations that may round, if float32 evaluates the function.
    uniform : bool
        Whether it is the same in all channels.
    falls : bool
        Whether it does fall somewhere: then it is one of codes alone, and `reached` has no meaning.
    """

    reached: Callable[[int, Fraction, bool], Reached]
    value: Callable[[int, Fraction], Fraction]
    roundings: int
    uniform: bool = True
    falls: bool = False

    def channels(self, chosen: np.ndarray) -> "Function":
        """The function of some channels, by their numbers."""
        return replace(
            self,
            reached=lambda channel, position, inclusive: self.reached(chosen[channel], position, inclusive),
            value=lambda channel, number: self.value(chosen[channel], number),
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
    """X · min(max(x + 3, 0), 6) / 6."""

    def value(channel: int, number: Fraction) -> Fraction:
        return number * min(max(number + 3, Fraction(0)), Fraction(6)) / 6

    return Function(reached=lambda channel, position, inclusive: False, value=value, roundings=4, falls=True)


def leaky(slopes: np.ndarray) -> Function:
    """The number x where it is positive, slope · x elsewhere.

    Parameters
    ----------
    slopes : ndarray of shape (channels,), of Fraction
        Not negative.
    """

    def reached(channel: int, position: Fraction, inclusive: bool) -> Reached:
        slope = slopes[channel]
        if position > 0 or (position == 0 and not inclusive):
            return position, inclusive
        if slope == 0:
            return True
        return position / slope, inclusive

    return Function(
        reached=reached,
        value=lambda channel, x: x if x >= 0 else slopes[channel] * x,
        roundings=1,
        uniform=bool((slopes == slopes[0]).all()),
    )


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
