"""The memory map: the banks on the AXI4 port, their addresses and responses."""

import enum
from dataclasses import dataclass, fields

from .descriptor import DESCRIPTOR_WORDS
from .errors import SpinplaneError
from .machine import CHANNEL_BITS, Machine

#: Bytes from the start of one bank to the start of the next: as many as a bit address of 32 bits reaches.
REGION_BYTES = 1 << 29
ADDRESS_BITS = 32
_WORD_BITS = 32


class Burst(enum.IntEnum):
    """AXI4's AxBURST; the banks take ``INCR`` alone."""

    FIXED = 0
    INCR = 1
    WRAP = 2


class Response(enum.IntEnum):
    """AXI4's xRESP. The worst of several answers is the greatest."""

    OKAY = 0
    SLVERR = 2
    DECERR = 3


@dataclass(frozen=True, kw_only=True)
class BankSize:
    """A bank of `words` words of `width` bits, the latter a power of two."""

    words: int
    width: int

    @property
    def bits(self) -> int:
        """Bits of the bank."""
        return self.words * self.width

    @property
    def size(self) -> int:
        """Bytes of the bank."""
        return self.bits // 8


@dataclass(frozen=True, kw_only=True)
class MemoryMap:
    """Sizes of the banks behind a data bus of `bus_bits`; word after word, the lowest byte first.

    Parameters
    ----------
    bus_bits : int
        A power of two from 8 to 1024, at most the width of each bank.
    image, kernel, parameters, thresholds, program, scales : BankSize

    Raises
    ------
    SpinplaneError
        If a width is not allowed, or a bank is larger than its part of the address space.
    """

    bus_bits: int
    image: BankSize
    kernel: BankSize
    parameters: BankSize
    thresholds: BankSize
    program: BankSize
    scales: BankSize

    def __post_init__(self) -> None:
        _check_power_of_two("bus_bits", self.bus_bits, 8, 1024)
        for region, bank in self.banks.items():
            _check_power_of_two(f"width of the {region} bank", bank.width, self.bus_bits, 1 << 16)
            if not 0 < bank.size <= REGION_BYTES:
                raise SpinplaneError(
                    f"{region} bank of {bank.words} words of {bank.width} bits: must have 1 to "
                    f"{REGION_BYTES * 8 // bank.width} words"
                )

    @property
    def banks(self) -> dict[str, BankSize]:
        """Sizes by the name of the bank, in the order of their addresses."""
        return {region: getattr(self, region) for region in REGIONS}

    @classmethod
    def of(cls, machine: Machine) -> "MemoryMap":
        """The memory map of a machine."""
        results = machine.results_per_cycle * CHANNEL_BITS
        program = max(machine.columns, _WORD_BITS)
        return cls(
            bus_bits=machine.bus_bits,
            image=BankSize(words=machine.image_words, width=machine.columns),
            kernel=BankSize(words=machine.kernel_words, width=machine.columns),
            parameters=BankSize(words=machine.parameter_beats, width=results),
            thresholds=BankSize(words=machine.threshold_beats, width=results),
            program=BankSize(
                words=machine.descriptors * DESCRIPTOR_WORDS * _WORD_BITS // program, width=program
            ),
            scales=BankSize(words=machine.parameter_beats, width=results),
        )


#: Names of the banks in the order of their addresses.
REGIONS: tuple[str, ...] = tuple(field.name for field in fields(MemoryMap) if field.type is BankSize)


def region_address(region: str) -> int:
    """Byte address at which a bank begins."""
    return REGIONS.index(region) * REGION_BYTES


def _check_power_of_two(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high or value & (value - 1):
        raise SpinplaneError(f"{name} = {value}: must be a power of two from {low} to {high}")
