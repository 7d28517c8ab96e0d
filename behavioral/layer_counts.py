"""Accumulators of a layer's windows: every AND and count of a window as one product of matrices, faults included.

A sense amplifier that shows 1 from t cells on shows t = 0: 1, t = 1: a + b − ab, t = 2: ab, t = 3: 0. Each is affine
in the input bit a, so the sum over planes and rows of a window is a matrix product and a constant. Where every cell
has a conductance of its own, `layer_variation` takes the place of this.
"""

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.passes import Pass

from .array import ArrayError
from .layer_cells import Cells
from .layer_variation import varied_sums
from .layer_walk import Walk

#: Elements of a matrix of windows at a time.
_CHUNK = 1 << 23
_EXACT = {np.float32: 1 << 24, np.float64: 1 << 53}


def accumulate(
    n: Pass,
    walk: Walk,
    group: int,
    contents: NDArray[np.int32],
    formed: NDArray[np.uint8],
    cells: Cells,
) -> NDArray[np.int64]:
    """Accumulators of one group, whatever their width.

    Parameters
    ----------
    n : Pass
    walk : Walk
    group : int
    contents : ndarray of shape (windows, plane_groups, window_rows), int32
        What the rows of each window hold, in the numbers of `Walk.contents`.
    formed : ndarray of shape (row sets, block_planes, block_columns), uint8
    cells : Cells
        Before the walk, kernels loaded.

    Returns
    -------
    ndarray of shape (windows, channels), int64
        Channel (j · beats) · lanes + i · slots + s of sub-array i, slot s in round j.

    Raises
    ------
    ArrayError
        If a cell that nobody has written decides a sense, or a row is sensed with itself.
    """
    rows = cells.bits.shape[1]
    kernel_rows = n.kernel_row + np.arange(n.rounds * n.kernel_planes * n.window_rows).reshape(
        n.rounds, n.kernel_planes, n.window_rows
    )
    taking_part = max(n.last_sub_arrays, n.sub_arrays if n.rounds > 1 else 0)
    first = group * n.group_size
    members = range(first, first + taking_part)
    results = np.zeros((len(contents), n.rounds, taking_part, n.slots), dtype=np.int64)
    shared = (
        cells.faults is None
        and contents.min() >= rows
        and taking_part <= n.sub_arrays
        and bool(cells.written[first : first + taking_part][:, kernel_rows].all())
    )
    if shared:
        kernels = np.stack([_kernels(n, cells, member, kernel_rows) for member in members], axis=-2)
        weights = kernels.reshape(n.window_rows * n.planes * n.block_columns, -1)
        sums = _product(n, contents - rows, formed.reshape(len(formed), -1), weights)
        results[:] = sums.reshape(results.shape)
    else:
        for index, member in enumerate(members):
            table, known = _table(n, walk, formed, cells, member, written=index < n.sub_arrays)
            taken = kernel_rows if index < n.last_sub_arrays else kernel_rows[:-1]
            row_of = np.concatenate([np.arange(rows), walk.row])
            _refuse_unknown(contents, table, known, row_of, cells, member, taken)
            if cells.faults is not None and cells.faults.variation is not None:
                results[:, :, index] = varied_sums(n, contents, table, row_of, cells, member, kernel_rows)
                continue
            kernels = _kernels(n, cells, member, kernel_rows)
            constants = _constants(n, cells, member, kernel_rows)
            for slot in range(n.slots):
                weights = kernels[..., slot].reshape(-1, n.rounds)
                part = slice(
                    slot * weights.shape[0] // n.window_rows, (slot + 1) * weights.shape[0] // n.window_rows
                )
                sums = _product(n, contents, table[:, part], weights)
                results[:, :, index, slot] = sums + constants[:, slot]
    return _in_beats(n, results)


def _in_beats(n: Pass, results: NDArray[np.int64]) -> NDArray[np.int64]:
    """Results (windows, rounds, sub-arrays, slots) where they stand in the beats of all rounds."""
    channels = np.zeros((len(results), n.channel_beats * n.lanes), dtype=np.int64)
    for j in range(n.rounds):
        sub_arrays = n.last_sub_arrays if j == n.rounds - 1 else n.sub_arrays
        values = results[:, j, :sub_arrays].reshape(len(results), -1)
        start = j * n.beats * n.lanes
        channels[:, start : start + values.shape[1]] = values
    return channels


def _table(
    n: Pass,
    walk: Walk,
    formed: NDArray[np.uint8],
    cells: Cells,
    member: int,
    *,
    written: bool,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Whole rows of a sub-array by the numbers of `Walk.contents`, and whether they have been written."""
    bits, known = cells.bits[member], cells.written[member]
    if not written:
        return np.concatenate([bits, bits[walk.row]]), np.concatenate([known, known[walk.row]])
    new = cells.stick(member, walk.row, np.tile(formed.reshape(len(formed), -1), n.slots))
    return np.concatenate([bits, new]), np.concatenate([known, np.ones(len(new), dtype=bool)])


def _plane_weights(n: Pass) -> NDArray[np.int64]:
    return np.int64(1) << np.arange(n.planes)


def _senses(cells: Cells, member: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Constant, factor of a and of b, factor of ab of what each column shows."""
    thresholds = cells.thresholds(member)
    one = (thresholds == 1).astype(np.int64)
    return (thresholds == 0).astype(np.int64), one, (thresholds == 2).astype(np.int64) - one


def _codes(n: Pass, cells: Cells, member: int, kernel_rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Kernel codes of a sub-array: ndarray of shape (rounds, window_rows, columns), int64."""
    planes = np.int64(1) << np.arange(n.kernel_planes)
    codes = np.zeros((n.rounds, n.window_rows, cells.bits.shape[2]), dtype=np.int64)
    for plane, weight in enumerate(planes):
        codes += cells.bits[member][kernel_rows[:, plane]] * weight
    return codes


def _kernels(n: Pass, cells: Cells, member: int, kernel_rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """What an input bit counts: ndarray of shape (window_rows, block_planes, block_columns, rounds, slots), int64."""
    _, alone, both = _senses(cells, member)
    factors = both * _codes(n, cells, member, kernel_rows) + alone * ((1 << n.kernel_planes) - 1)
    blocks = factors.reshape(n.rounds, n.window_rows, n.slots, n.planes, n.block_columns)
    return (blocks * _plane_weights(n)[:, np.newaxis]).transpose(1, 3, 4, 0, 2)


def _constants(n: Pass, cells: Cells, member: int, kernel_rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """What a window counts without any input bit: ndarray of shape (rounds, slots), int64."""
    always, alone, _ = _senses(cells, member)
    sensed = alone * _codes(n, cells, member, kernel_rows) + always * ((1 << n.kernel_planes) - 1)
    blocks = sensed.reshape(n.rounds, n.window_rows, n.slots, n.planes, n.block_columns)
    window = np.einsum("jtspc,p->js", blocks, _plane_weights(n))
    return window * sum(1 << (pg * n.planes) for pg in range(n.plane_groups))


def _product(
    n: Pass, contents: NDArray[np.int32], table: NDArray[np.uint8], weights: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Exact sums over the rows of each window: ndarray of shape (windows, weights.shape[1]), int64."""
    planes = [1 << (pg * n.planes) for pg in range(n.plane_groups)]
    largest = int(np.abs(weights).sum(axis=0).max(initial=0)) * sum(planes)
    dtype = next((dtype for dtype, limit in _EXACT.items() if largest < limit), None)
    if dtype is None:
        raise OverflowError(f"sums of a window up to {largest} are too large for an exact product")
    factors, inputs = weights.astype(dtype), table.astype(dtype)
    sums = np.empty((len(contents), weights.shape[1]), dtype=np.int64)
    step = max(1, _CHUNK // len(weights))
    for start in range(0, len(contents), step):
        part = contents[start : start + step]
        seen = inputs[part[:, 0]]
        for pg in range(1, n.plane_groups):
            seen += inputs[part[:, pg]] * dtype(planes[pg])
        sums[start : start + step] = seen.reshape(len(part), -1) @ factors
    return sums


def _refuse_unknown(
    contents: NDArray[np.int32],
    table: NDArray[np.uint8],
    known: NDArray[np.bool_],
    row_of: NDArray[np.int64],
    cells: Cells,
    member: int,
    kernel_rows: NDArray[np.int64],
) -> None:
    """Refuse cells that nobody has written where they would decide, and a row that meets itself."""
    rows = cells.bits.shape[1]
    kernel_known = cells.written[member][kernel_rows]
    doubtful = ~kernel_known.all(axis=(0, 1)) | (contents < rows).any(axis=(0, 1))
    doubtful |= ~known[contents].all(axis=(0, 1))
    for t in np.flatnonzero(doubtful):
        inputs = np.unique(contents[:, :, t])
        for row in kernel_rows[:, :, t].ravel():
            if row in inputs:
                raise ArrayError(f"EN_AND senses two different rows, not row {row} alone")
            kernel, pairs = cells.bits[member, row], np.full(len(inputs), row)
            could_be = kernel | (0 if cells.written[member, row] else 1)
            sensed = cells.sense(member, table[inputs], row_of[inputs], kernel, pairs)
            unknown = table[inputs] | ~known[inputs, np.newaxis]
            decides = cells.sense(member, unknown, row_of[inputs], could_be, pairs) & ~sensed
            if decides.any():
                at, column = np.argwhere(decides)[0]
                raise ArrayError(
                    f"EN_AND senses an unknown cell: sub-array {member}, kernel row {row} and "
                    f"{_name(inputs[at], rows)}, column {column} was never written"
                )


def _name(content: int, rows: int) -> str:
    return f"row {content}" if content < rows else f"row set {content - rows}"
