"""The command of an engine: what every sub-array controller obeys.

A program is a numpy structured array of commands (`command_dtype`) with the rows that its writes consume. The
RTL's ``Command`` struct, the functional machine and the compiler all take their fields from `command_fields`.
"""

import enum
from dataclasses import dataclass

import numpy as np

from .machine import Machine


class Op(enum.Enum):
    """Operations of a sub-array; the value is the code in the RTL.

    ``WRITE`` takes one (row, mask) from the write stream into ``row_d``. ``READ`` senses ``row_a`` (EN_M),
    ``AND`` and ``OR`` sense ``row_a`` with ``row_b``; with ``emit`` the sensed row leaves on the row stream,
    with ``write_back`` its sensed columns are written to ``row_d``. ``DOT`` accumulates
    ±2^(m+n+shift)·bitcount(and(a, b)) over all planes and tiles, ``COUNT`` ±2^(m+shift)·bitcount(a) over the
    planes and tiles of ``row_a`` alone. ``LOAD`` fills the accumulators with the constants of ``row_a``:
    that of slot s from the columns s·columns/slots and up, two's complement, least significant bit first, and
    0 where there is no slot.
    """

    WRITE = 0
    READ = 1
    AND = 2
    OR = 3
    DOT = 4
    COUNT = 5
    LOAD = 6


_WHERE = frozenset({"first", "last", "log_groups"})
_SENSE = _WHERE | {"row_a", "row_d", "length", "log_slots", "emit", "write_back"}
_COUNT = _WHERE | {"row_a", "planes_a", "tiles", "length", "log_slots", "log_planes", "signed_a", "shift"}
_COUNT |= {"negate", "clear", "emit"}

#: Fields that an operation uses; it ignores the others.
OP_FIELDS: dict[Op, frozenset[str]] = {
    Op.WRITE: _WHERE | {"row_d"},
    Op.READ: _SENSE,
    Op.AND: _SENSE | {"row_b"},
    Op.OR: _SENSE | {"row_b"},
    Op.DOT: _COUNT | {"row_b", "planes_b", "signed_b"},
    Op.COUNT: _COUNT,
    Op.LOAD: _WHERE | {"row_a", "length", "log_slots"},
}

#: Emitting commands that an engine has on their way at once: as many as one sub-array holds in its result
#: registers, bit-counter, sense amplifiers and controller.
EMISSIONS = 4

#: Bits of the field that counts planes (less one), of the base shift, and of the logarithms of slots, of planes
#: side by side and of groups.
PLANE_FIELD_BITS = 3
SHIFT_FIELD_BITS = 5
LOG_FIELD_BITS = 2
#: Slots of a row, planes side by side and groups of sub-arrays that a command can ask for at most.
MOST_SLOTS = 1 << ((1 << LOG_FIELD_BITS) - 1)


def bits_for(largest: int) -> int:
    """Bits that hold the whole numbers from 0 to `largest`; at least 1."""
    return max(1, largest.bit_length())


def command_fields(machine: Machine) -> dict[str, int]:
    """Names and widths in bits of a command's fields, in the order in which they are packed.

    ``op``; ``first``, ``last``: sub-arrays of each group that take part; ``row_a``, ``row_b``, ``row_d``: rows;
    ``planes_a``, ``planes_b``, ``tiles``: their numbers less one (plane m, tile t of an operand lies in row
    ``row + m·(tiles+1) + t``); ``length``: sensed columns of the last tile less one, counted in each slot;
    ``log_slots``, ``log_planes``: the row has 2^log_slots equal slots, each with an accumulator of its own, and
    a slot 2^log_planes equal sub-blocks, of which the ones of number p count 2^p; ``log_groups``: the
    sub-arrays stand in 2^log_groups groups of neighbours; ``signed_a``, ``signed_b``: the top plane weighs
    negatively; ``shift``: added to m + n; ``negate``: subtract; ``clear``: start from 0; ``emit``: hand out the
    row, or the accumulators after the last step; ``write_back``: store the sensed row in ``row_d``.
    `OP_FIELDS` has those that an operation uses.
    """
    row, sub_array = bits_for(machine.rows - 1), bits_for(machine.sub_arrays - 1)
    return {
        "op": bits_for(max(op.value for op in Op)),
        "first": sub_array,
        "last": sub_array,
        "row_a": row,
        "row_b": row,
        "row_d": row,
        "planes_a": PLANE_FIELD_BITS,
        "planes_b": PLANE_FIELD_BITS,
        "tiles": row,
        "length": bits_for(machine.columns - 1),
        "log_slots": LOG_FIELD_BITS,
        "log_planes": LOG_FIELD_BITS,
        "log_groups": LOG_FIELD_BITS,
        "signed_a": 1,
        "signed_b": 1,
        "shift": SHIFT_FIELD_BITS,
        "negate": 1,
        "clear": 1,
        "emit": 1,
        "write_back": 1,
    }


def command_dtype(machine: Machine) -> np.dtype:
    """Structured dtype of a command: one ``int16`` for each field."""
    return np.dtype([(name, np.int16) for name in command_fields(machine)])


def pack_commands(machine: Machine, commands: np.ndarray) -> list[int]:
    """Commands as the integers that the RTL's command port takes, first field in the lowest bits.

    Raises
    ------
    ValueError
        If a field does not fit in its width.
    """
    words = np.zeros(len(commands), dtype=object)
    at = 0
    for name, width in command_fields(machine).items():
        column = commands[name].astype(np.int64)
        if len(column) and not (column.min() >= 0 and column.max() < 1 << width):
            raise ValueError(f"command field {name}: {column.min()} … {column.max()} exceed {width} bits")
        words += column.astype(object) << at
        at += width
    return [int(word) for word in words]


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """What a host streams into an engine.

    Parameters
    ----------
    machine : Machine
    commands : ndarray of shape (n,), dtype `command_dtype`
    rows : ndarray of shape (writes, columns) or (writes, row_buses, columns), uint8
        Bits of the rows that ``WRITE`` commands consume, in order; column 0 first. The former go over all buses
        alike.
    masks : ndarray of shape (writes, columns), uint8
        1 where a column is written.
    """

    machine: Machine
    commands: np.ndarray
    rows: np.ndarray
    masks: np.ndarray

    def bus_rows(self) -> np.ndarray:
        """`rows` of every bus, shape (writes, row_buses, columns)."""
        if self.rows.ndim == 3:
            return self.rows
        return np.repeat(self.rows[:, np.newaxis], self.machine.row_buses, axis=1)
