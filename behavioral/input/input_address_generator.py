"""Golden model of the input address generator: the order of a feature map's rows, and where each goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.passes import Pass

Integers = NDArray[np.int64]


class RowRequest(NamedTuple):
    """A row of one cluster: where it goes and where it is in the map."""

    #: Array row.
    row: int
    #: Line Y of the map.
    y: int
    #: Bit of the line with which the row begins.
    x: int
    plane_group: int
    #: Whether it is the last piece of its unit, of `last_length`.
    last_piece: bool
    cluster: int
    #: Number of the plane in its plane group that is formed, with `spread`; else 0, and all are.
    plane: int
    #: Whether it belongs to the last row set of its region.
    last_of_region: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class InputAddressGenerator:
    """Row sets of a pass in the order in which they are written.

    Parameters
    ----------
    line, column, plane_group, piece : ndarray of shape (row sets,), int64
        v, u, pg and piece of each.
    row : ndarray of shape (row sets,), int64
        Array row that it is written to, whether the array has it or not.
    region_sets : ndarray of shape (regions + 1,), int64
        First row set of each region; the last entry is the number of all.
    """

    line: Integers
    column: Integers
    plane_group: Integers
    piece: Integers
    row: Integers
    region_sets: Integers

    @classmethod
    def of(cls, layer_pass: Pass) -> "InputAddressGenerator":
        """The walk of a pass."""
        p = layer_pass
        every_column = np.arange(p.first_columns + (p.region_columns - 1) * p.next_columns)
        columns = np.split(every_column, p.first_columns + np.arange(p.region_columns - 1) * p.next_columns)
        lines = [np.arange(p.first_lines)]
        lines += [
            p.first_lines + r * (p.line_skip + p.next_lines) + p.line_skip + np.arange(p.next_lines)
            for r in range(p.region_rows - 1)
        ]
        orders = [
            _order(u, v, np.arange(p.plane_groups), np.arange(p.pieces)) for v in lines for u in columns
        ]
        column, line, plane_group, piece = np.concatenate(orders, axis=1)
        ring_row = p.input_row + line % p.ring_lines * p.line_rows + plane_group * p.group_rows
        return cls(
            line=line,
            column=column,
            plane_group=plane_group,
            piece=piece,
            row=ring_row + column * p.pieces + piece,
            region_sets=np.cumsum([0, *(order.shape[1] for order in orders)]),
        )

    def places(self, layer_pass: Pass) -> tuple[Integers, Integers]:
        """First bits of the rows in their lines, and their lines: ndarrays of shape (clusters, row sets), int64."""
        p, cluster = layer_pass, np.arange(layer_pass.clusters)[:, np.newaxis]
        x = (
            p.start_x
            + self.column * p.unit_bits
            + cluster % p.clusters_x * p.cluster_x_bits
            + self.piece * p.piece_bits
        )
        if not p.in_bytes:
            x = x + self.plane_group * p.plane_group_bits
        return x, p.start_y + self.line + cluster // p.clusters_x * p.cluster_y_lines


def _order(*axes: Integers) -> Integers:
    """All combinations, the last axis running fastest: ndarray of shape (axes, combinations)."""
    return np.stack([index.ravel() for index in np.meshgrid(*axes, indexing="ij")])


def walk_rows(layer_pass: Pass) -> Iterator[RowRequest]:
    """Rows of a layer in the order in which they are formed, plane by plane and cluster by cluster in each row set.

    Parameters
    ----------
    layer_pass : Pass

    Yields
    ------
    RowRequest
    """
    walk = InputAddressGenerator.of(layer_pass)
    x, y = walk.places(layer_pass)
    ends = set((walk.region_sets[1:] - 1).tolist())
    for at, (row, plane_group, piece) in enumerate(
        zip(walk.row.tolist(), walk.plane_group.tolist(), walk.piece.tolist(), strict=True)
    ):
        for place in range(layer_pass.row_set_cycles):
            plane, cluster = divmod(place, layer_pass.clusters)
            yield RowRequest(
                row=row,
                y=int(y[cluster, at]),
                x=int(x[cluster, at]),
                plane_group=plane_group,
                last_piece=piece == layer_pass.pieces - 1,
                cluster=cluster,
                plane=plane,
                last_of_region=at in ends,
            )
