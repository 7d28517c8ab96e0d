"""Cycles of the accelerator that depend on no shape: the depths of its pipelines, in one place.

What follows from shapes (row sets, bursts, beats) is in ``docs/accelerator.md``; the functional machine and the
compiler both add these constants. A pass begins in its cycle 0, in which its units are told to start.
"""

from typing import NamedTuple

from .descriptor import DESCRIPTOR_FIELDS
from .machine import Machine
from .memory_operation import MemoryOperation, RowOperation

#: Until a descriptor's first word is there, and to check it when the last one has been taken.
DECODE_CYCLES = 2
#: Cycle of a pass, or of a memory operation, in which the sequencer can issue a command.
LAUNCH_CYCLES = 1
#: From the cycle in which a command is issued to that of its first word lines.
COMMAND_CYCLES = 1
#: From the request of a kernel word to its ``WRITE``, or to the first command if it is a mask.
KERNEL_CYCLES = 1
#: Cycle of a pass in which the first row of its first row set is formed.
FORM_CYCLES = 7
#: From the cycle in which a row set is formed to the one in which it can be written.
OFFER_CYCLES = 1
#: From the last cycle of a kernel tile's last burst to the first one in which the output stage takes its results.
ENGINE_CYCLES = 4
#: From the cycle in which a beat is taken to its last write, but for residuals, products, lookups and the writes.
OUTPUT_STAGE_CYCLES = 4
#: From the cycle in which a multiplier takes an operand to the one in which it hands the lane the result.
MULTIPLY_CYCLES = 13
#: From the request of a word of thresholds or of a table to what follows from it.
LOOKUP_CYCLES = 2
#: After the last write of a pass, or the last step of a memory operation, until the next descriptor is read.
FINISH_CYCLES = 1
#: After END has been checked, until the interrupt.
END_CYCLES = 1


def fetch_cycles(machine: Machine) -> int:
    """Cycles in which a descriptor is read and checked: one for each word of the program memory that has fields."""
    lanes = max(1, machine.columns // 32)
    return -(-len(DESCRIPTOR_FIELDS) // lanes) + DECODE_CYCLES


class MemoryTime(NamedTuple):
    """Cycles of a memory operation, and those of them in which the sequencer waited."""

    cycles: int
    stalled: int


def memory_time(operation: MemoryOperation) -> MemoryTime:
    """Time of a memory operation.

    A step takes its sense and what is written of it; what is stored leaves while the next step is sensed.
    """
    machine = operation.machine
    launch = LAUNCH_CYCLES + operation.masked * KERNEL_CYCLES + COMMAND_CYCLES
    if operation.operation is RowOperation.WRITE:
        return MemoryTime(launch + KERNEL_CYCLES + operation.rows * machine.write_cycles, 0)
    written = operation.write_back * machine.write_cycles
    stored = operation.store * operation.sub_arrays
    array = machine.sense_cycles + written
    step, last = max(array, stored), machine.sense_cycles + max(written, stored)
    others = operation.rows - 1
    return MemoryTime(launch + others * step + last, others * (step - array))
