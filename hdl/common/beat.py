"""Beats: the results that leave the engine in a cycle, and the words of their channels."""

from collections.abc import Iterable

from amaranth.hdl import signed
from amaranth.lib import data

from spinplane.machine import Machine
from spinplane.machine.output_stage import (
    PARAMETER_FIELDS,
    SCALE_FIELDS,
    THRESHOLD_BITS,
    THRESHOLDS_PER_WORD,
    WINDOW_SUM_BITS,
    ChannelField,
)

#: Fields of a channel that are read together, since a stage of the pipeline needs them in one cycle.
PARAMETER_PARTS: dict[str, tuple[str, ...]] = {
    "sums": ("bias", "least"),
    "levels": ("low", "high", "search", "falling"),
    "bases": ("threshold_base",),
}
SCALE_PARTS: dict[str, tuple[str, ...]] = {
    "products": ("multiplier", "residual_multiplier"),
    "high_shifts": ("high_shift",),
    "offsets": ("offset", "shift"),
}


def result_beat_layout(machine: Machine) -> data.ArrayLayout:
    """Accumulators of neighbouring sub-arrays and slots."""
    return data.ArrayLayout(signed(machine.accumulator_bits), machine.results_per_cycle)


def window_sums_layout(machine: Machine) -> data.ArrayLayout:
    """Sums of the input codes of a window, one for each row bus."""
    return data.ArrayLayout(signed(WINDOW_SUM_BITS), machine.row_buses)


def parameters_layout(part: str, channels: int) -> data.ArrayLayout:
    """What the part of a word of parameters holds of each channel."""
    return _part_layout(PARAMETER_FIELDS, PARAMETER_PARTS[part], channels)


def scales_layout(part: str, channels: int) -> data.ArrayLayout:
    """What the part of a word of scales holds of each channel."""
    return _part_layout(SCALE_FIELDS, SCALE_PARTS[part], channels)


def _part_layout(fields: Iterable[ChannelField], names: tuple[str, ...], channels: int) -> data.ArrayLayout:
    """Fields follow one another in the order of the word."""
    shapes = {field.name: signed(field.bits) if field.signed else field.bits for field in fields}
    return data.ArrayLayout(
        data.StructLayout({name: shape for name, shape in shapes.items() if name in names}), channels
    )


def threshold_word_layout() -> data.ArrayLayout:
    """A channel's word of the threshold bank, as thresholds."""
    return data.ArrayLayout(signed(THRESHOLD_BITS), THRESHOLDS_PER_WORD)
