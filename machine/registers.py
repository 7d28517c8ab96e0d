"""The register map: the registers on the AXI4-Lite port, 32 bits each."""

import enum
from zlib import crc32

from .counters import ACCELERATOR_COUNTER_NAMES
from .machine import Machine

#: ``ID`` reads as these four letters.
IDENTITY = int.from_bytes(b"IMCE", "big")
#: Counters are pairs of registers, the lower half first; reading the lower half keeps the upper one for the next read.
COUNTERS_BASE = 0x100
#: The log has a copy of all counters for each descriptor, made when it was done: entry d at LOG_BASE + LOG_STRIDE·d.
LOG_BASE = 0x10000
LOG_STRIDE = 0x80


class Register(enum.IntEnum):
    """Byte addresses of the registers."""

    ID = 0x00
    VERSION = 0x04
    MACHINE = 0x08
    CONTROL = 0x0C
    STATUS = 0x10
    ERROR = 0x14
    PROGRAM = 0x18
    DESCRIPTOR = 0x1C
    RESIDENT = 0x20


class Control(enum.IntFlag):
    """Bits of ``CONTROL``; ``START`` and ``ABORT`` act when they are written and read as 0."""

    START = 1
    INTERRUPT_ENABLE = 2
    ABORT = 4


class Status(enum.IntFlag):
    """Bits of ``STATUS``; writing 1 to ``DONE`` clears it, and the interrupt with it."""

    BUSY = 1
    DONE = 2
    FAILED = 4


class Error(enum.IntEnum):
    """Code in the lower 8 bits of ``ERROR``; the upper 16 hold the word of a descriptor for ``FIELD``."""

    NONE = 0
    KIND = 1
    FIELD = 2
    VERSION = 3
    MACHINE = 4
    NO_HEADER = 5
    NO_END = 6
    ROW = 7
    IMAGE_BANK = 8
    KERNEL_BANK = 9
    PARAMETER_BANK = 10
    ABORTED = 11


def counter_address(name: str) -> int:
    """Byte address of the lower half of a counter."""
    return COUNTERS_BASE + 8 * ACCELERATOR_COUNTER_NAMES.index(name)


def log_address(descriptor: int, name: str) -> int:
    """Byte address of the lower half of a counter's copy at the end of a descriptor."""
    return LOG_BASE + LOG_STRIDE * descriptor + 8 * ACCELERATOR_COUNTER_NAMES.index(name)


def machine_digest(machine: Machine) -> int:
    """What ``MACHINE`` reads as: a checksum of the sizes and times that a program is made for."""
    sizes = {key: value for key, value in vars(machine).items() if key not in ("name", "description")}
    # An option that is off leaves the checksum what it was before there was the option.
    if not machine.xor_sensing:
        del sizes["xor_sensing"]
    return crc32(repr(sorted(sizes.items())).encode())
