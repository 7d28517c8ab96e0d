"""The command of an engine, which every sub-array controller obeys.

A program is a numpy structured array of commands (`command_dtype`) with the rows that its writes consume. The
RTL's ``Command`` struct, the functional machine and the compiler all take their fields from `command_fields`.
"""

import enum
from dataclasses import dataclass

import numpy as np

from .machine import Machine


class Op(enum.Enum):
    """Operations of a sub-array; the value is the code in the RTL.

    ``WRITE`` takes a row from the write stream into ``row_d``. ``DOT`` accumulates ±2^shift · bitcount(and(a, b)) over
    pairs of consecutive rows from ``row_a`` and ``row_b`` on. On machines with ``memory_operations``, ``READ`` senses
    ``row_a`` (EN_M), ``AND`` and ``OR`` sense ``row_a`` with ``row_b``, and so does ``XOR`` with ``xor_sensing``; with
    ``write_back`` what they show is written to ``row_d``.
    """

    WRITE = 0
    DOT = 1
    READ = 2
    AND = 3
    OR = 4
    XOR = 5


_WHERE = frozenset({"first", "last", "log_clusters"})
_SENSE = _WHERE | {"row_a", "row_d", "write_back"}

#: Fields that an operation uses; it ignores the others.
OP_FIELDS: dict[Op, frozenset[str]] = {
    Op.WRITE: _WHERE | {"row_d"},
    Op.DOT: _WHERE
    | {"row_a", "row_b", "tiles", "log_slots", "log_planes", "spread", "shift", "subtract", "clear", "emit"},
    Op.READ: _SENSE,
    Op.AND: _SENSE | {"row_b"},
    Op.OR: _SENSE | {"row_b"},
    Op.XOR: _SENSE | {"row_b"},
}

#: Emitting commands that an engine has on their way at once: as many as one sub-array holds in its result registers,
#: bit-counter, sense amplifiers and controller.
PENDING_OUTPUTS = 4

#: Bits of the shift, and of the logarithms of slots, of planes side by side and of clusters.
SHIFT_FIELD_BITS = 4
LOG_FIELD_BITS = 2
#: Slots of a row, planes side by side and clusters of sub-arrays that a command can ask for at most.
MOST_SLOTS = 1 << ((1 << LOG_FIELD_BITS) - 1)


def bits_for(largest: int) -> int:
    """Bits that hold the whole numbers from 0 to `largest`; at least 1."""
    return max(1, largest.bit_length())


def operations(machine: Machine) -> tuple[Op, ...]:
    """Operations that the command stream of a machine's engine has; the others are never sent.

    With ``write_overlap`` rows are written by a stream of their own.
    """
    writes = () if machine.overlaps_writes else (Op.WRITE,)
    senses = (Op.READ, Op.AND, Op.OR) if machine.memory_operations else ()
    exclusive = (Op.XOR,) if machine.xor_sensing else ()
    return (*writes, Op.DOT, *senses, *exclusive)


def command_fields(machine: Machine) -> dict[str, int]:
    """Names and widths in bits of a command's fields, in the order in which they are packed.

    ``op``; ``first``, ``last``: sub-arrays of each cluster that take part, the first one of ``DOT`` is 0; ``row_a``,
    ``row_b``, ``row_d``: rows; ``tiles``: pairs of rows less one; ``log_slots``, ``log_planes``: a row has 2^log_slots
    equal slots, each with an accumulator of its own, and a slot 2^log_planes equal sub-blocks, of which the ones of
    number p count 2^p; ``log_clusters``: the sub-arrays stand in 2^log_clusters clusters of neighbours; ``spread``:
    results leave slot by slot; ``shift``; ``subtract``: counts are taken off the accumulators;
    ``clear``: start from 0; ``emit``: hand out the accumulators after the last pair; ``write_back``, with
    ``memory_operations``: store the sensed row in ``row_d``. `OP_FIELDS` has those that an operation uses.
    """
    row, sub_array = bits_for(machine.rows - 1), bits_for(machine.sub_arrays - 1)
    write_back = {"write_back": 1} if machine.memory_operations else {}
    return {
        "op": bits_for(max(op.value for op in operations(machine))),
        "first": sub_array,
        "last": sub_array,
        "row_a": row,
        "row_b": row,
        "row_d": row,
        "tiles": row,
        "log_slots": LOG_FIELD_BITS,
        "log_planes": LOG_FIELD_BITS,
        "log_clusters": LOG_FIELD_BITS,
        "spread": 1,
        "shift": SHIFT_FIELD_BITS,
        "subtract": 1,
        "clear": 1,
        "emit": 1,
        **write_back,
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
class CommandStream:
    """Commands for an engine, with the rows of their writes.

    Parameters
    ----------
    machine : Machine
    commands : ndarray of shape (n,), dtype `command_dtype`
    rows : ndarray of shape (writes, columns) or (writes, row_buses, columns), uint8
        Bits of the rows that ``WRITE`` commands consume, in order; column 0 first. The former go over all buses
        alike.
    columns : ndarray of shape (columns,), uint8, optional
        1 where a column is sensed and written, on machines with ``memory_operations``; all are if it is not given.
    """

    machine: Machine
    commands: np.ndarray
    rows: np.ndarray
    columns: np.ndarray | None = None

    @property
    def bus_rows(self) -> np.ndarray:
        """`rows` of every bus, shape (writes, row_buses, columns)."""
        if self.rows.ndim == 3:
            return self.rows
        return np.repeat(self.rows[:, np.newaxis], self.machine.row_buses, axis=1)

    @property
    def enabled(self) -> np.ndarray:
        """`columns`, or ones."""
        return np.ones(self.machine.columns, np.uint8) if self.columns is None else self.columns
