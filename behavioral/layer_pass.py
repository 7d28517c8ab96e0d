"""One pass of a layer: what a descriptor of kind LAYER does to the array and to the image bank, and its events."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.activation import WINDOW_SUM_BITS
from spinplane.machine.counters import AcceleratorCounters
from spinplane.machine.passes import Pass
from spinplane.machine.registers import Error

from .accelerator_clock import pass_time
from .layer_cells import Cells
from .layer_counts import accumulate
from .layer_results import (
    Parameters,
    Places,
    codes_of,
    output_bits,
    output_span,
    places,
    pool_values,
    read_parameters,
    residual_codes,
    stored_bits,
)
from .layer_rows import element_bits, form_rows
from .layer_walk import PassError, Walk, walk, window_rows

#: Accumulators that the way out takes at a time.
_CHUNK = 1 << 20


@dataclass(kw_only=True, eq=False)
class State:
    """What an accelerator keeps between descriptors.

    Parameters
    ----------
    machine : Machine
    cells : Cells
        The array.
    row_sums : ndarray of shape (row_buses, rows), int64
    image : ndarray of shape (image_words · columns,), uint8
        One bit each.
    kernel : ndarray of shape (kernel_words, columns / 8), uint8
    parameters, thresholds : ndarray of shape (beats, results_per_cycle · 16), uint8
    """

    machine: Machine
    cells: Cells
    row_sums: NDArray[np.int64]
    image: NDArray[np.uint8]
    kernel: NDArray[np.uint8]
    parameters: NDArray[np.uint8]
    thresholds: NDArray[np.uint8]


def run_pass(state: State, layer_pass: Pass, *, load: bool) -> AcceleratorCounters:
    """Execute a layer's descriptor.

    The residual operand is read before anything is written: a map may be added to in its place.

    Parameters
    ----------
    state : State
        Is changed.
    layer_pass : Pass
    load : bool
        Whether kernels are written.

    Returns
    -------
    AcceleratorCounters
        ``cycles`` from the first one of the pass to its last write.

    Raises
    ------
    PassError
        If a row or a word does not exist; nothing is changed then.
    SpinplaneError
        If the descriptor contradicts itself, or what it writes depends on when it reads.
    ArrayError
        If a cell that nobody has written decides a sense.
    OverflowError
        If an accumulator, a window sum or a value that counts does not fit, in an array without faults.
    """
    n, machine, faults = layer_pass, state.machine, state.cells.faults
    n.check_beats()
    _check_kernels(n, machine, load)
    parameters = read_parameters(n, machine, state.parameters, state.thresholds)
    where = places(n)
    written = output_span(n, where, len(state.image))
    steps = walk(n, machine)
    _check_rows_apart(n, machine, steps)
    contents = _contents(n, machine, steps)
    formed = [form_rows(n, steps, group, state.image) for group in range(n.groups)]
    residuals = residual_codes(n, where, state.image)
    if any(first <= written[1] and written[0] <= last for _, _, (first, last) in formed):
        _refuse_reading_what_is_written(n, steps, where, len(state.image))

    if load:
        _load_kernels(n, state)
    accumulators = np.empty((n.regions, n.windows, n.groups, n.channel_beats * n.lanes), dtype=np.int64)
    window_sums = np.empty((n.regions, n.windows, n.groups), dtype=np.int64)
    for group, (rows, _, _) in enumerate(formed):
        sums = accumulate(n, steps, group, contents, rows, state.cells)
        accumulators[:, :, group] = sums.reshape(n.regions, n.windows, -1)
        window_sums[:, :, group] = _window_sums(n, state, group, contents, rows).reshape(n.regions, -1)
    accumulators = _fit(accumulators, machine.accumulator_bits, "accumulator", wraps=faults is not None)
    window_sums = _fit(window_sums, WINDOW_SUM_BITS, "window sum", wraps=faults is not None)
    _write_results(n, state, accumulators, window_sums, parameters, where, residuals)
    _keep_rows(n, state, steps, [rows for rows, _, _ in formed])

    outputs = int(where.yields.sum())
    windows = n.regions * n.windows
    taking_part = (n.rounds - 1) * n.sub_arrays + n.last_sub_arrays
    ands = windows * n.kernel_planes * n.plane_groups * n.window_rows * taking_part * n.groups
    loaded = n.load_rows * n.load_sub_arrays if load else 0
    time = pass_time(n, np.diff(steps.region_sets), loaded)
    return AcceleratorCounters(
        row_writes=(loaded + len(steps.row) * n.sub_arrays) * n.groups,
        ands=ands,
        bit_counts=ands,
        shifts=ands * n.slots,
        additions=ands * n.slots,
        cycles=time.cycles,
        stalled=time.stalled,
        image_reads=sum(int(reads.sum()) for _, reads, _ in formed)
        + outputs * n.channel_beats * n.read_residual_planes,
        image_writes=outputs * n.channel_beats * n.writes,
        kernel_reads=loaded,
        parameter_reads=n.groups * n.channel_beats * (windows + n.regions * n.read_threshold_words),
    )


def _check_kernels(n: Pass, machine: Machine, load: bool) -> None:
    last = n.kernel_row + n.rounds * n.kernel_planes * n.window_rows
    if max(last, n.kernel_row + n.load_rows if load else 0) > machine.rows:
        raise PassError(Error.ROW)
    if load and n.load_base + n.load_rows * n.load_sub_arrays > machine.kernel_words:
        raise PassError(Error.KERNEL_BANK)


def _check_rows_apart(n: Pass, machine: Machine, steps: Walk) -> None:
    """Rows of the walk are no kernel rows; what the hardware notices of that is an AND of a row with itself."""
    kernels = n.rounds * n.kernel_planes * n.window_rows
    shared = steps.row[(steps.row >= n.kernel_row) & (steps.row < n.kernel_row + kernels)]
    if shared.size:
        for region_row in range(n.region_rows):
            ahead = window_rows(n, machine, region_row) - n.kernel_row - np.arange(n.window_rows)
            if ((ahead >= 0) & (ahead < kernels) & (ahead % n.window_rows == 0)).any():
                raise PassError(Error.ROW)
        raise SpinplaneError(f"array row {shared[0]} holds input and kernels in the same pass")


def _contents(n: Pass, machine: Machine, steps: Walk) -> NDArray[np.int32]:
    """What the rows of each window hold: (windows of all regions, plane_groups, window_rows)."""
    contents = []
    for region_row in range(n.region_rows):
        rows = window_rows(n, machine, region_row)
        first = region_row * n.region_columns
        region = np.arange(first, first + n.region_columns).reshape(-1, 1, 1, 1, 1)
        contents.append(steps.contents[region, rows])
    return np.concatenate(contents).reshape(-1, n.plane_groups, n.window_rows)


def _refuse_reading_what_is_written(n: Pass, steps: Walk, where: Places, bits: int) -> None:
    """Refuse a pass whose output lies on its input."""
    seen = np.zeros(bits, dtype=bool)
    for group in range(n.groups):
        for first in range(0, len(steps.row), 1024):
            address, inside = element_bits(n, steps, group, slice(first, first + 1024))
            exists = address[inside]
            seen[exists[exists < bits]] = True
    both = output_bits(n, where)
    both = both[seen[both]]
    if both.size:
        raise SpinplaneError(f"image bit {both[0]} is input and output of the same pass")


def _load_kernels(n: Pass, state: State) -> None:
    words = state.kernel[n.load_base :][: n.load_rows * n.load_sub_arrays]
    bits = np.unpackbits(words, axis=1, bitorder="little").reshape(n.load_rows, n.load_sub_arrays, -1)
    rows = n.kernel_row + np.arange(n.load_rows)
    for group in range(n.groups):
        for member in range(n.load_sub_arrays):
            state.cells.write(group * n.group_size + member, rows, bits[:, member])


def _row_sums(n: Pass, rows: NDArray[np.uint8]) -> NDArray[np.int64]:
    return rows.sum(axis=2, dtype=np.int64) @ (np.int64(1) << np.arange(n.planes))


def _window_sums(
    n: Pass, state: State, group: int, contents: NDArray[np.int32], rows: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Sums of the rows of each window: ndarray of shape (windows,), int64."""
    bus = group * (state.machine.row_buses // n.groups)
    sums = np.concatenate([state.row_sums[bus], _row_sums(n, rows)])[contents].sum(axis=2)
    return sums @ (np.int64(1) << np.arange(n.plane_groups) * n.planes)


def _fit(numbers: NDArray[np.int64], bits: int, name: str, *, wraps: bool) -> NDArray[np.int64]:
    """Numbers of so many bits; no width is proven for wrong bits: they wrap, as in the RTL."""
    limit = 1 << (bits - 1)
    outside = (numbers < -limit) | (numbers >= limit)
    if not outside.any():
        return numbers
    if not wraps:
        raise OverflowError(f"{name} {numbers[outside][0]} does not fit in {bits} bits")
    return (numbers + limit) % (2 * limit) - limit


def _write_results(
    n: Pass,
    state: State,
    accumulators: NDArray[np.int64],
    window_sums: NDArray[np.int64],
    parameters: Parameters,
    where: Places,
    residuals: NDArray[np.int64],
) -> None:
    step = max(1, _CHUNK // (n.windows * n.groups * n.channel_beats * n.lanes))
    done = 0
    for first in range(0, n.regions, step):
        part = slice(first, first + step)
        here = Places(counts=where.counts[part], yields=where.yields[part], x=where.x[part], y=where.y[part])
        pooled = pool_values(
            n, accumulators[part], window_sums[part], parameters, here, wraps=state.cells.faults is not None
        )[here.yields]
        operand = residuals[done : done + len(pooled)] if n.residual else residuals
        done += len(pooled)
        codes = codes_of(n, pooled, operand, parameters)
        state.image[output_bits(n, here)] = stored_bits(n, codes)


def _keep_rows(n: Pass, state: State, steps: Walk, formed: list[NDArray[np.uint8]]) -> None:
    """Leave in the array what the walk has written last to each row."""
    held = steps.contents[-1]
    rows = np.flatnonzero(held >= state.machine.rows)
    last = held[rows] - state.machine.rows
    buses = state.machine.row_buses // n.groups
    for group, group_rows in enumerate(formed):
        bits = np.tile(group_rows.reshape(len(group_rows), -1)[last], n.slots)
        for member in range(n.sub_arrays):
            state.cells.write(group * n.group_size + member, rows, bits)
        state.row_sums[group * buses : (group + 1) * buses, rows] = _row_sums(n, group_rows[last])
