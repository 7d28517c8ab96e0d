"""A row set: what the row former hands to the sequencer, one input row for each row bus."""

from amaranth.lib import data

from spinplane.machine import Machine, bits_for

#: Planes of a code weigh at most 2^7 in a row sum.
_PLANE_BITS = 7


def row_sum_bits(machine: Machine) -> int:
    """Width of a row sum: the count of slot 0, planes weighted."""
    return machine.columns.bit_length() + _PLANE_BITS


def row_set_layout(machine: Machine) -> data.StructLayout:
    """The array ``row`` to write, the ``bits`` and row ``sums`` of each row bus, and whether it is a region's last.

    Rows beyond the array appear as `machine.rows` or any other number that is no row of it, never as the lower
    bits of their number.
    """
    return data.StructLayout(
        {
            "row": bits_for(machine.rows),
            "bits": data.ArrayLayout(machine.columns, machine.row_buses),
            "sums": data.ArrayLayout(row_sum_bits(machine), machine.row_buses),
            "last": 1,
        }
    )
