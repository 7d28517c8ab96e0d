"""Bench of `AxiRegisters` with the bank of the log behind it, as a host and a layer controller see it."""

import json
import os
from random import Random
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster

from spinplane.hdl.host.axi_registers import ACCELERATOR_COUNTERS
from spinplane.machine import Machine
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES, COUNTER_BITS
from spinplane.machine.descriptor import FORMAT_VERSION
from spinplane.machine.memory_map import Response
from spinplane.machine.registers import (
    COUNTERS_BASE,
    IDENTITY,
    LOG_BASE,
    LOG_STRIDE,
    Control,
    Error,
    Register,
    Status,
    counter_address,
    log_address,
    machine_digest,
)

from ...axi import pauses
from ...packing import pack
from ...streams import reset

MACHINE = Machine(**json.loads(os.environ["BENCH_PARAMETERS"]))
OKAY, SLVERR, DECERR = Response.OKAY, Response.SLVERR, Response.DECERR
READ_ONLY = (
    *(
        Register.ID,
        Register.VERSION,
        Register.MACHINE,
        Register.ERROR,
        Register.DESCRIPTOR,
        Register.RESIDENT,
    ),
    *(counter_address("cycles"), counter_address("stalled") + 4, log_address(0, "ands")),
)
UNMAPPED = (
    *(max(Register) + 4, COUNTERS_BASE - 4, counter_address(ACCELERATOR_COUNTER_NAMES[-1]) + 8),
    *(COUNTERS_BASE + LOG_STRIDE, LOG_BASE - 4, log_address(1, ACCELERATOR_COUNTER_NAMES[-1]) + 8),
    *(LOG_BASE + MACHINE.descriptors * LOG_STRIDE, LOG_BASE + (1 << 17), 1 << 20, 1 << 31, (1 << 32) - 4),
)


class Host:
    """An independent AXI4-Lite manager, and a count of the pulses that it causes."""

    def __init__(self, dut: HierarchyObject, rng: Random, stall: float) -> None:
        self.dut = dut
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "axil_"), dut.clk, dut.rst)
        self.starts = self.aborts = 0
        write, read = self.master.write_if, self.master.read_if
        self.channels = (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel)
        for channel in self.channels:
            if stall:
                channel.set_pause_generator(pauses(rng, stall))
        cocotb.start_soon(self._count())

    async def _count(self) -> None:
        while True:
            await FallingEdge(self.dut.clk)
            self.starts += int(self.dut.start.value)
            self.aborts += int(self.dut.abort.value)

    async def get(self, address: int) -> int:
        """Read a register that exists."""
        answer = await self.master.read(address, 4)
        assert answer.resp == OKAY, f"read of {address:#x}: {answer.resp!r}"
        return int.from_bytes(answer.data, "little")

    async def put(self, address: int, value: int, size: int = 4) -> int:
        """Write a register, or `size` bytes of it; returns the answer."""
        return int((await self.master.write(address, value.to_bytes(size, "little"))).resp)


async def begin(dut: HierarchyObject, stall: float = 0.0) -> tuple[Host, Random]:
    """Reset, and a host whose channels rest at times."""
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    return Host(dut, rng, stall), rng


async def control(dut: HierarchyObject, cycles: int, error: int = 0, word: int = 0) -> None:
    """A program as a layer controller runs it; an abort ends it too."""
    await FallingEdge(dut.clk)
    while not dut.start.value:
        await FallingEdge(dut.clk)
    await RisingEdge(dut.clk)
    dut.busy.value = 1
    for _ in range(cycles):
        await FallingEdge(dut.clk)
        aborted = bool(dut.abort.value)
        await RisingEdge(dut.clk)
        if aborted:
            error = Error.ABORTED
            break
    dut.error.value, dut.error_word.value, dut.done.value = error, word, 1
    await RisingEdge(dut.clk)
    dut.busy.value = dut.done.value = dut.error.value = dut.error_word.value = 0


async def control_after_start(dut: HierarchyObject, host: Host, cycles: int) -> None:
    """Start a program, and run it."""
    running = cocotb.start_soon(control(dut, cycles))
    assert await host.put(Register.CONTROL, Control.START) == OKAY
    await running


def random_counters(rng: Random) -> dict[str, int]:
    """Any counters."""
    return {name: rng.getrandbits(COUNTER_BITS) for name in ACCELERATOR_COUNTER_NAMES}


async def log(dut: HierarchyObject, descriptor: int, counters: dict[str, int]) -> None:
    """Write an entry of the log."""
    dut.entry__address.value = descriptor
    dut.entry__data.value = pack(ACCELERATOR_COUNTERS, counters)
    dut.entry__mask.value = (1 << ACCELERATOR_COUNTERS.size) - 1
    dut.entry__enable.value = 1
    await RisingEdge(dut.clk)
    dut.entry__enable.value = 0


async def read_counters(host: Host, address_of: Any) -> dict[str, int]:
    """All counters of a window."""
    values = {}
    for name in ACCELERATOR_COUNTER_NAMES:
        low = await host.get(address_of(name))
        values[name] = low | await host.get(address_of(name) + 4) << 32
    return values


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def what_registers_hold(dut: HierarchyObject) -> None:
    host, rng = await begin(dut, 0.3)
    dut.descriptor.value, dut.resident.value = 0xABCD, 0x89ABCDEF
    expected = {
        Register.ID: IDENTITY,
        Register.VERSION: FORMAT_VERSION,
        Register.MACHINE: machine_digest(MACHINE),
        Register.CONTROL: 0,
        Register.STATUS: 0,
        Register.ERROR: 0,
        Register.PROGRAM: 0,
        Register.DESCRIPTOR: 0xABCD,
        Register.RESIDENT: 0x89ABCDEF,
    }
    assert {register: await host.get(register) for register in Register} == expected
    for number in (0xFFFF, rng.getrandbits(16)):
        assert await host.put(Register.PROGRAM, number) == OKAY
        assert await host.get(Register.PROGRAM) == number == dut.program.value.to_unsigned()
    assert await host.put(Register.CONTROL, Control.INTERRUPT_ENABLE) == OKAY
    assert await host.get(Register.CONTROL) == Control.INTERRUPT_ENABLE
    assert (host.starts, host.aborts) == (0, 0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def refusals(dut: HierarchyObject) -> None:
    """Each is answered, and nothing changes."""
    host, rng = await begin(dut, 0.3)
    await host.put(Register.PROGRAM, 7)
    for address in READ_ONLY:
        assert await host.put(address, rng.getrandbits(32)) == SLVERR
    for address in UNMAPPED:
        assert await host.put(address, rng.getrandbits(32)) == DECERR
        answer = await host.master.read(address, 4)
        assert (answer.resp, answer.data) == (DECERR, bytes(4)), f"{address:#x}"
    assert await host.put(Register.PROGRAM, 0x10007) == SLVERR
    for address, value in ((Register.PROGRAM, 9), (Register.CONTROL, 3), (Register.STATUS, Status.DONE)):
        for first, size in ((0, 1), (0, 2), (0, 3), (1, 3), (2, 2)):
            assert await host.put(address + first, value, size) == SLVERR
    running = cocotb.start_soon(control(dut, 2000))
    assert await host.put(Register.CONTROL, Control.START) == OKAY
    for value in (Control.START, Control.START | Control.ABORT | Control.INTERRUPT_ENABLE):
        assert await host.put(Register.CONTROL, value) == SLVERR
    assert await host.put(Register.PROGRAM, 8) == SLVERR
    assert await host.get(Register.CONTROL) == 0
    assert await host.get(Register.PROGRAM) == 7
    assert await host.get(Register.STATUS) == Status.BUSY
    assert (host.starts, host.aborts) == (1, 0)
    await running


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def programs(dut: HierarchyObject) -> None:
    """Start, interrupt, failure, abort, and what clears them."""
    host, rng = await begin(dut)
    for cycles, error, word in ((50, 0, 0), (1, Error.FIELD, 0x7B), (30, Error.ROW, 0), (40, 0, 0)):
        starts = host.starts
        running = cocotb.start_soon(control(dut, cycles, error, word))
        assert await host.put(Register.CONTROL, Control.START | Control.INTERRUPT_ENABLE) == OKAY
        await running
        await FallingEdge(dut.clk)
        assert dut.interrupt.value
        failed = Status.FAILED if error else 0
        assert await host.get(Register.STATUS) == Status.DONE | failed
        assert await host.get(Register.ERROR) == error | word << 16
        assert await host.put(Register.STATUS, ~int(Status.DONE) & 0xFFFFFFFF) == OKAY
        assert dut.interrupt.value, "only a 1 clears"
        assert await host.put(Register.CONTROL, 0) == OKAY
        assert not dut.interrupt.value, "not enabled"
        assert await host.put(Register.CONTROL, Control.INTERRUPT_ENABLE) == OKAY
        assert dut.interrupt.value
        if rng.random() < 0.7:
            assert await host.put(Register.STATUS, Status.DONE) == OKAY
            assert not dut.interrupt.value
            assert await host.get(Register.STATUS) == failed
            assert await host.get(Register.ERROR) == error | word << 16
        assert host.starts == starts + 1
    running = cocotb.start_soon(control(dut, 2000))
    assert await host.put(Register.CONTROL, Control.START | Control.ABORT) == OKAY
    assert await host.get(Register.STATUS) == Status.BUSY, "a start clears what was left"
    assert host.aborts == 0, "the program was not there yet"
    assert await host.put(Register.CONTROL, Control.ABORT) == OKAY
    await running
    assert await host.get(Register.STATUS) == Status.DONE | Status.FAILED
    assert await host.get(Register.ERROR) == Error.ABORTED
    assert host.aborts == 1
    assert await host.put(Register.CONTROL, Control.ABORT) == OKAY
    assert host.aborts == 1, "nothing is there to abort"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_start_is_seen_at_once(dut: HierarchyObject) -> None:
    """From DONE of one program to BUSY of the next there is no cycle that shows neither."""
    host, _ = await begin(dut)
    await cocotb.start_soon(control_after_start(dut, host, 20))
    for delay in range(8):
        running = cocotb.start_soon(control_after_start(dut, host, 60))
        for _ in range(delay):
            await RisingEdge(dut.clk)
        assert await host.get(Register.STATUS) in (Status.DONE, Status.BUSY)
        await running
        assert await host.get(Register.STATUS) == Status.DONE


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def counters_and_log(dut: HierarchyObject) -> None:
    host, rng = await begin(dut, 0.2)
    entries = {number: random_counters(rng) for number in (0, 1, MACHINE.descriptors - 1)}
    now = random_counters(rng)
    for number, entry in entries.items():
        await log(dut, number, entry)
    dut.counters.value = pack(ACCELERATOR_COUNTERS, now)
    assert await read_counters(host, counter_address) == now
    for number, entry in entries.items():
        assert await read_counters(host, lambda name, number=number: log_address(number, name)) == entry


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_counter_that_goes_on_is_read_whole(dut: HierarchyObject) -> None:
    host, rng = await begin(dut, 0.2)
    name = ACCELERATOR_COUNTER_NAMES[rng.randrange(len(ACCELERATOR_COUNTER_NAMES))]
    before, after = (1 << 32) - 1, 1 << 32
    dut.counters.value = pack(ACCELERATOR_COUNTERS, random_counters(rng) | {name: before})
    low = await host.get(counter_address(name))
    dut.counters.value = pack(ACCELERATOR_COUNTERS, random_counters(rng) | {name: after})
    assert low | await host.get(counter_address(name) + 4) << 32 == before
    low = await host.get(counter_address(name))
    assert low | await host.get(counter_address(name) + 4) << 32 == after


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reads_and_writes_at_once(dut: HierarchyObject) -> None:
    """Neither direction waits for the other, and both keep their order."""
    host, rng = await begin(dut, 0.4)
    now = random_counters(rng)
    dut.counters.value = pack(ACCELERATOR_COUNTERS, now)

    async def write() -> None:
        for _ in range(60):
            number = rng.getrandbits(16)
            assert await host.put(Register.PROGRAM, number) == OKAY
            assert dut.program.value.to_unsigned() == number
            assert await host.put(rng.choice(UNMAPPED), number) == DECERR

    writing = cocotb.start_soon(write())
    for _ in range(4):
        assert await read_counters(host, counter_address) == now
        assert (await host.master.read(rng.choice(UNMAPPED), 4)).resp == DECERR
    await writing


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def many_writes_on_their_way(dut: HierarchyObject) -> None:
    """Each has an answer of its own, in their order."""
    host, rng = await begin(dut, 0.5)
    writes = []
    for _ in range(60):
        address, answer = rng.choice(
            ((Register.PROGRAM, OKAY), (Register.ERROR, SLVERR), (rng.choice(UNMAPPED), DECERR))
        )
        writes.append((cocotb.start_soon(host.put(address, rng.getrandbits(16))), answer))
    for writing, answer in writes:
        assert await writing == answer


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_reset_in_the_middle(dut: HierarchyObject) -> None:
    host, rng = await begin(dut)
    for _ in range(20):
        assert await host.put(Register.PROGRAM, 5) == OKAY
        for channel in host.channels[2::2]:
            channel.pause = rng.random() < 0.5
        # The manager gives up what a reset cuts.
        cocotb.start_soon(host.master.write(Register.PROGRAM, bytes((6, 0, 0, 0))))
        cocotb.start_soon(host.master.read(Register.ID, 4))
        for _ in range(rng.randrange(1, 8)):
            await RisingEdge(dut.clk)
        dut.rst.value = 1
        await RisingEdge(dut.clk)
        await RisingEdge(dut.clk)
        assert not dut.axil__bvalid.value
        assert not dut.axil__rvalid.value
        for channel in host.channels:
            channel.pause = False
        dut.rst.value = 0
        await RisingEdge(dut.clk)
        assert await host.get(Register.PROGRAM) == 0
        assert await host.get(Register.ID) == IDENTITY
