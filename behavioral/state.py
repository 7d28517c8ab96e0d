"""The state of an accelerator between passes: its banks and its array."""

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Cause, FaultMap, Machine

from .array.sot_mram_array import SotMramArray
from .array.transient_cells import TransientCells
from .input.input_streamer import row_bits, row_sums
from .schedule import Schedule

Integers = NDArray[np.int64]
Octets = NDArray[np.uint8]


class AcceleratorState:
    """Banks and cells.

    Input rows that passes leave in the array are written into it only when read.

    Parameters
    ----------
    machine : Machine
    faults : FaultMap, optional

    Attributes
    ----------
    image : ndarray of shape (image_words · columns,), uint8
        One bit each.
    kernel : ndarray of shape (kernel_words, columns / 8), uint8
    parameters, scales, thresholds : ndarray of shape (beats, results_per_cycle · 16), uint8

    Raises
    ------
    SpinplaneError
        If the fault map is that of another machine.
    """

    def __init__(self, machine: Machine, faults: FaultMap | None = None) -> None:
        beat_bytes = machine.results_per_cycle * 16
        self.machine = machine
        self.image: Octets = np.zeros(machine.image_words * machine.columns, dtype=np.uint8)
        self.kernel: Octets = np.zeros((machine.kernel_words, machine.columns // 8), dtype=np.uint8)
        self.parameters: Octets = np.zeros((machine.parameter_beats, beat_bytes), dtype=np.uint8)
        self.scales: Octets = np.zeros((machine.parameter_beats, beat_bytes), dtype=np.uint8)
        self.thresholds: Octets = np.zeros((machine.threshold_beats, beat_bytes), dtype=np.uint8)
        self._array = SotMramArray(machine, faults)
        self._row_sums: Integers = np.zeros((machine.row_buses, machine.rows), dtype=np.int64)
        #: Codes of the last image's unit rows, (clusters, unit rows, elements), of passes in their order.
        self._left: dict[Schedule, Octets] = {}

    @property
    def output_banks(self) -> dict[str, Octets]:
        """The banks that the output stage reads, by their names."""
        return {"parameters": self.parameters, "scales": self.scales, "thresholds": self.thresholds}

    @property
    def transient(self) -> TransientCells | None:
        """Transient faults of the array."""
        return self._array.transient

    @property
    def wrong_bits(self) -> dict[Cause, int]:
        """Bits that transient faults have made wrong so far, by their cause."""
        return dict.fromkeys(Cause, 0) if self.transient is None else dict(self.transient.counts)

    @property
    def array(self) -> SotMramArray:
        """The array."""
        self._write_what_is_left()
        return self._array

    @property
    def row_sums(self) -> Integers:
        """Sum of each row of input: ndarray of shape (row_buses, rows), int64."""
        self._write_what_is_left()
        return self._row_sums

    def array_beside(self, rows: Integers) -> SotMramArray:
        """The array, of which only these rows need be up to date."""
        if any((schedule.last_sets[rows] >= 0).any() for schedule in self._left):
            self._write_what_is_left()
        return self._array

    def leave(self, schedule: Schedule, units: Octets) -> None:
        """Leave a pass's last rows in the array.

        Parameters
        ----------
        schedule : Schedule
        units : ndarray of shape (clusters, unit rows, elements), uint8
            Codes of the last image's unit rows.
        """
        self._left.pop(schedule, None)
        self._left[schedule] = units

    def _write_what_is_left(self) -> None:
        for schedule, units in self._left.items():
            p, walk = schedule.layer_pass, schedule.walk
            rows = np.flatnonzero(schedule.last_sets >= 0)
            last = schedule.last_sets[rows]
            shift = (walk.plane_group[last] * p.planes).astype(np.uint8)[:, np.newaxis]
            codes = units[:, schedule.unit_rows[last]] >> shift & np.uint8((1 << p.planes) - 1)
            write_row_sets(self._array, self._row_sums, schedule, rows, codes, unfailing=True)
        self._left.clear()

    def load_kernels(self, schedule: Schedule) -> None:
        """Write the kernels of a pass from their bank to the array."""
        p, load = schedule.layer_pass, schedule.load
        if not load.words.size:
            return
        bits = np.unpackbits(self.kernel[load.words], axis=1, bitorder="little")
        bits = bits.reshape(p.load_rows, p.load_sub_arrays, -1).swapaxes(0, 1)
        rows = load.rows.reshape(p.load_rows, -1)[:, 0]
        for cluster in range(p.clusters):
            first = cluster * p.cluster_size
            self.array.write_rows(slice(first, first + p.load_sub_arrays), rows, bits)


def write_row_sets(
    array: SotMramArray,
    sums: Integers,
    schedule: Schedule,
    rows: Integers,
    codes: Octets,
    *,
    unfailing: bool = False,
) -> None:
    """Write rows of input to the array, and their sums beside it.

    Parameters
    ----------
    array : SotMramArray
    sums : ndarray of shape (row_buses, rows), int64
    schedule : Schedule
    rows : ndarray of shape (n,), int64
    codes : ndarray of shape (clusters, n, elements), uint8
    unfailing : bool
        See `SotMramArray.write_rows`.
    """
    p = schedule.layer_pass
    buses = p.machine.row_buses // p.clusters
    for cluster, of_cluster in enumerate(codes):
        first = cluster * p.cluster_size
        array.write_rows(
            slice(first, first + p.sub_arrays), rows, row_bits(p, of_cluster), unfailing=unfailing
        )
        sums[cluster * buses : (cluster + 1) * buses, rows] = row_sums(p, of_cluster)
