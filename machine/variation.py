"""Conductances of a machine's single cells and the decisions of its sense amplifiers, in whole numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .errors import SpinplaneError

#: Conductance of a nominal parallel cell at the amplifier's end of the bit line; others count in this unit.
NOMINAL_CONDUCTANCE = 3000
#: Largest conductance of a cell.
MOST_CONDUCTANCE = (1 << 16) - 1
#: Reference that no bit line reaches: it lies above two cells of the largest conductance.
ALWAYS = 1 << 17


@dataclass(frozen=True, kw_only=True, eq=False)
class Variation:
    """Cells that differ from each other, by their conductance in both states.

    The read current divides over the connected cells, so the bit line's voltage falls as the sum of their
    conductances grows. A sense shows 1 when the sum is below its column's reference; in whole numbers, so that
    every model agrees in every bit. A unit of conductance is 1 ÷ `NOMINAL_CONDUCTANCE` of the nominal cell's.

    Parameters
    ----------
    parallel, antiparallel : ndarray of shape (sub_arrays, rows, columns), uint16
        Conductance of each cell that holds 0 and 1; the former is not less than the latter.
    read_references, and_references, or_references : ndarray of shape (sub_arrays, columns), int32
        Sums below which EN_M, EN_AND and EN_OR show 1: 0 (never) to `ALWAYS`.

    Raises
    ------
    SpinplaneError
        For an array of another shape and a value that is not allowed.
    """

    parallel: np.ndarray
    antiparallel: np.ndarray
    read_references: np.ndarray
    and_references: np.ndarray
    or_references: np.ndarray

    def __post_init__(self) -> None:
        shape = np.shape(self.parallel)
        if len(shape) != 3:
            raise SpinplaneError(
                f"variation: parallel has shape {shape}: expected (sub-arrays, rows, columns)"
            )
        for key in KEYS:
            values = np.asarray(getattr(self, key))
            cells = key in ("parallel", "antiparallel")
            expected, most = (shape, MOST_CONDUCTANCE) if cells else ((shape[0], shape[2]), ALWAYS)
            if values.shape != expected:
                raise SpinplaneError(f"variation: {key} has shape {values.shape}, not {expected}")
            if values.dtype.kind not in "iu":
                raise SpinplaneError(f"variation: {key} holds {values.dtype}, not whole numbers")
            if values.size and not 0 <= values.min() <= values.max() <= most:
                raise SpinplaneError(f"variation: {key} must hold values from 0 to {most}")
            values = values.astype(np.uint16 if cells else np.int32)
            values.flags.writeable = False
            object.__setattr__(self, key, values)
        if (self.antiparallel > self.parallel).any():
            raise SpinplaneError("variation: a cell conducts better anti-parallel than parallel")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Variation):
            return NotImplemented
        return all(np.array_equal(getattr(self, key), getattr(other, key)) for key in KEYS)

    __hash__ = None  # type: ignore[assignment]

    def sense(
        self,
        operation: str,
        operands: Sequence[np.ndarray],
        rows: Sequence[np.ndarray],
        where: slice | np.ndarray,
    ) -> np.ndarray:
        """What the sense amplifiers show.

        Parameters
        ----------
        operation : {"read", "and", "or"}
        operands : sequence of ndarray of shape (sub-arrays, n, columns), uint8
            Bits that the connected cells hold.
        rows : sequence of ndarray of shape (n,), int
            Where each operand's cells are.
        where : slice, or ndarray of int
            Sub-arrays that the operands belong to.

        Returns
        -------
        ndarray of shape (sub-arrays, n, columns), uint8
        """
        parallel, antiparallel = self.parallel[where], self.antiparallel[where]
        conductance: np.ndarray = np.zeros((), dtype=np.int32)
        for bits, row in zip(operands, rows, strict=True):
            conductance = conductance + np.where(bits, antiparallel[:, row], parallel[:, row]).astype(
                np.int32
            )
        references = getattr(self, f"{operation}_references")[where, np.newaxis]
        return (conductance < references).astype(np.uint8)


#: Arrays of a variation, in the order in which they are written down.
KEYS = ("parallel", "antiparallel", "read_references", "and_references", "or_references")
