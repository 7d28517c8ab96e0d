"""A pass: the work of one descriptor of kind LAYER, in the numbers of its loops.

``docs/accelerator.md`` has the loops; `spinplane.machine.codec` turns a pass into words and back.
"""

from dataclasses import dataclass

from .activation import RAW_BITS, ActivationConfiguration
from .coding import Rounding
from .descriptor import Load, PoolAt, Requantize
from .errors import SpinplaneError
from .machine import Machine
from .timing import output_stage_cycles


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
    load : Load
    load_base, load_rows, load_sub_arrays : int
        Words of the kernel bank: the first one, rows, words a row.
    beats, last_beats, interval : int
        Beats of a kernel tile in each cluster, of the last kernel tile, and the cycles of an outer beat.
    inner_cycles, last_inner_cycles, outer_cycles, last_outer_cycles : int
        Cycles of the output stage of a kernel tile.
    first_window_x, first_window_y, stride_x, stride_y, windows_x, windows_y, out_width, out_height : int
        Which windows and regions exist.
    accumulator_shift, window_sum_scale : int
    parameter_base, threshold_base, threshold_words : int
    pool : PoolAt
    requantize : Requantize
    absolute : bool
    shift : int
    rounding : Rounding
    low, high, code_shift : int
    residual : bool
    residual_base, residual_line_bits, residual_plane_bits, residual_pixel_bits, residual_planes : int
        Map of the residual operand.
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
    # From accumulators to codes.
    accumulator_shift: int = 0
    window_sum_scale: int = 0
    parameter_base: int = 0
    threshold_base: int = 0
    threshold_words: int = 0
    pool: PoolAt = PoolAt.NONE
    requantize: Requantize = Requantize.SHIFT
    absolute: bool = False
    shift: int = 0
    rounding: Rounding = Rounding.FLOOR
    low: int = 0
    high: int = 0
    code_shift: int = 0
    # Residual operand.
    residual: bool = False
    residual_base: int = 0
    residual_line_bits: int = 0
    residual_plane_bits: int = 0
    residual_pixel_bits: int = 0
    residual_planes: int = 1
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
    def writes(self) -> int:
        """Writes of a beat into the image bank."""
        return self.machine.raw_writes if self.requantize is Requantize.RAW else self.out_planes

    @property
    def write_bits(self) -> int:
        """Bits of a write into the image bank."""
        if self.requantize is Requantize.RAW:
            return min(self.lanes * RAW_BITS, self.machine.columns)
        return self.lanes

    @property
    def read_threshold_words(self) -> int:
        """Words of thresholds that an outer beat reads."""
        return self.threshold_words if self.requantize is Requantize.THRESHOLDS else 0

    @property
    def read_residual_planes(self) -> int:
        """Planes of the residual operand that a beat reads when it is written."""
        return self.residual_planes if self.residual else 0

    @property
    def least_interval(self) -> int:
        """Cycles that an outer beat takes at least."""
        return max(self.writes, self.threshold_words, self.read_residual_planes)

    @property
    def last_write_cycles(self) -> int:
        """Cycles from the one in which a beat is taken to that of its last write."""
        return output_stage_cycles(
            writes=self.writes,
            threshold_words=self.read_threshold_words,
            residual_planes=self.read_residual_planes,
        )

    @property
    def activation(self) -> ActivationConfiguration:
        """How a value becomes a code.

        Raises
        ------
        SpinplaneError
            If the unit cannot take a number.
        """
        return ActivationConfiguration(
            requantize=self.requantize,
            absolute=self.absolute,
            shift=self.shift,
            rounding=self.rounding,
            low=self.low,
            high=self.high,
            threshold_words=self.threshold_words,
            code_shift=self.code_shift,
        )

    def check_beats(self) -> None:
        """Refuse beats that are not those of a kernel tile's results.

        Raises
        ------
        SpinplaneError
            If a cluster does not give whole beats, or a kernel tile has other beats than its sub-arrays fill.
        """
        if self.cluster_size * self.slots % self.lanes:
            raise SpinplaneError(
                f"{self.cluster_size} sub-arrays of a cluster with {self.slots} slots: must fill whole beats of "
                f"{self.lanes} results"
            )
        kernel_tiles = {"last_beats": (self.last_sub_arrays, self.last_beats)}
        if self.kernel_tiles > 1:
            kernel_tiles = {"beats": (self.sub_arrays, self.beats), **kernel_tiles}
        for name, (sub_arrays, beats) in kernel_tiles.items():
            results, lanes = sub_arrays * self.slots, beats * self.lanes
            if not results <= lanes <= self.cluster_size * self.slots:
                raise SpinplaneError(
                    f"descriptor field {name}: {lanes} lanes for {results} results of a cluster"
                )
