"""Addresses in the maps of outputs: narrow ones, that know when they lie beyond the image bank."""

from amaranth.hdl import Cat, Value, ValueLike
from amaranth.lib import data

from spinplane.machine import Machine, bits_for

#: Bits of a step from line to line.
STEP_BITS = 24


def map_steps_layout() -> data.StructLayout:
    """Where the first beat lies, and the bits to the next region line, region column, channel beat, slot's beat."""
    return data.StructLayout(
        {
            "base": 32,
            "first_bit": 16,
            "line_bits": STEP_BITS,
            "pixel_bits": 16,
            "beat_bits": 16,
            "slot_bits": STEP_BITS,
        }
    )


def map_address_bits(machine: Machine) -> int:
    """One bit more than an address in the image bank takes: it says that an address lies beyond them all, and stays."""
    return bits_for(machine.image_words * machine.columns - 1) + 1


def narrowed(number: ValueLike, bits: int) -> Value:
    """An unsigned number in so many bits, the highest of which says that it does not fit in the others."""
    value, low = Value.cast(number), bits - 1
    return Cat(value[:low], *([0] * (low - len(value))), value[low:].any())


def added(first: Value, second: Value) -> Value:
    """Sum of two such numbers of the same bits."""
    low = len(first) - 1
    total = first[:low] + second[:low]
    return Cat(total[:low], total[low] | first[low] | second[low])
