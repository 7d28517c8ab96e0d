"""The command of an engine as an Amaranth layout, and the step that travels with a sensed row."""

from amaranth.lib import data

from spinplane.machine import SHIFT_FIELD_BITS, Machine, command_fields


def command_layout(machine: Machine) -> data.StructLayout:
    """Layout of `spinplane.machine.command_fields`; ``op`` holds the value of an `Op`."""
    return data.StructLayout(command_fields(machine))


#: What happens to the count of a sensed row: shifted left by ``shift``, subtracted if ``negate``, into an
#: accumulator for each segment if ``packed``, else the total into accumulator 0; from 0 if ``clear``; handed
#: out after it if ``emit``.
STEP = data.StructLayout({"shift": SHIFT_FIELD_BITS, "negate": 1, "packed": 1, "clear": 1, "emit": 1})


def row_layout(machine: Machine) -> data.StructLayout:
    """A row to write: its ``bits``, column 0 first, and the ``mask`` of the columns that take them."""
    return data.StructLayout({"bits": machine.columns, "mask": machine.columns})
