"""Golden model of the SOT-MRAM array: sub-arrays of cells, two rows sensed at once, unknown until written."""

import numpy as np

from spinplane.machine import Machine
from spinplane.machine.faults import FaultMap

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
        Cells that no write changes, sense amplifiers with a drifted reference, cells that vary.

    Attributes
    ----------
    cells : ndarray of shape (sub_arrays, rows, columns), uint8
        1 where a cell is in the anti-parallel state.
    written : ndarray of shape (sub_arrays, rows, columns), uint8
        1 where a cell has been written.
    writes, reads, ands, ors : int
        Events counted so far, one for each row operation of each sub-array.
    """

    def __init__(self, machine: Machine, faults: FaultMap | None = None) -> None:
        self.machine = machine
        self.faults = faults
        shape = (machine.sub_arrays, machine.rows, machine.columns)
        self.cells = np.zeros(shape, dtype=np.uint8)
        self.written = np.zeros(shape, dtype=np.uint8)
        self.writes = self.reads = self.ands = self.ors = 0
        if faults is not None:
            faults.check(machine)
            sub_array, row, column, value = faults.stuck.T
            self._stuck, self._stuck_at = np.zeros((2, *shape), dtype=np.uint8)
            self._stuck[sub_array, row, column] = 1
            self._stuck_at[sub_array, row, column] = value

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
        if self.faults is not None:
            stuck = self._stuck[where, row] & written
            cells = np.where(stuck, self._stuck_at[where, row], cells)
        self.cells[where, row], self.written[where, row] = cells, written
        self.writes += len(cells)

    def write_rows(self, where: Where, rows: np.ndarray, bits: np.ndarray) -> None:
        """Write whole rows, one after the other, in the sub-arrays `where`.

        Parameters
        ----------
        where : slice, or ndarray of int
        rows : ndarray of shape (n,), int
        bits : ndarray of shape (n, columns) or (sub-arrays, n, columns), uint8
        """
        self._check_row(*rows)
        at = (where, rows) if isinstance(where, slice) else (where[:, np.newaxis], rows)
        self.cells[at] = self._held(at, bits)
        self.written[at] = 1
        self.writes += len(self.cells[where]) * len(rows)

    def _held(self, at: tuple, bits: np.ndarray) -> np.ndarray:
        """What cells hold after bits have been written to them."""
        return bits if self.faults is None else np.where(self._stuck[at], self._stuck_at[at], bits)

    def stuck_rows(self, where: Where) -> np.ndarray:
        """Rows that hold a stuck cell in one of the sub-arrays `where`: ndarray of shape (rows,), bool."""
        if self.faults is None:
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
        cells, written = _rows(self.cells, where, rows), _rows(self.written, where, rows)
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
        cells, written = self._pair(where, "EN_AND", rows_a, rows_b)
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
        cells, written = self._pair(where, "EN_OR", rows_a, rows_b)
        if self.faults is not None:
            sensed = self._faulty("or", where, rows_a, rows_b, columns, cells, written)
            self.ors += sensed.shape[0] * len(rows_a)
            return sensed
        sensed = cells[0] | cells[1]
        self._refuse_unknown(where, "EN_OR", rows_a, rows_b, columns & ~sensed & ~(written[0] & written[1]))
        self.ors += sensed.shape[0] * len(rows_a)
        return sensed & columns

    def _pair(
        self, where: Where, reference: str, rows_a: np.ndarray, rows_b: np.ndarray
    ) -> tuple[list, list]:
        self._check_row(*rows_a, *rows_b)
        same = np.flatnonzero(np.asarray(rows_a) == np.asarray(rows_b))
        if same.size:
            raise ArrayError(f"{reference} senses two different rows, not row {rows_a[same[0]]} alone")
        rows = (rows_a, rows_b)
        return [_rows(self.cells, where, r) for r in rows], [_rows(self.written, where, r) for r in rows]

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
        index = np.arange(self.machine.sub_arrays)[where][sub_array]
        rows = int(rows_a[operation]), int(rows_b[operation])
        raise UnknownCellError(reference, int(index), rows, int(column))


def _rows(cells: np.ndarray, where: Where, rows: np.ndarray) -> np.ndarray:
    """(sub-arrays, n, columns) of (all sub-arrays, all rows, columns), without a copy of the other rows."""
    return cells[where][:, rows] if isinstance(where, slice) else cells[where[:, np.newaxis], rows]
