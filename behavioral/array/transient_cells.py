"""Golden model of transient faults in cells: writes that fail, senses that disturb, and decay, event by event."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine
from spinplane.machine.transient import Cause, Draws, Hits, Stream, TransientFaults

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]


class TransientCells:
    """What transient faults make of the cells of one machine.

    Parameters
    ----------
    machine : Machine
    faults : TransientFaults
    cells, stuck : ndarray of shape (sub_arrays, rows, columns), uint8
        What cells hold, which changes; and 1 where nothing changes that, or None.

    Attributes
    ----------
    writes, senses : ndarray of shape (sub_arrays,), int64
        Events so far.
    altered : ndarray of shape (sub_arrays, rows), bool
        Rows of which a cell holds what was not written, since somebody has last cleared this.
    counts : dict of Cause to int
        Cells that faults have made another value of.
    """

    def __init__(
        self, machine: Machine, faults: TransientFaults, cells: Octets, stuck: Octets | None = None
    ) -> None:
        self.draws = Draws(faults, sub_arrays=machine.sub_arrays, rows=machine.rows, columns=machine.columns)
        self._columns, self._cells, self._stuck = machine.columns, cells, stuck
        self.writes, self.senses = np.zeros((2, machine.sub_arrays), dtype=np.int64)
        self.altered = np.zeros(cells.shape[:2], dtype=bool)
        self.counts = dict.fromkeys(Cause, 0)
        # Decays that no sense has met, of rows that have some.
        self._decays: dict[tuple[int, int], Octets] = {}
        self._decayed = np.zeros(cells.shape[:2], dtype=bool)

    def have_decayed(self, where: Integers, rows: Integers) -> bool:
        """Whether cells of such rows have decayed and nobody has sensed it."""
        return bool(self._decays) and bool(self._decayed[where[:, np.newaxis], rows].any())

    def differ(self, where: Integers, rows: Integers) -> bool:
        """Whether such rows hold, or are found to hold, something else than what was written."""
        return bool(self.altered[where[:, np.newaxis], rows].any()) or self.have_decayed(where, rows)

    def bits_taken(self, where: Integers, rows: Integers, bits: Octets) -> Octets:
        """What cells hold after writes, of which some fail; counts the writes.

        Parameters
        ----------
        where : ndarray of shape (n,), int64
            Sub-arrays, in order.
        rows : ndarray of shape (writes,), int64
            That are written one after the other, each once.
        bits : ndarray of shape (n, writes, columns), uint8
        """
        first = self.writes[where]
        hits = self.draws.hits(Stream.WRITE, where, first, len(rows))
        self.writes[where] += len(rows)
        self.altered[where[:, np.newaxis], rows] = False
        index = np.searchsorted(where, hits.sub_array)
        write = hits.event - first[index]
        at = index, write, hits.position
        cells = hits.sub_array, rows[write], hits.position
        held = self._cells[cells]
        fails = self.draws.turn(Stream.WRITE, hits, bits[at]) & (held != bits[at]) & ~self._stick(cells)
        if not fails.any():
            return bits
        self.counts[Cause.WRITE] += int(fails.sum())
        self.altered[hits.sub_array[fails], rows[write[fails]]] = True
        taken = bits.copy()
        taken[index[fails], write[fails], hits.position[fails]] = held[fails]
        return taken

    def senses_between_faults(
        self, stream: Stream, where: Integers, rows_a: Integers, rows_b: Integers, columns: Octets
    ) -> Iterator[slice]:
        """Senses in turn, as many at a time as find the same cells; decay before them, disturbs after them.

        Parameters
        ----------
        stream : Stream
            Of the kind of sense.
        where : ndarray of shape (n,), int64
            Sub-arrays.
        rows_a, rows_b : ndarray of shape (senses,), int64
            The same for a read.
        columns : ndarray of shape (senses, columns), uint8
            That are enabled.

        Yields
        ------
        slice
            Senses that may be done together now.
        """
        count, first = len(rows_a), self.senses[where]
        decays = self.draws.hits(Stream.DECAY, where, first, count)
        disturbs = self.draws.hits(stream, where, first, count)
        self.senses[where] += count
        decayed_at, disturbed_at = (
            hits.event - first[np.searchsorted(where, hits.sub_array)] for hits in (decays, disturbs)
        )
        decayed_rows = self.draws.rows_of(decays)
        ends = np.unique(np.concatenate([decayed_at, disturbed_at + 1, [0, count]])).tolist()
        for begin, end in pairwise(ends):
            now = decayed_at == begin
            self._note_decays(decays.take(now), decayed_rows[now])
            for rows in (rows_a[begin:end], rows_b[begin:end]):
                self._meet_decays(where, rows)
            yield slice(begin, end)
            now = disturbed_at == end - 1
            if now.any():
                pair = sorted({int(rows_a[end - 1]), int(rows_b[end - 1])})
                self._disturb(stream, disturbs.take(now), pair, columns[end - 1])

    def _note_decays(self, hits: Hits, rows: Integers) -> None:
        for sub_array, row, column in zip(
            hits.sub_array.tolist(), rows.tolist(), hits.position.tolist(), strict=True
        ):
            flips = self._decays.setdefault((sub_array, row), np.zeros(self._columns, dtype=np.uint8))
            flips[column] ^= 1
            self._decayed[sub_array, row] = True

    def _meet_decays(self, where: Integers, rows: Integers) -> None:
        """Turn cells over that have decayed since their rows were sensed."""
        if not self.have_decayed(where, rows):
            return
        for sub_array, row in list(self._decays):
            if row in rows and sub_array in where:
                flips = self._decays.pop((sub_array, row))
                self._decayed[sub_array, row] = False
                if self._stuck is not None:
                    flips &= 1 - self._stuck[sub_array, row]
                self._cells[sub_array, row] ^= flips
                self.altered[sub_array, row] |= bool(flips.any())
                self.counts[Cause.DECAY] += int(flips.sum())

    def _disturb(self, stream: Stream, hits: Hits, rows: list[int], columns: Octets) -> None:
        """Turn cells over after a sense of one or two rows, in their order; contents are those before."""
        second, column = np.divmod(hits.position, self._columns)
        exists = columns[column] != 0
        hits, second, column = hits.take(exists), second[exists], column[exists]
        row = np.array(rows)[second]
        contents = 2 * self._cells[hits.sub_array, row, column].astype(np.int64)
        if len(rows) == 2:
            contents += self._cells[hits.sub_array, np.array(rows)[1 - second], column]
        cells = hits.sub_array, row, column
        turns = self.draws.turn(stream, hits, contents) & ~self._stick(cells)
        self.counts[Cause.DISTURB] += int(turns.sum())
        self.altered[hits.sub_array[turns], row[turns]] = True
        self._cells[hits.sub_array[turns], row[turns], column[turns]] ^= 1

    def _stick(self, cells: tuple[Integers, ...]) -> NDArray[np.bool_]:
        """Whether cells are stuck."""
        return np.zeros(len(cells[0]), dtype=bool) if self._stuck is None else self._stuck[cells] != 0
