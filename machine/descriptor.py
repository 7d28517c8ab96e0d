"""The descriptor: what the layer controller is told of one pass of a layer.

A program memory holds descriptors of `DESCRIPTOR_WORDS` words of 32 bits, one field a word, in the order of
`DESCRIPTOR_FIELDS`. A word that does not fit its field is an error that names the word. The walk over a layer that
these fields describe is drawn in ``docs/accelerator.md``.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .errors import SpinplaneError

DESCRIPTOR_WORDS = 128
THRESHOLDS = 15
THRESHOLD_BITS = 48


class Kind(enum.Enum):
    """What a descriptor asks for; the value is its code in the RTL."""

    END = 0
    LAYER = 1
    IMPORT = 2


class Load(enum.Enum):
    """When kernels are written from the kernel bank; the value is its code in the RTL."""

    NEVER = 0
    ALWAYS = 1
    UNLESS_RESIDENT = 2


class PoolAt(enum.Enum):
    """How the values of a pooling region become one; the value is its code in the RTL.

    ``NONE``: a region is one window. ``SUM`` and ``MAX`` of the scaled values, ``MAX_BEFORE`` of the sums before
    scaling: the least scaled value where the multiplier is negative.
    """

    NONE = 0
    SUM = 1
    MAX = 2
    MAX_BEFORE = 3


class Requantize(enum.Enum):
    """From a value to a code; the value is its code in the RTL."""

    SHIFT = 0
    THRESHOLDS = 1
    RAW = 2


@dataclass(frozen=True)
class Field:
    """Width and sign of a descriptor's field."""

    name: str
    bits: int
    signed: bool = False

    @property
    def smallest(self) -> int:
        """Least value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def largest(self) -> int:
        """Greatest value."""
        return (1 << (self.bits - self.signed)) - 1


def _unsigned(bits: int, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, bits) for name in names)


def _signed(bits: int, *names: str) -> tuple[Field, ...]:
    return tuple(Field(name, bits, signed=True) for name in names)


#: Numbers that are at least 1 (planes, taps, pieces, strips, …) are stored less one.
DESCRIPTOR_FIELDS: tuple[Field, ...] = (
    *_unsigned(2, "kind"),
    *_unsigned(16, "layer"),
    # Input feature map: bit address of the first line, bits from one plane's line to the next.
    *_unsigned(32, "in_base"),
    *_unsigned(24, "in_line_bits"),
    *_unsigned(3, "in_planes"),
    *_unsigned(1, "in_signed"),
    *_unsigned(16, "in_height"),
    *_unsigned(24, "in_valid_bits"),
    *_unsigned(8, "pad_code"),
    # A window: taps of lines, taps in a line, pieces of a tap.
    *_signed(24, "start_x"),
    *_signed(16, "start_y"),
    *_unsigned(8, "taps_y", "tap_y_step", "taps_x"),
    *_unsigned(24, "tap_x_step"),
    *_unsigned(8, "pieces"),
    *_unsigned(12, "piece_bits", "last_piece_bits"),
    *_unsigned(24, "window_step"),
    *_unsigned(8, "window_step_y"),
    # Windows of a step: slots beside each other in a row, a batch one after the other, groups at once.
    *_unsigned(3, "slots", "groups"),
    *_unsigned(8, "batch"),
    *_unsigned(24, "batch_step", "group_step"),
    *_unsigned(1, "overlapping"),
    *_unsigned(24, "region_step"),
    # Steps: blocks in x, then rows of pooling regions, then rows of windows in a region.
    *_unsigned(16, "blocks"),
    *_unsigned(24, "block_step"),
    *_unsigned(16, "block_windows", "block_outputs", "group_windows", "group_outputs"),
    *_unsigned(16, "rows"),
    *_unsigned(4, "region_w", "region_h", "region_stride"),
    *_unsigned(8, "region_step_y"),
    *_unsigned(16, "windows_x", "windows_y"),
    *_signed(8, "first_window_x", "first_window_y"),
    # Rows of the sub-arrays.
    *_unsigned(8, "strips", "next_strips"),
    *_unsigned(12, "tiles", "length", "input_row", "batch_rows", "kernel_row", "round_rows"),
    *_unsigned(3, "kernel_planes"),
    *_unsigned(1, "kernel_signed"),
    *_unsigned(12, "rounds"),
    *_unsigned(8, "all_last", "last_round_last"),
    *_unsigned(1, "clear", "emit"),
    # Kernels.
    *_unsigned(2, "load"),
    *_unsigned(24, "load_base"),
    *_unsigned(12, "load_rows"),
    *_unsigned(8, "load_last"),
    # From accumulators to codes.
    *_unsigned(2, "accumulator_shift"),
    *_signed(9, "window_sum_scale"),
    *_unsigned(16, "parameter_base", "class_beats"),
    *_unsigned(4, "edge_left", "edge_right", "edge_top", "edge_bottom"),
    *_unsigned(16, "channel_beats"),
    *_unsigned(2, "pool", "requantize"),
    *_unsigned(1, "absolute"),
    *_unsigned(6, "shift"),
    *_unsigned(2, "rounding"),
    *_signed(9, "low", "high"),
    *_unsigned(1, "residual"),
    *_unsigned(32, "residual_base"),
    *_unsigned(24, "residual_line_bits"),
    *_unsigned(3, "residual_planes"),
    *_unsigned(1, "residual_signed"),
    *_unsigned(16, "residual_pixel_bits"),
    # Output feature map.
    *_unsigned(32, "out_base"),
    *_unsigned(24, "out_line_bits"),
    *_unsigned(3, "out_planes"),
    *_unsigned(16, "out_pixel_bits", "out_channel_bit", "out_width"),
    # Raw bytes: words of a line.
    *_unsigned(16, "import_words"),
    # Thresholds: the lower 32 bits, then the upper 16.
    *_unsigned(4, "threshold_count"),
    *(
        field
        for j in range(THRESHOLDS)
        for field in (*_unsigned(32, f"threshold_{j}_low"), *_signed(16, f"threshold_{j}_high"))
    ),
)

FIELD_INDEX: dict[str, int] = {field.name: index for index, field in enumerate(DESCRIPTOR_FIELDS)}


class Descriptor(dict[str, int]):
    """Values of a descriptor's fields by name; what is not given is 0.

    Raises
    ------
    SpinplaneError
        If there is no such field, or a value does not fit its field, naming both.
    """

    def __init__(self, values: Mapping[str, int] | None = None, /, **fields: int) -> None:
        super().__init__(dict.fromkeys(FIELD_INDEX, 0))
        for name, value in {**(values or {}), **fields}.items():
            self[name] = value

    def __setitem__(self, name: str, value: int) -> None:
        if name not in FIELD_INDEX:
            raise SpinplaneError(f"a descriptor has no field {name!r}")
        field = DESCRIPTOR_FIELDS[FIELD_INDEX[name]]
        if not field.smallest <= int(value) <= field.largest:
            raise SpinplaneError(
                f"descriptor field {name} = {value}: allowed are {field.smallest} to {field.largest}"
            )
        super().__setitem__(name, int(value))

    @property
    def thresholds(self) -> list[int]:
        """Thresholds of the activation, ascending."""
        return [
            self[f"threshold_{j}_low"] | self[f"threshold_{j}_high"] << 32
            for j in range(self["threshold_count"])
        ]

    def set_thresholds(self, thresholds: list[int]) -> None:
        """Store the thresholds and their number.

        Raises
        ------
        SpinplaneError
            If there are more than `THRESHOLDS`, or one exceeds `THRESHOLD_BITS` bits.
        """
        if len(thresholds) > THRESHOLDS:
            raise SpinplaneError(
                f"{len(thresholds)} thresholds: an activation has at most {THRESHOLDS}, for codes of 4 bits"
            )
        self["threshold_count"] = len(thresholds)
        for j, threshold in enumerate(thresholds):
            self[f"threshold_{j}_low"] = threshold & 0xFFFFFFFF
            self[f"threshold_{j}_high"] = threshold >> 32

    def words(self) -> np.ndarray:
        """The descriptor as it lies in program memory: ndarray of shape (`DESCRIPTOR_WORDS`,), uint32."""
        words = np.zeros(DESCRIPTOR_WORDS, dtype=np.uint32)
        words[: len(DESCRIPTOR_FIELDS)] = [self[field.name] & 0xFFFFFFFF for field in DESCRIPTOR_FIELDS]
        return words

    @classmethod
    def from_words(cls, words: np.ndarray) -> "Descriptor":
        """Read a descriptor; the inverse of `words`.

        Raises
        ------
        SpinplaneError
            If a word does not fit its field.
        """
        values = {}
        for field, word in zip(DESCRIPTOR_FIELDS, map(int, words), strict=False):
            values[field.name] = word - (word >> 31 << 32) if field.signed else word
        return cls(values)
