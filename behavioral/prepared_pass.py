"""A pass, prepared once and run for many images: its schedule, and what follows from the banks and the array."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import SpinplaneError
from spinplane.machine.descriptor import Pool

from .array.bit_plane_product import BitPlaneProduct
from .array.exact_product import ExactProduct
from .array.pair_factors import PairFactors, kernel_cells
from .array.window_product import Room, WindowProduct
from .bit_strings import ImageBanks
from .output.output_stage import OutputStage
from .output.parameters import Parameters
from .probe import Probe
from .row_by_row import RowByRow
from .schedule import Schedule
from .state import AcceleratorState
from .transient_events import TransientEvents

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
        wraps = array.is_faulty
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
        if probe is not None and state.transient is not None:
            raise SpinplaneError(
                f"descriptor {probe.descriptor} cannot be probed: transient faults change cells while it runs"
            )
        residuals = None if schedule.residual is None else schedule.residual.read(banks)
        if self._met_row_by_row:
            if probe is not None:
                raise SpinplaneError(
                    f"descriptor {probe.descriptor} cannot be probed: it senses rows that it does not write"
                )
            values = np.stack([self._row_by_row(rows, state)[0] for rows in schedule.rows.read(banks)])
            bound = int(np.abs(values).max(initial=0))
        else:
            units, places = schedule.units.read(banks)
            values, bound = self._product.values(units, places[:, schedule.index])
            events = None if state.transient is None else TransientEvents.of(schedule, state.transient)
            if events is None:
                state.leave(schedule, units[-1][places])
            else:
                values, bound = self._met(events, schedule.rows.read(banks), state, values, bound)
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

    def _row_by_row(
        self, rows: Octets, state: AcceleratorState, events: TransientEvents | None = None
    ) -> tuple[Integers, NDArray[np.bool_]]:
        """Sums before scaling of an image's rows, and which windows have them."""
        sets = rows.reshape(self.schedule.layer_pass.clusters, -1, rows.shape[-1])
        accumulators, window_sums, met = RowByRow(self.schedule, state, events).sums(sets)
        return self._product.finish(accumulators[np.newaxis], window_sums[np.newaxis])[0], met

    def _met(
        self,
        events: TransientEvents,
        rows: Octets,
        state: AcceleratorState,
        values: NDArray[Any],
        bound: int,
    ) -> tuple[Integers, int]:
        """Sums before scaling of the only image, with those of windows that transient faults reach."""
        faulty, met = self._row_by_row(rows[0], state, events)
        every = np.where(met[:, np.newaxis], faulty, values[0].astype(np.int64))
        return every[np.newaxis], max(bound, int(np.abs(faulty).max(initial=0)))
