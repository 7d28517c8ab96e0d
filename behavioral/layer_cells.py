"""Contents of the array between the passes of a program, a row at a time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine
from spinplane.machine.faults import NOMINAL_THRESHOLDS, FaultMap

from .array import SotMramArray


@dataclass(kw_only=True, eq=False)
class Cells:
    """Contents of the array.

    Parameters
    ----------
    bits : ndarray of shape (sub_arrays, rows, columns), uint8
        0 in rows that have not been written.
    written : ndarray of shape (sub_arrays, rows), bool
        Rows of which all columns have been written.
    array : SotMramArray
        The same bits, one row operation at a time.
    faults : FaultMap or None
    """

    bits: NDArray[np.uint8]
    written: NDArray[np.bool_]
    array: SotMramArray
    faults: FaultMap | None

    @classmethod
    def unknown(cls, machine: Machine, faults: FaultMap | None) -> "Cells":
        """An array of which nothing has been written."""
        array = SotMramArray(machine, faults)
        written = np.zeros((machine.sub_arrays, machine.rows), dtype=bool)
        return cls(bits=array.cells, written=written, array=array, faults=faults)

    def write(self, sub_array: int, rows: NDArray[np.int64], bits: NDArray[np.uint8]) -> None:
        """Write whole rows; stuck cells stay as they are."""
        self.bits[sub_array, rows] = self.stick(sub_array, rows, bits)
        self.written[sub_array, rows] = True
        self.array.written[sub_array, rows] = 1

    def see_writes(self) -> None:
        """Take note of what has been written to `array`."""
        self.written[:] = self.array.written.all(axis=2)

    def stick(self, sub_array: int, rows: NDArray[np.int64], bits: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What `rows` hold when `bits` of shape (rows, columns) have been written to them."""
        if self.faults is None:
            return bits
        _, row, column, value = self.faults.stuck[self.faults.stuck[:, 0] == sub_array].T
        mask, values = np.zeros((2, *self.bits.shape[1:]), dtype=np.uint8)
        mask[row, column], values[row, column] = 1, value
        return np.where(mask[rows], values[rows], bits)

    def sense(
        self,
        sub_array: int,
        bits_a: NDArray[np.uint8],
        rows_a: NDArray[np.int64],
        bits_b: NDArray[np.uint8],
        rows_b: NDArray[np.int64],
    ) -> NDArray[np.uint8]:
        """What ANDs of pairs of rows with these bits show: ndarray of shape (pairs, columns), uint8."""
        bits_a, bits_b = np.broadcast_arrays(bits_a.astype(np.uint8), bits_b)
        if self.faults is None:
            return bits_a & bits_b
        where = slice(sub_array, sub_array + 1)
        return self.faults.sense(
            "and", bits_a[np.newaxis], bits_b[np.newaxis], where=where, rows=(rows_a, rows_b)
        )[0]

    def thresholds(self, sub_array: int) -> NDArray[np.int64]:
        """Cells that hold 1 from which an AND shows 1: ndarray of shape (columns,), int64."""
        if self.faults is None:
            return np.full(self.bits.shape[2], NOMINAL_THRESHOLDS["and"])
        return self.faults.and_thresholds[sub_array].astype(np.int64)
