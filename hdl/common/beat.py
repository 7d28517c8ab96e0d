"""Beats: the results that leave the engine in a cycle, and the tags that accompany them."""

from amaranth.hdl import signed
from amaranth.lib import data

from spinplane.machine import OFFSET_BITS, Machine
from spinplane.machine.activation import SCALE_BITS, VALUE_BITS, WINDOW_SUM_BITS
from spinplane.machine.descriptor import THRESHOLD_BITS, THRESHOLDS_PER_WORD


def result_beat_layout(machine: Machine) -> data.ArrayLayout:
    """Accumulators of neighbouring sub-arrays and slots."""
    return data.ArrayLayout(signed(machine.accumulator_bits), machine.results_per_cycle)


def window_sums_layout(machine: Machine) -> data.ArrayLayout:
    """Sums of the input codes of a window, one for each row bus."""
    return data.ArrayLayout(signed(WINDOW_SUM_BITS), machine.row_buses)


def parameter_word_layout(machine: Machine) -> data.ArrayLayout:
    """A word of the parameter bank: 128 bits for each channel of a beat."""
    channel = data.StructLayout(
        {
            "bias": signed(VALUE_BITS),
            "multiplier": signed(SCALE_BITS),
            "offset": signed(OFFSET_BITS),
            "residual_multiplier": signed(SCALE_BITS),
        }
    )
    return data.ArrayLayout(channel, machine.results_per_cycle)


def threshold_word_layout(machine: Machine) -> data.ArrayLayout:
    """A word of the threshold bank: 128 bits, four thresholds, for each channel of a beat."""
    channel = data.ArrayLayout(signed(THRESHOLD_BITS), THRESHOLDS_PER_WORD)
    return data.ArrayLayout(channel, machine.results_per_cycle)
