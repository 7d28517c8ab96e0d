"""What the banks of parameters, scales and thresholds hold for the channels of a pass."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.descriptor import Pool
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import (
    CODES_PER_WORD,
    PARAMETER_FIELDS,
    SCALE_FIELDS,
    TABLE_CODES,
    ChannelField,
)
from spinplane.machine.passes import Pass

from .activation import Searches, check_address
from .output_packer import OutputStageError

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Octets = NDArray[np.uint8]

_CHANNEL_BYTES = CHANNEL_BITS // 8
_TABLE_WORDS = TABLE_CODES // CODES_PER_WORD


@dataclass(frozen=True, kw_only=True, eq=False)
class ChannelTable:
    """Tables of channels, entry by entry.

    Parameters
    ----------
    codes : ndarray of shape (channels, entries), uint8
    words : ndarray of shape (channels,), int64
        First words of the tables.
    bank_words : int
        That the bank has; entries beyond it are 0 here.
    """

    codes: Octets
    words: Integers
    bank_words: int

    def look_up(self, levels: NDArray[np.integer]) -> Octets:
        """Codes of levels of shape (..., channels).

        Raises
        ------
        OutputStageError
            If an entry lies in a word that there is not.
        """
        entry = np.bitwise_and(levels, TABLE_CODES - 1, dtype=np.int64)
        if int(self.words.max()) + _TABLE_WORDS > self.bank_words:
            check_address(int((self.words + entry // CODES_PER_WORD).max(initial=0)), self.bank_words)
        entry += np.arange(len(self.codes)) * TABLE_CODES
        return np.take(self.codes, entry)


@dataclass(frozen=True, kw_only=True, eq=False)
class Parameters:
    """Parameters of all channels of a pass.

    Parameters
    ----------
    bias, low, high, threshold_base : ndarray of shape (channels,), int64
    least, search, falling : ndarray of shape (channels,), bool
        Every channel searches where sums are not multiplied.
    multiplier, residual_multiplier, offset, shift, high_shift : ndarray of shape (channels,), int64
        Of the scales; 0 where sums are not multiplied.
    searches : Searches
        Channels that do not search find nothing.
    table : ChannelTable or None
    words : tuple of tuple
        Where they come from: name of the bank, first word, and ndarray of shape (words, lanes · 16), uint8.
    """

    bias: Integers
    low: Integers
    high: Integers
    threshold_base: Integers
    least: Flags
    search: Flags
    falling: Flags
    multiplier: Integers
    residual_multiplier: Integers
    offset: Integers
    shift: Integers
    high_shift: Integers
    searches: Searches
    table: ChannelTable | None
    words: tuple[tuple[str, int, Octets], ...]

    @classmethod
    def read(
        cls, layer_pass: Pass, *, parameters: Octets, scales: Octets, thresholds: Octets
    ) -> "Parameters":
        """Read them from their banks.

        Parameters
        ----------
        layer_pass : Pass
        parameters, scales, thresholds : ndarray of shape (words, lanes · 16), uint8

        Raises
        ------
        OutputStageError
            If a word of parameters or scales lies beyond its bank, or pooling takes more beats than its memory has.
            A missing word of thresholds or of a table is refused where a value leads to it.
        """
        p = layer_pass
        check_words(p, parameter_words=len(parameters), scale_words=len(scales))
        found = [("parameters", p.parameter_base, _copy(parameters, p.parameter_base, p.channel_beats))]
        numbers: dict[str, Any] = dict(_channel_fields(found[0][2], PARAMETER_FIELDS))
        scale_count = p.channel_beats if p.multiplies else 0
        found.append(("scales", p.scale_base, _copy(scales, p.scale_base, scale_count)))
        if p.multiplies:
            numbers |= _channel_fields(found[1][2], SCALE_FIELDS)
        else:
            numbers |= {field.name: np.zeros_like(numbers["bias"]) for field in SCALE_FIELDS}
        flags = {name: numbers.pop(name).astype(bool) for name in ("least", "search", "falling")}
        if not p.multiplies:
            flags["search"] = np.ones_like(flags["search"])
        bases = numbers["threshold_base"]
        of_lanes = thresholds.reshape(len(thresholds), p.lanes, _CHANNEL_BYTES)
        held = np.ascontiguousarray(of_lanes).view("<i4").astype(np.int64)
        exist = np.isin(np.arange(p.channel_beats), p.existing_beats).repeat(p.lanes)
        searches = Searches.of(held, bases, p.search_reads).among(flags["search"], exist)
        end, table = searches.end, None
        if p.table:
            # Where a beat does not exist, no word is missing.
            table = _tables(of_lanes, np.where(exist, bases + p.table_offset, -_TABLE_WORDS))
            end = max(end, int(table.words.max()) + _TABLE_WORDS)
        first = int(bases.min())
        found.append(("thresholds", first, _copy(thresholds, first, max(0, end - first))))
        return cls(**numbers, **flags, searches=searches, table=table, words=tuple(found))

    def are_in(self, **banks: Octets) -> bool:
        """Whether the banks hold them still; arguments as of `read`, of whose pass they are."""
        return all(
            np.array_equal(words, banks[name][first : first + len(words)])
            for name, first, words in self.words
        )

    def only(self, channel: int) -> "Parameters":
        """Those of one channel."""
        part = slice(channel, channel + 1)
        numbers = {
            field.name: getattr(self, field.name)[part]
            for field in fields(self)
            if field.name not in ("searches", "table", "words")
        }
        table = self.table
        if table is not None:
            table = replace(table, codes=table.codes[part], words=table.words[part])
        return replace(self, **numbers, searches=self.searches.only(channel), table=table)


def check_words(layer_pass: Pass, *, parameter_words: int, scale_words: int) -> None:
    """Refuse words beyond banks of so many words.

    Raises
    ------
    OutputStageError
        If a word of parameters or scales lies beyond its bank, or pooling takes more beats than its memory has.
    """
    p, beats = layer_pass, layer_pass.channel_beats
    if p.pool is not Pool.NONE and p.clusters * beats > p.machine.pool_beats:
        raise OutputStageError(
            "parameters",
            f"{p.clusters * beats} beats per window: the pooling memory holds {p.machine.pool_beats}",
        )
    banks = [("parameters", p.parameter_base, parameter_words)]
    banks += [("scales", p.scale_base, scale_words)] if p.multiplies else []
    for bank, base, words in banks:
        if base + beats > words:
            raise OutputStageError(
                "parameters", f"{bank}: word {base + beats - 1} is beyond the bank of {words}"
            )


def _copy(bank: Octets, first: int, words: int) -> Octets:
    return bank[first : first + words].copy()


def _channel_fields(words: Octets, of_channel: tuple[ChannelField, ...]) -> dict[str, Integers]:
    """Numbers of channels, (channels,), from words of shape (n, lanes · 16)."""
    bits = np.unpackbits(words.reshape(-1, _CHANNEL_BYTES), axis=1, bitorder="little")
    found, at = {}, 0
    for field in of_channel:
        number = bits[:, at : at + field.bits] @ (np.int64(1) << np.arange(field.bits))
        found[field.name] = number - (number >> (field.bits - 1) << field.bits) if field.signed else number
        at += field.bits
    return found


def _tables(bank: Octets, first: Integers) -> ChannelTable:
    """Tables of channels from a bank of shape (words, lanes, 16)."""
    words, lanes = bank.shape[:2]
    address = first[:, np.newaxis] + np.arange(_TABLE_WORDS)
    lane = np.arange(len(first))[:, np.newaxis] % lanes
    held = bank[np.clip(address, 0, words - 1), lane] * (address < words)[..., np.newaxis].astype(np.uint8)
    return ChannelTable(codes=held.reshape(len(first), -1), words=first, bank_words=words)
