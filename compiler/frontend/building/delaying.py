"""What moves numbers or takes the greatest of them waits for their quantizer: of codes it gives the same.

A quantizer keeps the order of numbers, and takes each by itself. So what pads them, or takes maxima of numbers that are
pooled or added already, is done with the codes that it gives.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from ...graph import Four, Pooling
from ...meaning.exact_map import ExactMap
from ...meaning.real_map import RealMap
from .access import real_of
from .layout import Layout
from .value import DelayedCarrier, Maximum, PairCarrier, SumsCarrier, Surround, Value


def delayed_maximum(label: str, x: Value, pool: Pooling, layout: Layout) -> Value:
    """The greatest numbers of windows, a value of some layout."""
    return _delayed(label, x, Maximum(label=label, pool=pool, of=real_of(label, x)), layout)


def delayed_padding(label: str, x: Value, padding: Four, number: Fraction, layout: Layout) -> Value:
    """Numbers with another one around them, a value of some layout."""
    ones = np.array([Fraction(1)] * x.channels, dtype=object)
    behind = RealMap(first=ExactMap.of_numbers(abs(number) * ones, ones, roundings=0))
    return _delayed(label, x, Surround(label=label, padding=padding, number=number, behind=behind), layout)


def mapped(label: str, x: Value, change: Callable[[RealMap], RealMap]) -> Value:
    """The value with another map of its numbers, and of those that surround them."""
    made = replace(x, real=change(real_of(label, x)))
    if not isinstance(x.carrier, DelayedCarrier):
        return made
    moves = tuple(
        replace(move, behind=change(move.behind)) if isinstance(move, Surround) else move
        for move in x.carrier.moves
    )
    return replace(made, carrier=replace(x.carrier, moves=moves))


def _delayed(label: str, x: Value, move: Maximum | Surround, layout: Layout) -> Value:
    carrier = x.carrier
    if not isinstance(carrier, DelayedCarrier):
        assert isinstance(carrier, SumsCarrier | PairCarrier)
        carrier = DelayedCarrier(taken=carrier, sides=x.layout.sides, moves=())
    return replace(x, layout=layout, carrier=replace(carrier, moves=(*carrier.moves, move)))
