"""Accumulators of a layer's windows where every cell has its own conductance: a product for each pair of rows."""

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.passes import Pass

from .layer_cells import Cells


def varied_sums(
    n: Pass,
    contents: NDArray[np.int32],
    table: NDArray[np.uint8],
    row_of: NDArray[np.int64],
    cells: Cells,
    member: int,
    kernel_rows: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Accumulators of one sub-array.

    What a column shows of a pair of rows depends on their cells and on the bits in them, but the kernel's bits are
    the same in all windows: it is c + d·a for an input bit a.

    Parameters
    ----------
    n : Pass
    contents : ndarray of shape (windows, plane_groups, window_rows), int32
    table : ndarray of shape (contents, columns), uint8
        Bits of each content.
    row_of : ndarray of shape (contents,), int64
        Array row of each content.
    cells : Cells
    member : int
        The sub-array.
    kernel_rows : ndarray of shape (rounds, kernel_planes, window_rows), int64

    Returns
    -------
    ndarray of shape (windows, rounds, slots), int64
    """
    sums = np.zeros((len(contents), n.rounds, n.slots), dtype=np.int64)
    rows = row_of[contents]
    for t in range(n.window_rows):
        for row in np.unique(rows[:, :, t]):
            constants, factors = _senses(n, cells, member, int(row), kernel_rows[:, :, t])
            for pg in range(n.plane_groups):
                windows = np.flatnonzero(rows[:, pg, t] == row)
                bits = table[contents[windows, pg, t]].reshape(
                    len(windows), n.slots, n.planes * n.block_columns
                )
                # Slot by slot; exact, as a count is below 2^24.
                counts = np.matmul(bits.transpose(1, 0, 2).astype(np.float32), factors).transpose(1, 2, 0)
                sums[windows] += (counts.astype(np.int64) + constants) << (pg * n.planes)
    return sums


def _senses(
    n: Pass, cells: Cells, member: int, row: int, kernel_rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Counts of a row without ones, (rounds, slots), and what each one adds, (slots, columns of a slot, rounds)."""
    pairs = kernel_rows.ravel()
    kernel = cells.bits[member, pairs]
    without = cells.sense(member, np.zeros_like(kernel), np.full(len(pairs), row), kernel, pairs)
    with_ones = cells.sense(member, np.ones_like(kernel), np.full(len(pairs), row), kernel, pairs)
    shape = (n.rounds, n.kernel_planes, n.slots, n.planes, n.block_columns)
    planes = np.int64(1) << np.arange(n.kernel_planes)
    blocks = (np.int64(1) << np.arange(n.planes))[:, np.newaxis]
    base, ones = (
        np.einsum("jn...,n->j...", sensed.reshape(shape).astype(np.int64), planes) * blocks
        for sensed in (without, with_ones)
    )
    factors = (ones - base).reshape(n.rounds, n.slots, -1).transpose(1, 2, 0)
    return base.sum(axis=(-2, -1)), factors.astype(np.float32)
