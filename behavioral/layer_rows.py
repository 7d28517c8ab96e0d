"""Rows of input of a layer: from bits of the image bank to what is written to the array."""

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.passes import Pass
from spinplane.machine.registers import Error

from .layer_walk import PassError, Walk

#: Bits that are gathered at a time.
_CHUNK = 1 << 21


def form_rows(
    n: Pass, walk: Walk, group: int, image: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.int64]]:
    """All row sets of a layer as one group of sub-arrays takes them.

    Parameters
    ----------
    n : Pass
    walk : Walk
    group : int
    image : ndarray of shape (bits,), uint8

    Returns
    -------
    rows : ndarray of shape (row sets, block_planes, block_columns), uint8
        What each slot holds.
    reads : ndarray of shape (row sets,), bool
        Whether the bank is read.
    used : ndarray of shape (2,), int64
        First and last bit of the bank that counts in a row; (0, −1) if there is none.

    Raises
    ------
    PassError
        ``IMAGE_BANK`` if a bit that counts lies outside of the bank.
    """
    sets = len(walk.row)
    rows = np.zeros((sets, n.planes, n.block_columns), dtype=np.uint8)
    reads = np.zeros(sets, dtype=bool)
    used = np.array([0, -1])
    step = max(1, _CHUNK // (n.planes * n.block_columns))
    for first in range(0, sets, step):
        part = slice(first, first + step)
        address, inside = element_bits(n, walk, group, part)
        reads[part] = inside.any(axis=(1, 2))
        plane = walk.plane_group[part, np.newaxis] * n.planes + np.arange(n.planes)
        exists = (plane < n.in_planes)[:, :, np.newaxis]
        seen = address[inside & exists]
        if seen.size:
            # Bytes are read as a whole, planes as far as they exist.
            low, high = int(seen.min()), int(seen.max()) + (8 - n.in_planes if n.in_bytes else 0)
            if low < 0 or high >= len(image):
                raise PassError(Error.IMAGE_BANK)
            used = np.array([low, high]) if used[1] < 0 else np.array([min(used[0], low), max(used[1], high)])
        padding = (n.pad_code >> plane & 1).astype(np.uint8)
        bits = np.where(inside, image[np.clip(address, 0, len(image) - 1)], padding[:, :, np.newaxis])
        length = np.where(walk.piece[part] == n.pieces - 1, n.last_length, n.length)[
            :, np.newaxis, np.newaxis
        ]
        rows[part, :, : bits.shape[2]] = bits & exists & (np.arange(bits.shape[2]) < length)
    return rows, reads, used


def element_bits(n: Pass, walk: Walk, group: int, part: slice) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Bit addresses of the elements of some row sets, and which lie inside of the map.

    Returns
    -------
    ndarray of shape (row sets, block_planes, elements), int64 and bool
        Elements are those of the longest row; what is beyond the length of a row is not inside.
    """
    gx, gy = group % n.groups_x, group // n.groups_x
    line = n.start_y + walk.line[part] + gy * n.group_y_lines
    first = (
        n.start_x + walk.column[part] * n.unit_bits + gx * n.group_x_bits + walk.piece[part] * n.piece_bits
    )
    element, plane = np.arange(max(n.length, n.last_length)), np.arange(n.planes)[:, np.newaxis]
    if n.in_bytes:
        begins = first[:, np.newaxis] + 8 * element
        plane_bit = walk.plane_group[part] * n.planes
        address = begins[:, np.newaxis] + plane + plane_bit[:, np.newaxis, np.newaxis]
    else:
        first = first + walk.plane_group[part] * n.plane_group_bits
        begins = np.broadcast_to(first[:, np.newaxis], (len(first), len(element)))
        address = first[:, np.newaxis, np.newaxis] + plane * n.block_columns + element
    length = np.where(walk.piece[part] == n.pieces - 1, n.last_length, n.length)
    inside = (begins >= 0) & (begins < n.in_valid_bits) & (element < length[:, np.newaxis])
    inside &= ((line >= 0) & (line < n.in_height))[:, np.newaxis]
    address = address + (n.in_base + line * n.in_line_bits)[:, np.newaxis, np.newaxis]
    return address, np.broadcast_to(inside[:, np.newaxis], address.shape)
