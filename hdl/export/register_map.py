"""The register map of a machine as rows, from which the C header and the table for readers are written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from spinplane.machine import COUNTER_BITS, Machine
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.descriptor import FORMAT_VERSION
from spinplane.machine.memory_map import MemoryMap, region_address
from spinplane.machine.output_stage import PARAMETER_FIELDS, SCALE_FIELDS, ChannelField
from spinplane.machine.registers import (
    IDENTITY,
    LOG_STRIDE,
    Control,
    Error,
    Register,
    Status,
    counter_address,
    log_address,
    machine_digest,
)


@dataclass(frozen=True, kw_only=True)
class RegisterRow:
    """A register.

    Parameters
    ----------
    name : str
    address : int
        Byte address on the AXI4-Lite port.
    access : {"read", "read, write"}
    reset : int
        What it reads as after a reset.
    text : str
        What it holds and does.
    """

    name: str
    address: int
    access: str
    reset: int
    text: str


@dataclass(frozen=True, kw_only=True)
class BankRow:
    """A bank on the AXI4 port.

    Parameters
    ----------
    name : str
    address, size : int
        Bytes.
    words, width : int
        Words, and bits of each.
    text : str
        What it holds.
    """

    name: str
    address: int
    size: int
    words: int
    width: int
    text: str


CONTROL_TEXTS: dict[Control, str] = {
    Control.START: "start the program at PROGRAM; refused while one runs; reads as 0",
    Control.INTERRUPT_ENABLE: "let DONE raise the interrupt",
    Control.ABORT: "end the running program with error ABORTED; reads as 0",
}
"""What each bit of ``CONTROL`` does."""

STATUS_TEXTS: dict[Status, str] = {
    Status.BUSY: "a program is running and owns the banks",
    Status.DONE: "a program has ended; write 1 to clear it and the interrupt; a start clears it too",
    Status.FAILED: "the program ended with an error; cleared by the next start",
}
"""What each bit of ``STATUS`` means."""

ERROR_TEXTS: dict[Error, str] = {
    Error.NONE: "no error",
    Error.KIND: "a second header, or a memory operation on a machine that has none",
    Error.FIELD: "a word does not fit its field, or asks for something that no unit does; ERROR names the word",
    Error.VERSION: "the program has another format version",
    Error.MACHINE: "the program is for another machine",
    Error.NO_HEADER: "the first descriptor is not a header",
    Error.NO_END: "the program runs past the end of the program memory",
    Error.ROW: "a row that the arrays do not have",
    Error.IMAGE_BANK: "an address beyond the image bank, or one where no write can begin",
    Error.KERNEL_BANK: "an address beyond the kernel bank",
    Error.PARAMETER_BANK: (
        "an address beyond the parameters, scales or thresholds, or more beats than the pooling memory holds"
    ),
    Error.ABORTED: "ended by ABORT",
}
"""What each error code means."""

COUNTER_TEXTS: dict[str, str] = {
    "row_writes": "write pulses, one per row and sub-array",
    "row_reads": "rows sensed alone",
    "ands": "pairs of rows sensed at once with EN_AND",
    "ors": "pairs of rows sensed at once with EN_OR",
    "bit_counts": "sensed rows that were counted",
    "shifts": "counts shifted, one per accumulator that takes part",
    "additions": "counts accumulated, one per accumulator that takes part",
    "cycles": "clock cycles from the start register to the interrupt",
    "stalled": "cycles in which the engine could take a command but had to wait",
    "image_reads": "words of the image bank read by the input streamer and the residual operand",
    "image_writes": "words of the image bank written",
    "kernel_reads": "words of the kernel bank read",
    "parameter_reads": "words of parameters, scales and thresholds read, all channels of a beat at once",
}
"""What each counter counts."""


def _layout(fields: Iterable[ChannelField]) -> str:
    """What a channel's 128 bits hold."""
    return f"{', '.join(f'{field.name} {field.bits}' for field in fields)} bits per channel, lowest first"


_BANK_TEXTS = {
    "image": "feature maps, at bit addresses",
    "kernel": "rows of kernels, bit 0 in column 0",
    "parameters": _layout(PARAMETER_FIELDS),
    "scales": _layout(SCALE_FIELDS),
    "thresholds": "four thresholds of 32 bits per channel, or sixteen codes of 8 bits of a table",
    "program": "descriptors of 128 words of 32 bits",
}


def register_rows(machine: Machine) -> list[RegisterRow]:
    """Registers in the order of their addresses, without counters and log."""
    texts = {
        Register.ID: ("read", IDENTITY, 'the letters "IMCE"'),
        Register.VERSION: ("read", FORMAT_VERSION, "version of the registers and of the program format"),
        Register.MACHINE: (
            "read",
            machine_digest(machine),
            "digest of the machine's sizes, as in a program's header",
        ),
        Register.CONTROL: ("read, write", 0, _bits(CONTROL_TEXTS)),
        Register.STATUS: ("read, write", 0, _bits(STATUS_TEXTS)),
        Register.ERROR: ("read", 0, "bits 7…0: the error code; bits 31…16: the descriptor word, for FIELD"),
        Register.PROGRAM: (
            "read, write",
            0,
            "number of the header to start from, 16 bits; read-only while BUSY",
        ),
        Register.DESCRIPTOR: ("read", 0, "number of the current descriptor, or of the last one"),
        Register.RESIDENT: ("read", 0, "tag of the program whose kernels are in the arrays; 0: none"),
    }
    return [
        RegisterRow(name=register.name, address=register, access=access, reset=reset, text=text)
        for register, (access, reset, text) in texts.items()
    ]


def counter_rows() -> list[RegisterRow]:
    """Counters, each of them two registers: the lower half at `address`, the upper one after it."""
    return [
        RegisterRow(
            name=name.upper(),
            address=counter_address(name),
            access="read",
            reset=0,
            text=f"{COUNTER_TEXTS[name]}; {COUNTER_BITS} bits",
        )
        for name in ACCELERATOR_COUNTER_NAMES
    ]


def bank_rows(machine: Machine) -> list[BankRow]:
    """Banks in the order of their addresses."""
    return [
        BankRow(
            name=name,
            address=region_address(name),
            size=bank.size,
            words=bank.words,
            width=bank.width,
            text=_BANK_TEXTS[name],
        )
        for name, bank in MemoryMap.of(machine).banks.items()
    ]


def register_table(machine: Machine) -> str:
    """The register map as Markdown."""
    last = machine.descriptors - 1
    to_log = log_address(0, "row_writes") - counter_address("row_writes")
    lines = [
        f"# Registers of the accelerator, machine {machine.name}",
        "",
        "AXI4-Lite, 32 bits of data, byte addresses. A write covers a whole register (all four strobes). A write "
        "that is refused answers SLVERR, an address without a register DECERR.",
        "",
        "| address | register | access | after reset | contents |",
        "|---|---|---|---|---|",
        *(_line(row) for row in register_rows(machine)),
        "",
        "## Counters",
        "",
        "A counter takes two registers: bits 31…0 at its address, the rest 4 bytes on. Reading the lower half latches "
        "the upper one for the next read. Counters keep counting from one program to the next. A reset clears them "
        "all; an error clears those of the engine.",
        "",
        "| address | counter | access | after reset | counts |",
        "|---|---|---|---|---|",
        *(_line(row) for row in counter_rows()),
        "",
        "## Log",
        "",
        f"A copy of all counters at the end of each descriptor d, 0 ≤ d ≤ {last}: that of the counter at address a is "
        f"at a + 0x{to_log:05x} + 0x{LOG_STRIDE:x}·d. No reset clears the log.",
        "",
        "## Error codes",
        "",
        "| code | name | meaning |",
        "|---|---|---|",
        *(f"| {error.value} | {error.name} | {ERROR_TEXTS[error]} |" for error in Error),
        "",
        "## Banks",
        "",
        f"AXI4, {machine.bus_bits} bits of data, byte addresses, the lowest byte of a word first.",
        "",
        "| address | bank | bytes | words | bits per word | contents |",
        "|---|---|---|---|---|---|",
        *(
            f"| 0x{row.address:08x} | {row.name} | {row.size} | {row.words} | {row.width} | {row.text} |"
            for row in bank_rows(machine)
        ),
    ]
    return "\n".join(lines) + "\n"


def _bits(texts: Mapping[Control, str] | Mapping[Status, str]) -> str:
    return "; ".join(
        f"bit {flag.value.bit_length() - 1} {flag.name}: {text.replace('; ', ', ')}"
        for flag, text in texts.items()
    )


def _line(row: RegisterRow) -> str:
    return f"| 0x{row.address:03x} | {row.name} | {row.access} | 0x{row.reset:x} | {row.text} |"
