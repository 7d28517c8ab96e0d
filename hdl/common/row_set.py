"""A row set on its way from the input streamer into the array, and the note of it for the window sums."""

from amaranth.lib import data

from spinplane.machine import Machine, bits_for

#: Planes of a code weigh at most 2^7 in a row sum.
_PLANE_BITS = 7


def row_sum_bits(machine: Machine) -> int:
    """Width of a row sum: the count of slot 0, planes weighted."""
    return machine.columns.bit_length() + _PLANE_BITS


def row_set_layout(machine: Machine) -> data.StructLayout:
    """The array ``row`` to write, the ``bits`` and row ``sums`` of each row bus, and whether it is a region's last.

    Rows beyond the array appear as `machine.rows` or any other number that is not a row of it, never as the lower
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


def row_write_layout(machine: Machine) -> data.StructLayout:
    """A strobe: array ``row`` has been written with bits of these ``sums``."""
    return data.StructLayout(
        {
            "valid": 1,
            "row": bits_for(machine.rows - 1),
            "sums": data.ArrayLayout(row_sum_bits(machine), machine.row_buses),
        }
    )


def window_burst_layout(machine: Machine) -> data.StructLayout:
    """A strobe: a burst of ``rows`` (less one) input rows from ``row`` on, whose sums weigh 2^``shift`` in a window's.

    ``first`` and ``last`` mark those of a window.
    """
    return data.StructLayout(
        {
            "valid": 1,
            "row": bits_for(machine.rows - 1),
            "rows": bits_for(machine.rows - 1),
            "shift": _PLANE_BITS.bit_length(),
            "first": 1,
            "last": 1,
        }
    )
