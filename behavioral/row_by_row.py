"""Windows of a pass row by row, in the array: where rows, cells or faults are not those that the pass alone decides."""

import numpy as np
from numpy.typing import NDArray

from .array.bit_counter import count_bits
from .array.pair_factors import of_channels
from .array.shifter import shift_left
from .array.sot_mram_array import ArrayError, UnknownCellError
from .schedule import Schedule
from .state import AcceleratorState, write_row_sets
from .transient_events import TransientEvents

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]


class RowByRow:
    """Windows that meet rows which the pass has not written, kernels with unknown cells, or transient faults.

    Parameters
    ----------
    schedule : Schedule
    state : AcceleratorState
        Its array is written to.
    events : TransientEvents, optional
        Whose faults alone are met: other windows are left out.
    """

    def __init__(
        self, schedule: Schedule, state: AcceleratorState, events: TransientEvents | None = None
    ) -> None:
        self._schedule, self._pass, self._events = schedule, schedule.layer_pass, events
        self._array, self._row_sums = state.array, state.row_sums

    def sums(self, sets: Octets) -> tuple[Integers, Integers, NDArray[np.bool_]]:
        """Accumulators and window sums.

        Parameters
        ----------
        sets : ndarray of shape (clusters, row sets, elements), uint8

        Returns
        -------
        accumulators : ndarray of shape (clusters, windows of all regions, channels), int64
        window_sums : ndarray of shape (clusters, windows of all regions), int64
        met : ndarray of shape (windows of all regions,), bool
            Windows that are not left out; the numbers of others are 0.

        Raises
        ------
        ArrayError
            If a cell that nobody has written decides a sense, or a row is sensed with itself.
        """
        p, walk = self._pass, self._schedule.walk
        windows = self._schedule.pairs.input_rows.reshape(p.regions, p.windows, p.plane_groups, p.window_rows)
        accumulators = np.zeros((p.clusters, p.regions, p.windows, p.channel_beats * p.lanes), dtype=np.int64)
        window_sums = np.zeros((p.clusters, p.regions, p.windows), dtype=np.int64)
        met = np.ones((p.regions, p.windows), dtype=bool)
        buses = np.arange(p.clusters) * (p.machine.row_buses // p.clusters)
        plane_groups = np.int64(1) << np.arange(p.plane_groups) * p.planes
        for region in range(p.regions):
            new = slice(walk.region_sets[region], walk.region_sets[region + 1])
            write_row_sets(self._array, self._row_sums, self._schedule, walk.row[new], sets[:, new])
            for window, rows in enumerate(windows[region]):
                if self._events is not None and not self._events.meet(region * p.windows + window, rows):
                    met[region, window] = False
                    continue
                results = self._window(region * p.windows + window, rows)
                accumulators[:, region, window] = of_channels(p, self._schedule.pairs, results)
                window_sums[:, region, window] = self._row_sums[buses][:, rows].sum(axis=2) @ plane_groups
        of_windows = accumulators.reshape(p.clusters, -1, accumulators.shape[-1])
        return of_windows, window_sums.reshape(p.clusters, -1), met.ravel()

    def _window(self, window: int, rows: Integers) -> Integers:
        """Accumulators of a window: ndarray of shape (clusters, kernel tiles, sub-arrays, slots), int64."""
        p, pairs, machine = self._pass, self._schedule.pairs, self._pass.machine
        results = np.zeros((p.clusters, p.kernel_tiles, int(pairs.sub_arrays.max()), p.slots), dtype=np.int64)
        for number, kernel_rows in enumerate(pairs.kernel_rows):
            sub_arrays = int(pairs.sub_arrays[number])
            where = np.arange(machine.sub_arrays).reshape(p.clusters, -1)[:, :sub_arrays].ravel()
            # Kernel plane, plane group, window row.
            rows_a, rows_b = np.broadcast_arrays(rows, kernel_rows[:, np.newaxis])
            everywhere = np.ones((rows_a.size, machine.columns), dtype=np.uint8)
            try:
                sensed = self._array.sense_and(where, rows_a.ravel(), rows_b.ravel(), everywhere)
            except UnknownCellError as unknown:
                raise ArrayError(self._named(unknown, window, rows)) from None
            shifts = np.arange(p.kernel_planes)[:, np.newaxis] + np.arange(p.plane_groups) * p.planes
            counts = count_bits(sensed, p.slots, p.planes).reshape(len(where), *rows_a.shape, p.slots)
            shifted = shift_left(counts, shifts[:, :, np.newaxis, np.newaxis])
            signs = np.array(p.kernel_plane_signs)[:, np.newaxis, np.newaxis, np.newaxis]
            shifted = (shifted * signs).sum(axis=(1, 2, 3))
            results[:, number, :sub_arrays] = shifted.reshape(p.clusters, sub_arrays, p.slots)
        return results

    def _named(self, unknown: UnknownCellError, window: int, rows: Integers) -> str:
        row, kernel_row = unknown.rows
        row_set = int(self._schedule.contents[window][rows == row][0])
        met = f"row {row}" if row_set < 0 else f"row set {row_set}"
        return (
            f"{unknown.reference} senses an unknown cell: sub-array {unknown.sub_array}, kernel row {kernel_row} and "
            f"{met}, column {unknown.column} was never written"
        )
