"""Lines through steps: multiplier, shift and offset of each channel, so that one rounded product gives its codes.

Step k lies between the numbers before_k and at_k. In a channel with the line m·x + o and the shift s it asks for
m·at_k + o ≥ y_k and m·before_k + o < y_k, where y_k is the least number that is rounded to the step's code. As
functions of the slope m / 2^s, the greatest lower bound of o is convex and the least upper bound concave: the slopes
that leave room between them are found in real numbers. The one in the middle, with as many bits as fit, is proven in
whole ones.
"""

from dataclasses import dataclass

import numpy as np

from spinplane.behavioral import shift_right_rounded
from spinplane.machine import Rounding
from spinplane.machine.output_stage import MULTIPLIER_BITS, OFFSET_BITS

LARGEST_MULTIPLIER = 2 ** (MULTIPLIER_BITS - 1) - 1
LARGEST_OFFSET = 2 ** (OFFSET_BITS - 1) - 1
#: Products and what is added to them stay below, so that int64 holds the difference of two.
LARGEST_PRODUCT = 2**60
#: Codes are nine bits and a sign apart at most.
LARGEST_SHIFT = 50
#: Steeper than any line through two steps with other numbers between them.
_STEEPEST = 2.0**11
#: More turns than a search for the widest room takes.
_TURNS = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Staircase:
    """Where the codes of all channels rise by one, over ascending numbers x.

    Parameters
    ----------
    before, at : ndarray of shape (channels, n), int64
        Greatest number below a step and least one from it on.
    inside : ndarray of shape (channels, n), bool
        Steps that have both among the numbers that a channel reaches; those inside follow one another.
    least, greatest : ndarray of shape (channels,), int64
        What a channel reaches.
    """

    before: np.ndarray
    at: np.ndarray
    inside: np.ndarray
    least: np.ndarray
    greatest: np.ndarray

    @property
    def reached(self) -> np.ndarray:
        """Steps that even the least number of a channel has passed, shape (channels,)."""
        return (self.at <= self.least[:, np.newaxis]).sum(axis=1)

    @property
    def passed(self) -> np.ndarray:
        """Steps that the greatest number of a channel has passed, shape (channels,)."""
        return (self.at <= self.greatest[:, np.newaxis]).sum(axis=1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Limits:
    """What the numbers of a line may be.

    Parameters
    ----------
    steepest : int
        Greatest multiplier.
    largest_offset : int
    unit : int
        By so much x grows where the bias of a sum does by one.
    bias_low, bias_high : ndarray of shape (channels,), int64
        What may be added to the bias.
    """

    steepest: int
    largest_offset: int
    unit: int
    bias_low: np.ndarray
    bias_high: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Lines:
    """Lines of all channels: code = round((multiplier · (x + unit · bias) + offset) / 2^shift).

    Parameters
    ----------
    multiplier, offset, shift, bias : ndarray of shape (channels,), int64
    fits : ndarray of shape (channels,), bool
        Whether a channel's line gives all of its codes; numbers of others mean nothing.
    """

    multiplier: np.ndarray
    offset: np.ndarray
    shift: np.ndarray
    bias: np.ndarray
    fits: np.ndarray


def place_steps(at: np.ndarray, least: np.ndarray, greatest: np.ndarray) -> Staircase:
    """Steps over all whole numbers from `least` to `greatest`, each at the least number of the further code."""
    low, beyond = least[:, np.newaxis], greatest[:, np.newaxis] + 1
    at = np.clip(at, low, beyond)
    inside = (at > low) & (at < beyond)
    return Staircase(before=at - 1, at=at, inside=inside, least=least, greatest=greatest)


def find_lines(stairs: Staircase, first: int, rounding: Rounding, limits: Limits) -> Lines:
    """Lines that give the code first + k after k steps, proven on both sides of every step inside.

    Parameters
    ----------
    stairs : Staircase
    first : int
        Code before all steps.
    rounding : Rounding
    limits : Limits
    """
    codes = np.arange(first + 1, first + 1 + stairs.at.shape[1], dtype=np.int64)
    bounds = code_bounds(codes, rounding)
    slopes = middle_slopes(stairs, bounds)
    shift = _shifts(stairs, slopes, bounds, limits)
    multiplier = np.rint(slopes * 2.0**shift).astype(np.int64)
    m = multiplier[:, np.newaxis]
    products = Staircase(
        before=m * stairs.before,
        at=m * stairs.at,
        inside=stairs.inside,
        least=multiplier * stairs.least,
        greatest=multiplier * stairs.greatest,
    )
    offset, bias, fits = fit_offsets(products, first, shift, rounding, multiplier * limits.unit, limits)
    return Lines(multiplier=multiplier, offset=offset, shift=shift, bias=bias, fits=fits)


def fit_offsets(
    products: Staircase,
    first: int,
    shift: np.ndarray,
    rounding: Rounding,
    unit: np.ndarray,
    limits: Limits,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offsets, additions to the bias, and whether both give every code, proven on both sides of every step inside.

    Parameters
    ----------
    products : Staircase
        Over multiplied numbers.
    first : int
    shift : ndarray of shape (channels,), int64
    rounding : Rounding
    unit : ndarray of shape (channels,), int64
        By so much a product grows where the bias does by one.
    limits : Limits
    """
    inside = products.inside
    codes = np.arange(first + 1, first + 1 + inside.shape[1], dtype=np.int64)
    values = least_values(codes, shift[:, np.newaxis], rounding)
    beyond = 4 * LARGEST_PRODUCT
    lower = np.where(inside, values - products.at, -beyond).max(axis=1, initial=-beyond)
    upper = np.where(inside, values - 1 - products.before, beyond).min(axis=1, initial=beyond)
    several = inside.any(axis=1)
    total = np.where(several, (lower >> 1) + (upper >> 1) + (lower & upper & 1), 0)
    bias = np.rint(total / np.maximum(unit, 1)).astype(np.int64)
    bias = np.where(several, np.clip(bias, limits.bias_low, limits.bias_high), 0)
    offset = total - unit * bias
    fits = (lower <= total) & (total <= upper) & (np.abs(offset) <= limits.largest_offset)
    _prove(products, first, shift, rounding, total, fits)
    return offset, bias, fits


def least_values(codes: np.ndarray, shift: np.ndarray, rounding: Rounding) -> np.ndarray:
    """Least y that round(y / 2^shift) turns into each code, int64."""
    unit = np.left_shift(np.int64(1), shift)
    whole, after_tie = codes * unit, np.where(unit > 1, 1, 0)
    half = whole - (unit >> 1)
    match rounding:
        case Rounding.FLOOR:
            return whole
        case Rounding.CEIL:
            return whole - unit + 1
        case Rounding.TO_ZERO:
            return np.where(codes >= 1, whole, whole - unit + 1)
        case Rounding.AWAY:
            return np.where(codes >= 1, whole - unit + 1, whole)
        case Rounding.HALF_UP:
            return half
        case Rounding.HALF_DOWN:
            return half + after_tie
        case Rounding.HALF_EVEN:
            return half + after_tie * (codes % 2)
        case Rounding.HALF_AWAY:
            return half + after_tie * (codes <= 0)
        case Rounding.HALF_TO_ZERO:
            return half + after_tie * (codes >= 1)


def code_bounds(codes: np.ndarray, rounding: Rounding) -> np.ndarray:
    """Real numbers from which on, or right after which, a code is reached."""
    match rounding:
        case Rounding.TO_ZERO:
            return codes - 1.0 * (codes <= 0)
        case Rounding.AWAY:
            return codes - 1.0 * (codes >= 1)
        case Rounding.FLOOR:
            return codes.astype(np.float64)
        case Rounding.CEIL:
            return codes - 1.0
        case _:
            return codes - 0.5


def middle_slopes(stairs: Staircase, bounds: np.ndarray) -> np.ndarray:
    """The middle one of the slopes of each channel that leave room to its offset, float64.

    The room is a concave function of the slope, made of pieces (T_k − B_j)·slope + b_j − b_k: Newton's method from
    either end meets no piece twice and passes no slope that leaves room.
    """
    count = stairs.inside.sum(axis=1)
    slopes = np.where(count == 0, 0.0, 1.0)
    several = np.flatnonzero(count > 1)
    if len(several):
        room = _Room(stairs, several, bounds)
        slopes[several] = (room.end(0.0, rising=True) + room.end(_STEEPEST, rising=False)) / 2
    return slopes


class _Room:
    """The room that slopes leave to the offset, in real numbers, for the channels `some`."""

    def __init__(self, stairs: Staircase, some: np.ndarray, bounds: np.ndarray) -> None:
        inside = stairs.inside[some]
        origin = stairs.at[some, inside.argmax(axis=1)][:, np.newaxis]
        self._at = np.where(inside, stairs.at[some] - origin, 0).astype(np.float64)
        self._before = np.where(inside, stairs.before[some] - origin, 0).astype(np.float64)
        self._bounds = bounds
        # −∞ and ∞ take steps that are not inside from the greatest and the least.
        self._highest = np.where(inside, bounds, -np.inf)
        self._lowest = np.where(inside, bounds, np.inf)

    def end(self, start: float, *, rising: bool) -> np.ndarray:
        """First slope of each channel from `start` on that leaves room; another one where none does."""
        slopes = np.full(len(self._at), start)
        left, sign = np.arange(len(slopes)), 1 if rising else -1
        for _ in range(_TURNS):
            k = (self._highest[left] - slopes[left, np.newaxis] * self._at[left]).argmax(axis=1)
            j = (self._lowest[left] - slopes[left, np.newaxis] * self._before[left]).argmin(axis=1)
            ascent = self._at[left, k] - self._before[left, j]
            helps = ascent * sign > 0
            left, k, j, ascent = left[helps], k[helps], j[helps], ascent[helps]
            nearer = (self._bounds[k] - self._bounds[j]) / ascent
            further = (nearer - slopes[left]) * sign > 0
            left, nearer = left[further], nearer[further]
            if not len(left):
                break
            slopes[left] = nearer
        return slopes


def _shifts(stairs: Staircase, slopes: np.ndarray, bounds: np.ndarray, limits: Limits) -> np.ndarray:
    """The greatest shift of each channel whose numbers fit, int64; 0 with at most one step, which needs no slope."""
    reach = np.maximum(np.abs(stairs.least), np.abs(stairs.greatest)).astype(np.float64)
    first = stairs.inside.argmax(axis=1)
    at, before = (of[np.arange(len(first)), first] for of in (stairs.at, stairs.before))
    steep = np.where(slopes > 0, slopes, 1.0)
    # What the line is at 0 in codes, and what the bias leaves of it to the offset.
    at_0 = bounds[first] - steep * at
    bias = np.clip(np.rint(at_0 / (steep * limits.unit)), limits.bias_low, limits.bias_high)
    # No offset lies further from the first step than its two sides from each other.
    rest = np.abs(at_0 - steep * limits.unit * bias) + steep * (limits.unit + at - before)
    # Channels without a step, or whose numbers are all 0, have any shift.
    largest = np.minimum(limits.steepest / steep, limits.largest_offset / np.maximum(rest, steep))
    reach = np.maximum(reach + limits.unit * np.abs(bias), 1)
    largest = np.minimum(largest, LARGEST_PRODUCT / (steep * reach))
    shift = np.clip(np.floor(np.log2(largest)), 0, LARGEST_SHIFT).astype(np.int64)
    return np.where(stairs.inside.sum(axis=1) > 1, shift, 0)


def _prove(
    products: Staircase,
    first: int,
    shift: np.ndarray,
    rounding: Rounding,
    total: np.ndarray,
    fits: np.ndarray,
) -> None:
    """Right on both sides of every step, and so everywhere: lines rise, and so do rounded numbers."""
    taken = first + np.arange(products.at.shape[1], dtype=np.int64)
    proven = fits[:, np.newaxis] & products.inside
    at, before = (
        shift_right_rounded(np.where(proven, side + total[:, np.newaxis], 0), shift[:, np.newaxis], rounding)
        for side in (products.at, products.before)
    )
    # Bounds of codes do the rest: several steps may lie at one place.
    assert (at > taken)[proven].all()
    assert (before <= taken)[proven].all()
