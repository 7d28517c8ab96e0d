"""The command of an engine as an Amaranth layout, and the step that travels with a sensed row."""

from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import LOG_FIELD_BITS, SHIFT_FIELD_BITS, Machine, command_fields


def command_layout(machine: Machine) -> data.StructLayout:
    """Layout of `spinplane.machine.command_fields`; ``op`` holds the value of an `Op`."""
    return data.StructLayout(command_fields(machine))


def write_command_layout(machine: Machine) -> data.StructLayout:
    """What a ``WRITE`` takes of a command, where writes have a stream of their own."""
    fields = command_fields(machine)
    return data.StructLayout({name: fields[name] for name in ("row_d", "first", "last", "log_clusters")})


#: How the ones of a row are counted: 2^log_slots slots, of 2^log_planes sub-blocks each.
COUNT_MODE = data.StructLayout({"log_slots": LOG_FIELD_BITS, "log_planes": LOG_FIELD_BITS})

#: What happens to the counts of a sensed row, which are taken by ``mode``: shifted left by ``shift``, added, or taken
#: off if ``subtract``, from 0 on if ``clear``; handed out after it if ``emit``.
STEP = data.StructLayout(
    {"shift": SHIFT_FIELD_BITS, "mode": COUNT_MODE, "subtract": 1, "clear": 1, "emit": 1}
)


def row_layout(machine: Machine) -> data.ArrayLayout:
    """A row to write: its bits on each bus, column 0 first.

    Bus b drives the sub-arrays from b·sub_arrays/row_buses on.
    """
    return data.ArrayLayout(machine.columns, machine.row_buses)


#: The handshake of a stream of rows, for who does not look at their bits.
ROW_OFFER = wiring.Signature({"valid": Out(1), "ready": In(1)})
