"""Additions of codes: a layer's own codes first, then their sum with the codes of an earlier layer.

What an addition makes of every pair of an own level and a residual's code is reproduced exactly: as TFLite defines it,
along a line M·own + R·code + offset, or by a search through thresholds of M·own + R·code.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import gcd
from typing import Any

import numpy as np

from spinplane.machine import Rounding, SpinplaneError
from spinplane.machine.output_stage import MULTIPLIER_BITS, UNUSED_THRESHOLD, search_reads

from ..codes import InputCode
from ..graph import CodeAddition, DoublingAddition, FloatAddition, Layer, StepFunction
from .lines import Limits, Staircase, find_lines, least_values
from .methods import ROUNDINGS, best_lines, multiplied, multiplied_natively
from .native_scales import exact_steps
from .parameters import Requantization
from .staircases import CodeLevels, code_distance, code_steps, numberings, stored_codes, zero_code
from .values import Addend, Value

_LARGEST = (1 << (MULTIPLIER_BITS - 1)) - 1
#: Shifts that are tried, from the greatest that fits down.
_SHIFTS = 8
#: Ratios of scales with no greater terms are kept exactly.
_LARGEST_TERM = 1 << 15


@dataclass(frozen=True, kw_only=True, eq=False)
class OwnCodes:
    """Own values of a layer: scale · level + offset, of the levels that its parameters give.

    Parameters
    ----------
    requantization : Requantization
        Up to the own code.
    levels : ndarray of shape (n,), int64
        From the least to the greatest.
    scale, offset : int
    """

    requantization: Requantization
    levels: np.ndarray
    scale: int
    offset: int

    @property
    def values(self) -> np.ndarray:
        """Of all levels, shape (n,), int64."""
        return self.scale * self.levels + self.offset


def own_codes(layer: Layer, value: Value) -> OwnCodes | None:
    """Own codes of a layer, without what is added to them; None if they are more than one product.

    Raises
    ------
    SpinplaneError
        If a number does not fit, naming the layer.
    """
    steps = layer.steps
    assert steps is not None
    if layer.residual or not steps.monotone:
        return None
    least, span = int(steps.levels.min()), int(np.ptp(steps.levels))
    if not isinstance(steps, StepFunction):
        exact = exact_steps(layer, steps, value.low, value.high)
        found = multiplied_natively(layer, steps, value, exact, np.arange(span + 1))
        return OwnCodes(requantization=found, levels=np.arange(least, least + span + 1), scale=1, offset=0)
    code = InputCode(bits=max(1, span.bit_length()), scale=1, offset=least)
    found = multiplied(layer, code_steps(layer, steps, code, value.low, value.high), value)
    if found.thresholds.shape[1]:
        return None
    low, high = int(found.channels["low"].min()), int(found.channels["high"].max())
    return OwnCodes(
        requantization=found,
        levels=np.arange(low, high + 1),
        scale=1 << found.fields["level_shift"],
        offset=found.fields["out_zero"] + least,
    )


def added_codes(layer: Layer, own: OwnCodes, output: InputCode, addend: Addend) -> Requantization:
    """Parameters of a layer whose own codes are added to those of an earlier layer, proven for all pairs.

    Raises
    ------
    SpinplaneError
        If a level is not a code, or no parameters give the sum's codes; the message names the layer.
    """
    pairs = _Pairs(layer, own, output, addend)
    for found in pairs.ways():
        if pairs.proves(found):
            return found
    raise SpinplaneError(f"layer {layer.name}: found no whole scales for the codes that it adds")


class _Pairs:
    """All pairs of an own level and a residual's code, with the codes that the addition gives."""

    def __init__(self, layer: Layer, own: OwnCodes, output: InputCode, addend: Addend) -> None:
        addition = layer.addition
        assert addition is not None
        self._addition, self._own, self._addend = addition, own, addend
        scale, offset = addend.code.scale, addend.code.offset
        low, high = (addend.smallest - offset) // scale, (addend.largest - offset) // scale
        self._zero, self._zero_of_sums = zero_code(addend.code), -output.offset
        levels, codes = np.meshgrid(own.levels, np.arange(low, high + 1), indexing="ij")
        self._levels, self._codes = levels.ravel(), codes.ravel()
        values = addition.apply(own.scale * self._levels + own.offset, scale * self._codes + offset)
        self._sums = stored_codes(layer.name, values, output)
        first, distance = int(self._sums.min()), code_distance(self._sums)
        self._steps = (self._sums - first) // distance
        self._numberings = numberings(output, first, int(self._steps.max()), distance)

    def ways(self) -> Iterator[Requantization]:
        """Parameters that may do, those of the fewest cycles first."""
        scales = self._scales()
        yield from self._directly(*scales)
        yield from self._by_ratio(*scales)
        # One rounding more takes a phase more; most often no pair lies where it matters.
        if isinstance(self._addition, DoublingAddition):
            yield from self._doubling(self._addition)
        yield from self._searching(*scales)

    def proves(self, found: Requantization) -> bool:
        """Whether parameters give the code of every pair."""
        one = replace(
            found,
            channels={name: numbers[:1] for name, numbers in found.channels.items()},
            thresholds=found.thresholds[:1],
        )
        codes = one.total_code(self._levels[np.newaxis], self._codes[np.newaxis])
        return bool((codes[0] == self._sums).all())

    def _scales(self) -> tuple[Fraction, Fraction]:
        """What an own level and a code of the residual add to the sum's code before it is rounded."""
        addition = self._addition
        if isinstance(addition, CodeAddition):
            own, residual = addition.own_scale, addition.residual_scale
        elif isinstance(addition, FloatAddition):
            own, residual = Fraction(float(addition.own_scale)), Fraction(float(addition.residual_scale))
        else:
            total = _real(addition.output_multiplier, addition.output_shift) * 2**addition.left_shift
            own = _real(addition.own_multiplier, addition.own_shift) * total
            residual = _real(addition.residual_multiplier, addition.residual_shift) * total
        return own * self._own.scale, residual * self._addend.code.scale

    def _doubling(self, addition: DoublingAddition) -> Iterator[Requantization]:
        """TFLite's own arithmetic, of levels and codes that are values."""
        own_high = 31 - addition.left_shift - max(addition.own_shift, 0)
        residual_high = 31 - addition.left_shift - max(addition.residual_shift, 0)
        code = self._addend.code
        whole = self._own.scale == code.scale == 1 and self._own.offset == 0 and code.offset == -self._zero
        if not whole or min(own_high, residual_high) < 0:
            return
        levels = next((one for one in self._numberings if one.zero == self._zero_of_sums), None)
        if levels is None:
            return
        yield self._built(
            levels,
            addition.own_multiplier,
            addition.residual_multiplier,
            own_high_shift=own_high,
            own_shift=max(-addition.own_shift, 0),
            residual_high_shift=residual_high,
            residual_shift=max(-addition.residual_shift, 0),
            multiplies_total=True,
            total_multiplier=addition.output_multiplier,
            total_high_shift=31 - max(addition.output_shift, 0),
            total_shift=max(-addition.output_shift, 0),
            rounding=Rounding.HALF_AWAY,
        )

    def _directly(self, own: Fraction, residual: Fraction) -> Iterator[Requantization]:
        """Both scales as whole numbers over a power of two, rounded to the nearest ones."""
        steepest = max(abs(own), abs(residual))
        if not steepest:
            return
        most = (_LARGEST / steepest).__floor__().bit_length() - 1
        for shift in range(min(most, 50), max(most - _SHIFTS, -1), -1):
            factors = round(own * 2**shift), round(residual * 2**shift)
            stairs = self._staircase(*factors)
            if stairs is None:
                continue
            for rounding, levels in product(ROUNDINGS, self._numberings):
                codes = levels.first + 1 + np.arange(stairs.at.shape[1])
                values = least_values(codes, np.array(shift), rounding)
                low = max((values - stairs.at).max(initial=-_LARGEST), -_LARGEST)
                high = min((values - 1 - stairs.before).min(initial=_LARGEST), _LARGEST)
                if low <= high:
                    offset = int(low + high) // 2
                    yield self._built(
                        levels, *factors, total_offset=offset, total_shift=shift, rounding=rounding
                    )

    def _by_ratio(self, own: Fraction, residual: Fraction) -> Iterator[Requantization]:
        """A line through the steps of a whole number that stands for the sum exactly."""
        terms = self._terms(own, residual)
        stairs = self._staircase(*terms) if terms else None
        if terms is None or stairs is None:
            return
        nothing = np.zeros(1, dtype=np.int64)
        limits = Limits(
            steepest=_LARGEST // max(map(abs, terms)),
            largest_offset=_LARGEST,
            unit=1,
            bias_low=nothing,
            bias_high=nothing,
        )
        levels, rounding, line = best_lines(
            self._numberings, lambda first, mode: find_lines(stairs, first, mode, limits)
        )
        if line.fits.all():
            multiplier, offset, shift = (int(n[0]) for n in (line.multiplier, line.offset, line.shift))
            factors = (term * multiplier for term in terms)
            yield self._built(levels, *factors, total_offset=offset, total_shift=shift, rounding=rounding)

    def _searching(self, own: Fraction, residual: Fraction) -> Iterator[Requantization]:
        """Thresholds of a whole number that stands for the sum, exactly or near enough."""
        terms = self._terms(own, residual)
        reach = int(max(abs(self._own.levels).max(), abs(self._codes - self._zero).max(), 1))
        steepest = max(abs(own), abs(residual))
        most = (UNUSED_THRESHOLD // (2 * reach) / steepest).__floor__().bit_length() - 1 if steepest else 0
        # Scales that are too large for any shift leave none.
        shifts = range(most, most - 2 * _SHIFTS, -1) if most >= 0 else ()
        near = [(round(own * 2**s), round(residual * 2**s)) for s in shifts]
        for factors in [*([terms] if terms else []), *near]:
            stairs = self._staircase(*factors)
            if stairs is not None:
                yield self._built(self._numberings[0], *factors, thresholds=stairs.at)

    def _terms(self, own: Fraction, residual: Fraction) -> tuple[int, int] | None:
        """The scales' ratio in lowest terms, unless these are large."""
        common = own.denominator * residual.denominator
        terms = int(own * common), int(residual * common)
        divisor = gcd(*terms)
        if not divisor or max(map(abs, terms)) // divisor > _LARGEST_TERM:
            return None
        return terms[0] // divisor, terms[1] // divisor

    def _staircase(self, own: int, residual: int) -> Staircase | None:
        """Steps of the sum's codes over own · level + residual · code; None if codes do not ascend with it."""
        x = own * self._levels + residual * (self._codes - self._zero)
        count = int(self._steps.max())
        extremes = np.iinfo(np.int64)
        least, greatest = np.full(count + 1, extremes.max), np.full(count + 1, extremes.min)
        np.minimum.at(least, self._steps, x)
        np.maximum.at(greatest, self._steps, x)
        # A code that no pair has is a step at the same place as the next one that some have.
        at = np.minimum.accumulate(least[::-1])[::-1][np.newaxis, 1:]
        before = np.maximum.accumulate(greatest)[np.newaxis, :-1]
        if (before >= at).any():
            return None
        return Staircase(
            before=before,
            at=at,
            inside=np.ones(at.shape, dtype=bool),
            least=np.array([x.min()]),
            greatest=np.array([x.max()]),
        )

    def _built(
        self,
        levels: CodeLevels,
        own: int,
        residual: int,
        *,
        thresholds: np.ndarray | None = None,
        **fields: Any,
    ) -> Requantization:
        """Parameters of the own codes, of both factors, and of what becomes of the sum."""
        mine = self._own.requantization
        channels = len(mine.bias)
        searches = thresholds is not None
        if thresholds is None:
            thresholds = np.zeros((1, 0), dtype=np.int64)
        return Requantization(
            channels={
                **mine.channels,
                "residual_multiplier": np.full(channels, residual),
                "search": np.full(channels, int(searches)),
            },
            bias=mine.bias,
            windows=mine.windows,
            thresholds=np.repeat(thresholds, channels, axis=0),
            tables=np.zeros((channels, 0), dtype=np.uint8),
            fields={
                "pool": mine.fields["pool"],
                "multiplies": True,
                "float_scale": mine.fields.get("float_scale", False),
                "own_code": True,
                "own_rounding": mine.fields["rounding"],
                "own_multiplier": own,
                "residual": True,
                "residual_zero": self._zero,
                "search_reads": search_reads(thresholds.shape[1]),
                "total_low": levels.first,
                "total_high": levels.first + int(self._steps.max()),
                "level_shift": levels.level_shift,
                "out_zero": levels.zero,
                **fields,
            },
        )


def _real(multiplier: int, shift: int) -> Fraction:
    """What TFLite's multiplier and shift stand for."""
    return Fraction(multiplier, 1 << 31) * Fraction(2) ** shift
