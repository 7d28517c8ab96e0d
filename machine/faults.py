"""Faults of a machine: stuck cells, drifted references, varying cells and rates of transient faults, as data."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .array_files import archive_bytes, open_archive
from .errors import SpinplaneError
from .files import write_whole
from .machine import Machine
from .reporting.brief import brief
from .transient import TransientFaults
from .variation import KEYS as VARIATION_KEYS
from .variation import Variation

#: Cells in the anti-parallel state from which a sense amplifier says 1, without fault.
NOMINAL_THRESHOLDS = {"read": 1, "and": 2, "or": 1}
#: Cells that an operation connects to a bit line.
OPERANDS = {"read": 1, "and": 2, "or": 2}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FaultMap:
    """Faults of one machine, which every model applies alike.

    Static ones are the same at each use. Rates of transient ones come with the seed of their draws, so that they too
    are the same in each run that does the same.

    A sense amplifier compares one voltage with one reference, and the voltage grows with the number of
    connected cells that hold 1. A drifted reference is therefore a *threshold*: the sense shows 1 when at
    least that many of its cells hold 1. With a threshold of 1 an AND acts as an OR, with 3 it is always 0,
    with 0 always 1. That holds for cells that are alike; where a map has a `Variation`, its conductances and
    references decide in place of the thresholds.

    Parameters
    ----------
    sub_arrays, rows, columns : int
        Size of the machine.
    stuck : ndarray of shape (n, 4), int32
        Cells that no write changes: sub-array, row, column, value; sorted, each cell once.
    read_thresholds, and_thresholds, or_thresholds : ndarray of shape (sub_arrays, columns), uint8
        Cells holding 1 from which EN_M, EN_AND and EN_OR show 1: 0 to 2, 0 to 3, 0 to 3; 1, 2, 1 without fault.
    seed : int
        Of the draw.
    origin : str
        One line for people: what was drawn.
    variation : Variation, optional
        Conductances of the single cells.
    transient : TransientFaults, optional
        Writes that fail, senses that disturb, and decay.

    Raises
    ------
    SpinplaneError
        For an array of another shape, a cell or value that does not exist, a cell named twice.
    """

    sub_arrays: int
    rows: int
    columns: int
    stuck: np.ndarray
    read_thresholds: np.ndarray
    and_thresholds: np.ndarray
    or_thresholds: np.ndarray
    seed: int = 0
    origin: str = ""
    variation: Variation | None = None
    transient: TransientFaults | None = None

    def __repr__(self) -> str:
        size = f"{self.sub_arrays}×{self.rows}×{self.columns}"
        return brief(self, f"{size}, {len(self.stuck):,} stuck cells: {self.origin}")

    def __post_init__(self) -> None:
        stuck = np.asarray(self.stuck, dtype=np.int32).reshape(-1, 4)
        limits = np.array([self.sub_arrays, self.rows, self.columns, 2])
        wrong = np.flatnonzero(((stuck < 0) | (stuck >= limits)).any(axis=1))
        if wrong.size:
            raise SpinplaneError(
                f"fault map: stuck cell {stuck[wrong[0]].tolist()} (sub-array, row, column, value) does not exist in "
                f"{self.sub_arrays} sub-arrays of {self.rows}×{self.columns}"
            )
        stuck = stuck[np.lexsort(stuck.T[::-1])]
        twice = np.flatnonzero((stuck[1:, :3] == stuck[:-1, :3]).all(axis=1))
        if twice.size:
            raise SpinplaneError(f"fault map: stuck cell {stuck[twice[0], :3].tolist()} is listed twice")
        self._freeze("stuck", stuck)
        for name, operands in OPERANDS.items():
            key = f"{name}_thresholds"
            thresholds = np.asarray(getattr(self, key))
            if thresholds.shape != (self.sub_arrays, self.columns):
                raise SpinplaneError(
                    f"fault map: {key} has shape {thresholds.shape}, the machine ({self.sub_arrays}, {self.columns})"
                )
            if thresholds.size and not 0 <= thresholds.min() <= thresholds.max() <= operands + 1:
                raise SpinplaneError(f"fault map: {key} must hold values from 0 to {operands + 1}")
            self._freeze(key, thresholds.astype(np.uint8))
        shape = (self.sub_arrays, self.rows, self.columns)
        if self.variation is not None and self.variation.parallel.shape != shape:
            raise SpinplaneError(
                f"fault map: its variation has shape {self.variation.parallel.shape}, the machine {shape}"
            )

    def _freeze(self, key: str, values: np.ndarray) -> None:
        values = values.copy()
        values.flags.writeable = False
        object.__setattr__(self, key, values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, FaultMap):
            return NotImplemented
        same = all(np.array_equal(getattr(self, key), getattr(other, key)) for key in _KEYS)
        return same and self.variation == other.variation and self.transient == other.transient

    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def none(cls, machine: Machine) -> "FaultMap":
        """A map without faults."""
        shape = (machine.sub_arrays, machine.columns)
        return cls(
            sub_arrays=machine.sub_arrays,
            rows=machine.rows,
            columns=machine.columns,
            stuck=np.zeros((0, 4), dtype=np.int32),
            origin="no faults",
            read_thresholds=np.full(shape, NOMINAL_THRESHOLDS["read"]),
            and_thresholds=np.full(shape, NOMINAL_THRESHOLDS["and"]),
            or_thresholds=np.full(shape, NOMINAL_THRESHOLDS["or"]),
        )

    @property
    def faulty_columns(self) -> dict[str, int]:
        """Sense amplifiers that decide an operation wrongly for some cells, by operation."""
        return {
            name: int(np.count_nonzero(getattr(self, f"{name}_thresholds") != nominal))
            for name, nominal in NOMINAL_THRESHOLDS.items()
        }

    @property
    def is_static(self) -> bool:
        """Whether it has faults that are the same at each use."""
        return bool(len(self.stuck) or any(self.faulty_columns.values()) or self.variation is not None)

    def check(self, machine: Machine) -> None:
        """Refuse a machine of another size.

        Raises
        ------
        SpinplaneError
            Naming both sizes.
        """
        sizes = [(m.sub_arrays, m.rows, m.columns) for m in (self, machine)]
        if sizes[0] != sizes[1]:
            own, other = (f"{s} sub-arrays of {r}×{c}" for s, r, c in sizes)
            raise SpinplaneError(f"fault map of {own} does not fit machine {machine.name} of {other}")

    def stick(self, cells: np.ndarray) -> np.ndarray:
        """Contents with the stuck cells at their values.

        Parameters
        ----------
        cells : ndarray of shape (sub_arrays, rows, columns), uint8

        Returns
        -------
        ndarray
            A new array of the same shape.
        """
        result = cells.copy()
        sub_array, row, column, value = self.stuck.T
        result[sub_array, row, column] = value
        return result

    def sense(
        self,
        operation: str,
        *operands: np.ndarray,
        where: slice | np.ndarray = slice(None),
        rows: Sequence[np.ndarray] = (),
    ) -> np.ndarray:
        """What the sense amplifiers show of stored bits.

        Parameters
        ----------
        operation : {"read", "and", "or"}
        *operands : ndarray of shape (sub-arrays, ..., columns), uint8
            Bits of the connected rows after `stick`: one operand for a read, two for AND and OR.
        where : slice, or ndarray of int
            Sub-arrays that the operands belong to.
        rows : sequence of ndarray of shape (n,), int
            Where each operand's cells are; needed with a variation, and the operands then have the shape
            (sub-arrays, n, columns).

        Returns
        -------
        ndarray of shape (sub-arrays, ..., columns), uint8

        Raises
        ------
        SpinplaneError
            For another number of operands, or of rows where they are needed.
        """
        if len(operands) != OPERANDS[operation]:
            raise SpinplaneError(f"{operation} senses {OPERANDS[operation]} rows, not {len(operands)}")
        if self.variation is not None:
            if len(rows) != len(operands):
                raise SpinplaneError(
                    f"{operation} of varying cells: {len(operands)} operands, {len(rows)} rows"
                )
            return self.variation.sense(operation, operands, rows, where)
        ones = np.stack(operands).sum(axis=0)
        thresholds = getattr(self, f"{operation}_thresholds")[where]
        between = (1,) * (ones.ndim - 2)
        return (ones >= thresholds.reshape(len(thresholds), *between, self.columns)).astype(np.uint8)

    def save(self, path: str | Path) -> None:
        """Write the map as an ``.npz`` file, which holds no Python objects."""
        arrays = {key: getattr(self, key) for key in _KEYS}
        if self.variation is not None:
            arrays |= {key: getattr(self.variation, key) for key in VARIATION_KEYS}
        if self.transient is not None:
            arrays |= {f"transient_{key}": np.array(value) for key, value in asdict(self.transient).items()}
        write_whole(Path(path), archive_bytes(arrays))

    @classmethod
    def load(cls, path: str | Path) -> "FaultMap":
        """Read a map that `save` wrote.

        Raises
        ------
        SpinplaneError
            If there is no such file, or it is not a fault map.
        """
        source = f"fault map {path}"
        with open_archive(path, source, "not a fault map") as file:
            sizes: dict[str, Any] = {key: file.number(key) for key in ("sub_arrays", "rows", "columns")}
            shape = (sizes["sub_arrays"], sizes["columns"])
            arrays: dict[str, Any] = {"stuck": file.read("stuck", "iu", (None, 4))}
            arrays |= {
                f"{name}_thresholds": file.read(f"{name}_thresholds", "iu", shape) for name in OPERANDS
            }
            cells: dict[str, np.ndarray] = {}
            if VARIATION_KEYS[0] in file.names:
                of_cells = (sizes["sub_arrays"], sizes["rows"], sizes["columns"])
                for key in VARIATION_KEYS:
                    cells[key] = file.read(key, "iu", shape if key.endswith("references") else of_cells)
            rates: dict[str, Any] = {}
            if "transient_seed" in file.names:
                rates = {
                    "seed": file.number("transient_seed"),
                    "write": tuple(file.read("transient_write", "f", (2,)).tolist()),
                    "disturb": tuple(file.read("transient_disturb", "f", (12,)).tolist()),
                    "decay": float(file.read("transient_decay", "f", ())),
                }
            seed, origin = file.number("seed"), file.text("origin")
        try:
            variation = Variation(**cells) if cells else None
            transient = TransientFaults(**rates) if rates else None
            return cls(**sizes, **arrays, seed=seed, origin=origin, variation=variation, transient=transient)
        except SpinplaneError as error:
            raise SpinplaneError(f"{source}: {error}") from None


_KEYS = (
    "sub_arrays",
    "rows",
    "columns",
    "stuck",
    "read_thresholds",
    "and_thresholds",
    "or_thresholds",
    "seed",
    "origin",
)
