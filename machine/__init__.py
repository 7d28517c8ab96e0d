"""The contract: a machine's sizes and timing, its commands, codings and counters."""

from .coding import MAX_BITS, Coding, Operand, PoolMode, Rounding
from .command import (
    PLANE_FIELD_BITS,
    SHIFT_FIELD_BITS,
    Op,
    Program,
    bits_for,
    command_dtype,
    command_fields,
    pack_commands,
)
from .counters import COUNTER_NAMES, Counters
from .errors import SpinplaneError
from .machine import Machine, load_machine, machine_names

__all__ = [
    "COUNTER_NAMES",
    "MAX_BITS",
    "PLANE_FIELD_BITS",
    "SHIFT_FIELD_BITS",
    "Coding",
    "Counters",
    "Machine",
    "Op",
    "Operand",
    "PoolMode",
    "Program",
    "Rounding",
    "SpinplaneError",
    "bits_for",
    "command_dtype",
    "command_fields",
    "load_machine",
    "machine_names",
    "pack_commands",
]
