"""The bit cell in its array: the elements that conduct in an operation, and their currents."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .mtj import Junction, heavy_metal_resistance, junction, resistance
from .technology import Element, Technology
from .write import write_path_voltage

_ITERATIONS = 200
_SETTLED = 1e-10


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
        Drive of each line, by its name and the index of its row or column.
    voltages : mapping of (str, int) to float
        Voltage of each line in V.
    currents : mapping of (str, int, int) to float
        Current in A through each element, from its first to its second end, by its name, row and column.
    """

    drives: Mapping[tuple[str, int], str]
    voltages: Mapping[tuple[str, int], float]
    currents: Mapping[tuple[str, int, int], float]


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
    drives, levels = _drive_lines(technology, accesses, cells.shape)
    return _Network(technology, cells, drives, levels).solve()


def write_voltage(technology: Technology, bit: int) -> float:
    """Voltage in V that drives the write current through a cell that holds the other bit."""
    return write_path_voltage(technology, bit == 0, technology[f"write.current_{bit}"])


def _needed(technology: Technology, operation: str) -> set[str]:
    conducts = technology.operations[operation].conducts
    ends = {
        name
        for element in technology.elements
        if element.name in conducts
        for name in (*element.between, element.gate)
    }
    return ends & set(technology.lines)


def _drive_lines(
    technology: Technology, accesses: Sequence[Access], shape: tuple[int, ...]
) -> tuple[dict[tuple[str, int], str], dict[tuple[str, int], float]]:
    """Drive of each line, and its level in V, or in A where it carries the read current."""
    drives: dict[tuple[str, int], str] = {}
    levels: dict[tuple[str, int], float] = {}

    def place(access: Access, line: str, drive: str, *, needed: bool) -> None:
        way = technology.lines[line]
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
        voltage = write_voltage(technology, int(operation == "write_1"))
        return voltage if drive == "+write" else -voltage
    return 0.0


class _Network:
    """Nodal analysis: lines and inner nodes, conductances between them, the junction iterated."""

    def __init__(
        self,
        technology: Technology,
        cells: np.ndarray,
        drives: dict[tuple[str, int], str],
        levels: dict[tuple[str, int], float],
    ) -> None:
        self.technology, self.cells, self.drives = technology, cells, drives
        self.junction: Junction = junction(technology)
        self.nodes: dict[tuple, int] = {}
        self.branches: list[tuple[Element, int, int, int, int]] = []
        for row, column in np.ndindex(*cells.shape):
            for element in technology.elements:
                first, second = (self._node(end, row, column) for end in element.between)
                self.branches.append((element, row, column, first, second))
        for key in drives:
            self.nodes.setdefault(key, len(self.nodes))
        count = len(self.nodes)
        self.fixed = np.full(count, np.nan)
        self.source = np.zeros(count)
        for key, drive in drives.items():
            if drive == "read":
                self.source[self.nodes[key]] = levels[key]
            elif drive != "float":
                self.fixed[self.nodes[key]] = levels[key]

    def _node(self, end: str, row: int, column: int) -> int:
        way = self.technology.lines.get(end)
        key = (end, row, column) if way is None else (end, row if way == "row" else column)
        return self.nodes.setdefault(key, len(self.nodes))

    def solve(self) -> Biasing:
        voltages = np.nan_to_num(self.fixed)
        for _ in range(_ITERATIONS):
            conductances = self._conductances(voltages)
            new = self._voltages(conductances)
            done = np.max(np.abs(new - voltages)) <= _SETTLED * max(1e-3, float(np.max(np.abs(new))))
            # Half steps keep the junction, whose conductance grows with its voltage, from swinging.
            voltages = new if done else 0.5 * (voltages + new)
            if done:
                break
        else:
            raise ArithmeticError("the network of bit cells does not settle")
        return Biasing(
            drives=self.drives,
            voltages={key: float(voltages[self.nodes[key]]) for key in self.drives},
            currents={
                (element.name, row, column): float(g * (voltages[first] - voltages[second]))
                for g, (element, row, column, first, second) in zip(conductances, self.branches, strict=True)
            },
        )

    def _conductances(self, voltages: np.ndarray) -> np.ndarray:
        technology = self.technology
        values = np.empty(len(self.branches))
        for index, (element, row, column, first, second) in enumerate(self.branches):
            if element.kind == "mtj":
                over = float(voltages[first] - voltages[second])
                ohms = float(resistance(self.junction, bool(self.cells[row, column]), over))
            elif element.kind == "half_heavy_metal":
                ohms = heavy_metal_resistance(technology) / 2
            else:
                way = technology.lines[element.gate]
                on = self.drives[element.gate, row if way == "row" else column] == "vdd"
                ohms = technology[element.resistance if on else "access.off_resistance"]
            values[index] = 1 / ohms
        return values

    def _voltages(self, conductances: np.ndarray) -> np.ndarray:
        count = len(self.nodes)
        matrix = np.zeros((count, count))
        for g, (_, _, _, first, second) in zip(conductances, self.branches, strict=True):
            matrix[first, first] += g
            matrix[second, second] += g
            matrix[first, second] -= g
            matrix[second, first] -= g
        known = ~np.isnan(self.fixed)
        # A line without any element (a gate line) is a node without conductance, and always fixed.
        voltages = self.fixed.copy()
        free = ~known
        right = self.source[free] - matrix[np.ix_(free, known)] @ voltages[known]
        voltages[free] = np.linalg.solve(matrix[np.ix_(free, free)], right)
        return voltages
