# amaranth: UnusedElaboratable=no
"""Bench that plays a host's script on the bus of an `Accelerator` and writes down what it sees."""

import os
from pathlib import Path
from random import Random
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge, SimTimeoutError, with_timeout
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiMaster, AxiResp

from spinplane.machine import AcceleratorCounters
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.registers import (
    IDENTITY,
    Control,
    Error,
    Register,
    Status,
    counter_address,
    log_address,
    machine_digest,
)

from .axi import pauses
from .host_script import (
    PROGRESS_FILE,
    RECORD_FILE,
    SCRIPT_VARIABLE,
    Read,
    Record,
    Reset,
    Run,
    RunRecord,
    Write,
    load_script,
    save_record,
)

PERIOD_NS = 10
_PIECE = 1 << 16
_POLL_CYCLES = 20_000


class Host:
    """A host of the accelerator, with nothing but its bus and its interrupt.

    Parameters
    ----------
    dut : cocotb.handle.HierarchyObject
    stall : float
        Chance that a channel of a bus rests in a cycle.
    seed : int
    """

    def __init__(self, dut: HierarchyObject, stall: float, seed: int) -> None:
        self.dut = dut
        self.banks = AxiMaster(AxiBus.from_prefix(dut, "axi_"), dut.clk, dut.rst)
        self.registers = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "axil_"), dut.clk, dut.rst)
        self.stall(Random(seed), stall)

    def stall(self, rng: Random, chance: float) -> None:
        """Let every channel rest with another chance."""
        for master in (self.banks, self.registers):
            for channel in (
                *(master.write_if.aw_channel, master.write_if.w_channel, master.write_if.b_channel),
                *(master.read_if.ar_channel, master.read_if.r_channel),
            ):
                if chance:
                    channel.set_pause_generator(pauses(rng, chance))

    async def reset(self) -> None:
        """Two cycles of reset, and one more."""
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 2)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 1)

    async def get(self, address: int) -> int:
        """Read a register."""
        answer = await self.registers.read(address, 4)
        assert answer.resp == AxiResp.OKAY, f"register {address:#x}: {answer.resp!r}"
        return int.from_bytes(answer.data, "little")

    async def put(self, address: int, value: int) -> None:
        """Write a register."""
        answer = await self.registers.write(address, value.to_bytes(4, "little"))
        assert answer.resp == AxiResp.OKAY, f"register {address:#x}: {answer.resp!r}"

    async def write(self, address: int, data: np.ndarray) -> None:
        """Write to the banks."""
        for start in range(0, len(data), _PIECE):
            answer = await self.banks.write(address + start, data[start : start + _PIECE].tobytes())
            assert answer.resp == AxiResp.OKAY, f"address {address + start:#x}: {answer.resp!r}"

    async def read(self, address: int, size: int) -> np.ndarray:
        """Read from the banks."""
        pieces = []
        for start in range(0, size, _PIECE):
            answer = await self.banks.read(address + start, min(_PIECE, size - start))
            assert answer.resp == AxiResp.OKAY, f"address {address + start:#x}: {answer.resp!r}"
            pieces.append(np.frombuffer(answer.data, dtype=np.uint8))
        return np.concatenate(pieces)

    async def counters(self, address_of: Any) -> dict[str, int]:
        """All counters of a window of registers."""
        values = {}
        for name in ACCELERATOR_COUNTER_NAMES:
            low = await self.get(address_of(name))
            values[name] = low | (await self.get(address_of(name) + 4)) << 32
        return values

    async def start(self, program: int) -> None:
        """Start a program."""
        await self.put(Register.PROGRAM, program)
        await self.put(Register.CONTROL, Control.START | Control.INTERRUPT_ENABLE)

    async def run(self, step: Run) -> RunRecord:
        """Start a program, wait for the interrupt, and read what the registers say."""
        before = await self.counters(counter_address)
        await self.start(step.program)
        await self._wait(step.limit)
        status = await self.get(Register.STATUS)
        assert status & (Status.BUSY | Status.DONE) == Status.DONE, f"status {status:#x} after the interrupt"
        error = await self.get(Register.ERROR)
        descriptor = await self.get(Register.DESCRIPTOR)
        assert bool(status & Status.FAILED) == bool(error & 0xFF)
        await self.put(Register.STATUS, Status.DONE)
        assert not self.dut.interrupt.value
        after = await self.counters(counter_address)
        layers = []
        if not error:
            logged = before
            for number in range(step.program, step.program + step.descriptors):
                now = await self.counters(lambda name, number=number: log_address(number, name))
                layers.append(_difference(now, logged))
                logged = now
        return RunRecord(
            counters=_difference(after, before),
            layers=tuple(layers),
            error=Error(error & 0xFF),
            descriptor=descriptor,
            word=error >> 16,
        )

    async def _wait(self, limit: int) -> None:
        """Wait for the interrupt; which descriptor is at work goes to a file meanwhile."""
        interrupt = RisingEdge(self.dut.interrupt)
        for _ in range(0, limit, _POLL_CYCLES):
            if self.dut.interrupt.value:
                return
            try:
                await with_timeout(interrupt, PERIOD_NS * _POLL_CYCLES, "ns")
            except SimTimeoutError:
                Path(PROGRESS_FILE).write_text(str(await self.get(Register.DESCRIPTOR)), encoding="utf-8")
            else:
                await RisingEdge(self.dut.clk)
                return
        raise AssertionError(f"no interrupt within {limit} cycles")


def _difference(after: dict[str, int], before: dict[str, int]) -> AcceleratorCounters:
    return AcceleratorCounters(**{name: after[name] - before[name] for name in after})


@cocotb.test()
async def plays_a_script(dut: HierarchyObject) -> None:
    machine, steps, stall, seed = load_script(Path(os.environ[SCRIPT_VARIABLE]))
    dut.rst.value = 1
    host = Host(dut, stall, seed)
    Clock(dut.clk, PERIOD_NS, unit="ns").start(start_high=False)
    await FallingEdge(dut.clk)
    await host.reset()
    assert await host.get(Register.ID) == IDENTITY
    assert await host.get(Register.MACHINE) == machine_digest(machine)
    runs, reads = [], []
    for step in steps:
        match step:
            case Write():
                await host.write(step.address, step.data)
            case Run():
                runs.append(await host.run(step))
            case Read():
                reads.append(await host.read(step.address, step.size))
            case Reset():
                if step.program is not None:
                    await host.start(step.program)
                    await ClockCycles(dut.clk, step.after)
                await host.reset()
    save_record(Path(RECORD_FILE), Record(runs=tuple(runs), reads=tuple(reads)))
