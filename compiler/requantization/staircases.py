"""The codes that a layer's steps give, as staircases over ascending numbers."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import SpinplaneError
from spinplane.machine.output_stage import TABLE_CODES

from ..codes import InputCode
from ..graph import Layer, StepFunction
from .lines import Staircase, place_steps

#: Levels of a channel are numbers of nine bits and a sign, low and high of nine bits.
LEAST_LEVEL, GREATEST_LEVEL = -256, 255


@dataclass(frozen=True, kw_only=True)
class CodeLevels:
    """Which codes a layer's levels are: code = (level << level_shift) + zero, from the level `first` on.

    Parameters
    ----------
    first, level_shift, zero : int
    """

    first: int
    level_shift: int
    zero: int


@dataclass(frozen=True, kw_only=True, eq=False)
class CodeSteps:
    """Steps of a layer in whole codes, or in numbers of a table's entries.

    Parameters
    ----------
    stairs : Staircase
        Over the value that becomes a code, or over its negative in channels that fall.
    sign : ndarray of shape (channels,), int64
        −1 in channels that fall.
    levels : tuple of CodeLevels
        All ways to number the levels; their zeros differ, which some roundings make use of.
    tables : ndarray of shape (channels, entries), uint8
        Codes of levels modulo 512; without entries where levels are codes.
    """

    stairs: Staircase
    sign: np.ndarray
    levels: tuple[CodeLevels, ...]
    tables: np.ndarray


def code_steps(
    layer: Layer, steps: StepFunction, output: InputCode, low: np.ndarray, high: np.ndarray
) -> CodeSteps:
    """Steps of a layer whose values reach from `low` to `high`.

    Parameters
    ----------
    layer : Layer
        For messages.
    steps : StepFunction
    output : InputCode
    low, high : ndarray of shape (channels,), int64

    Raises
    ------
    SpinplaneError
        If a level is not a code.
    """
    codes = stored_codes(layer.name, steps.levels, output)
    sign = np.where(steps.rising, 1, -1)
    least, greatest = np.where(sign > 0, low, -high), np.where(sign > 0, high, -low)
    at = _turned(steps, sign, greatest)
    if not steps.monotone:
        if steps.count >= TABLE_CODES:
            at, codes = _taken(layer, at, codes, least, greatest)
        return _by_table(codes, sign, place_steps(at, least, greatest))
    first, distance = int(codes.min()), code_distance(codes)
    count = max(1, (int(codes.max()) - first) // distance)
    wanted = first + distance * np.arange(1, count + 1)
    if codes.ndim == 1:
        at = _at_codes(at, codes, wanted, least, greatest)
    else:
        channels = [slice(channel, channel + 1) for channel in range(len(at))]
        rows = [_at_codes(at[c], codes[c][0], wanted, least[c], greatest[c]) for c in channels]
        at = np.concatenate(rows)
    return CodeSteps(
        stairs=place_steps(at, least, greatest),
        sign=sign,
        levels=numberings(output, first, count, distance),
        tables=np.zeros((len(sign), 0), dtype=np.uint8),
    )


def numberings(output: InputCode, first: int, count: int, distance: int) -> tuple[CodeLevels, ...]:
    """Ways to number levels that are codes from `first` on, `distance` apart, with `count` steps between them.

    The number 0 is that of the value 0 where it can be, then that of other codes, the last of which is the first.
    """
    zeros = dict.fromkeys([zero_code(output), 0, 1 << (output.bits - 1), first])
    ways = (
        CodeLevels(first=(first - zero) // distance, level_shift=distance - 1, zero=zero)
        for zero in zeros
        if (first - zero) % distance == 0 and zero < 256
    )
    return tuple(one for one in ways if one.first >= LEAST_LEVEL and one.first + count <= GREATEST_LEVEL)


def stored_codes(name: str, levels: np.ndarray, output: InputCode) -> np.ndarray:
    """Codes of the levels of a layer of this name, of their shape.

    Raises
    ------
    SpinplaneError
        If a level is not a code.
    """
    codes, rest = np.divmod(levels - output.offset, output.scale)
    if rest.any() or codes.min() < 0 or codes.max() >= 1 << output.bits:
        raise SpinplaneError(
            f"layer {name}: its levels from {levels.min()} to {levels.max()} are not codes of "
            f"{output.bits} bits with the values {output.scale} · code + {output.offset}"
        )
    return codes


def zero_code(code: InputCode) -> int:
    """Code of the value 0 where there is one, else 0."""
    zero, rest = divmod(-code.offset, code.scale)
    return zero if rest == 0 and 0 <= zero < 256 else 0


def _turned(steps: StepFunction, sign: np.ndarray, greatest: np.ndarray) -> np.ndarray:
    """Least numbers of each further step over ascending numbers; one beyond the greatest where a step is never met."""
    extremes = np.iinfo(np.int64)
    never = np.where(sign > 0, extremes.max, extremes.min)[:, np.newaxis]
    out_of_reach = steps.thresholds == never
    turned = np.where(out_of_reach, 0, steps.thresholds) * sign[:, np.newaxis]
    # What is below all numbers, the other extreme, would not turn.
    return np.where(out_of_reach, greatest[:, np.newaxis] + 1, turned)


def _at_codes(
    at: np.ndarray, codes: np.ndarray, wanted: np.ndarray, least: np.ndarray, greatest: np.ndarray
) -> np.ndarray:
    """Least numbers whose code is at least each of the wanted ones."""
    step = np.searchsorted(codes, wanted)
    known = np.concatenate([least[:, np.newaxis], at, greatest[:, np.newaxis] + 1], axis=1)
    return known[:, step]


def code_distance(codes: np.ndarray) -> int:
    """2 if all codes lie an even number of codes apart, else 1."""
    apart = codes - codes.min()
    return 2 if apart.any() and not (apart % 2).any() else 1


def _taken(
    layer: Layer, at: np.ndarray, codes: np.ndarray, least: np.ndarray, greatest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Steps, and codes between them, without the pieces that no number of any channel is in."""
    ends = np.concatenate([least[:, np.newaxis], at, greatest[:, np.newaxis] + 1], axis=1)
    taken = (np.diff(np.clip(ends, ends[:, :1], ends[:, -1:]), axis=1) > 0).any(axis=0)
    if taken.sum() > TABLE_CODES:
        raise SpinplaneError(
            f"layer {layer.name}: levels that rise and fall have {taken.sum()} pieces: a table has {TABLE_CODES}"
        )
    pieces = np.nonzero(taken)[0]
    return at[:, pieces[1:] - 1], codes[..., pieces]


def _by_table(codes: np.ndarray, sign: np.ndarray, stairs: Staircase) -> CodeSteps:
    """Levels are numbers of pieces, from 0 on, or from the least level where there are more than it takes."""
    count = stairs.at.shape[1]
    first = 0 if count <= GREATEST_LEVEL else LEAST_LEVEL
    entries = np.zeros((len(sign), count + 1 if first == 0 else 512), dtype=np.uint8)
    entries[:, (first + np.arange(count + 1)) % 512] = codes
    return CodeSteps(
        stairs=stairs, sign=sign, levels=(CodeLevels(first=first, level_shift=0, zero=0),), tables=entries
    )
