"""Transient faults: rates of the events that may go wrong, and the draws that say which ones do.

Each draw is a pure function of a seed, the kind of fault, a sub-array, the number of its event and a column, so every
model that counts events alike finds the same wrong bits, in whatever order it computes.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from .errors import SpinplaneError

Words = NDArray[np.uint64]
Integers = NDArray[np.int64]

#: Probabilities are whole numbers of 2^−RESOLUTION_BITS.
RESOLUTION_BITS = 63

# SplitMix64: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
#: Words that are drawn at a time.
_DRAWN = 1 << 18


class Cause(IntEnum):
    """What makes a transient fault."""

    WRITE = 0
    DISTURB = 1
    DECAY = 2


class Stream(IntEnum):
    """Draws that have generators of their own: of writes, of each kind of sense, and of decay from sense to sense."""

    WRITE = 0
    READ = 1
    AND = 2
    OR = 3
    DECAY = 4

    def positions(self, columns: int) -> int:
        """What may be hit: columns, and for pairs of rows those of both."""
        return columns * (2 if self in (Stream.AND, Stream.OR) else 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Hits:
    """Cells that draws hit, by sub-array, then event, then position.

    Parameters
    ----------
    sub_array, event, position : ndarray of shape (n,), int64
        A position is a column; of pairs of rows, positions go on through the columns of the second one.
    """

    sub_array: Integers
    event: Integers
    position: Integers

    def __len__(self) -> int:
        return len(self.sub_array)

    def take(self, index: NDArray[np.integer] | NDArray[np.bool_]) -> "Hits":
        """Some of them."""
        return Hits(sub_array=self.sub_array[index], event=self.event[index], position=self.position[index])


def _hits(found: Integers) -> Hits:
    """Of an array of shape (3, n)."""
    sub_array, event, position = found
    return Hits(sub_array=sub_array, event=event, position=position)


@dataclass(frozen=True, kw_only=True)
class TransientFaults:
    """Rates of transient faults in cells of one machine.

    Events of a sub-array are its writes, and its senses of any kind; both are counted from 0, apart, from power-up on.
    Neither stalls nor writes beside senses change these numbers. A *write* that fails leaves a cell as it was. A sense
    *disturbs* cells that it connects after it has shown them. *Decay* turns cells over between senses; it shows when
    their row is sensed next, whether the row has been written meanwhile or not.

    Parameters
    ----------
    seed : int
        0 to 2^64 − 1.
    write : tuple of float
        Probability that a cell does not take a 0, and a 1.
    disturb : tuple of float
        Probability that a sense turns a cell over, twelve: for read, AND and OR, and in each for cells that hold 0 and
        1, and in each for a cell beside it that holds 0 and 1; of a read, which has none, the first of both counts.
    decay : float
        Probability that a cell turns over from one sense of its sub-array to the next.

    Raises
    ------
    SpinplaneError
        For a seed, a probability or a number of them that is not allowed.
    """

    seed: int = 0
    write: tuple[float, ...] = (0.0, 0.0)
    disturb: tuple[float, ...] = (0.0,) * 12
    decay: float = 0.0

    def __post_init__(self) -> None:
        if type(self.seed) is not int or not 0 <= self.seed < 1 << 64:
            raise SpinplaneError(f"transient faults: seed = {self.seed!r}: must be from 0 to 2^64 − 1")
        for name, count in (("write", 2), ("disturb", 12)):
            values = tuple(float(value) for value in getattr(self, name))
            if len(values) != count or not all(0 <= value <= 1 for value in values):
                raise SpinplaneError(
                    f"transient faults: {name} = {values}: must be {count} probabilities from 0 to 1"
                )
            object.__setattr__(self, name, values)
        if not 0 <= self.decay <= 1:
            raise SpinplaneError(f"transient faults: decay = {self.decay!r}: must be from 0 to 1")

    def only(self, cause: Cause) -> "TransientFaults":
        """The same draws of one cause, and no others."""
        name = cause.name.lower()
        return TransientFaults(seed=self.seed, **{name: getattr(self, name)})

    def rates(self, stream: Stream, rows: int) -> tuple[float, ...]:
        """Probabilities of each content of a cell in an event; of decay, of a column of so many rows."""
        match stream:
            case Stream.WRITE:
                return self.write
            case Stream.DECAY:
                return (min(1.0, rows * self.decay),)
            case _:
                return self.disturb[4 * stream - 4 : 4 * stream]


class Draws:
    """Draws of one machine's transient faults.

    Parameters
    ----------
    faults : TransientFaults
    sub_arrays, rows, columns : int

    Attributes
    ----------
    seeds : dict of Stream to ndarray of shape (sub_arrays,), uint64
        Of the generators.
    thresholds : dict of Stream to ndarray of shape (positions,), uint64
        1 − (1 − p)^(k + 1) for each k, in 2^−63.
    turning : dict of Stream to ndarray of shape (contents,), uint64
        Shares of hits that turn a cell over, for each content in the order of its rates, in 2^−63.

    Notes
    -----
    A draw is a word of 64 bits: number n of the SplitMix64 generator that is seeded with word `event` of the one that
    is seeded with word `sub_array` of the one that is seeded with word `stream` of the one of the seed. The first hit
    at or after position c is c + k for the least k with word 2·c below 1 − (1 − p)^(k + 1), where p is the greatest
    probability of any content. So positions are hit independently, each with p, for one word an event where none is
    hit. Word 2·c + 1 says whether the content lets the cell turn over, or the row of a decay.
    """

    def __init__(self, faults: TransientFaults, *, sub_arrays: int, rows: int, columns: int) -> None:
        self._rows = rows
        seeds = word(np.uint64(faults.seed), np.arange(len(Stream), dtype=np.uint64))
        self.seeds = {
            stream: word(seeds[stream], np.arange(sub_arrays, dtype=np.uint64)) for stream in Stream
        }
        self.thresholds, self.turning = {}, {}
        for stream in Stream:
            rates = np.array(faults.rates(stream, rows))
            next_ones = np.arange(1, stream.positions(columns) + 1)
            with np.errstate(divide="ignore"):
                self.thresholds[stream] = _whole(-np.expm1(next_ones * np.log1p(-rates.max())))
            self.turning[stream] = _whole(rates / (rates.max() or 1.0))

    def hits(self, stream: Stream, where: Integers, first: Integers, count: int | Integers) -> Hits:
        """Draws that hit in some events of some sub-arrays.

        Parameters
        ----------
        stream : Stream
        where : ndarray of shape (n,), int64
            Sub-arrays.
        first : ndarray of shape (n,), int64
            Number of the first event of each.
        count : int, or ndarray of shape (n,), int64
            Events of each.
        """
        counts = np.broadcast_to(count, where.shape)
        most, events = self.thresholds[stream][-1], int(counts.max(initial=0))
        found = []
        if most:
            step = max(1, _DRAWN // max(1, len(where)))
            for begin in range(0, events, step):
                ahead = np.arange(begin, min(begin + step, events))
                number = first[:, np.newaxis] + ahead
                seeds = word(self.seeds[stream][where][:, np.newaxis], number.astype(np.uint64))
                hit = (_drawn(seeds, 0) < most) & (ahead < counts[:, np.newaxis])
                index, at = np.nonzero(hit)
                found += self._positions(stream, where[index], number[index, at], seeds[index, at])
        if not found:
            return _hits(np.zeros((3, 0), dtype=np.int64))
        every = np.concatenate(found, axis=1)
        return _hits(every[:, np.lexsort(every[::-1])])

    def _positions(
        self, stream: Stream, sub_array: Integers, event: Integers, seeds: Words
    ) -> list[Integers]:
        """All positions that events hit, one of each at a time: sub-arrays, events and positions."""
        table, found = self.thresholds[stream], []
        position = np.zeros(len(seeds), dtype=np.int64)
        while len(seeds):
            position = position + np.searchsorted(table, _drawn(seeds, 2 * position), side="right")
            inside = position < len(table)
            sub_array, event, position, seeds = (
                sub_array[inside],
                event[inside],
                position[inside],
                seeds[inside],
            )
            found.append(np.stack([sub_array, event, position]))
            position = position + 1
        return found

    def turn(self, stream: Stream, hits: Hits, contents: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Whether hits turn cells over that have contents of these numbers, in the order of their rates."""
        return np.asarray(
            _drawn(self._seeds(stream, hits), 2 * hits.position + 1) < self.turning[stream][contents]
        )

    def rows_of(self, hits: Hits) -> Integers:
        """Rows of decays."""
        high = _drawn(self._seeds(Stream.DECAY, hits), 2 * hits.position + 1) >> np.uint64(31)
        return (high * np.uint64(self._rows) >> np.uint64(32)).astype(np.int64)

    def _seeds(self, stream: Stream, hits: Hits) -> Words:
        return word(self.seeds[stream][hits.sub_array], hits.event.astype(np.uint64))


def word(seed: NDArray[np.uint64] | np.uint64, number: NDArray[np.uint64] | np.uint64) -> Words:
    """Words of SplitMix64, by their numbers from 0 on, and broadcast: ndarray of uint64."""
    with np.errstate(over="ignore"):
        z = np.asarray(seed + (number + np.uint64(1)) * _STEP)
        z = (z ^ z >> np.uint64(30)) * _FACTORS[0]
        z = (z ^ z >> np.uint64(27)) * _FACTORS[1]
        return np.asarray(z ^ z >> np.uint64(31))


def _drawn(seeds: Words, number: Integers | int) -> Words:
    """Words of generators without their lowest bit: probabilities in 2^−63."""
    return np.asarray(word(seeds, np.asarray(number, dtype=np.uint64)) >> np.uint64(1))


def _whole(probabilities: NDArray[np.float64]) -> Words:
    """In 2^−63, rounded."""
    return np.rint(np.ldexp(np.clip(probabilities, 0.0, 1.0), RESOLUTION_BITS)).astype(np.uint64)
