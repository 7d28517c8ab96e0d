# amaranth: UnusedElaboratable=no
"""Bench of `InputStreamer`: random layers over random images against the golden model, in time and with stalls."""

import json
import os
from dataclasses import replace
from random import Random

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge
from numpy.typing import NDArray

from spinplane.behavioral import bits_needed, form_row_sets, walk_rows
from spinplane.hdl.common.row_set import row_set_layout
from spinplane.machine import Machine
from spinplane.machine.codec import encode
from spinplane.machine.passes import Pass

from ...packing import pack, pack_bits, pack_descriptor, unpack
from ...random_layer import random_pass, waits
from ...streams import receive, reset

MACHINE = Machine(**json.loads(os.environ["BENCH_PARAMETERS"]))
COLUMNS = MACHINE.columns
BANK_BITS = MACHINE.image_words * COLUMNS
ROW_SET = row_set_layout(MACHINE)
LAUNCH_CYCLES, READ_CYCLES = 6, 2


class ImageBank:
    """The bank at the port `read`: bits that it does not have are random, and data stays until the next read."""

    def __init__(self, dut: HierarchyObject, rng: Random) -> None:
        self.dut, self.rng = dut, rng
        self.bits: NDArray[np.uint8] = np.zeros(BANK_BITS, dtype=np.uint8)
        self.reads = 0
        cocotb.start_soon(self._serve())

    def fill(self) -> NDArray[np.uint8]:
        """Random contents."""
        self.bits = np.frombuffer(self.rng.randbytes(BANK_BITS), dtype=np.uint8) & np.uint8(1)
        return self.bits

    async def _serve(self) -> None:
        dut = self.dut
        while True:
            await FallingEdge(dut.clk)
            enable, address = dut.read__enable.value, dut.read__address.value.to_unsigned()
            assert dut.reads.value == enable
            self.reads += int(enable)
            await RisingEdge(dut.clk)
            if enable:
                places = (address + np.arange(COLUMNS)) % (1 << 32)
                word = np.frombuffer(self.rng.randbytes(COLUMNS), dtype=np.uint8) & 1
                exists = places < BANK_BITS
                dut.read__data.value = pack_bits(np.where(exists, self.bits[places * exists], word))


def expected_sets(layer_pass: Pass, bits: NDArray[np.uint8]) -> list[int]:
    """Payloads of the golden model's row sets."""
    return [
        pack(
            ROW_SET,
            {
                "row": row_set.row,
                "bits": [pack_bits(row) for row in row_set.bits],
                "sums": row_set.sums,
                "last": int(row_set.last),
            },
        )
        for row_set in form_row_sets(bits, layer_pass)
    ]


def expected_takes(layer_pass: Pass, sets: int, write_cycles: int) -> list[int]:
    """Cycles since the start in which sets are taken, `write_cycles` apart or more, as the contract has them."""
    formed = LAUNCH_CYCLES + READ_CYCLES - 1
    takes: list[int] = []
    for _ in range(sets):
        formed = max([formed + layer_pass.row_set_cycles, *takes[-1:]])
        takes.append(max([formed, *(take + write_cycles for take in takes[-1:])]))
    return takes


async def begin(dut: HierarchyObject, layer_pass: Pass) -> None:
    dut.layer.value = pack_descriptor(encode(layer_pass))
    dut.start.value = 1
    await RisingEdge(dut.clk)
    dut.start.value = 0


async def check_layer(dut: HierarchyObject, bank: ImageBank, layer_pass: Pass, stall: float) -> int:
    """Compare the sets of a layer and the number of reads; returns the cycles from the start to the last take."""
    expected, reads = expected_sets(layer_pass, bank.fill()), bank.reads
    start = cocotb.utils.get_sim_time("ns")
    await begin(dut, layer_pass)
    received = await receive(dut, "rows", len(expected), stall, bank.rng)
    cycles = int(cocotb.utils.get_sim_time("ns") - start) // 10 - 1
    for got, wanted in zip(received, expected, strict=True):
        assert got == wanted, (unpack(ROW_SET, got), unpack(ROW_SET, wanted), layer_pass)
    await FallingEdge(dut.clk)
    assert not dut.busy.value
    assert not dut.rows__valid.value
    assert not dut.bank_error.value
    await RisingEdge(dut.clk)
    assert bank.reads - reads == sum(
        bits_needed(layer_pass, request) > 0 for request in walk_rows(layer_pass)
    )
    return cycles


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_row_a_cycle(dut: HierarchyObject) -> None:
    await reset(dut)
    bank = ImageBank(dut, Random(cocotb.RANDOM_SEED))
    for _ in range(25):
        layer_pass = random_pass(MACHINE, bank.rng)
        cycles = await check_layer(dut, bank, layer_pass, 0)
        rows = len(list(walk_rows(layer_pass)))
        assert cycles == LAUNCH_CYCLES + rows - 1 + READ_CYCLES + waits(layer_pass)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def stalls(dut: HierarchyObject) -> None:
    await reset(dut)
    bank = ImageBank(dut, Random(cocotb.RANDOM_SEED))
    for stall in (0.2, 0.5, 0.8) * 4:
        await check_layer(dut, bank, random_pass(MACHINE, bank.rng), stall)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_set_is_formed_while_one_waits(dut: HierarchyObject) -> None:
    await reset(dut)
    bank = ImageBank(dut, Random(cocotb.RANDOM_SEED))
    for write_cycles in range(1, 8):
        layer_pass = replace(random_pass(MACHINE, bank.rng), line_skip=0)
        while any(bits_needed(layer_pass, request) > BANK_BITS for request in walk_rows(layer_pass)):
            layer_pass = replace(random_pass(MACHINE, bank.rng), line_skip=0)
        expected = expected_sets(layer_pass, bank.fill())
        takes = expected_takes(layer_pass, len(expected), write_cycles)
        await begin(dut, layer_pass)
        offered, cycle = -write_cycles, 0
        for payload, take in zip(expected, takes, strict=True):
            # The end of a write is the earliest cycle in which the next set is taken.
            while True:
                cycle += 1
                may_take = cycle >= offered + write_cycles
                dut.rows__ready.value = int(may_take)
                await FallingEdge(dut.clk)
                assert dut.busy.value
                taken, got = may_take and bool(dut.rows__valid.value), dut.rows__payload.value
                await RisingEdge(dut.clk)
                if taken:
                    break
            assert (cycle, got.to_unsigned()) == (take, payload)
            offered = cycle
        dut.rows__ready.value = 0


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def beyond_the_bank(dut: HierarchyObject) -> None:
    """The bank's last bit is read; one bit more is an error, before which all is as it should be."""
    await reset(dut)
    bank = ImageBank(dut, Random(cocotb.RANDOM_SEED))
    for _ in range(8):
        layer_pass, needed = random_pass(MACHINE, bank.rng), 0
        while not (needed := max(bits_needed(layer_pass, row) for row in walk_rows(layer_pass))):
            layer_pass = random_pass(MACHINE, bank.rng)
        layer_pass = replace(layer_pass, in_base=layer_pass.in_base + BANK_BITS - needed)
        await check_layer(dut, bank, layer_pass, 0)
        layer_pass = replace(layer_pass, in_base=layer_pass.in_base + 1)
        rows, of_set = list(walk_rows(layer_pass)), layer_pass.row_set_cycles
        fails = next(i for i, row in enumerate(rows) if bits_needed(layer_pass, row) > BANK_BITS)
        reads = bank.reads
        await begin(dut, layer_pass)
        received = await receive(dut, "rows", fails // of_set)
        assert all(
            unpack(ROW_SET, payload)["row"] == rows[i * of_set].row for i, payload in enumerate(received)
        )
        dut.rows__ready.value = 1
        for _ in range(40):
            await RisingEdge(dut.clk)
        dut.rows__ready.value = 0
        await FallingEdge(dut.clk)
        assert dut.bank_error.value
        assert not dut.rows__valid.value
        assert bank.reads - reads == sum(bits_needed(layer_pass, row) > 0 for row in rows[:fails])
        await RisingEdge(dut.clk)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def rows_beyond_the_array_are_told(dut: HierarchyObject) -> None:
    await reset(dut)
    bank = ImageBank(dut, Random(cocotb.RANDOM_SEED))
    for row in (MACHINE.rows - 1, MACHINE.rows, MACHINE.rows + 1, 2 * MACHINE.rows, 4095):
        layer_pass = replace(random_pass(MACHINE, bank.rng), input_row=row)
        await begin(dut, layer_pass)
        (received,) = await receive(dut, "rows", 1)
        assert unpack(ROW_SET, received)["row"] == min(row, MACHINE.rows)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def start_begins_anew(dut: HierarchyObject) -> None:
    await reset(dut)
    bank = ImageBank(dut, Random(cocotb.RANDOM_SEED))
    for stopped_after in (0, 1, 4, 5, 6, 7, 8, 9, 10, 30):
        await begin(dut, random_pass(MACHINE, bank.rng))
        for _ in range(stopped_after):
            await RisingEdge(dut.clk)
        await check_layer(dut, bank, random_pass(MACHINE, bank.rng), 0)
