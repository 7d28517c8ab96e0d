"""Golden model of the SOT-MRAM array: sub-arrays of cells, two rows sensed at once, unknown until written."""

from collections.abc import Callable

import numpy as np

from spinplane.machine import Machine
from spinplane.machine.faults import FaultMap
from spinplane.machine.transient import Stream

from .transient_cells import TransientCells

#: Sub-arrays: neighbours, or any by their numbers.
Where = slice | np.ndarray


class ArrayError(RuntimeError):
    """An operation that would break a real array, or that senses cells never written."""


class UnknownCellError(ArrayError):
    """A cell that was never written would decide the result of a sense.

    Parameters
    ----------
    reference : str
        Of the sense: ``"EN_M"``, ``"EN_AND"`` or ``"EN_OR"``.
    sub_array, column : int
    rows : tuple of int
        That were sensed.
    """

    def __init__(self, reference: str, sub_array: int, rows: tuple[int, int], column: int) -> None:
        a, b = rows
        named = f"row {a}" if a == b else f"rows {a} and {b}"
        super().__init__(
            f"{reference} senses an unknown cell: sub-array {sub_array}, {named}, column {column} was never written"
        )
        self.reference, self.sub_array, self.rows, self.column = reference, sub_array, rows, column


class SotMramArray:
    """Sub-arrays of one machine, operated row by row and in lock-step.

    The contract of ``sot_mram_array`` (see ``docs/array.md``) at the level of whole row operations: a write
    stores the masked columns of one row; a sense connects one row (EN_M) or two different rows (EN_AND, EN_OR)
    to the sense amplifiers of the enabled columns. 0 AND unknown is 0 and 1 OR unknown is 1; every other
    unknown that an enabled column would show is refused.

    Parameters
    ----------
    machine : Machine
    faults : FaultMap, optional
        Cells that no write changes, sense amplifiers with a drifted reference, cells that vary; transient faults.

    Attributes
    ----------
    is_faulty : bool
        Whether a fault map was given.
    faults : FaultMap or None
        With faults that are the same at each use.
    transient : TransientCells or None
        Transient faults.
    cells : ndarray of shape (sub_arrays, rows, columns), uint8
        1 where a cell is in the anti-parallel state.
    written : ndarray of shape (sub_arrays, rows, columns), uint8
        1 where a cell has been written.
    writes, reads, ands, ors : int
        Events counted so far, one for each row operation of each sub-array.
    """

    def __init__(self, machine: Machine, faults: FaultMap | None = None) -> None:
        self.machine = machine
        self.is_faulty = faults is not None
        self.faults = faults if faults is not None and faults.is_static else None
        shape = (machine.sub_arrays, machine.rows, machine.columns)
        self.cells = np.zeros(shape, dtype=np.uint8)
        self.written = np.zeros(shape, dtype=np.uint8)
        self.writes = self.reads = self.ands = self.ors = 0
        self._stuck: np.ndarray | None = None
        if faults is not None:
            faults.check(machine)
        if self.faults is not None:
            sub_array, row, column, value = self.faults.stuck.T
            self._stuck, self._stuck_at = np.zeros((2, *shape), dtype=np.uint8)
            self._stuck[sub_array, row, column] = 1
            self._stuck_at[sub_array, row, column] = value
        self.transient = None
        if faults is not None and faults.transient is not None:
            self.transient = TransientCells(machine, faults.transient, self.cells, self._stuck)

    def write(self, where: Where, row: int, bits: np.ndarray, mask: np.ndarray) -> None:
        """Write the columns of `row` where `mask` is 1, in the sub-arrays `where`.

        Parameters
        ----------
        where : slice, or ndarray of int
            Sub-arrays that take part.
        row : int
        bits, mask : ndarray of shape (columns,) or (sub-arrays, columns), uint8
        """
        self._check_row(row)
        cells, written = np.where(mask, bits, self.cells[where, row]), self.written[where, row] | mask
        if self.transient is not None:
            one = cells[:, np.newaxis]
            cells = self.transient.bits_taken(self._numbers(where), np.array([row]), one)[:, 0]
        if self._stuck is not None:
            stuck = self._stuck[where, row] & written
            cells = np.where(stuck, self._stuck_at[where, row], cells)
        self.cells[where, row], self.written[where, row] = cells, written
        self.writes += len(cells)

    def write_rows(
        self, where: Where, rows: np.ndarray, bits: np.ndarray, *, unfailing: bool = False
    ) -> None:
        """Write whole rows, one after the other, in the sub-arrays `where`.

        Parameters
        ----------
        where : slice, or ndarray of int
        rows : ndarray of shape (n,), int
        bits : ndarray of shape (n, columns) or (sub-arrays, n, columns), uint8
        unfailing : bool
            These are writes of which it is known that none fails; transient faults have counted them before.
        """
        self._check_row(*rows)
        if self.transient is not None and not unfailing:
            numbers = self._numbers(where)
            bits = np.broadcast_to(bits, (len(numbers), *bits.shape[-2:]))
            if len(np.unique(rows)) < len(rows):
                for turn in range(len(rows)):
                    self.write_rows(where, rows[turn : turn + 1], bits[:, turn : turn + 1])
                return
            bits = self.transient.bits_taken(numbers, rows, bits)
        at = (where, rows) if isinstance(where, slice) else (where[:, np.newaxis], rows)
        self.cells[at] = self._held(at, bits)
        self.written[at] = 1
        self.writes += len(self.cells[where]) * len(rows)

    def _held(self, at: tuple, bits: np.ndarray) -> np.ndarray:
        """What cells hold after bits have been written to them."""
        return bits if self._stuck is None else np.where(self._stuck[at], self._stuck_at[at], bits)

    def stuck_rows(self, where: Where) -> np.ndarray:
        """Rows that hold a stuck cell in one of the sub-arrays `where`: ndarray of shape (rows,), bool."""
        if self._stuck is None:
            return np.zeros(self.machine.rows, dtype=bool)
        return np.asarray(self._stuck[where].any(axis=(0, 2)))

    def and_factors(
        self, where: Where, rows_a: np.ndarray, rows_b: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What EN_AND shows of pairs of rows, for any bits that are written to the first one.

        Whatever the faults, a column shows c + d·a for a bit a that is written to row a, as more cells that hold 1
        never turn a 1 into a 0.

        Parameters
        ----------
        where : slice, or ndarray of int
        rows_a, rows_b : ndarray of shape (n,), int
            Rows b as they are; their cells have been written.

        Returns
        -------
        c, d : ndarray of shape (sub-arrays, n, columns), uint8
        """
        bits = _rows(self.cells, where, rows_b)
        if self.faults is None:
            return np.zeros_like(bits), bits
        at = (where, rows_a) if isinstance(where, slice) else (where[:, np.newaxis], rows_a)
        without, with_ones = (
            self.faults.sense(
                "and", self._held(at, np.full_like(bits, bit)), bits, where=where, rows=(rows_a, rows_b)
            )
            for bit in (0, 1)
        )
        return without, with_ones - without

    def read(self, where: Where, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Sense each of `rows` alone, with EN_M.

        Parameters
        ----------
        where : slice, or ndarray of int
        rows : ndarray of shape (n,), int
        columns : ndarray of shape (n, columns), uint8
            Enabled sense amplifiers of each operation.

        Returns
        -------
        ndarray of shape (sub-arrays, n, columns), uint8
            Sensed bits; 0 in columns that are not enabled.

        Raises
        ------
        ArrayError
            If an enabled column holds an unknown cell.
        """
        self._check_row(*rows)
        if self.transient is not None:
            return self._in_turns(Stream.READ, self._read, where, rows, rows, columns)
        return self._read(where, rows, rows, columns)

    def _read(
        self, where: Where, rows: np.ndarray, _no_others: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        cells, written = self._known(where, rows)
        if self.faults is not None:
            sensed = self._faulty("read", where, rows, rows, columns, [cells], [written])
        else:
            self._refuse_unknown(where, "EN_M", rows, rows, columns & ~written)
            sensed = cells & columns
        self.reads += cells.shape[0] * len(rows)
        return sensed

    def sense_and(
        self, where: Where, rows_a: np.ndarray, rows_b: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        """Sense each pair of rows at once with EN_AND; arguments and result as in `read`."""
        self._check_pairs("EN_AND", rows_a, rows_b)
        if self.transient is not None:
            return self._in_turns(Stream.AND, self._sense_and, where, rows_a, rows_b, columns)
        return self._sense_and(where, rows_a, rows_b, columns)

    def _sense_and(
        self, where: Where, rows_a: np.ndarray, rows_b: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        cells, written = self._pair(where, rows_a, rows_b)
        if self.faults is not None:
            sensed = self._faulty("and", where, rows_a, rows_b, columns, cells, written)
            self.ands += sensed.shape[0] * len(rows_a)
            return sensed
        could_be_1 = (cells[0] | ~written[0]) & (cells[1] | ~written[1])
        sensed = cells[0] & cells[1]
        self._refuse_unknown(where, "EN_AND", rows_a, rows_b, columns & could_be_1 & ~sensed)
        self.ands += sensed.shape[0] * len(rows_a)
        return sensed & columns

    def sense_or(
        self, where: Where, rows_a: np.ndarray, rows_b: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        """Sense each pair of rows at once with EN_OR; arguments and result as in `read`."""
        self._check_pairs("EN_OR", rows_a, rows_b)
        if self.transient is not None:
            return self._in_turns(Stream.OR, self._sense_or, where, rows_a, rows_b, columns)
        return self._sense_or(where, rows_a, rows_b, columns)

    def _sense_or(
        self, where: Where, rows_a: np.ndarray, rows_b: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        cells, written = self._pair(where, rows_a, rows_b)
        if self.faults is not None:
            sensed = self._faulty("or", where, rows_a, rows_b, columns, cells, written)
            self.ors += sensed.shape[0] * len(rows_a)
            return sensed
        sensed = cells[0] | cells[1]
        self._refuse_unknown(where, "EN_OR", rows_a, rows_b, columns & ~sensed & ~(written[0] & written[1]))
        self.ors += sensed.shape[0] * len(rows_a)
        return sensed & columns

    def sense_xor(
        self, where: Where, rows_a: np.ndarray, rows_b: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        """Sense each pair of rows at once with EN_AND and EN_OR; arguments and result as in `read`.

        A column shows what EN_OR shows and EN_AND does not. It counts as an AND and as an OR, and disturbs as an AND.
        """
        self._check_pairs("EN_AND with EN_OR", rows_a, rows_b)
        if self.transient is not None:
            return self._in_turns(Stream.AND, self._sense_xor, where, rows_a, rows_b, columns)
        return self._sense_xor(where, rows_a, rows_b, columns)

    def _sense_xor(
        self, where: Where, rows_a: np.ndarray, rows_b: np.ndarray, columns: np.ndarray
    ) -> np.ndarray:
        cells, written = self._pair(where, rows_a, rows_b)
        with_1 = [cell | (1 - known) for cell, known in zip(cells, written, strict=True)]
        rows = (rows_a, rows_b)
        and_0, and_1 = (self._decided("and", bits, where, rows) for bits in (cells, with_1))
        or_0, or_1 = (self._decided("or", bits, where, rows) for bits in (cells, with_1))
        # An amplifier that is undecided leaves the XOR unknown, unless the other one holds it at 0.
        unknown = or_1 & ~and_0 & (~or_0 | and_1)
        self._refuse_unknown(where, "EN_AND with EN_OR", rows_a, rows_b, columns & unknown)
        self.ands += cells[0].shape[0] * len(rows_a)
        self.ors += cells[0].shape[0] * len(rows_a)
        return or_0 & ~and_1 & columns

    def _decided(self, operation: str, bits: list, where: Where, rows: tuple) -> np.ndarray:
        """What one amplifier shows of two rows."""
        if self.faults is not None:
            return self.faults.sense(operation, *bits, where=where, rows=rows)
        return np.asarray(bits[0] & bits[1] if operation == "and" else bits[0] | bits[1])

    def _check_pairs(self, reference: str, rows_a: np.ndarray, rows_b: np.ndarray) -> None:
        self._check_row(*rows_a, *rows_b)
        same = np.flatnonzero(np.asarray(rows_a) == np.asarray(rows_b))
        if same.size:
            raise ArrayError(f"{reference} senses two different rows, not row {rows_a[same[0]]} alone")

    def _in_turns(
        self,
        stream: Stream,
        sense: Callable[[Where, np.ndarray, np.ndarray, np.ndarray], np.ndarray],
        where: Where,
        rows_a: np.ndarray,
        rows_b: np.ndarray,
        columns: np.ndarray,
    ) -> np.ndarray:
        """Senses of cells that transient faults change before and after them."""
        assert self.transient is not None
        parts = self.transient.senses_between_faults(stream, self._numbers(where), rows_a, rows_b, columns)
        return np.concatenate([sense(where, rows_a[p], rows_b[p], columns[p]) for p in parts], axis=1)

    def _numbers(self, where: Where) -> np.ndarray:
        """Sub-arrays by their numbers."""
        return np.arange(self.machine.sub_arrays)[where]

    def _pair(self, where: Where, rows_a: np.ndarray, rows_b: np.ndarray) -> tuple[list, list]:
        (cells_a, written_a), (cells_b, written_b) = (self._known(where, rows) for rows in (rows_a, rows_b))
        return [cells_a, cells_b], [written_a, written_b]

    def _known(self, where: Where, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cells of rows, 0 where they are unknown, and which of them are known."""
        written = _rows(self.written, where, rows)
        return _rows(self.cells, where, rows) & written, written

    def _faulty(
        self,
        operation: str,
        where: Where,
        rows_a: np.ndarray,
        rows_b: np.ndarray,
        columns: np.ndarray,
        cells: list,
        written: list,
    ) -> np.ndarray:
        """What a faulty memory shows; an unknown cell is refused where it would decide."""
        assert self.faults is not None
        rows = (rows_a, rows_b)[: len(cells)]
        sensed = self.faults.sense(operation, *cells, where=where, rows=rows)
        could_be = [cell | (1 - known) for cell, known in zip(cells, written, strict=True)]
        decides = self.faults.sense(operation, *could_be, where=where, rows=rows) & ~sensed
        reference = {"read": "EN_M", "and": "EN_AND", "or": "EN_OR"}[operation]
        self._refuse_unknown(where, reference, rows_a, rows_b, columns & decides)
        return sensed & columns

    def _check_row(self, *rows: int) -> None:
        for row in rows:
            if not 0 <= row < self.machine.rows:
                raise ArrayError(f"row {row} does not exist: the array has rows 0 to {self.machine.rows - 1}")

    def _refuse_unknown(
        self, where: Where, reference: str, rows_a: np.ndarray, rows_b: np.ndarray, unknown: np.ndarray
    ) -> None:
        unknown = unknown & 1
        if not unknown.any():
            return
        sub_array, operation, column = np.argwhere(unknown)[0]
        index = self._numbers(where)[sub_array]
        rows = int(rows_a[operation]), int(rows_b[operation])
        raise UnknownCellError(reference, int(index), rows, int(column))


def _rows(cells: np.ndarray, where: Where, rows: np.ndarray) -> np.ndarray:
    """(sub-arrays, n, columns) of (all sub-arrays, all rows, columns), without a copy of the other rows."""
    return cells[where][:, rows] if isinstance(where, slice) else cells[where[:, np.newaxis], rows]
