"""A layer's placement in rows: slots, planes side by side, clusters of sub-arrays, rings of lines, stripes, costs."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd

from spinplane.machine import Machine
from spinplane.machine.codec import largest

from .lowering import LoweredLayer

#: Cycles of a pass beside its row operations, near enough to compare mappings.
_PASS_OVERHEAD = 50
#: Numbers of a layer that may be too large for the fields of a descriptor, with the largest ones that fit.
_LIMITS = {
    **{name: largest(name) for name in ("pieces", "first_lines", "region_lines", "line_rows")},
    "pixel_bits": largest("out_pixel_bits"),
}


def ceil_div(a: int, b: int) -> int:
    """⌈a ÷ b⌉."""
    return -(-a // b)


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """A layer in the rows of a machine; ``docs/accelerator.md`` has the words.

    Parameters
    ----------
    layer : LoweredLayer
    machine : Machine
    in_bytes : bool
        Layout of the input map.
    unit_taps : int
        Pixels of a unit: 1, the kernel's width (a strip: all that a window sees in a line), or the stride, so that the
        strips of neighbouring windows share units. For strips of a `planes` map all pixels of a line lie beside each
        other, plane by plane.
    log_slots, log_planes, log_clusters, log_clusters_x : int
    stripe : int
        Columns of regions that a pass computes at most: the map's regions lie in stripes of as many columns.
    first_column : int
        Column of regions with which the stripe begins that this placement describes; numbers of the whole layer are
        those of the first stripe, which is the widest.
    output_planes : int
        Planes of the output map, 0 for raw sums.
    interval : int
        Cycles of an outer beat.
    """

    layer: LoweredLayer
    machine: Machine
    in_bytes: bool
    unit_taps: int
    log_slots: int
    log_planes: int
    log_clusters: int
    log_clusters_x: int
    stripe: int
    first_column: int = 0
    output_planes: int
    interval: int

    # ---- columns of a row

    @property
    def slots(self) -> int:
        """Kernels beside each other."""
        return 1 << self.log_slots

    @property
    def planes(self) -> int:
        """Planes beside each other."""
        return 1 << self.log_planes

    @property
    def clusters(self) -> tuple[int, int]:
        """Clusters of sub-arrays, vertical and horizontal."""
        return 1 << (self.log_clusters - self.log_clusters_x), 1 << self.log_clusters_x

    @property
    def block(self) -> int:
        """Columns of a sub-block."""
        return self.machine.columns >> (self.log_slots + self.log_planes)

    @property
    def strips(self) -> bool:
        """Whether a unit has several pixels."""
        return self.unit_taps > 1

    @cached_property
    def spread(self) -> bool:
        """Whether each slot holds channels of its own."""
        return self.layer.spread

    @cached_property
    def row_columns(self) -> int:
        """Elements of a row at most, in a map of planes."""
        return self.block * self.slots if self.spread else self.block

    @cached_property
    def elements(self) -> int:
        """Codes of a unit."""
        if self.spread:
            return min(self.row_columns, self.layer.input_shape[0])
        return self.layer.weights.codes.shape[2] + (self.unit_taps - 1) * self.pixel_elements

    @cached_property
    def length(self) -> int:
        """Codes of a row that is not the last segment."""
        longest = min(self.block, self.machine.columns // 8) if self.in_bytes else self.row_columns
        return min(longest, self.elements)

    @cached_property
    def pieces(self) -> int:
        """Rows of a unit and plane group."""
        return ceil_div(self.elements, self.length)

    @cached_property
    def plane_groups(self) -> int:
        """Groups of planes that lie beside each other."""
        return ceil_div(self.layer.code.bits, self.planes)

    @cached_property
    def pixel_elements(self) -> int:
        """Codes from a pixel to the next of the same plane in a strip: whole beats where beats write the map."""
        return self.layer.input_shape[0] if self.in_bytes else self._whole_beats

    @property
    def _whole_beats(self) -> int:
        lanes = self.machine.results_per_cycle
        return ceil_div(self.layer.pixel_channels, lanes) * lanes

    @cached_property
    def plane_bits(self) -> int:
        """Bits from a plane of a `planes` map to the next, 0 for bytes."""
        if self.in_bytes:
            return 0
        if self.strips:
            return self.layer.input_shape[2] * self._whole_beats
        return self.block if self.planes > 1 and not self.spread else self._whole_beats

    @cached_property
    def pixel_bits(self) -> int:
        """Bits from a pixel of the input map to the next."""
        if self.in_bytes:
            return 8 * self.layer.input_shape[0]
        return self._whole_beats if self.strips else self.plane_bits * self.layer.code.bits

    @cached_property
    def line_bits(self) -> int:
        """Bits from a line of the input map to the next."""
        width = self.layer.input_shape[2]
        strips_of_planes = self.strips and not self.in_bytes
        return self.plane_bits * self.layer.code.bits if strips_of_planes else width * self.pixel_bits

    @property
    def map_layout(self) -> tuple[int, ...]:
        """How the input map lies: layers that take the same one have to agree on it."""
        return self.in_bytes, self.line_bits, self.pixel_bits, self.plane_bits

    # ---- units of a line, lines of a ring

    @cached_property
    def unit_pixels(self) -> int:
        """Pixels from a unit to the next: no finer than windows and taps ask for."""
        layer = self.layer
        several = layer.regions[1] > 1 or layer.region[1] > 1
        taps = 0 if self.taps_x == 1 else layer.dilation[1] * self.unit_taps
        return gcd(layer.stride[1] if several else 0, taps) or 1

    @cached_property
    def window_units(self) -> int:
        """Units from a window to the next."""
        return self.layer.stride[1] // self.unit_pixels

    @cached_property
    def tap_units(self) -> int:
        """Units from a tap to the next."""
        return self.layer.dilation[1] * self.unit_taps // self.unit_pixels

    @cached_property
    def taps_x(self) -> int:
        """Units of a window in a line."""
        return ceil_div(self.layer.kernel[1], self.unit_taps)

    @property
    def empty_taps(self) -> int:
        """Taps of the last unit of a window that lie beyond the kernel."""
        return self.taps_x * self.unit_taps - self.layer.kernel[1]

    @cached_property
    def region_units(self) -> int:
        """Units from a region to the next."""
        return self.layer.region_stride[1] * self.window_units

    @cached_property
    def first_columns(self) -> int:
        """Units that the first region of a line sees."""
        windows = (self.layer.region[1] - 1) * self.layer.region_dilation[1]
        return windows * self.window_units + (self.taps_x - 1) * self.tap_units + 1

    @cached_property
    def region_lines(self) -> int:
        """Lines from a region to the next."""
        return self.layer.region_stride[0] * self.layer.stride[0]

    @cached_property
    def first_lines(self) -> int:
        """Lines that a region sees."""
        layer = self.layer
        windows = (layer.region[0] - 1) * layer.region_dilation[0]
        return windows * layer.stride[0] + (layer.kernel[0] - 1) * layer.dilation[0] + 1

    @property
    def next_lines(self) -> int:
        """New lines of a further row of regions."""
        return min(self.region_lines, self.first_lines)

    @cached_property
    def region_rows(self) -> int:
        """Rows of regions of a cluster."""
        return ceil_div(self.layer.regions[0], self.clusters[0])

    @property
    def columns(self) -> int:
        """Columns of regions of the stripe."""
        return min(self.stripe, self.layer.regions[1] - self.first_column)

    @cached_property
    def stripes(self) -> list["Placement"]:
        """All stripes of the map."""
        return [replace(self, first_column=first) for first in range(0, self.layer.regions[1], self.stripe)]

    @cached_property
    def region_columns(self) -> int:
        """Columns of regions of a cluster."""
        return ceil_div(self.columns, self.clusters[1])

    @cached_property
    def line_units(self) -> int:
        """Units of a line that a cluster writes."""
        return self.first_columns + (self.region_columns - 1) * self.region_units

    # ---- rows

    @property
    def group_rows(self) -> int:
        """Array rows of a plane group of a line."""
        return self.line_units * self.pieces

    @property
    def line_rows(self) -> int:
        """Array rows of a line."""
        return self.plane_groups * self.group_rows

    @cached_property
    def input_rows(self) -> int:
        """Array rows of the ring of lines."""
        return self.first_lines * self.line_rows

    @cached_property
    def bursts(self) -> int:
        """Bursts of neighbouring rows in a line of taps."""
        return 1 if self.taps_x == 1 or self.tap_units == 1 else self.taps_x

    @cached_property
    def burst_rows(self) -> int:
        """Rows of a burst."""
        return self.taps_x * self.pieces // self.bursts

    @cached_property
    def kernel_tile_rows(self) -> int:
        """Kernel rows of a kernel tile."""
        return self.layer.weights.bits * self.layer.kernel[0] * self.bursts * self.burst_rows

    # ---- kernels

    @cached_property
    def kernel_tile_kernels(self) -> int:
        """Kernels of a whole kernel tile."""
        return (self.machine.sub_arrays >> self.log_clusters) * self.slots

    @cached_property
    def slot_kernels(self) -> int:
        """Kernels of the channels that a slot holds, if it holds channels of its own."""
        _, kernels, channels = self.layer.weights.codes.shape[:3]
        return self.block // channels * kernels

    @cached_property
    def parts(self) -> tuple[int, ...]:
        """Kernels of each part of the layer, with those that are missing if slots hold channels of their own."""
        groups, kernels = self.layer.weights.codes.shape[:2]
        if not self.spread:
            return (kernels,) * groups
        whole, rest = divmod(groups * kernels, self.slots * self.slot_kernels)
        lanes = self.machine.results_per_cycle
        last = self.slots * min(self.slot_kernels, ceil_div(rest, lanes) * lanes)
        return (self.slots * self.slot_kernels,) * whole + ((last,) if rest else ())

    @property
    def part_kernels(self) -> int:
        """Kernels of the largest part."""
        return self.parts[0]

    @cached_property
    def kernel_tiles(self) -> int:
        """Kernel tiles of a part."""
        return ceil_div(self.part_kernels, self.kernel_tile_kernels)

    @cached_property
    def pass_kernel_tiles(self) -> int:
        """Kernel tiles that the pooling memory lets a pass have; 0 if not even one."""
        if not self.layer.pools:
            return self.kernel_tiles
        return min(
            self.kernel_tiles, self.machine.pool_beats // (self.beats(self.part_kernels) << self.log_clusters)
        )

    @cached_property
    def kernel_rows(self) -> int:
        """Rows that all kernels of the layer take."""
        return sum(map(self.rows_of, self.parts))

    def rows_of(self, kernels: int) -> int:
        """Rows of a sub-array that as many kernels take."""
        return ceil_div(kernels, self.kernel_tile_kernels) * self.kernel_tile_rows

    def used_sub_arrays(self, kernels: int) -> int:
        """Sub-arrays of a cluster that take part for as many kernels of a kernel tile: whole beats."""
        lanes = self.machine.results_per_cycle
        at_once = lanes if self.spread else max(1, lanes // self.slots)
        return ceil_div(ceil_div(min(kernels, self.kernel_tile_kernels), self.slots), at_once) * at_once

    def beats(self, kernels: int) -> int:
        """Beats of a cluster for as many kernels of a kernel tile."""
        return self.used_sub_arrays(kernels) * self.slots // self.machine.results_per_cycle

    # ---- cost

    @cached_property
    def write_cycles(self) -> tuple[int, int]:
        """Cycles in which a pass writes the input rows of the first regions of each row, and of all others.

        Near enough: two row sets are formed while bursts go on.
        """
        write, form = self.machine.write_cycles, (self.planes if self.spread else 1) << self.log_clusters
        cycles = [0, 0]
        for lines, line_count in ((self.first_lines, 1), (self.next_lines, self.region_rows - 1)):
            for at, (units, unit_count) in enumerate(
                ((self.first_columns, 1), (self.region_units, self.region_columns - 1))
            ):
                sets = lines * units * self.plane_groups * self.pieces
                taken = min(sets, 2) * write + max(sets - 2, 0) * max(write, form)
                cycles[at] += line_count * unit_count * taken
        first, further = cycles
        return first, further

    def count_cycles(self, part: int) -> int:
        """Cycles in which all kernels of a part are counted against all windows of a stripe, near enough."""
        ands = self.kernel_tile_rows * self.plane_groups * self.machine.sense_cycles
        windows = self.layer.region[0] * self.layer.region[1]
        cycles = 0
        for kernels, kernel_tiles in (
            (self.kernel_tile_kernels, part // self.kernel_tile_kernels),
            (part % self.kernel_tile_kernels, 1),
        ):
            if kernels:
                inner = self.beats(kernels) << self.log_clusters
                cycles += kernel_tiles * ((windows - 1) * max(ands, inner) + max(ands, inner * self.interval))
        return self.region_rows * self.region_columns * cycles

    def cycles(self, pass_kernel_tiles: int) -> int:
        """Steady cycles of the layer in passes of at most as many kernel tiles."""
        cycles = 0
        for part, parts in Counter(self.parts).items():
            passes = ceil_div(ceil_div(part, self.kernel_tile_kernels), pass_kernel_tiles)
            for count, stripe in self._equal_stripes:
                first, further = stripe.write_cycles
                counted = stripe.count_cycles(part)
                beside = max(passes * further, counted)
                rest = beside if self.machine.overlaps_writes else passes * further + counted
                cycles += parts * count * (passes * (first + _PASS_OVERHEAD) + rest)
        return cycles

    @cached_property
    def steady_cycles(self) -> int:
        """Steady cycles of the layer in the longest passes."""
        return self.cycles(self.pass_kernel_tiles)

    @cached_property
    def _equal_stripes(self) -> list[tuple[int, "Placement"]]:
        """Equal stripes: their number, and one of them."""
        whole, rest = divmod(self.layer.regions[1], self.stripe)
        last = replace(self, first_column=whole * self.stripe) if rest else self
        return [(whole, self), (1 if rest else 0, last)]

    @cached_property
    def load_cycles(self) -> int:
        """Cycles in which all kernels are written."""
        sub_arrays = self.used_sub_arrays(self.part_kernels)
        return self.kernel_rows * sub_arrays * self.machine.write_cycles

    def fits(self) -> bool:
        """Whether a row's columns and a descriptor's fields hold it."""
        if self.spread:
            lanes, channels = self.machine.results_per_cycle, self.layer.weights.codes.shape[2]
            whole = self.slots > 1 and self.block % channels == 0 and self.slot_kernels % lanes == 0
            # Beats have the results of one slot.
            if not whole or (self.machine.sub_arrays >> self.log_clusters) % lanes or self.in_bytes:
                return False
        elif not self.in_bytes and self.planes > 1 and (self.strips or self._whole_beats > self.block):
            return False
        elif (
            not self.in_bytes
            and self.strips
            and (self.stripe % self.clusters[1] or self.layer.regions[1] % self.clusters[1])
        ):
            # A window beyond the line would see another plane.
            return False
        return all(getattr(self, name) <= limit for name, limit in _LIMITS.items())
