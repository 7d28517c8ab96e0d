"""The output stage of docs/accelerator.md in whole numbers of any size: one channel of one beat at a time."""

from collections.abc import Callable, Iterable
from fractions import Fraction
from math import ceil, floor

import numpy as np

from spinplane.machine import Rounding
from spinplane.machine.descriptor import Pool
from spinplane.machine.passes import Pass
from spinplane.machine.timing import LOOKUP_CYCLES, MULTIPLY_CYCLES, OUTPUT_STAGE_CYCLES

Channel = dict[str, int]
#: A channel's 128 bits in a word of the bank of thresholds and tables.
Bank = Callable[[int], int]

#: Width of each number, negative for those in two's complement; from the lowest bit on.
PARAMETERS = (
    ("bias", -32),
    ("low", -9),
    ("high", -9),
    ("threshold_base", 16),
    ("least", 1),
    ("search", 1),
    ("falling", 1),
)
SCALES = (
    ("multiplier", -32),
    ("residual_multiplier", -32),
    ("offset", -48),
    ("shift", 6),
    ("high_shift", 6),
)


def pack(layout: Iterable[tuple[str, int]], numbers: Channel) -> int:
    """128 bits of a channel from its numbers; the inverse of `unpack`."""
    word = at = 0
    for name, width in layout:
        word |= (numbers[name] & (1 << abs(width)) - 1) << at
        at += abs(width)
    return word


def unpack(layout: Iterable[tuple[str, int]], word: int) -> Channel:
    """Numbers of a channel from its 128 bits."""
    numbers = {}
    for name, width in layout:
        numbers[name] = wrap(word, -width) if width < 0 else word & (1 << width) - 1
        word >>= abs(width)
    return numbers


class MissingWord(Exception):
    """A beat reads a word that its bank does not have."""


def bits_of_channel(words: np.ndarray, word: int, channel: int) -> int:
    """128 bits of a channel in a bank's words of uint8."""
    if word >= len(words):
        raise MissingWord(word)
    return int.from_bytes(words[word, 16 * channel : 16 * channel + 16].tobytes(), "little")


def wrap(number: int, bits: int) -> int:
    """The number of so many bits, in two's complement, that is the same modulo 2^bits."""
    half = 1 << (bits - 1)
    return (number + half) % (2 * half) - half


def clip(number: int, low: int, high: int) -> int:
    return min(max(number, low), high)


def rounded(number: int, shift: int, rounding: Rounding) -> int:
    """A number over 2^shift as a whole number."""
    quotient = Fraction(number, 1 << shift)
    below, above = floor(quotient), ceil(quotient)
    toward_zero, away = (below, above) if quotient > 0 else (above, below)
    match rounding:
        case Rounding.FLOOR:
            return below
        case Rounding.CEIL:
            return above
        case Rounding.TO_ZERO:
            return toward_zero
        case Rounding.AWAY:
            return away
    if quotient - below != Fraction(1, 2):
        return below if quotient - below < Fraction(1, 2) else above
    return {
        Rounding.HALF_EVEN: below if below % 2 == 0 else above,
        Rounding.HALF_UP: above,
        Rounding.HALF_DOWN: below,
        Rounding.HALF_AWAY: away,
        Rounding.HALF_TO_ZERO: toward_zero,
    }[rounding]


def half_up(product: int, shift: int) -> int:
    """H: a product of 64 bits over 2^shift."""
    return floor(Fraction(product + (1 << shift >> 1), 1 << shift))


def half_away(number: int, shift: int) -> int:
    """A: a number over 2^shift."""
    return rounded(number, shift, Rounding.HALF_AWAY)


def float32(number: int) -> int:
    """F: what float32 keeps of a whole number."""
    rest = max(0, number.bit_length() - 24)
    return rounded(number, rest, Rounding.HALF_EVEN) << rest


def pool(n: Pass, parameters: Channel, sums: list[int]) -> int:
    """One number from the sums of the windows of a region that count; of the last window where none is pooled."""
    if n.pool is Pool.NONE:
        return sums[-1]
    if n.pool is Pool.SUM:
        return sum(sums)
    return (min if parameters["least"] else max)(sums, default=0)


def value_of(n: Pass, parameters: Channel, scales: Channel, pooled: int, residual: int) -> int:
    """y, from a pooled sum and the code of the residual operand."""
    if not n.multiplies:
        return pooled
    if n.float_scale:
        y = float32(wrap(float32(pooled) * scales["multiplier"], 64))
    else:
        y = half_up(wrap(pooled * scales["multiplier"], 64), scales["high_shift"])
    y = wrap(y + scales["offset"], 64)
    w = 0
    if n.residual:
        product = (residual - n.residual_zero) * scales["residual_multiplier"]
        w = half_away(half_up(product, n.residual_high_shift), n.residual_shift)
    if not n.own_code:
        return wrap(y + w, 64)
    own = clip(rounded(y, scales["shift"], n.own_rounding), parameters["low"], parameters["high"])
    v = half_away(half_up(own * n.own_multiplier, n.own_high_shift), n.own_shift)
    y = v + w + n.total_offset
    if n.multiplies_total:
        limited = clip(y, -(1 << 35), (1 << 35) - 1)
        y = half_up(wrap(limited * n.total_multiplier, 64), n.total_high_shift)
    return y


def code_of(n: Pass, parameters: Channel, scales: Channel, y: int, bank: Bank) -> int:
    """The code of y, in as many bits as it takes."""
    low, high = (n.total_low, n.total_high) if n.own_code else (parameters["low"], parameters["high"])
    if parameters["search"] or not n.multiplies:
        count = search(n.search_reads, parameters["threshold_base"], y, bank)
        level = high - count if parameters["falling"] else low + count
    else:
        level = clip(rounded(y, n.total_shift if n.own_code else scales["shift"], n.rounding), low, high)
    if n.table:
        entry = level % 512
        word = bank(parameters["threshold_base"] + n.table_offset + entry // 16)
        return word >> 8 * (entry % 16) & 0xFF
    return (level << n.level_shift) + n.out_zero


def search(reads: int, base: int, y: int, bank: Bank) -> int:
    """Thresholds that are at most y, of those of a channel."""
    looked_up = clip(y, -(1 << 31), (1 << 31) - 2)
    count = 0
    for step in range(reads):
        word = bank(base + (0, 1, 6, 31)[step] + count)
        thresholds = (wrap(word >> 32 * k, 32) for k in range(4))
        count = 5 * count + sum(threshold <= looked_up for threshold in thresholds)
    return count


def search_words(reads: int, thresholds: list[int]) -> dict[int, list[int]]:
    """The words of a search through ascending thresholds, from the channel's first word on."""
    words: dict[int, list[int]] = {}
    filled = thresholds + [(1 << 31) - 1] * (5**reads - 1 - len(thresholds))
    for number, threshold in enumerate(filled, start=1):
        step = reads - 1
        while number % 5 == 0:
            number, step = number // 5, step - 1
        words.setdefault((0, 1, 6, 31)[step] + number // 5, []).append(threshold)
    return words


def least_interval(n: Pass) -> int:
    """Cycles that an outer beat takes at least."""
    planes = n.residual_planes if n.residual else 0
    looking_up = LOOKUP_CYCLES * (n.search_reads + n.table)
    multiplying = 0
    if n.multiplies:
        multiplying = reading_cycles(n) + multiplier_cycles(n) + (looking_up if n.search_reads else 0)
    return max(1, writes(n), planes, looking_up - 1, multiplying)


def multiplier_cycles(n: Pass) -> int:
    """Cycles of the phases of an outer beat, and of the rests between them."""
    if not n.multiplies:
        return 0
    products = [1, 1 + n.residual] if n.own_code else [1 + n.residual]
    products += [1] if n.multiplies_total else []
    lanes = n.machine.results_per_cycle // n.machine.multipliers
    return sum(products) * lanes + (len(products) - 1) * max(0, MULTIPLY_CYCLES + 2 - lanes)


def reading_cycles(n: Pass) -> int:
    """Cycles for which products wait for the residual operand."""
    return n.residual_planes - 1 if n.residual and not n.own_code else 0


def writes(n: Pass) -> int:
    """Writes of an outer beat."""
    return max(1, n.lanes * 32 // n.machine.columns) if n.raw else n.out_planes


def cycles_to_last_write(n: Pass) -> int:
    """Cycles from the one in which a beat is taken to its last write."""
    multiplying = reading_cycles(n) + multiplier_cycles(n) + MULTIPLY_CYCLES if n.multiplies else 0
    return OUTPUT_STAGE_CYCLES + multiplying + LOOKUP_CYCLES * (n.search_reads + n.table) + writes(n)
