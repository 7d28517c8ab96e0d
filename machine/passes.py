"""A pass: the work of one descriptor of kind LAYER, in the numbers of its loops.

``docs/accelerator.md`` has the loops; `spinplane.machine.codec` turns a pass into words and back.
"""

from dataclasses import dataclass

from .coding import Rounding
from .descriptor import Load, Pool
from .errors import SpinplaneError
from .machine import Machine
from .output_stage import RAW_BITS
from .timing import LOOKUP_CYCLES, MULTIPLY_CYCLES, OUTPUT_STAGE_CYCLES

#: Channel beats that a descriptor can name.
MOST_BEATS = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One pass of a layer on a machine.

    Every number is the true one: what a descriptor holds less one, or as a logarithm, is written here as it is meant.
    Positions and steps are in the units that their names end in; ``bits`` are bit addresses of the image bank.

    Parameters
    ----------
    machine : Machine
    layer : int
        Number of the layer in the host's counting.
    in_base, in_line_bits, in_height, in_valid_bits : int
        Input map: bit address of its first line, bits to the next line, lines, bits of a line that exist.
    in_bytes : bool
        Whether the map has one byte a channel, instead of code planes.
    in_planes, pad_code : int
        Planes of a code, and the code of a position outside of the map.
    start_x, start_y : int
        Bit and line of the first unit; may be negative.
    unit_bits, piece_bits, plane_group_bits : int
        Bits from one unit, piece and plane group to the next.
    pieces, plane_groups : int
        Rows of a unit: pieces, and groups of `planes` planes.
    slots, planes : int
        Kernels side by side in a row, and planes side by side in a slot: powers of two.
    spread : bool
        Whether each slot holds elements of its own, instead of all of them.
    length, last_length : int
        Elements of a row, and of a unit's last piece.
    input_row, line_rows, group_rows, ring_lines : int
        Ring of input rows: the first one, rows from line to line and from plane group to plane group, lines.
    first_lines, next_lines, line_skip, first_columns, next_columns : int
        New lines of the first row of regions, of the others, lines that are left out before; units of a line likewise.
    clusters, clusters_x : int
        Clusters of sub-arrays that take different windows, and those of them in a line: powers of two.
    cluster_x_bits, cluster_y_lines : int
        Bits and lines from one cluster's part of the map to the next one's.
    region_rows, region_columns, region_height, region_width : int
        Regions of a cluster, windows of a region.
    region_lines, window_lines, region_step, window_step : int
        Lines, and array rows, from region to region and from window to window.
    taps_y, tap_lines, bursts, burst_rows, burst_step : int
        A window: lines of taps and the way from one to the next; bursts of rows in a line, rows of a burst, rows
        between.
    kernel_row, kernel_planes, kernel_tiles, sub_arrays, last_sub_arrays : int
        Kernels: first row, planes, kernel tiles; sub-arrays of a cluster that take part, and those of the last kernel
        tile.
    subtracts : bool
        Whether the last kernel plane's counts are subtracted.
    load : Load
    load_base, load_rows, load_sub_arrays : int
        Words of the kernel bank: the first one, rows, words a row.
    beats, last_beats, interval : int
        Beats of a kernel tile in each cluster, of the last kernel tile, and the cycles of an outer beat.
    slot_beats, out_beats : int
        Places from a slot's beats to those of the next one if elements are spread, and places of the output map.
    inner_cycles, last_inner_cycles, outer_cycles, last_outer_cycles : int
        Cycles of the output stage of a kernel tile.
    first_window_x, first_window_y, stride_x, stride_y, windows_x, windows_y, out_width, out_height : int
        Which windows and regions exist.
    accumulator_shift, window_sum_scale : int
    parameter_base, scale_base : int
    pool : Pool
    multiplies, float_scale : bool
        Whether sums are multiplied, and as float32 does it.
    rounding : Rounding
    search_reads : int
        Words of thresholds that a search reads.
    residual : bool
    residual_base, residual_line_bits, residual_plane_bits, residual_pixel_bits, residual_planes : int
        Map of the residual operand.
    residual_zero, residual_high_shift, residual_shift : int
    own_code : bool
        Whether a sum becomes a code before the residual is added.
    own_rounding : Rounding
    own_multiplier, own_high_shift, own_shift, total_offset : int
    multiplies_total : bool
    total_multiplier, total_high_shift, total_shift, total_low, total_high : int
    table : bool
        Whether a level is the number of an entry in a table of codes.
    table_offset, level_shift, out_zero : int
    raw : bool
        Whether the value itself is stored, and no code.
    out_base, out_line_bits, out_plane_bits, out_pixel_bits, out_beat_bits, out_first_bit, out_planes : int
        Output map.
    """

    machine: Machine
    layer: int = 0
    # Input feature map.
    in_base: int = 0
    in_line_bits: int = 0
    in_height: int = 0
    in_valid_bits: int = 0
    in_bytes: bool = False
    in_planes: int = 1
    pad_code: int = 0
    # Units.
    start_x: int = 0
    start_y: int = 0
    unit_bits: int = 0
    piece_bits: int = 0
    plane_group_bits: int = 0
    pieces: int = 1
    plane_groups: int = 1
    slots: int = 1
    planes: int = 1
    spread: bool = False
    length: int = 1
    last_length: int = 1
    # Ring of input rows.
    input_row: int = 0
    line_rows: int = 0
    group_rows: int = 0
    ring_lines: int = 1
    # New units at a region.
    first_lines: int = 0
    next_lines: int = 0
    line_skip: int = 0
    first_columns: int = 0
    next_columns: int = 0
    # Clusters of sub-arrays.
    clusters: int = 1
    clusters_x: int = 1
    cluster_x_bits: int = 0
    cluster_y_lines: int = 0
    # Regions and windows.
    region_rows: int = 1
    region_columns: int = 1
    region_height: int = 1
    region_width: int = 1
    region_lines: int = 0
    window_lines: int = 0
    region_step: int = 0
    window_step: int = 0
    # A window.
    taps_y: int = 1
    tap_lines: int = 0
    bursts: int = 1
    burst_rows: int = 1
    burst_step: int = 0
    # Kernels.
    kernel_row: int = 0
    kernel_planes: int = 1
    subtracts: bool = False
    kernel_tiles: int = 1
    sub_arrays: int = 1
    last_sub_arrays: int = 1
    load: Load = Load.NEVER
    load_base: int = 0
    load_rows: int = 0
    load_sub_arrays: int = 1
    # The output stage.
    beats: int = 1
    last_beats: int = 1
    slot_beats: int = 0
    out_beats: int = MOST_BEATS
    interval: int = 0
    inner_cycles: int = 0
    last_inner_cycles: int = 0
    outer_cycles: int = 0
    last_outer_cycles: int = 0
    # Which windows and regions exist.
    first_window_x: int = 0
    first_window_y: int = 0
    stride_x: int = 0
    stride_y: int = 0
    windows_x: int = 0
    windows_y: int = 0
    out_width: int = 0
    out_height: int = 0
    # From accumulators to sums.
    accumulator_shift: int = 0
    window_sum_scale: int = 0
    parameter_base: int = 0
    scale_base: int = 0
    pool: Pool = Pool.NONE
    # From a sum to a level.
    multiplies: bool = False
    float_scale: bool = False
    rounding: Rounding = Rounding.FLOOR
    search_reads: int = 0
    # Residual operand.
    residual: bool = False
    residual_base: int = 0
    residual_line_bits: int = 0
    residual_plane_bits: int = 0
    residual_pixel_bits: int = 0
    residual_planes: int = 1
    residual_zero: int = 0
    residual_high_shift: int = 0
    residual_shift: int = 0
    # An own code first.
    own_code: bool = False
    own_rounding: Rounding = Rounding.FLOOR
    own_multiplier: int = 0
    own_high_shift: int = 0
    own_shift: int = 0
    total_offset: int = 0
    multiplies_total: bool = False
    total_multiplier: int = 0
    total_high_shift: int = 0
    total_shift: int = 0
    total_low: int = 0
    total_high: int = 0
    # From a level to a code.
    table: bool = False
    table_offset: int = 0
    level_shift: int = 0
    out_zero: int = 0
    raw: bool = False
    # Output feature map.
    out_base: int = 0
    out_line_bits: int = 0
    out_plane_bits: int = 0
    out_pixel_bits: int = 0
    out_beat_bits: int = 0
    out_first_bit: int = 0
    out_planes: int = 1

    @property
    def cluster_size(self) -> int:
        """Sub-arrays of a cluster."""
        return self.machine.sub_arrays // self.clusters

    @property
    def block_columns(self) -> int:
        """Columns of a sub-block, which holds one plane of one slot: B."""
        return self.machine.columns // (self.slots * self.planes)

    @property
    def longest(self) -> int:
        """Elements of a row at most."""
        elements = self.block_columns * (self.slots if self.spread else 1)
        return min(elements, self.machine.columns // 8) if self.in_bytes else elements

    @property
    def plane_bits(self) -> int:
        """Bits of the image bank from a plane of a row to the next one, in a map of planes."""
        return self.plane_group_bits // self.planes if self.spread else self.block_columns

    @property
    def row_set_cycles(self) -> int:
        """Cycles in which a row set is formed."""
        return self.clusters * (self.planes if self.spread else 1)

    @property
    def kernel_plane_signs(self) -> tuple[int, ...]:
        """1 for each kernel plane whose counts are added, −1 for the one whose counts are subtracted."""
        return (1,) * (self.kernel_planes - 1) + (-1 if self.subtracts else 1,)

    @property
    def window_rows(self) -> int:
        """Rows of a window in one plane group, and of a kernel in one plane."""
        return self.taps_y * self.bursts * self.burst_rows

    @property
    def windows(self) -> int:
        """Windows of a region."""
        return self.region_height * self.region_width

    @property
    def regions(self) -> int:
        """Regions of a cluster."""
        return self.region_rows * self.region_columns

    @property
    def burst_cycles(self) -> int:
        """Cycles of the bursts of a kernel tile."""
        return self.window_rows * self.plane_groups * self.kernel_planes * self.machine.sense_cycles

    @property
    def lanes(self) -> int:
        """Results of a beat: D."""
        return self.machine.results_per_cycle

    @property
    def channel_beats(self) -> int:
        """Beats of all kernel tiles of a window in one cluster."""
        return (self.kernel_tiles - 1) * self.beats + self.last_beats

    @property
    def places(self) -> tuple[int, ...]:
        """Places of all channel beats in the output map, in beats."""
        if not self.spread:
            return tuple(range(self.channel_beats))
        return tuple(b % self.slots * self.slot_beats + b // self.slots for b in range(self.channel_beats))

    @property
    def existing_beats(self) -> tuple[int, ...]:
        """Numbers of the channel beats that are written."""
        return tuple(b for b, place in enumerate(self.places) if place < self.out_beats)

    @property
    def writes(self) -> int:
        """Writes of a beat into the image bank."""
        return self.machine.raw_writes if self.raw else self.out_planes

    @property
    def write_bits(self) -> int:
        """Bits of a write into the image bank."""
        return min(self.lanes * RAW_BITS, self.machine.columns) if self.raw else self.lanes

    @property
    def read_residual_planes(self) -> int:
        """Planes of the residual operand that a beat reads when it is written."""
        return self.residual_planes if self.residual else 0

    @property
    def lookups(self) -> int:
        """Words of thresholds and tables that an outer beat reads."""
        return self.search_reads + self.table

    @property
    def multiplications(self) -> tuple[int, ...]:
        """Products of a lane in each phase of an outer beat; a phase begins with the results of the one before it."""
        if not self.multiplies:
            return ()
        added = int(self.residual)
        phases = [1, 1 + added] if self.own_code else [1 + added]
        return (*phases, 1) if self.own_code and self.multiplies_total else tuple(phases)

    @property
    def multiplier_cycles(self) -> int:
        """Cycles for which an outer beat occupies the multipliers."""
        lanes, phases = self.machine.lanes_per_multiplier, self.multiplications
        # The next phase begins when the results of this one are there.
        rest = max(0, MULTIPLY_CYCLES + 2 - lanes)
        return sum(phases) * lanes + max(0, len(phases) - 1) * rest

    @property
    def reading_cycles(self) -> int:
        """Cycles for which the products of a beat wait for its residuals; an own code is made meanwhile."""
        return self.residual_planes - 1 if self.residual and not self.own_code else 0

    @property
    def least_interval(self) -> int:
        """Cycles that an outer beat takes at least."""
        # A search looks at products that must not be those of the next beat.
        searching = LOOKUP_CYCLES * self.lookups if self.search_reads else 0
        multiplying = self.reading_cycles + self.multiplier_cycles + searching if self.multiplies else 0
        looking_up = LOOKUP_CYCLES * self.lookups - 1
        return max(1, self.writes, self.read_residual_planes, multiplying, looking_up)

    @property
    def last_write_cycles(self) -> int:
        """Cycles from the one in which a beat is taken to that of its last write."""
        multiplying = self.reading_cycles + self.multiplier_cycles + MULTIPLY_CYCLES if self.multiplies else 0
        return OUTPUT_STAGE_CYCLES + multiplying + LOOKUP_CYCLES * self.lookups + self.writes

    def check_beats(self) -> None:
        """Refuse beats that are not those of a kernel tile's results.

        Raises
        ------
        SpinplaneError
            If a cluster does not give whole beats, or a kernel tile has other beats than its sub-arrays fill.
        """
        results = self.cluster_size if self.spread else self.cluster_size * self.slots
        if results % self.lanes:
            of_slots = "each slot of its own elements" if self.spread else f"{self.slots} slots"
            raise SpinplaneError(
                f"{self.cluster_size} sub-arrays of a cluster with {of_slots}: must fill whole beats of "
                f"{self.lanes} results"
            )
        kernel_tiles = {"last_beats": (self.last_sub_arrays, self.last_beats)}
        if self.kernel_tiles > 1:
            kernel_tiles = {"beats": (self.sub_arrays, self.beats), **kernel_tiles}
        for name, (sub_arrays, beats) in kernel_tiles.items():
            results, lanes = sub_arrays * self.slots, beats * self.lanes
            if self.spread and sub_arrays % self.lanes:
                raise SpinplaneError(
                    f"descriptor field {name.replace('beats', 'sub_arrays')}: {sub_arrays} sub-arrays do not fill "
                    f"whole beats of {self.lanes} results"
                )
            if not results <= lanes <= self.cluster_size * self.slots:
                raise SpinplaneError(
                    f"descriptor field {name}: {lanes} lanes for {results} results of a cluster"
                )
