"""Operations on all columns of an array at once, with its wires: margins, write currents, rise of the ground."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .bit_cell import Access, bias
from .sensing import Decision, contents
from .technology import Technology


@dataclass(frozen=True, kw_only=True)
class RowSense:
    """A decision in every column of an array.

    Parameters
    ----------
    decision : Decision
    reference_v : float
        Midway between the two levels, in the middle of the array.
    margin_v : float
        Least distance of the reference from a lowest 1 above it, or a highest 0 below, wherever the cells are.
    rise_v : float
        Of the lines that are grounded, where it is largest.
    """

    decision: Decision
    reference_v: float
    margin_v: float
    rise_v: float


@dataclass(frozen=True, kw_only=True)
class RowWrite:
    """A write of one bit into every column of a row, over the other one.

    Parameters
    ----------
    bit, row : int
    least_a, most_a : float
        Currents that write, of the row's cells.
    rise_v : float
        Of the lines that are grounded, where it is largest.
    leakage_a : float
        Through the cells of the other rows, all together.
    """

    bit: int
    row: int
    least_a: float
    most_a: float
    rise_v: float
    leakage_a: float


def row_shape(technology: Technology) -> tuple[int, int]:
    """Rows and columns of an array."""
    return int(technology["bit_line.cells"]), int(technology["word_line.cells"])


def row_levels(
    technology: Technology, rows: tuple[int, ...], ones: int, shape: tuple[int, int] | None = None
) -> tuple[np.ndarray, float]:
    """Voltages of all bit lines, shape (columns,), with `ones` of the sensed cells of each anti-parallel.

    The nearer cells are the anti-parallel ones. All other cells are parallel.

    Returns
    -------
    ndarray of shape (columns,), float
        And the rise of grounded lines where it is largest, in V.
    """
    shape = shape or row_shape(technology)
    cells = np.zeros(shape, dtype=bool)
    cells[list(rows)] = contents(len(rows), ones)[:, np.newaxis]
    access = Access(operation="read", rows=rows, columns=tuple(range(shape[1])))
    solved = bias(technology, (access,), cells)
    line = next(line for line, drive in technology.operations["read"].selected.items() if drive == "read")
    levels = np.array([solved.voltages[line, column] for column in range(shape[1])])
    return levels, _rise(technology, "read", solved.lines)


def sense_row(technology: Technology, decision: Decision, shape: tuple[int, int] | None = None) -> RowSense:
    """Margin of a decision in all columns at once, of cells at both ends of the bit lines and in their middle.

    Parameters
    ----------
    technology : Technology
    decision : Decision
    shape : tuple of int, optional
        Rows and columns; those of the technology's lines if not given.
    """
    rows = (shape or row_shape(technology))[0]
    count = decision.cells
    middle, *ends = (tuple(range(first, first + count)) for first in ((rows - count) // 2, 0, rows - count))
    found = {
        (place, ones): row_levels(technology, place, ones, shape)
        for place in (middle, *ends)
        for ones in (decision.threshold - 1, decision.threshold)
    }
    reference = float(np.mean([np.median(found[middle, decision.threshold - i][0]) for i in (0, 1)]))
    ways = [1 if ones == decision.threshold else -1 for _, ones in found]
    return RowSense(
        decision=decision,
        reference_v=reference,
        margin_v=min(
            float(np.min(way * (levels - reference)))
            for way, (levels, _) in zip(ways, found.values(), strict=True)
        ),
        rise_v=max(rise for _, rise in found.values()),
    )


def write_row(technology: Technology, bit: int, row: int, shape: tuple[int, int] | None = None) -> RowWrite:
    """Write `bit` into every column of a row.

    Parameters
    ----------
    technology : Technology
    bit, row : int
    shape : tuple of int, optional
        Rows and columns; those of the technology's lines if not given.
    """
    shape = shape or row_shape(technology)
    cells = np.full(shape, bit == 0)
    operation = f"write_{bit}"
    access = Access(operation=operation, rows=(row,), columns=tuple(range(shape[1])))
    solved = bias(technology, (access,), cells)
    kind = "mtj" if technology.torque == "spin_transfer" else "half_heavy_metal"
    element = technology.element(kind).name
    written = np.abs(solved.currents[element][row])
    others = np.delete(np.abs(solved.currents[element]), row, axis=0)
    return RowWrite(
        bit=bit,
        row=row,
        least_a=float(written.min()),
        most_a=float(written.max()),
        rise_v=_rise(technology, operation, solved.lines),
        leakage_a=float(others.sum()),
    )


def _rise(technology: Technology, operation: str, lines: Mapping[str, np.ndarray]) -> float:
    grounded = [
        line
        for line, drive in technology.operations[operation].selected.items()
        if drive == "0" and line in lines
    ]
    needed = {
        end
        for element in technology.elements
        if element.name in technology.operations[operation].conducts
        for end in element.between
    }
    return max(float(np.abs(lines[line]).max()) for line in grounded if line in needed)
