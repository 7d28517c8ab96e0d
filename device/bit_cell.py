"""The bit cell in its array: the elements that conduct in an operation, and their currents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .network import Network
from .technology import Technology
from .wires import write_line_voltage


@dataclass(frozen=True, kw_only=True)
class Access:
    """One operation on an array.

    Parameters
    ----------
    operation : {"write_0", "write_1", "read"}
    rows : tuple of int
        Rows that take part: one for a write, one or more for a read.
    columns : tuple of int
        Columns that take part.
    """

    operation: str
    rows: tuple[int, ...]
    columns: tuple[int, ...]


class LineConflict(Exception):
    """Two simultaneous operations drive one line in different ways."""


@dataclass(frozen=True, kw_only=True)
class Biasing:
    """Solved network of an array.

    Parameters
    ----------
    drives : mapping of (str, int) to str
        Drive of each line of a row or a column, by its name and index.
    voltages : mapping of (str, int) to float
        Voltage in V at the driven end of each line that carries current.
    lines : mapping of str to ndarray of shape (rows, columns)
        Voltage in V of each line that carries current, at each cell.
    currents : mapping of str to ndarray of shape (rows, columns)
        Current in A through each element of each cell, from its first to its second end.
    """

    drives: Mapping[tuple[str, int], str]
    voltages: Mapping[tuple[str, int], float]
    lines: Mapping[str, np.ndarray]
    currents: Mapping[str, np.ndarray]


def bias(technology: Technology, accesses: Sequence[Access], cells: np.ndarray) -> Biasing:
    """Solve the currents of an array in which all accesses happen at once.

    Parameters
    ----------
    technology : Technology
    accesses : sequence of Access
    cells : ndarray of shape (rows, columns), bool
        Cells in the anti-parallel state.

    Returns
    -------
    Biasing

    Raises
    ------
    LineConflict
        If two accesses need one line and drive it differently.

    Notes
    -----
    An access *needs* the lines at the ends and gates of the elements that it has conducting. What its table
    says of other lines of its column holds unless another access needs them.
    """
    drives, levels = drive_lines(technology, accesses, cells.shape)
    lines, voltages, currents = Network(technology, cells, drives, levels).solve()
    return Biasing(drives=drives, voltages=voltages, lines=lines, currents=currents)


def _needed(technology: Technology, operation: str) -> set[str]:
    conducts = technology.operations[operation].conducts
    ends = {
        name
        for element in technology.elements
        if element.name in conducts
        for name in (*element.between, element.gate)
    }
    return ends & set(technology.lines)


def drive_lines(
    technology: Technology, accesses: Sequence[Access], shape: tuple[int, ...]
) -> tuple[dict[tuple[str, int], str], dict[tuple[str, int], float]]:
    """Drive of each line, and its level in V, or in A where it carries the read current."""
    drives: dict[tuple[str, int], str] = {}
    levels: dict[tuple[str, int], float] = {}

    def place(access: Access, line: str, drive: str, *, needed: bool) -> None:
        way = technology.lines[line]
        if way == "mesh":
            return
        for index in access.rows if way == "row" else access.columns:
            key, level = (line, index), _level(technology, access.operation, drive)
            if key not in drives:
                drives[key], levels[key] = drive, level
            elif needed and (drives[key], levels[key]) != (drive, level):
                raise LineConflict(f"{line} of {way} {index} is driven to both {drives[key]!r} and {drive!r}")

    for needed in (True, False):
        for access in accesses:
            own = _needed(technology, access.operation)
            for line, drive in technology.operations[access.operation].selected.items():
                if (line in own) == needed:
                    place(access, line, drive, needed=needed)
    rest = technology.operations[accesses[0].operation]
    for line, way in technology.lines.items():
        if way == "mesh":
            continue
        for index in range(shape[0] if way == "row" else shape[1]):
            if (line, index) not in drives:
                drives[line, index] = (rest.other_rows if way == "row" else rest.idle_columns)[line]
                levels[line, index] = _level(technology, accesses[0].operation, drives[line, index])
    return drives, levels


def _level(technology: Technology, operation: str, drive: str) -> float:
    if drive == "vdd":
        return technology["process.supply_voltage"]
    if drive == "read":
        return technology["read.current"]
    if drive in ("+write", "-write"):
        voltage = write_line_voltage(technology, int(operation == "write_1"))
        return voltage if drive == "+write" else -voltage
    return 0.0
