"""What the output stage gets to turn a layer's pooled sums into codes, and what it makes of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from spinplane.behavioral import batch_normalize, quantize, shift_right_rounded
from spinplane.machine import Machine, Rounding
from spinplane.machine.output_stage import (
    CODES_PER_WORD,
    POOLED_BITS,
    TABLE_CODES,
    UNUSED_THRESHOLD,
    search_words,
)
from spinplane.machine.passes import Pass

_POOLED_END = 1 << (POOLED_BITS - 1)
#: Numbers of a channel in the words of parameters and scales; the bias and the place of thresholds are added later.
CHANNEL_NUMBERS = (
    "low",
    "high",
    "least",
    "search",
    "falling",
    "multiplier",
    "residual_multiplier",
    "offset",
    "shift",
    "high_shift",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class ListPlaces:
    """Places of the thresholds and tables of a layer, from the first word that it takes.

    Parameters
    ----------
    word : ndarray of shape (channels,), int64
        First one of each channel, in the memory of its lane.
    words : int
        Of the lane that takes the most.
    """

    word: np.ndarray
    words: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Requantization:
    """Parameters of the output stage for all channels of a layer; ``docs/accelerator.md`` has the arithmetic.

    Parameters
    ----------
    channels : dict of str to ndarray of shape (channels,), int64
        One for each of `CHANNEL_NUMBERS`.
    bias : ndarray of shape (channels,), int64
        What is added to the layer's own bias.
    windows : int
        Windows whose sums are added up.
    thresholds : ndarray of shape (channels, n), int64
        Ascending, of channels that search; `UNUSED_THRESHOLD` after the last one. n is 0 if none does.
    tables : ndarray of shape (channels, m), uint8
        Codes of levels modulo 512; m is 0 without tables.
    fields : dict of str to Any
        Fields of the layer's passes that say what the output stage does, without maps and places in banks.
    """

    channels: Mapping[str, np.ndarray]
    bias: np.ndarray
    windows: int
    thresholds: np.ndarray
    tables: np.ndarray
    fields: Mapping[str, Any]

    @property
    def raw(self) -> bool:
        """Whether values themselves are stored."""
        return bool(self.fields.get("raw", False))

    @property
    def search_words(self) -> int:
        """Words of the threshold bank that the thresholds of a channel take."""
        return search_words(self.thresholds.shape[1], self.fields.get("search_reads", 0))

    @property
    def lookup_words(self) -> int:
        """Words of the threshold bank that a channel takes: thresholds, and the table after them."""
        return self.search_words + -(-self.tables.shape[1] // CODES_PER_WORD)

    def list_places(self, lanes: int) -> "ListPlaces":
        """Where the thresholds and tables of each channel lie in the memory of its lane; equal ones lie there once."""
        places, known = np.zeros(len(self.bias), dtype=np.int64), [dict[bytes, int]() for _ in range(lanes)]
        if self.lookup_words:
            for channel, row in enumerate(np.hstack([self.thresholds, self.tables])):
                of_lane = known[channel % lanes]
                places[channel] = of_lane.setdefault(row.tobytes(), len(of_lane) * self.lookup_words)
        return ListPlaces(word=places, words=max(map(len, known)) * self.lookup_words)

    def with_gaps(self, lanes: int) -> "Requantization":
        """The same with channels that do not exist, up to whole beats; each has the code 0 where it can."""
        gaps = -len(self.bias) % lanes
        level = -(self.fields.get("out_zero", 0) >> self.fields.get("level_shift", 0))
        return replace(
            self,
            channels={
                name: np.append(numbers, np.full(gaps, level if name in ("low", "high") else 0))
                for name, numbers in self.channels.items()
            },
            bias=np.append(self.bias, np.zeros(gaps, dtype=np.int64)),
            thresholds=np.pad(self.thresholds, ((0, gaps), (0, 0)), constant_values=UNUSED_THRESHOLD),
            tables=np.pad(self.tables, ((0, gaps), (0, 0))),
        )

    @property
    def clean(self) -> bool:
        """Whether the channels that do not exist have the code 0, whatever their sums are."""
        if self.fields.get("table"):
            return True
        if self.fields.get("own_code"):
            return False
        return self.fields.get("out_zero", 0) % (1 << self.fields.get("level_shift", 0)) == 0

    def methods(self, among: Sequence[int] | None = None) -> dict[str, int]:
        """Number of channels whose codes come about in each way: natively, by a line, by a search, by a table too.

        Parameters
        ----------
        among : sequence of int, optional
            Channels that count; by default all.
        """
        chosen = slice(None) if among is None else list(among)
        channels = len(self.bias[chosen])
        search = self.channels["search"][chosen] if self._multiplies else None
        searched = channels * (not self.raw) if search is None else int(search.sum())
        native = self.fields.get("float_scale", False) or bool(self.channels["high_shift"].any())
        return {
            "native": (channels - searched) * native,
            "line": (channels - searched) * (self._multiplies and not native),
            "searched": searched,
            "table": channels * bool(self.fields.get("table", False)),
        }

    def beat(self, machine: Machine, *, output_planes: int, residual_planes: int) -> Pass:
        """A pass that tells the cycles of an outer beat, and nothing else."""
        return Pass(
            machine=machine,
            out_planes=max(1, output_planes),
            residual_planes=max(1, residual_planes),
            **self.fields,
        )

    @property
    def _multiplies(self) -> bool:
        return bool(self.fields.get("multiplies", False))

    def __call__(self, sums: np.ndarray, residual: np.ndarray | int = 0) -> np.ndarray:
        """Codes, or raw values, of pooled sums to which no `bias` has been added yet.

        Parameters
        ----------
        sums : ndarray of shape (channels, n), int64
        residual : ndarray of the same shape or int
            Codes of the residual's map.

        Returns
        -------
        ndarray of shape (channels, n), int64
        """
        y = sums + self._column(self.bias) * self.windows
        if self._multiplies:
            y = self.scaled(y, residual)
            if self.fields.get("own_code"):
                return self.total_code(self.own_code(y), residual)
        return y if self.raw else self._code(self._levels(y))

    def scaled(self, pooled: np.ndarray, residual: np.ndarray | int) -> np.ndarray:
        """Give y after phase 1."""
        y = batch_normalize(
            pooled,
            self._column(self.channels["multiplier"]),
            self._column(self.channels["offset"]),
            high_shifts=self._column(self.channels["high_shift"]),
            float_scale=self.fields.get("float_scale", False),
        )
        adds = self.fields.get("residual") and not self.fields.get("own_code")
        return y + self._addend(residual) if adds else y

    def own_code(self, y: np.ndarray) -> np.ndarray:
        """The own code of y."""
        return self._rounded(y, self.fields["own_rounding"])

    def total_code(self, own: np.ndarray, residual: np.ndarray | int) -> np.ndarray:
        """Code of own codes and those of the residual."""
        fields = self.fields
        y = _scaled_code(
            own, fields["own_multiplier"], fields.get("own_high_shift", 0), fields.get("own_shift", 0)
        )
        if fields.get("residual"):
            y = y + self._addend(residual)
        y = y + fields.get("total_offset", 0)
        if fields.get("multiplies_total"):
            limited = np.clip(y, -_POOLED_END, _POOLED_END - 1)
            y = batch_normalize(
                limited, fields["total_multiplier"], 0, high_shifts=fields["total_high_shift"]
            )
        low, high = fields["total_low"], fields["total_high"]
        if self.channels["search"].any():
            return self._code(self._searched(y, low, high))
        rounding = fields.get("rounding", Rounding.FLOOR)
        return self._code(
            quantize(y, shift=fields.get("total_shift", 0), rounding=rounding, low=low, high=high)
        )

    def _levels(self, y: np.ndarray) -> np.ndarray:
        low, high = self._column(self.channels["low"]), self._column(self.channels["high"])
        if not self._multiplies:
            return self._searched(y, low, high)
        rounded = self._rounded(y, self.fields.get("rounding", Rounding.FLOOR))
        search = self._column(self.channels["search"]) > 0
        return np.where(search, self._searched(y, low, high), rounded) if search.any() else rounded

    def _rounded(self, y: np.ndarray, rounding: Rounding) -> np.ndarray:
        shift, low, high = (self._column(self.channels[name]) for name in ("shift", "low", "high"))
        return quantize(y, shift=shift, rounding=rounding, low=low, high=high)

    def _searched(self, y: np.ndarray, low: np.ndarray | int, high: np.ndarray | int) -> np.ndarray:
        seen = np.clip(y, -UNUSED_THRESHOLD - 1, UNUSED_THRESHOLD - 1)
        count = np.zeros(y.shape, dtype=np.int64)
        for thresholds in self.thresholds.T:
            count += self._column(thresholds) <= seen
        return np.where(self._column(self.channels["falling"]) > 0, high - count, low + count)

    def _code(self, levels: np.ndarray) -> np.ndarray:
        if self.fields.get("table"):
            channel = np.arange(len(self.tables))[:, np.newaxis]
            return self.tables[channel, levels % TABLE_CODES].astype(np.int64)
        return (levels << self.fields.get("level_shift", 0)) + self.fields.get("out_zero", 0)

    def _addend(self, residual: np.ndarray | int) -> np.ndarray:
        return _scaled_code(
            np.subtract(residual, self.fields.get("residual_zero", 0)),
            self._column(self.channels["residual_multiplier"]),
            self.fields.get("residual_high_shift", 0),
            self.fields.get("residual_shift", 0),
        )

    @staticmethod
    def _column(numbers: np.ndarray) -> np.ndarray:
        return numbers[:, np.newaxis]


def _scaled_code(codes: np.ndarray, multiplier: np.ndarray | int, high_shift: int, shift: int) -> np.ndarray:
    """A(H(code · multiplier, high_shift), shift) of the contract."""
    return shift_right_rounded(
        batch_normalize(codes, multiplier, 0, high_shifts=high_shift), shift, Rounding.HALF_AWAY
    )
