"""Bench of `Bank` and `WideBank`: random reads and masked writes in the same cycles, past the end too."""

import json
import os
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from ...streams import reset

PARAMETERS = json.loads(os.environ["BENCH_PARAMETERS"])
WORDS, WIDTH, READS, WIDE = (PARAMETERS[key] for key in ("words", "width", "reads", "wide"))
#: What an address counts.
UNIT = WIDTH if WIDE else 1
ADDRESS_BITS = 32 if WIDE else max(1, (WORDS - 1).bit_length())


def random_address(rng: Random, last_written: int) -> int:
    """Often where a word was written just now, at times beyond the end as far as the port reaches."""
    largest = (1 << ADDRESS_BITS) - 1
    near = last_written * UNIT + rng.randrange(-UNIT, UNIT + 1)
    end = WORDS * UNIT + rng.randrange(-UNIT, UNIT)
    last = largest - rng.randrange(UNIT)
    chosen = rng.choice((near, near, end, rng.randrange(WORDS * UNIT), rng.randint(0, largest), last))
    return min(max(0, chosen), largest)


def drive_reads(dut: HierarchyObject, enables: list[bool], addresses: list[int]) -> None:
    """A wide bank has a port for each read, a bank has them side by side."""
    for index, (enable, address) in enumerate(zip(enables, addresses, strict=True)):
        if WIDE:
            getattr(dut, f"read__{index}__enable").value = enable
            getattr(dut, f"read__{index}__address").value = address
    if not WIDE:
        dut.read__enable.value = sum(enable << index for index, enable in enumerate(enables))
        dut.read__address.value = sum(a << index * ADDRESS_BITS for index, a in enumerate(addresses))


def read_data(dut: HierarchyObject) -> list[int]:
    """What each read shows."""
    if WIDE:
        return [int(getattr(dut, f"read__{index}__data").value) for index in range(READS)]
    data = int(dut.read__data.value)
    return [data >> index * WIDTH & ((1 << WIDTH) - 1) for index in range(READS)]


def word_from(bits: int, address: int) -> int:
    """Bits from an address on; a wide bank goes on with bit 0 after the largest address."""
    before_the_first = (1 << ADDRESS_BITS) - address
    if WIDE and before_the_first < WIDTH:
        return bits << before_the_first
    return bits >> address * WIDTH // UNIT


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_reads_and_writes(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    bits, ones = 0, (1 << WIDTH) - 1  # all words in one number, word 0 lowest
    shown = [0] * READS
    written = 0
    for _ in range(800):
        enables = [rng.random() < 0.7 for _ in range(READS)]
        addresses = [random_address(rng, written) for _ in range(READS)]
        drive_reads(dut, enables, addresses)
        writes, mask = rng.random() < 0.6, rng.choice((rng.getrandbits(WIDTH), ones, 0))
        data = rng.getrandbits(WIDTH)
        # As far as the address reaches: beyond the last word nothing is written.
        written = rng.randrange(1 << len(dut.write__address)) if rng.random() < 0.5 else written
        dut.write__enable.value = writes
        dut.write__address.value, dut.write__data.value, dut.write__mask.value = written, data, mask
        await FallingEdge(dut.clk)
        assert read_data(dut) == shown
        shown = [
            word_from(bits, address) & ones if enable else before
            for enable, address, before in zip(enables, addresses, shown, strict=True)
        ]
        if writes and written < WORDS:
            at = written * WIDTH
            bits = bits & ~(mask << at) | (data & mask) << at
        await RisingEdge(dut.clk)
