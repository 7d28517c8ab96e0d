"""The contract: a machine's sizes and timing, its commands, codings and counters."""

from .clock import MachineClock, clock_hz, clock_text
from .coding import MAX_BITS, Coding, Operand, Rounding
from .command import (
    LOG_FIELD_BITS,
    MOST_SLOTS,
    OP_FIELDS,
    PENDING_OUTPUTS,
    SHIFT_FIELD_BITS,
    CommandStream,
    Op,
    bits_for,
    command_dtype,
    command_fields,
    operations,
    pack_commands,
)
from .counters import ACCELERATOR_COUNTER_NAMES, COUNTER_BITS, COUNTER_NAMES, AcceleratorCounters, Counters
from .errors import SpinplaneError
from .faults import NOMINAL_THRESHOLDS, FaultMap
from .machine import WRITE_OVERLAPS, Machine, load_machine, machine_names
from .memory_operation import MemoryOperation, RowOperation
from .names import DottedName, Name, PinName
from .output_stage import CODE_BITS, OFFSET_BITS
from .parameter import Parameter
from .technology import Electrical
from .transient import Cause, TransientFaults

__all__ = [
    "ACCELERATOR_COUNTER_NAMES",
    "CODE_BITS",
    "COUNTER_BITS",
    "COUNTER_NAMES",
    "LOG_FIELD_BITS",
    "MAX_BITS",
    "MOST_SLOTS",
    "NOMINAL_THRESHOLDS",
    "OFFSET_BITS",
    "OP_FIELDS",
    "PENDING_OUTPUTS",
    "SHIFT_FIELD_BITS",
    "WRITE_OVERLAPS",
    "AcceleratorCounters",
    "Cause",
    "Coding",
    "CommandStream",
    "Counters",
    "DottedName",
    "Electrical",
    "FaultMap",
    "Machine",
    "MachineClock",
    "MemoryOperation",
    "Name",
    "Op",
    "Operand",
    "Parameter",
    "PinName",
    "Rounding",
    "RowOperation",
    "SpinplaneError",
    "TransientFaults",
    "bits_for",
    "clock_hz",
    "clock_text",
    "command_dtype",
    "command_fields",
    "load_machine",
    "machine_names",
    "operations",
    "pack_commands",
]
