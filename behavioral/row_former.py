"""Golden model of the way in: the walk over a feature map, the rows that are formed of it, and their sums."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.descriptor import Descriptor


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


def walk_rows(descriptor: Descriptor) -> Iterator[RowRequest]:
    """Rows of a layer in the order in which they are formed, group by group in each row set.

    Parameters
    ----------
    descriptor : Descriptor
        Of a layer.

    Yields
    ------
    RowRequest
    """
    d = descriptor
    for region_row in range(d["region_rows"] + 1):
        lines = _new_lines(d, region_row)
        for region_column in range(d["region_columns"] + 1):
            columns = _new_columns(d, region_column)
            units = [(u, v) for u in columns for v in lines]
            for u, v in units:
                for plane_group in range(d["plane_groups"] + 1):
                    for piece in range(d["pieces"] + 1):
                        last = plane_group == d["plane_groups"] and piece == d["pieces"]
                        for group in range(1 << d["log_groups"]):
                            gy, gx = divmod(group, 1 << d["log_groups_x"])
                            planes_x = 0 if d["in_bytes"] else plane_group * d["plane_group_bits"]
                            yield RowRequest(
                                row=d["input_row"]
                                + v % (d["ring_lines"] + 1) * d["line_rows"]
                                + plane_group * d["group_rows"]
                                + u * (d["pieces"] + 1)
                                + piece,
                                y=d["start_y"] + v + gy * d["group_y_lines"],
                                x=d["start_x"]
                                + u * d["unit_bits"]
                                + gx * d["group_x_bits"]
                                + planes_x
                                + piece * d["piece_bits"],
                                plane_group=plane_group,
                                last_piece=piece == d["pieces"],
                                group=group,
                                last_of_region=last and (u, v) == units[-1],
                            )


def _new_lines(d: Descriptor, region_row: int) -> range:
    if region_row == 0:
        return range(d["first_lines"])
    start = d["first_lines"] + (region_row - 1) * (d["next_lines"] + d["line_skip"]) + d["line_skip"]
    return range(start, start + d["next_lines"])


def _new_columns(d: Descriptor, region_column: int) -> range:
    if region_column == 0:
        return range(d["first_columns"])
    start = d["first_columns"] + (region_column - 1) * d["next_columns"]
    return range(start, start + d["next_columns"])


def elements_inside(descriptor: Descriptor, request: RowRequest) -> NDArray[np.bool_]:
    """Which elements of a row lie in the map; the bank is read if one does.

    Returns
    -------
    ndarray of shape (elements,), bool
    """
    d = descriptor
    length = d["last_length" if request.last_piece else "length"] + 1
    first_bits = request.x + 8 * np.arange(length) * d["in_bytes"]
    return (first_bits >= 0) & (first_bits < d["in_valid_bits"]) & (0 <= request.y < d["in_height"])


def bits_needed(descriptor: Descriptor, request: RowRequest, columns: int) -> int:
    """Bits of the image bank, from its first one on, that have to exist for a row; 0 if it is not read.

    Bytes count as a whole, and planes that do not exist are not needed.
    """
    d = descriptor
    inside = np.flatnonzero(elements_inside(d, request))
    if not len(inside):
        return 0
    address = d["in_base"] + request.y * d["in_line_bits"] + request.x
    if d["in_bytes"]:
        return address + 8 * (int(inside[-1]) + 1)
    block_planes = 1 << d["log_planes"]
    planes = max(1, min(block_planes, d["in_planes"] + 1 - request.plane_group * block_planes))
    return address + (planes - 1) * (columns >> d["log_slots"] + d["log_planes"]) + len(inside)


def form_row(
    image_bits: NDArray[np.uint8], descriptor: Descriptor, request: RowRequest, columns: int
) -> tuple[NDArray[np.uint8], int]:
    """Form a row.

    Parameters
    ----------
    image_bits : ndarray of shape (bits,), uint8
        The image bank.
    descriptor : Descriptor
        Of a layer.
    request : RowRequest
    columns : int
        Bits of a row, W.

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
    d = descriptor
    if bits_needed(d, request, columns) > len(image_bits):
        raise IndexError(f"a row needs {bits_needed(d, request, columns)} bits of {len(image_bits)}")
    inside = elements_inside(d, request)
    address = d["in_base"] + request.y * d["in_line_bits"] + request.x
    block_planes = 1 << d["log_planes"]
    block_columns = columns >> d["log_slots"] + d["log_planes"]
    element = np.arange(len(inside))
    slot = np.zeros((block_planes, block_columns), dtype=np.uint8)
    for block in range(block_planes):
        plane = request.plane_group * block_planes + block
        if plane > d["in_planes"]:
            continue
        place = 8 * element + plane if d["in_bytes"] else block * block_columns + element
        slot[block, : len(inside)] = d["pad_code"] >> plane & 1
        slot[block, : len(inside)][inside] = image_bits[(address + place)[inside]]
    row_sum = sum(int(bits.sum()) << block for block, bits in enumerate(slot))
    return np.tile(slot.ravel(), 1 << d["log_slots"]), row_sum


def form_row_sets(
    image_bits: NDArray[np.uint8], descriptor: Descriptor, columns: int, row_buses: int
) -> Iterator[RowSet]:
    """Row sets of a layer in the order in which they are written.

    Bus b carries the row of group b div (`row_buses` / groups).

    Raises
    ------
    IndexError
        If an element of the map lies beyond the bank.
    """
    groups = 1 << descriptor["log_groups"]
    rows: list[NDArray[np.uint8]] = []
    sums: list[int] = []
    for request in walk_rows(descriptor):
        bits, row_sum = form_row(image_bits, descriptor, request, columns)
        rows.append(bits)
        sums.append(row_sum)
        if request.group == groups - 1:
            repeats = row_buses // groups
            yield RowSet(
                row=request.row,
                bits=np.repeat(np.stack(rows), repeats, axis=0),
                sums=[row_sum for row_sum in sums for _ in range(repeats)],
                last=request.last_of_region,
            )
            rows, sums = [], []
