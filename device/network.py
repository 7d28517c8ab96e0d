"""The network of an array: cells, and lines with their wires, solved by nodal analysis."""

from collections.abc import Mapping

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, csr_matrix
from scipy.sparse.linalg import SuperLU, splu

from .mtj import heavy_metal_resistance, junction, resistance
from .technology import Technology

#: A wire between two cells has at least this resistance in Ω, so that each cell's end is a node of its own.
_LEAST_OHMS = 1e-3
_ITERATIONS = 200
#: Junctions have settled when their voltages change by less, in V.
_SETTLED = 1e-8
#: Steps of the refinement below this, in V, are rounding if they shrink no further.
_ROUNDING = 1e-6
#: Share of the last change of the junctions' voltages to which lines are solved meanwhile.
_SHARE = 1e-3
#: Factors that take more steps of refinement than this are made anew.
_STEPS = 10
#: Rounds whose steps shrink by less than this are halved.
_SHRINKS = 0.7


class Network:
    """Conductances of an array at given drives, and its solution.

    Every line at an end of an element has one node a cell and a wire between them. A row line is driven at column 0,
    a column line at row 0; a column line that a read grounds is driven at its other end, so that bit line and source
    line together are equally long for every row. A mesh is a wire along each row, joined by straps down the columns
    which are grounded at both ends. Gates carry no current and have no nodes.

    Parameters
    ----------
    technology : Technology
    cells : ndarray of shape (rows, columns), bool
        Cells in the anti-parallel state.
    drives, levels : mapping of (str, int)
        Drive of each line, and its level in V, or in A where it carries the read current.
    """

    def __init__(
        self,
        technology: Technology,
        cells: np.ndarray,
        drives: Mapping[tuple[str, int], str],
        levels: Mapping[tuple[str, int], float],
    ) -> None:
        self.technology, self.cells, self.drives, self.levels = technology, cells, drives, levels
        self.junction = junction(technology)
        self.size = cells.size
        ends = [end for element in technology.elements for end in element.between]
        self.lines = [line for line in technology.lines if line in ends]
        inner = sorted({end for end in ends if end not in technology.lines})
        self.terminals = len(self.lines)
        order = {end: index for index, end in enumerate([*self.lines, *inner])}
        self.ends = [(order[e.between[0]], order[e.between[1]]) for e in technology.elements]
        self.local_nodes = len(order)
        self.nodes = {
            line: index * self.size + np.arange(self.size).reshape(cells.shape)
            for index, line in enumerate(self.lines)
        }
        self.count = self.terminals * self.size
        self.entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.heads: dict[tuple[str, int], tuple[int, float]] = {}
        self.source: list[tuple[int, float]] = []
        for line in self.lines:
            self._wire(line)
        self._static, self.on = self._static_conductances()

    def _wire(self, line: str) -> None:
        technology, way, nodes = self.technology, self.technology.lines[line], self.nodes[line]
        if way == "mesh":
            self._mesh(nodes)
            return
        nodes = nodes if way == "row" else nodes.T
        if driven_far(technology, line):
            nodes = nodes[:, ::-1]
        ohms = wire_resistance(technology, line)
        self._join(nodes[:, :-1], nodes[:, 1:], 1 / ohms)
        for index, head in enumerate(nodes[:, 0]):
            drive, level = self.drives[line, index], self.levels[line, index]
            self.heads[line, index] = (int(head), ohms / 2)
            if drive == "read":
                self.source.append((int(head), level))
            elif drive != "float":
                self._tie(head, 2 / ohms, level)

    def _mesh(self, nodes: np.ndarray) -> None:
        technology, columns = self.technology, self.cells.shape[1]
        row, strap, via = (
            max(technology[f"mesh.{key}"], _LEAST_OHMS)
            for key in ("resistance_per_cell", "strap_resistance_per_cell", "via_resistance")
        )
        at = strap_columns(technology, columns)
        straps = self.count + np.arange(len(nodes) * len(at)).reshape(len(nodes), -1)
        self.count += straps.size
        self._join(nodes[:, :-1], nodes[:, 1:], 1 / row)
        self._join(nodes[:, at], straps, 1 / via)
        self._join(straps[:-1], straps[1:], 1 / strap)
        for end in (straps[0], straps[-1]):
            for node in end:
                self._tie(node, 2 / strap, 0.0)

    def _join(self, first: np.ndarray, second: np.ndarray, siemens: float) -> None:
        a, b = first.ravel(), second.ravel()
        g = np.full(a.size, siemens)
        self.entries += [(a, a, g), (b, b, g), (a, b, -g), (b, a, -g)]

    def _tie(self, node: int, siemens: float, volts: float) -> None:
        one = np.array([node])
        self.entries.append((one, one, np.array([siemens])))
        self.source.append((int(node), siemens * volts))

    def _static_conductances(self) -> tuple[np.ndarray, np.ndarray]:
        """Conductance of each element of each cell, junctions at 0 V, and the cells in which a transistor is on."""
        technology = self.technology
        found = np.empty((len(technology.elements), self.size))
        on = np.zeros(self.cells.shape, dtype=bool)
        for index, element in enumerate(technology.elements):
            if element.kind == "mtj":
                value = self._junctions(np.zeros(self.size))
            elif element.kind == "half_heavy_metal":
                value = np.full(self.size, 2 / heavy_metal_resistance(technology))
            else:
                gate = self._line_levels(element.gate)
                conducts = self._line_drives(element.gate) == "vdd"
                low = np.zeros(self.cells.shape)
                for end in element.between:
                    if end in self.lines:
                        low = np.minimum(low, self._line_levels(end))
                # An end below the gate opens a transistor that is off: one decade for each swing.
                decades = np.maximum(0.0, gate - low) / technology["access.source_swing"]
                ohms = technology["access.off_resistance"] / 10.0 ** np.where(conducts, 0.0, decades)
                value = (1 / np.where(conducts, technology[element.resistance], ohms)).ravel()
                on |= conducts
            found[index] = value
        return found, on.ravel()

    def _junctions(self, over: np.ndarray, of: np.ndarray | slice = slice(None)) -> np.ndarray:
        antiparallel = self.cells.ravel()[of]
        ohms = np.empty(antiparallel.shape)
        for state in (False, True):
            chosen = antiparallel == state
            ohms[chosen] = resistance(self.junction, state, over[chosen])
        return 1 / ohms

    def _line_levels(self, line: str) -> np.ndarray:
        """Level of a line at each cell, 0 where it floats or carries the read current."""
        count = self.cells.shape[0 if self.technology.lines[line] == "row" else 1]
        values = np.array([
            0.0 if self.drives.get((line, i), "0") in ("float", "read") else self.levels.get((line, i), 0.0)
            for i in range(count)
        ])  # fmt: skip
        return self._spread(line, values)

    def _line_drives(self, line: str) -> np.ndarray:
        count = self.cells.shape[0 if self.technology.lines[line] == "row" else 1]
        return self._spread(line, np.array([self.drives.get((line, i), "0") for i in range(count)]))

    def _spread(self, line: str, values: np.ndarray) -> np.ndarray:
        along = values[:, np.newaxis] if self.technology.lines[line] == "row" else values[np.newaxis, :]
        return np.broadcast_to(along, self.cells.shape)

    def solve(self) -> tuple[dict[str, np.ndarray], dict[tuple[str, int], float], dict[str, np.ndarray]]:
        """Voltages of lines at each cell, of their driven ends, and currents of elements from first to second end.

        Raises
        ------
        ArithmeticError
            If the network does not settle.
        """
        conductances, on = self._static.copy(), np.flatnonzero(self.on)
        off_admittance, off_inner = self._reduce(conductances[:, ~self.on])
        off_cells = np.flatnonzero(~self.on)
        wires = self._matrix(self.entries)
        fixed = wires + self._matrix(self._cell_entries(off_cells, off_admittance))
        diagonal = fixed.diagonal() - wires.diagonal()
        right = np.zeros(self.count)
        for node, amperes in self.source:
            right[node] += amperes
        mtj = next(i for i, element in enumerate(self.technology.elements) if element.kind == "mtj")
        voltages, over = np.zeros(self.count), np.zeros(on.size)
        share, last, factors = 1.0, np.inf, None
        for _ in range(_ITERATIONS):
            conductances[mtj, on] = self._junctions(over, on)
            admittance, inner = self._reduce(conductances[:, on])
            cells = self._matrix(self._cell_entries(on, admittance))
            factors = factors or _factors(wires + cells, diagonal)
            voltages, steps = _refine(fixed + cells, factors, right, voltages, min(last * _SHARE, 1e-3))
            if steps > _STEPS:
                factors = None
            local = self._local(voltages, on, inner)
            new = local[:, self.ends[mtj][0]] - local[:, self.ends[mtj][1]]
            change = float(np.max(np.abs(new - over), initial=0.0))
            if change <= _SETTLED:
                break
            # The junction's conductance grows with its voltage: where whole steps swing, half steps settle.
            if change > _SHRINKS * last:
                share = 0.5
            over, last = over + share * (new - over), change
        else:
            raise ArithmeticError("the network of bit cells does not settle")
        local_all = np.empty((self.size, self.local_nodes))
        local_all[on] = local
        local_all[off_cells] = self._local(voltages, off_cells, off_inner)
        return self._results(voltages, local_all, conductances)

    def _results(
        self, voltages: np.ndarray, local: np.ndarray, conductances: np.ndarray
    ) -> tuple[dict[str, np.ndarray], dict[tuple[str, int], float], dict[str, np.ndarray]]:
        lines = {line: voltages[nodes] for line, nodes in self.nodes.items()}
        heads = {}
        for key, (node, ohms) in self.heads.items():
            drive = self.drives[key]
            heads[key] = self.levels[key]
            if drive in ("read", "float"):
                heads[key] = float(voltages[node]) + (self.levels[key] * ohms if drive == "read" else 0.0)
        currents = {
            element.name: (g * (local[:, a] - local[:, b])).reshape(self.cells.shape)
            for element, g, (a, b) in zip(self.technology.elements, conductances, self.ends, strict=True)
        }
        return lines, heads, currents

    def _reduce(self, conductances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Admittances of cells between their lines, and voltages of inner nodes by those of lines."""
        full = np.zeros((conductances.shape[1], self.local_nodes, self.local_nodes))
        for g, (a, b) in zip(conductances, self.ends, strict=True):
            full[:, a, a] += g
            full[:, b, b] += g
            full[:, a, b] -= g
            full[:, b, a] -= g
        t = self.terminals
        inner = -np.linalg.solve(full[:, t:, t:], full[:, t:, :t])
        return full[:, :t, :t] + full[:, :t, t:] @ inner, inner

    def _cell_entries(
        self, cells: np.ndarray, admittance: np.ndarray
    ) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        t = self.terminals
        return [
            (a * self.size + cells, b * self.size + cells, admittance[:, a, b])
            for a in range(t)
            for b in range(t)
        ]

    def _local(self, voltages: np.ndarray, cells: np.ndarray, inner: np.ndarray) -> np.ndarray:
        """Voltages of the nodes of some cells, shape (cells, nodes): lines, then inner nodes."""
        ends = voltages[np.arange(self.terminals) * self.size + cells[:, np.newaxis]]
        return np.concatenate([ends, (inner @ ends[:, :, np.newaxis])[:, :, 0]], axis=1)

    def _matrix(self, entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> csr_matrix:
        rows, columns, values = (np.concatenate(parts) for parts in zip(*entries, strict=True))
        return coo_matrix((values, (rows, columns)), (self.count, self.count)).tocsr()


def wire_resistance(technology: Technology, line: str) -> float:
    """Resistance in Ω of a line of a row or a column between two cells."""
    group = "word_line" if technology.lines[line] == "row" else "bit_line"
    return max(technology[f"{group}.resistance_per_cell"], _LEAST_OHMS)


def driven_far(technology: Technology, line: str) -> bool:
    """Whether a column line is driven at its last row: those are that a read grounds."""
    read = technology.operations["read"]
    ends = {end for e in technology.elements if e.name in read.conducts for end in e.between}
    return technology.lines[line] == "column" and line in ends and read.selected[line] == "0"


def strap_columns(technology: Technology, columns: int) -> np.ndarray:
    """Columns of an array of so many at which straps join a mesh; one at least."""
    pitch = int(technology["mesh.strap_columns"])
    return np.arange(min(pitch, columns) // 2, columns, pitch)


def _factors(strong: csr_matrix, diagonal: np.ndarray) -> SuperLU:
    """Factors of the network without what connects lines in cells that leak, of which there are many."""
    kept = csc_matrix(strong)
    kept.setdiag(kept.diagonal() + diagonal)
    return splu(kept, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def _refine(
    matrix: csr_matrix, factors: SuperLU, right: np.ndarray, start: np.ndarray, enough: float
) -> tuple[np.ndarray, int]:
    """Solution of a network by the factors of one that is close to it, and the steps that it took."""
    voltages, last, steps = start, np.inf, 0
    while True:
        step = factors.solve(right - matrix @ voltages)
        size, steps = float(np.max(np.abs(step))), steps + 1
        voltages = voltages + step
        if size < max(enough, 0.1 * _SETTLED) or (size < _ROUNDING and size > 0.5 * last):
            return voltages, steps
        if steps > 2 and (size > 2 * last or not np.isfinite(size)):
            raise ArithmeticError("the network of bit cells does not settle")
        last = size
