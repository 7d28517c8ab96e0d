"""The descriptor: one pass of a layer, or one memory operation, as the layer controller receives it.

A program memory holds descriptors of `DESCRIPTOR_WORDS` words of 32 bits, one field a word, in the order of
`DESCRIPTOR_FIELDS`. A word that does not fit its field is an error that names the word. The walk over a layer that
these fields describe is drawn in ``docs/accelerator.md``. A memory operation lies in some of the same words.
"""

import enum
from dataclasses import dataclass

DESCRIPTOR_WORDS = 128
#: Version of the program format and of the registers.
FORMAT_VERSION = 3


class Kind(enum.Enum):
    """What a descriptor asks for; the value is its code in the RTL."""

    END = 0
    LAYER = 1
    HEADER = 2
    MEMORY = 3


class Load(enum.Enum):
    """When kernels are written from the kernel bank; the value is its code in the RTL."""

    NEVER = 0
    ALWAYS = 1
    UNLESS_RESIDENT = 2


class Pool(enum.Enum):
    """How the sums of a pooling region's windows become one; the value is its code in the RTL.

    ``NONE``: every window is a region. ``MAX`` takes the least sum in channels that say so.
    """

    NONE = 0
    SUM = 1
    MAX = 2


class Holds(enum.Enum):
    """What a field's word holds of the number that is meant: itself, itself less one, or its logarithm to base 2."""

    NUMBER = 0
    LESS_ONE = 1
    LOGARITHM = 2


@dataclass(frozen=True)
class Field:
    """Width and sign of a descriptor's field, and how a number is held in it."""

    name: str
    bits: int
    signed: bool = False
    holds: Holds = Holds.NUMBER

    @property
    def smallest(self) -> int:
        """Least value of the word."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def largest(self) -> int:
        """Greatest value of the word."""
        return (1 << (self.bits - self.signed)) - 1

    @property
    def meant(self) -> str:
        """Name of the number that is meant."""
        return self.name.removeprefix("log_")


def _unsigned(bits: int, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, bits) for name in names)


def _less_one(bits: int, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, bits, holds=Holds.LESS_ONE) for name in names)


def _logarithm(bits: int, *names: str) -> tuple[Field, ...]:
    return tuple(Field(f"log_{name}", bits, holds=Holds.LOGARITHM) for name in names)


def _signed(bits: int, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, bits, signed=True) for name in names)


#: In the order of the words. ``docs/accelerator.md`` has the loops, `spinplane.machine.codec` what a word means.
DESCRIPTOR_FIELDS: tuple[Field, ...] = (
    *_unsigned(2, "kind"),
    # Header: what the program was made for.
    *_unsigned(16, "version"),
    *_unsigned(32, "machine", "tag"),
    # Layer it belongs to, in the host's counting.
    *_unsigned(16, "layer"),
    # Input feature map: bit address of its first line, bits to the next line, lines, bits of a line that exist.
    *_unsigned(32, "in_base"),
    *_unsigned(24, "in_line_bits"),
    *_unsigned(16, "in_height"),
    *_unsigned(24, "in_valid_bits"),
    *_unsigned(1, "in_bytes"),
    *_less_one(3, "in_planes"),
    *_unsigned(8, "pad_code"),
    # Units: bit and line of the first one, bits to the next; pieces of a unit, groups of planes.
    *_signed(24, "start_x"),
    *_signed(16, "start_y"),
    *_unsigned(24, "unit_bits", "piece_bits", "plane_group_bits"),
    *_less_one(8, "pieces"),
    *_less_one(3, "plane_groups"),
    *_logarithm(2, "slots", "planes"),
    *_unsigned(1, "spread"),
    *_less_one(12, "length", "last_length"),
    # Ring of input rows.
    *_unsigned(12, "input_row", "line_rows", "group_rows"),
    *_less_one(8, "ring_lines"),
    # New units at a region: lines at the first row of regions and at the others, columns likewise.
    *_unsigned(8, "first_lines", "next_lines", "line_skip"),
    *_unsigned(16, "first_columns", "next_columns"),
    # Clusters of sub-arrays and the part of the map that each takes.
    *_logarithm(2, "clusters", "clusters_x"),
    *_unsigned(24, "cluster_x_bits"),
    *_unsigned(16, "cluster_y_lines"),
    # Regions of a cluster, windows of a region.
    *_less_one(16, "region_rows", "region_columns"),
    *_less_one(4, "region_height", "region_width"),
    *_unsigned(8, "region_lines", "window_lines"),
    *_unsigned(12, "region_step", "window_step"),
    # A window: lines of taps, bursts of rows in a line.
    *_less_one(8, "taps_y"),
    *_unsigned(8, "tap_lines"),
    *_less_one(8, "bursts"),
    *_less_one(12, "burst_rows"),
    *_unsigned(12, "burst_step"),
    # Kernels.
    *_unsigned(12, "kernel_row"),
    *_less_one(3, "kernel_planes"),
    *_unsigned(1, "subtracts"),
    *_less_one(12, "kernel_tiles"),
    *_less_one(8, "sub_arrays", "last_sub_arrays"),
    *_unsigned(2, "load"),
    *_unsigned(24, "load_base"),
    *_unsigned(12, "load_rows"),
    *_less_one(8, "load_sub_arrays"),
    # The output stage: beats of a kernel tile, of a slot of its own elements, and cycles of a kernel tile's results.
    *_less_one(12, "beats", "last_beats"),
    *_unsigned(12, "slot_beats"),
    *_less_one(16, "out_beats"),
    *_unsigned(7, "interval"),
    *_unsigned(16, "inner_cycles", "last_inner_cycles", "outer_cycles", "last_outer_cycles"),
    # Which windows and regions exist.
    *_signed(8, "first_window_x", "first_window_y"),
    *_unsigned(4, "stride_x", "stride_y"),
    *_unsigned(16, "windows_x", "windows_y", "out_width", "out_height"),
    # From accumulators to sums.
    *_unsigned(2, "accumulator_shift"),
    *_signed(9, "window_sum_scale"),
    *_unsigned(16, "parameter_base", "scale_base"),
    *_unsigned(2, "pool"),
    # From a sum to a level.
    *_unsigned(1, "multiplies", "float_scale"),
    *_unsigned(4, "rounding"),
    *_unsigned(3, "search_reads"),
    # Residual operand.
    *_unsigned(1, "residual"),
    *_unsigned(32, "residual_base"),
    *_unsigned(24, "residual_line_bits", "residual_plane_bits"),
    *_unsigned(16, "residual_pixel_bits"),
    *_less_one(3, "residual_planes"),
    *_unsigned(8, "residual_zero"),
    *_unsigned(6, "residual_high_shift", "residual_shift"),
    # An own code first, and the total of it and the residual.
    *_unsigned(1, "own_code"),
    *_unsigned(4, "own_rounding"),
    *_signed(32, "own_multiplier"),
    *_unsigned(6, "own_high_shift", "own_shift"),
    *_signed(32, "total_offset"),
    *_unsigned(1, "multiplies_total"),
    *_signed(32, "total_multiplier"),
    *_unsigned(6, "total_high_shift", "total_shift"),
    *_signed(9, "total_low", "total_high"),
    # From a level to a code.
    *_unsigned(1, "table"),
    *_unsigned(8, "table_offset"),
    *_unsigned(1, "level_shift"),
    *_unsigned(8, "out_zero"),
    *_unsigned(1, "raw"),
    # Output feature map.
    *_unsigned(32, "out_base"),
    *_unsigned(24, "out_line_bits", "out_plane_bits"),
    *_unsigned(16, "out_pixel_bits", "out_beat_bits", "out_first_bit"),
    *_less_one(3, "out_planes"),
    # Memory operation: what is done, and its flags.
    *_unsigned(5, "operation"),
)

#: Where the numbers of a memory operation lie: in the words of these fields, as they are.
MEMORY_WORDS: dict[str, str] = {
    "row_a": "input_row",
    "row_b": "line_rows",
    "row_d": "kernel_row",
    "first_sub_array": "load_sub_arrays",
    "last_sub_array": "last_sub_arrays",
    "kernel_word": "load_base",
    "image_word": "out_base",
}
#: Where the number of its rows lies, less one.
MEMORY_ROWS_WORD = "burst_rows"
#: Where the bit lies that makes an AND an XOR, on machines with ``xor_sensing``; the others do not look at it.
MEMORY_XOR_WORD = "subtracts"


class OperationBit(enum.IntEnum):
    """Bits of the word ``operation`` above the two of the `RowOperation`."""

    MASKED = 2
    WRITE_BACK = 3
    STORE = 4


FIELD_INDEX: dict[str, int] = {field.name: index for index, field in enumerate(DESCRIPTOR_FIELDS)}
