"""Golden model of the way in: the walk over a feature map, the rows that are formed of it, and their sums."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.passes import Pass


class RowRequest(NamedTuple):
    """A row of one group: where it goes and where it is in the map."""

    #: Array row.
    row: int
    #: Line Y of the map.
    y: int
    #: Bit of the line with which the row begins.
    x: int
    plane_group: int
    #: Whether it is the last piece of its unit, of `last_length`.
    last_piece: bool
    group: int
    #: Whether it belongs to the last row set of its region.
    last_of_region: bool


class RowSet(NamedTuple):
    """The rows of all row buses that are written at once."""

    row: int
    #: ndarray of shape (row_buses, columns), uint8.
    bits: NDArray[np.uint8]
    #: Row sum of each bus.
    sums: list[int]
    last: bool


def walk_rows(layer_pass: Pass) -> Iterator[RowRequest]:
    """Rows of a layer in the order in which they are formed, group by group in each row set.

    Parameters
    ----------
    layer_pass : Pass

    Yields
    ------
    RowRequest
    """
    last_of_unit = layer_pass.plane_groups - 1, layer_pass.pieces - 1
    for region_row in range(layer_pass.region_rows):
        lines = _new_lines(layer_pass, region_row)
        for region_column in range(layer_pass.region_columns):
            columns = _new_columns(layer_pass, region_column)
            units = [(u, v) for u in columns for v in lines]
            for u, v in units:
                for plane_group in range(layer_pass.plane_groups):
                    for piece in range(layer_pass.pieces):
                        last = (plane_group, piece) == last_of_unit and (u, v) == units[-1]
                        for group in range(layer_pass.groups):
                            gy, gx = divmod(group, layer_pass.groups_x)
                            planes_x = 0 if layer_pass.in_bytes else plane_group * layer_pass.plane_group_bits
                            yield RowRequest(
                                row=layer_pass.input_row
                                + v % layer_pass.ring_lines * layer_pass.line_rows
                                + plane_group * layer_pass.group_rows
                                + u * layer_pass.pieces
                                + piece,
                                y=layer_pass.start_y + v + gy * layer_pass.group_y_lines,
                                x=layer_pass.start_x
                                + u * layer_pass.unit_bits
                                + gx * layer_pass.group_x_bits
                                + planes_x
                                + piece * layer_pass.piece_bits,
                                plane_group=plane_group,
                                last_piece=piece == layer_pass.pieces - 1,
                                group=group,
                                last_of_region=last,
                            )


def _new_lines(layer_pass: Pass, region_row: int) -> range:
    if region_row == 0:
        return range(layer_pass.first_lines)
    start = (
        layer_pass.first_lines
        + (region_row - 1) * (layer_pass.next_lines + layer_pass.line_skip)
        + layer_pass.line_skip
    )
    return range(start, start + layer_pass.next_lines)


def _new_columns(layer_pass: Pass, region_column: int) -> range:
    if region_column == 0:
        return range(layer_pass.first_columns)
    start = layer_pass.first_columns + (region_column - 1) * layer_pass.next_columns
    return range(start, start + layer_pass.next_columns)


def elements_inside(layer_pass: Pass, request: RowRequest) -> NDArray[np.bool_]:
    """Which elements of a row lie in the map; the bank is read if one does.

    Returns
    -------
    ndarray of shape (elements,), bool
    """
    length = layer_pass.last_length if request.last_piece else layer_pass.length
    first_bits = request.x + 8 * np.arange(length) * layer_pass.in_bytes
    return (
        (first_bits >= 0) & (first_bits < layer_pass.in_valid_bits) & (0 <= request.y < layer_pass.in_height)
    )


def bits_needed(layer_pass: Pass, request: RowRequest) -> int:
    """Bits of the image bank, from its first one on, that have to exist for a row; 0 if it is not read.

    Bytes count as a whole, and planes that do not exist are not needed.
    """
    inside = np.flatnonzero(elements_inside(layer_pass, request))
    if not len(inside):
        return 0
    address = layer_pass.in_base + request.y * layer_pass.in_line_bits + request.x
    if layer_pass.in_bytes:
        return address + 8 * (int(inside[-1]) + 1)
    left = layer_pass.in_planes - request.plane_group * layer_pass.planes
    planes = max(1, min(layer_pass.planes, left))
    return address + (planes - 1) * layer_pass.block_columns + len(inside)


def form_row(
    image_bits: NDArray[np.uint8], layer_pass: Pass, request: RowRequest
) -> tuple[NDArray[np.uint8], int]:
    """Form a row.

    Parameters
    ----------
    image_bits : ndarray of shape (bits,), uint8
        The image bank.
    layer_pass : Pass
    request : RowRequest

    Returns
    -------
    bits : ndarray of shape (columns,), uint8
    row_sum : int
        Count of slot 0, planes weighted.

    Raises
    ------
    IndexError
        If an element of the map lies beyond the bank.
    """
    if bits_needed(layer_pass, request) > len(image_bits):
        raise IndexError(f"a row needs {bits_needed(layer_pass, request)} bits of {len(image_bits)}")
    inside = elements_inside(layer_pass, request)
    address = layer_pass.in_base + request.y * layer_pass.in_line_bits + request.x
    block_columns = layer_pass.block_columns
    element = np.arange(len(inside))
    slot = np.zeros((layer_pass.planes, block_columns), dtype=np.uint8)
    for block in range(layer_pass.planes):
        plane = request.plane_group * layer_pass.planes + block
        if plane >= layer_pass.in_planes:
            continue
        place = 8 * element + plane if layer_pass.in_bytes else block * block_columns + element
        slot[block, : len(inside)] = layer_pass.pad_code >> plane & 1
        slot[block, : len(inside)][inside] = image_bits[(address + place)[inside]]
    row_sum = sum(int(bits.sum()) << block for block, bits in enumerate(slot))
    return np.tile(slot.ravel(), layer_pass.slots), row_sum


def form_row_sets(image_bits: NDArray[np.uint8], layer_pass: Pass) -> Iterator[RowSet]:
    """Row sets of a layer in the order in which they are written.

    Bus b carries the row of group b div (row buses / groups).

    Raises
    ------
    IndexError
        If an element of the map lies beyond the bank.
    """
    rows: list[NDArray[np.uint8]] = []
    sums: list[int] = []
    for request in walk_rows(layer_pass):
        bits, row_sum = form_row(image_bits, layer_pass, request)
        rows.append(bits)
        sums.append(row_sum)
        if len(rows) == layer_pass.groups:
            repeats = layer_pass.machine.row_buses // layer_pass.groups
            yield RowSet(
                row=request.row,
                bits=np.repeat(np.stack(rows), repeats, axis=0),
                sums=[row_sum for row_sum in sums for _ in range(repeats)],
                last=request.last_of_region,
            )
            rows, sums = [], []
