"""A layer's walk: which row is written when, and which row each window meets where."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine
from spinplane.machine.passes import Pass
from spinplane.machine.registers import Error


class PassError(Exception):
    """What ends a program: a code of `spinplane.machine.registers.Error`."""

    def __init__(self, code: Error) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, kw_only=True, eq=False)
class Walk:
    """Rows of input in the order in which they are written, and the rows that windows meet.

    Parameters
    ----------
    line, column, plane_group, piece : ndarray of shape (row sets,), int64
        v, u, pg and piece of each.
    row : ndarray of shape (row sets,), int64
        Array row that it is written to.
    region_sets : ndarray of shape (regions + 1,), int64
        First row set of each region; the last entry is the number of all.
    contents : ndarray of shape (regions, rows), int32
        What each array row holds when a region's windows are sensed: `rows` + number of the row set, or the array
        row itself where the layer has not written it yet.
    """

    line: NDArray[np.int64]
    column: NDArray[np.int64]
    plane_group: NDArray[np.int64]
    piece: NDArray[np.int64]
    row: NDArray[np.int64]
    region_sets: NDArray[np.int64]
    contents: NDArray[np.int32]


def walk(n: Pass, machine: Machine) -> Walk:
    """Walk over the regions of a layer.

    Raises
    ------
    PassError
        ``ROW`` if a row set has an array row that does not exist.
    """
    columns = [np.arange(n.first_columns)]
    columns += [
        n.first_columns + k * n.next_columns + np.arange(n.next_columns) for k in range(n.region_columns - 1)
    ]
    lines = [np.arange(n.first_lines)]
    lines += [
        n.first_lines + (r + 1) * n.line_skip + r * n.next_lines + np.arange(n.next_lines)
        for r in range(n.region_rows - 1)
    ]
    orders = [_order(u, v, np.arange(n.plane_groups), np.arange(n.pieces)) for v in lines for u in columns]
    column, line, plane_group, piece = np.concatenate(orders, axis=1)
    row = (
        n.input_row
        + line % n.ring_lines * n.line_rows
        + plane_group * n.group_rows
        + column * n.pieces
        + piece
    )
    if row.size and row.max() >= machine.rows:
        raise PassError(Error.ROW)
    region_sets = np.cumsum([0, *(order.shape[1] for order in orders)])
    contents = np.empty((n.regions, machine.rows), dtype=np.int32)
    current = np.arange(machine.rows, dtype=np.int32)
    for region, (first, end) in enumerate(pairwise(region_sets.tolist())):
        current[row[first:end]] = np.arange(machine.rows + first, machine.rows + end)
        contents[region] = current
    return Walk(
        line=line,
        column=column,
        plane_group=plane_group,
        piece=piece,
        row=row,
        region_sets=region_sets,
        contents=contents,
    )


def _order(*axes: NDArray[np.int64]) -> NDArray[np.int64]:
    """All combinations, the last axis running fastest: ndarray of shape (axes, combinations)."""
    return np.stack([index.ravel() for index in np.meshgrid(*axes, indexing="ij")])


def window_rows(n: Pass, machine: Machine, region_row: int) -> NDArray[np.int64]:
    """Array rows that the windows of one row of regions sense.

    Returns
    -------
    ndarray of shape (region_columns, region_height, region_width, plane_groups, window_rows), int64

    Raises
    ------
    PassError
        ``ROW`` if there is no such row.
    """
    ry, ty = np.arange(n.region_height), np.arange(n.taps_y)
    lines = region_row * n.region_lines + ry[:, np.newaxis] * n.window_lines + ty * n.tap_lines
    first = lines % n.ring_lines * n.line_rows
    region, rx, run, row = np.ix_(
        np.arange(n.region_columns), np.arange(n.region_width), np.arange(n.runs), np.arange(n.run_rows)
    )
    columns = region * n.region_step + rx * n.window_step + run * n.run_step + row
    group = np.arange(n.plane_groups) * n.group_rows
    # Axes: region, ry, rx, plane group, ty, run, row.
    rows = (
        n.input_row
        + first[np.newaxis, :, np.newaxis, np.newaxis, :, np.newaxis, np.newaxis]
        + columns[:, np.newaxis, :, np.newaxis, np.newaxis]
        + group[:, np.newaxis, np.newaxis, np.newaxis]
    )
    if rows.max() >= machine.rows:
        raise PassError(Error.ROW)
    return rows.reshape(*rows.shape[:4], n.window_rows)
