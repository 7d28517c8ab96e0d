"""A pass, prepared once and run for many images: its schedule, and what follows from the banks and the array."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import SpinplaneError
from spinplane.machine.descriptor import Pool

from .array.bit_counter import count_bits
from .array.bit_plane_product import BitPlaneProduct
from .array.exact_product import ExactProduct
from .array.pair_factors import PairFactors, kernel_cells, of_channels
from .array.shifter import shift_left
from .array.sot_mram_array import ArrayError, UnknownCellError
from .array.window_product import Room, WindowProduct
from .bit_strings import ImageBanks
from .output.output_stage import OutputStage
from .output.parameters import Parameters
from .probe import Probe
from .schedule import Schedule
from .state import AcceleratorState, write_row_sets

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]
Mode = Literal["exact", "bit_plane"]

_PRODUCTS: dict[Mode, type[WindowProduct]] = {"exact": ExactProduct, "bit_plane": BitPlaneProduct}


class PreparedPass:
    """A pass whose kernels lie in the array.

    Parameters
    ----------
    schedule : Schedule
    state : AcceleratorState
        After the load.
    mode : {"exact", "bit_plane"}
    room : Room
        For what is kept of the factors.
    """

    def __init__(self, schedule: Schedule, state: AcceleratorState, mode: Mode, room: Room) -> None:
        self.schedule = schedule
        p = schedule.layer_pass
        array = state.array_beside(schedule.pairs.kernel_rows)
        wraps = array.faults is not None
        self._parameters = Parameters.read(p, **state.output_banks)
        self._output_stage = OutputStage(p, self._parameters, schedule.places, wraps=wraps)
        self._kernels = [cells.copy() for cells in kernel_cells(p, schedule.pairs, array.cells)]
        known = all(cells.all() for cells in kernel_cells(p, schedule.pairs, array.written))
        planes = min(p.plane_groups * p.planes, p.in_planes)
        factors = PairFactors(p, schedule.pairs, array, schedule.elements, planes)
        self._product = _PRODUCTS[mode](
            p,
            factors,
            planes=planes,
            bias=self._parameters.bias,
            matters=self._matters(),
            wraps=wraps,
            room=room,
        )
        self._met_row_by_row = schedule.index is None or not known

    def _matters(self) -> NDArray[np.bool_]:
        """Windows whose sums have to fit: ndarray of shape (windows of all regions, clusters), bool."""
        p, places = self.schedule.layer_pass, self.schedule.places
        counts = (
            places.counts if p.pool is not Pool.NONE else np.arange(p.windows)[:, np.newaxis] == p.windows - 1
        )
        return (places.yields[:, np.newaxis] & counts).reshape(-1, p.clusters)

    def leave(self) -> None:
        """Give the room back that the pass has taken."""
        self._product.leave()

    def is_current(self, state: AcceleratorState) -> bool:
        """Whether banks and array hold what they held when the pass was prepared."""
        if self._met_row_by_row or not self._parameters.are_in(**state.output_banks):
            return False
        array = state.array_beside(self.schedule.pairs.kernel_rows)
        cells = kernel_cells(self.schedule.layer_pass, self.schedule.pairs, array.cells)
        return all(map(np.array_equal, cells, self._kernels))

    def run(self, banks: ImageBanks, state: AcceleratorState, probe: Probe | None = None) -> None:
        """Run the pass for some images.

        Parameters
        ----------
        banks : ImageBanks
            Of the images; are changed.
        state : AcceleratorState
            Gets the rows of the last image.
        probe : Probe, optional
            Looks at the first image.

        Raises
        ------
        SpinplaneError
            If a probe looks at a pass that meets rows which it has not written, or at an output that there is not.
        ArrayError
            If a cell that nobody has written decides a sense.
        OverflowError
            If an accumulator, a window sum or a value that counts does not fit, in an array without faults.
        OutputStageError
            If a value leads to a word of thresholds or of a table that there is not.
        """
        p, schedule = self.schedule.layer_pass, self.schedule
        residuals = None if schedule.residual is None else schedule.residual.read(banks)
        if self._met_row_by_row:
            if probe is not None:
                raise SpinplaneError(
                    f"descriptor {probe.descriptor} cannot be probed: it senses rows that it does not write"
                )
            rows = schedule.rows.read(banks)
            met = [
                RowByRow(schedule, state).sums(of_image)
                for of_image in rows.reshape(len(rows), p.clusters, -1, rows.shape[-1])
            ]
            accumulators, window_sums = (np.stack(parts) for parts in zip(*met, strict=True))
            values = self._product.finish(accumulators, window_sums)
            bound = int(np.abs(values).max(initial=0))
        else:
            units, places = schedule.units.read(banks)
            values, bound = self._product.values(units, places[:, schedule.index])
            state.leave(schedule, units[-1][places])
        of_regions = values.reshape(*values.shape[:2], p.regions, p.windows, values.shape[-1])
        codes = self._output_stage.codes(of_regions, residuals, bound)
        if probe is not None:
            probe.look(
                schedule,
                state,
                units[0][places],
                self._parameters,
                None if residuals is None else residuals[0],
                codes[0],
            )
        schedule.places.write(banks, codes)


class RowByRow:
    """Windows that meet rows which the pass has not written, or kernels with unknown cells: row by row, in the array.

    Parameters
    ----------
    schedule : Schedule
    state : AcceleratorState
        Its array is written to.
    """

    def __init__(self, schedule: Schedule, state: AcceleratorState) -> None:
        self._schedule, self._pass = schedule, schedule.layer_pass
        self._array, self._row_sums = state.array, state.row_sums

    def sums(self, sets: Octets) -> tuple[Integers, Integers]:
        """Accumulators and window sums.

        Parameters
        ----------
        sets : ndarray of shape (clusters, row sets, elements), uint8

        Returns
        -------
        accumulators : ndarray of shape (clusters, windows of all regions, channels), int64
        window_sums : ndarray of shape (clusters, windows of all regions), int64

        Raises
        ------
        ArrayError
            If a cell that nobody has written decides a sense, or a row is sensed with itself.
        """
        p, walk = self._pass, self._schedule.walk
        windows = self._schedule.pairs.input_rows.reshape(p.regions, p.windows, p.plane_groups, p.window_rows)
        accumulators = np.empty((p.clusters, p.regions, p.windows, p.channel_beats * p.lanes), dtype=np.int64)
        window_sums = np.empty((p.clusters, p.regions, p.windows), dtype=np.int64)
        buses = np.arange(p.clusters) * (p.machine.row_buses // p.clusters)
        plane_groups = np.int64(1) << np.arange(p.plane_groups) * p.planes
        for region in range(p.regions):
            new = slice(walk.region_sets[region], walk.region_sets[region + 1])
            write_row_sets(self._array, self._row_sums, self._schedule, walk.row[new], sets[:, new])
            for window, rows in enumerate(windows[region]):
                results = self._window(region * p.windows + window, rows)
                accumulators[:, region, window] = of_channels(p, self._schedule.pairs, results)
                window_sums[:, region, window] = self._row_sums[buses][:, rows].sum(axis=2) @ plane_groups
        return accumulators.reshape(p.clusters, -1, accumulators.shape[-1]), window_sums.reshape(
            p.clusters, -1
        )

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
