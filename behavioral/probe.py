"""Observe one result of a pass as it is computed: the sensed rows, their counts, and what becomes of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import SpinplaneError
from spinplane.machine.activation import RAW_BITS
from spinplane.machine.descriptor import PoolAt, Requantize
from spinplane.machine.passes import Pass

from .array.bit_counter import count_bits
from .fixed_point import wrapped
from .input.input_streamer import row_bits
from .output.output_stage import Parameters
from .schedule import Schedule
from .state import AcceleratorState

Octets = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True, eq=False)
class SensedPair:
    """Two rows sensed at once, and what they add to the accumulator.

    Parameters
    ----------
    kernel_plane, plane_group : int
    input_row, kernel_row : int
        Of the array.
    bits : ndarray of shape (planes, elements), uint8
        What the columns of the slot show, as far as the row has elements.
    count : int
        Σ 2^p · ones of plane p.
    shift : int
    total : int
        The accumulator afterwards.
    """

    kernel_plane: int
    plane_group: int
    input_row: int
    kernel_row: int
    bits: Octets
    count: int
    shift: int
    total: int


@dataclass(frozen=True, kw_only=True, eq=False)
class SeenWindow:
    """A window of the result's region.

    Parameters
    ----------
    y, x : int
        Among the windows of the pass.
    counts : bool
        Whether it exists.
    pairs : tuple of SensedPair
        In the order in which they are sensed.
    accumulator, window_sum : int
    value, scaled : int
        Before and after the multiplication.
    """

    y: int
    x: int
    counts: bool
    pairs: tuple[SensedPair, ...]
    accumulator: int
    window_sum: int
    value: int
    scaled: int


class Place:
    """Where in a pass a channel of an output is computed.

    Parameters
    ----------
    layer_pass : Pass
    channel, y, x : int
        Among those of the pass.

    Attributes
    ----------
    row, column, region, cluster : int
        Of the region and of the cluster of sub-arrays.
    round, beat, sub_array, slot : int
        Of the kernel; the beat is that of its kernel tile and cluster, sub-arrays are those of all clusters.
    """

    def __init__(self, layer_pass: Pass, channel: int, y: int, x: int) -> None:
        p = layer_pass
        self.layer_pass, self.channel, self.y, self.x = p, channel, y, x
        cluster_y, self.row = divmod(y, p.region_rows)
        cluster_x, self.column = divmod(x, p.region_columns)
        self.cluster = cluster_y * p.clusters_x + cluster_x
        self.region = self.row * p.region_columns + self.column
        results = p.beats * p.lanes if p.kernel_tiles > 1 else p.last_beats * p.lanes
        self.kernel_tile, in_kernel_tile = divmod(channel, results)
        self.beat = in_kernel_tile // p.lanes
        member, self.slot = divmod(in_kernel_tile, p.slots)
        self.sub_array = self.cluster * p.cluster_size + member


class Probe:
    """Observes one result of a pass while `Accelerator.run` runs it.

    Parameters
    ----------
    descriptor : int
        Number of the pass.
    channel, y, x : int
        Of the output, among those of the pass.

    Attributes
    ----------
    place : Place
    windows : tuple of SeenWindow
        Of the region.
    parameters : dict of str to int
        The channel's bias, multiplier, offset and residual_multiplier.
    thresholds : tuple of int
        That the channel's values are compared with.
    residual : int or None
        Code of the residual operand.
    code : int
        What is stored.
    """

    place: Place
    windows: tuple[SeenWindow, ...]
    parameters: dict[str, int]
    thresholds: tuple[int, ...]
    residual: int | None
    code: int

    def __init__(self, descriptor: int, *, channel: int, y: int, x: int) -> None:
        self.descriptor = descriptor
        self._channel, self._y, self._x = channel, y, x

    def look(
        self,
        schedule: Schedule,
        state: AcceleratorState,
        units: Octets,
        parameters: Parameters,
        residuals: Octets | None,
        codes: NDArray,
    ) -> None:
        """See a pass that is run for one image.

        Parameters
        ----------
        schedule : Schedule
        state : AcceleratorState
            With the kernels in the array.
        units : ndarray of shape (clusters, unit rows, elements), uint8
        parameters : Parameters
        residuals : ndarray of shape (outputs, channels), uint8, or None
        codes : ndarray of shape (outputs, channels), of integers

        Raises
        ------
        SpinplaneError
            If the pass has no such output.
        """
        p, channel, places = schedule.layer_pass, self._channel, schedule.places
        output = np.flatnonzero((places.y == self._y) & (places.x == self._x))
        if not output.size or not 0 <= channel < codes.shape[1]:
            raise SpinplaneError(
                f"descriptor {self.descriptor} has no output of channel {channel}, y {self._y}, x {self._x}"
            )
        self.place = Place(p, channel, self._y, self._x)
        names = ("bias", "multiplier", "offset", "residual_multiplier")
        self.parameters = {name: int(getattr(parameters, name)[channel]) for name in names}
        self.thresholds = tuple(parameters.thresholds[channel].tolist())
        self.residual = None if residuals is None else int(residuals[output[0], channel])
        code = codes[output[0], channel].astype(np.int64)
        self.code = int(wrapped(code, RAW_BITS) if p.requantize is Requantize.RAW else code)
        self.windows = tuple(self._window(schedule, state, units, number) for number in range(p.windows))

    def _window(self, schedule: Schedule, state: AcceleratorState, units: Octets, number: int) -> SeenWindow:
        p, place = schedule.layer_pass, self.place
        assert schedule.index is not None
        index = schedule.index[place.region * p.windows + number]
        codes = units[place.cluster, index]
        pairs = self._pairs(schedule, state, codes, number)
        accumulator, window_sum = pairs[-1].total, int(codes.sum(dtype=np.int64))
        value = (
            (accumulator << p.accumulator_shift) - p.window_sum_scale * window_sum + self.parameters["bias"]
        )
        ry, rx = divmod(number, p.region_width)
        return SeenWindow(
            y=p.first_window_y + place.y * p.stride_y + ry,
            x=p.first_window_x + place.x * p.stride_x + rx,
            counts=bool(schedule.places.counts[place.region, number, place.cluster]),
            pairs=pairs,
            accumulator=accumulator,
            window_sum=window_sum,
            value=value,
            scaled=value * self.parameters["multiplier"],
        )

    def _pairs(
        self, schedule: Schedule, state: AcceleratorState, codes: Octets, number: int
    ) -> tuple[SensedPair, ...]:
        """Row pairs of a window, whose unit rows have these codes of shape (window rows, elements)."""
        p, place, sets = schedule.layer_pass, self.place, schedule.contents
        window = place.region * p.windows + number
        input_rows = schedule.pairs.input_rows[place.row, place.column, number]
        kernel_rows = schedule.pairs.kernel_rows[place.kernel_tile]
        lengths = schedule.rows.lengths[: len(schedule.walk.row)]
        rows_a, rows_b = np.broadcast_arrays(input_rows, kernel_rows[:, np.newaxis])
        shift = (np.arange(p.plane_groups) * p.planes).astype(np.uint8)[:, np.newaxis, np.newaxis]
        given = row_bits(p, codes >> shift & np.uint8((1 << p.planes) - 1))
        where = slice(place.sub_array, place.sub_array + 1)
        constants, factors = state.array.and_factors(where, rows_a.ravel(), rows_b.ravel())
        shown = constants.reshape(*rows_a.shape, -1) | factors.reshape(*rows_a.shape, -1) & given
        counts = count_bits(shown, p.slots, p.planes)[..., place.slot]
        of_slot = shown.reshape(*rows_a.shape, p.slots, p.planes, p.block_columns)[..., place.slot, :, :]
        total, pairs = 0, []
        for at in np.ndindex(rows_a.shape):
            kernel_plane, plane_group, row = at
            shifted = kernel_plane + plane_group * p.planes
            total += int(counts[at]) << shifted
            pairs.append(
                SensedPair(
                    kernel_plane=kernel_plane,
                    plane_group=plane_group,
                    input_row=int(rows_a[at]),
                    kernel_row=int(rows_b[at]),
                    bits=of_slot[at][:, : lengths[sets[window, plane_group, row]]],
                    count=int(counts[at]),
                    shift=shifted,
                    total=total,
                )
            )
        return tuple(pairs)

    @property
    def pooled(self) -> int:
        """The scaled value of the region."""
        p = self.place.layer_pass
        if p.pool is PoolAt.NONE:
            return self.windows[-1].scaled
        scaled = [window.scaled for window in self.windows if window.counts]
        if p.pool is PoolAt.SUM or not scaled:
            return sum(scaled)
        turned = p.pool is PoolAt.MAX_BEFORE and self.parameters["multiplier"] < 0
        return min(scaled) if turned else max(scaled)
