"""Observe one result of a pass as it is computed: the sensed rows, their counts, and what becomes of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import SpinplaneError
from spinplane.machine.output_stage import (
    PARAMETER_FIELDS,
    POOLED_BITS,
    RAW_BITS,
    SCALE_FIELDS,
    UNUSED_THRESHOLD,
    VALUE_BITS,
)
from spinplane.machine.passes import Pass

from .array.bit_counter import count_bits
from .fixed_point import wrapped
from .input.input_streamer import row_bits, row_sums
from .output.output_stage import levels_of
from .output.parameters import Parameters
from .output.pooling import pool
from .output.scaling import scale
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
    sign : {1, -1}
        Of what is added: sign · count · 2^shift; a kernel plane may subtract.
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
    sign: int
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
    value : int
        The sum before it is pooled and scaled.
    """

    y: int
    x: int
    counts: bool
    pairs: tuple[SensedPair, ...]
    accumulator: int
    window_sum: int
    value: int


class Place:
    """Where in a pass a channel of an output is computed.

    Parameters
    ----------
    layer_pass : Pass
    channel, y, x : int
        In the pass's part of the output map.

    Attributes
    ----------
    number : int
        Of the channel, in the order of the beats.
    row, column, region, cluster : int
        Of the region and of the cluster of sub-arrays.
    kernel_tile, beat, sub_array, slot : int
        Of the kernel; the beat is that of its kernel tile and cluster, sub-arrays are those of all clusters.

    Raises
    ------
    ValueError
        If the pass does not give such a channel.
    """

    def __init__(self, layer_pass: Pass, channel: int, y: int, x: int) -> None:
        p = layer_pass
        self.layer_pass, self.channel, self.y, self.x = p, channel, y, x
        cluster_y, self.row = divmod(y, p.region_rows)
        cluster_x, self.column = divmod(x, p.region_columns)
        self.cluster = cluster_y * p.clusters_x + cluster_x
        self.region = self.row * p.region_columns + self.column
        place, lane = divmod(channel, p.lanes)
        channel_beat = next((b for b in p.existing_beats if p.places[b] == place), None)
        if channel_beat is None:
            raise ValueError(f"no channel {channel}")
        self.number = channel_beat * p.lanes + lane
        results = p.beats * p.lanes if p.kernel_tiles > 1 else p.last_beats * p.lanes
        self.kernel_tile, in_kernel_tile = divmod(self.number, results)
        self.beat = in_kernel_tile // p.lanes
        if p.spread:
            group, self.slot = divmod(self.beat, p.slots)
            member = group * p.lanes + lane
        else:
            member, self.slot = divmod(in_kernel_tile, p.slots)
        self.sub_array = self.cluster * p.cluster_size + member


class Probe:
    """Observes one result of a pass while `Accelerator.run` runs it.

    Parameters
    ----------
    descriptor : int
        Number of the pass.
    channel, y, x : int
        Of the output, in the pass's part of the output map.

    Attributes
    ----------
    place : Place
    windows : tuple of SeenWindow
        Of the region.
    parameters : dict of str to int
        The channel's numbers in its words of parameters and scales.
    thresholds : tuple of int
        Values from which on a search finds one more; none where the channel does not search.
    pooled : int
        The pooled sum.
    scaled : int
        The same, multiplied and with its offset.
    residual, scaled_residual : int or None
        Code of the residual operand, and what is added for it.
    own_code : int or None
        Code to which the channel is rounded before the residual is added.
    y : int
        The value that becomes a level.
    level : int or None
        Of the code; None where the value itself is stored.
    code : int
        What is stored.
    """

    place: Place
    windows: tuple[SeenWindow, ...]
    parameters: dict[str, int]
    thresholds: tuple[int, ...]
    pooled: int
    scaled: int
    residual: int | None
    scaled_residual: int | None
    own_code: int | None
    y: int
    level: int | None
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
        try:
            self.place = Place(p, channel, self._y, self._x)
        except ValueError:
            output = output[:0]
        if not output.size:
            raise SpinplaneError(
                f"descriptor {self.descriptor} has no output of channel {channel}, y {self._y}, x {self._x}"
            )
        number = self.place.number
        of_channel = parameters.only(number)
        names = [field.name for field in (*PARAMETER_FIELDS, *SCALE_FIELDS)]
        self.parameters = {name: int(getattr(of_channel, name)[0]) for name in names}
        steps = of_channel.searches.steps[0]
        self.thresholds = tuple(steps[steps < UNUSED_THRESHOLD].tolist())
        self.windows = tuple(self._window(schedule, state, units, window) for window in range(p.windows))
        self._scale(of_channel, None if residuals is None else residuals[output[0], number : number + 1])
        code = codes[output[0], number].astype(np.int64)
        self.code = int(wrapped(code, RAW_BITS) if p.raw else code)

    def _scale(self, of_channel: Parameters, residual: Octets | None) -> None:
        """See how the windows become a level."""
        p = self.place.layer_pass
        pooled = pool(
            [window.value for window in self.windows],
            p.pool,
            counts=[window.counts for window in self.windows],
            least=of_channel.least,
        )
        pooled = wrapped(pooled.reshape(1), POOLED_BITS)
        scaled = scale(pooled, p, of_channel, residual)
        self.pooled, self.scaled, self.y = int(pooled[0]), int(scaled.own[0]), int(scaled.y[0])
        self.residual = None if residual is None else int(residual[0])
        self.scaled_residual = None if scaled.residual is None else int(scaled.residual[0])
        self.own_code = None if scaled.own_code is None else int(scaled.own_code[0])
        self.level = None if p.raw else int(levels_of(scaled.y, p, of_channel)[0])

    def _window(self, schedule: Schedule, state: AcceleratorState, units: Octets, number: int) -> SeenWindow:
        p, place = schedule.layer_pass, self.place
        assert schedule.index is not None
        index = schedule.index[place.region * p.windows + number]
        codes = units[place.cluster, index]
        pairs = self._pairs(schedule, state, codes, number)
        accumulator, window_sum = pairs[-1].total, int(row_sums(p, codes).sum())
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
            value=int(wrapped(np.array(value), VALUE_BITS)),
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
            sign = p.kernel_plane_signs[kernel_plane]
            total += sign * int(counts[at]) << shifted
            length = lengths[sets[window, plane_group, row]]
            if p.spread:
                length = np.clip(length - place.slot * p.block_columns, 0, p.block_columns)
            pairs.append(
                SensedPair(
                    kernel_plane=kernel_plane,
                    plane_group=plane_group,
                    input_row=int(rows_a[at]),
                    kernel_row=int(rows_b[at]),
                    bits=of_slot[at][:, :length],
                    count=int(counts[at]),
                    shift=shifted,
                    sign=sign,
                    total=total,
                )
            )
        return tuple(pairs)
