from dataclasses import replace
from typing import Any

import pytest

from spinplane.machine import Machine, SpinplaneError, load_machine, machine_names
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.memory_map import REGIONS, BankSize, MemoryMap, region_address
from spinplane.machine.registers import Register, counter_address, log_address

SMALL = MemoryMap(bus_bits=32, **{region: BankSize(words=4, width=64) for region in REGIONS})


def test_addresses() -> None:
    assert {region: region_address(region) for region in REGIONS} == {
        "image": 0x0000_0000,
        "kernel": 0x2000_0000,
        "parameters": 0x4000_0000,
        "thresholds": 0x6000_0000,
        "program": 0x8000_0000,
        "scales": 0xA000_0000,
    }


def test_banks_of_a_machine() -> None:
    memory = MemoryMap.of(load_machine("tiny"))
    assert memory.bus_bits == 64
    assert memory.banks == {
        "image": BankSize(words=4096, width=64),
        "kernel": BankSize(words=8192, width=64),
        "parameters": BankSize(words=1024, width=256),
        "thresholds": BankSize(words=2048, width=256),
        "program": BankSize(words=64 * 64, width=64),
        "scales": BankSize(words=1024, width=256),
    }
    assert (memory.image.bits, memory.image.size) == (4096 * 64, 4096 * 8)


def test_program_words_are_never_narrower_than_a_field() -> None:
    narrow = Machine(name="narrow", sub_arrays=1, rows=8, columns=16, segments=1, accumulator_bits=16)
    assert MemoryMap.of(narrow).program == BankSize(words=64 * 128, width=32)


@pytest.mark.parametrize("name", machine_names())
def test_every_machine_of_the_package_has_one(name: str) -> None:
    assert MemoryMap.of(load_machine(name)).bus_bits == load_machine(name).bus_bits


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"bus_bits": 48}, "bus_bits = 48: must be a power of two from 8 to 1024"),
        ({"bus_bits": 2048}, "bus_bits = 2048: must be a power of two from 8 to 1024"),
        (
            {"kernel": BankSize(words=4, width=16)},
            "width of the kernel bank = 16: must be a power of two from 32 to 65536",
        ),
        (
            {"program": BankSize(words=4, width=96)},
            "width of the program bank = 96: must be a power of two from 32 to 65536",
        ),
        (
            {"image": BankSize(words=1 << 22, width=2048)},
            "image bank of 4194304 words of 2048 bits: must have 1 to 2097152 words",
        ),
        (
            {"image": BankSize(words=0, width=64)},
            "image bank of 0 words of 64 bits: must have 1 to 67108864 words",
        ),
    ],
)
def test_refuses_what_is_not_allowed(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(SpinplaneError) as caught:
        replace(SMALL, **fields)
    assert str(caught.value) == text


def test_drivers_find_registers_counters_and_log_where_they_were() -> None:
    assert {register.name: register.value for register in Register} == {
        "ID": 0x00,
        "VERSION": 0x04,
        "MACHINE": 0x08,
        "CONTROL": 0x0C,
        "STATUS": 0x10,
        "ERROR": 0x14,
        "PROGRAM": 0x18,
        "DESCRIPTOR": 0x1C,
        "RESIDENT": 0x20,
    }
    first, second = ACCELERATOR_COUNTER_NAMES[:2]
    assert (counter_address(first), counter_address(second)) == (0x100, 0x108)
    assert (log_address(0, first), log_address(3, second)) == (0x10000, 0x10188)
