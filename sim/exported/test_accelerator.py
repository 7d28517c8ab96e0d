"""Self-checking bench of the exported accelerator: one network, driven and checked through the ports alone.

It writes the banks of ``program.npz`` over AXI4, starts the program over AXI4-Lite, waits for the interrupt, and
compares the output map, the counters and the log with those that the file expects. ``accelerator.h`` defines the
addresses.
"""

import logging
import re
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiMaster, AxiResp

HERE = Path(__file__).resolve().parent
PIECE = 1 << 16


def header_constants() -> dict[str, int]:
    """Constants of ``accelerator.h`` by name, without their prefix."""
    text = (HERE.parent / "accelerator.h").read_text(encoding="ascii")
    found = re.findall(r"^#define IMCE_(\w+)\s+(0x[0-9a-f]+|\d+)u(?:\s|$)", text, re.MULTILINE)
    return {name: int(value, 0) for name, value in found}


class Host:
    """What a host can do: both buses and the interrupt."""

    def __init__(self, dut: HierarchyObject) -> None:
        self.dut = dut
        for bus in ("axi_", "axil_"):  # by default they log every access
            logging.getLogger(f"cocotb.{dut._name}.{bus}").setLevel(logging.WARNING)
        self.banks = AxiMaster(AxiBus.from_prefix(dut, "axi_"), dut.clk, dut.rst)
        self.registers = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "axil_"), dut.clk, dut.rst)

    async def write(self, address: int, data: np.ndarray) -> None:
        """Write bytes into the banks."""
        for at in range(0, len(data), PIECE):
            answer = await self.banks.write(address + at, data[at : at + PIECE].tobytes())
            assert answer.resp == AxiResp.OKAY, f"address {address + at:#x}: {answer.resp!r}"

    async def read(self, address: int, size: int) -> np.ndarray:
        """Read bytes from the banks."""
        pieces = []
        for at in range(0, size, PIECE):
            answer = await self.banks.read(address + at, min(PIECE, size - at))
            assert answer.resp == AxiResp.OKAY, f"address {address + at:#x}: {answer.resp!r}"
            pieces.append(np.frombuffer(answer.data, dtype=np.uint8))
        return np.concatenate(pieces)

    async def put(self, register: int, value: int) -> None:
        """Write a register."""
        answer = await self.registers.write(register, value.to_bytes(4, "little"))
        assert answer.resp == AxiResp.OKAY, f"register {register:#x}: {answer.resp!r}"

    async def get(self, register: int) -> int:
        """Read a register."""
        answer = await self.registers.read(register, 4)
        assert answer.resp == AxiResp.OKAY, f"register {register:#x}: {answer.resp!r}"
        return int.from_bytes(answer.data, "little")

    async def counter(self, register: int) -> int:
        """Read both halves of a counter, the lower one first."""
        low = await self.get(register)
        return low | await self.get(register + 4) << 32


@cocotb.test()
async def runs_the_network(dut: HierarchyObject) -> None:
    constants = header_constants()
    with np.load(HERE / "program.npz") as arrays:
        program: dict[str, Any] = dict(arrays)
    period = int(program["period_ps"])
    host = await host_of(dut, period)
    for name in ("ID", "VERSION", "MACHINE"):
        found = await host.get(constants[f"REG_{name}"])
        assert found == constants[f"{name}_VALUE"], f"{name} reads as {found:#x}"

    for bank in ("KERNEL", "PARAMETERS", "SCALES", "THRESHOLDS", "PROGRAM"):
        await host.write(constants[f"{bank}_BASE"], program[bank.lower()])
    await host.write(constants["IMAGE_BASE"] + int(program["input_offset"]), program["input"])

    await host.put(constants["REG_PROGRAM"], 0)
    await host.put(
        constants["REG_CONTROL"], constants["CONTROL_START"] | constants["CONTROL_INTERRUPT_ENABLE"]
    )
    if not dut.interrupt.value:
        await with_timeout(RisingEdge(dut.interrupt), period * (2 * int(program["cycles"]) + 1000), "ps")
    error = await host.get(constants["REG_ERROR"])
    assert await host.get(constants["REG_STATUS"]) == constants["STATUS_DONE"], f"ended with error {error:#x}"
    await host.put(constants["REG_STATUS"], constants["STATUS_DONE"])
    await ClockCycles(dut.clk, 2)
    assert not dut.interrupt.value, "the interrupt stays when DONE is cleared"

    compare_map(
        program,
        await host.read(constants["IMAGE_BASE"] + int(program["output_offset"]), len(program["output"])),
    )
    for at, name in enumerate(program["counter_names"]):
        register = constants[f"COUNTER_{name}"]
        found = await host.counter(register)
        assert found == program["counters"][at], f"counter {name}: {found}, not {program['counters'][at]}"
        for number, expected in enumerate(program["log"][:, at]):
            entry = constants["LOG_BASE"] + number * constants["LOG_STRIDE"]
            found = await host.counter(entry + register - constants["COUNTER_ROW_WRITES"])
            assert found == expected, f"log of descriptor {number}, {name}: {found}, not {expected}"
    dut._log.info("network %s: output, counters and log are as expected", program["network"])


async def host_of(dut: HierarchyObject, period_ps: int) -> Host:
    """A running clock, and a host after a reset of one clock edge, which the datasheet states to be enough."""
    dut.rst.value = 1
    host = Host(dut)
    Clock(dut.clk, period_ps, unit="ps").start(start_high=False)
    await ClockCycles(dut.clk, 1)
    dut.rst.value = 0
    await ClockCycles(dut.clk, 3)  # an asynchronous reset is released two edges later
    return host


def compare_map(program: dict[str, Any], found: np.ndarray) -> None:
    """Compare the bits of the output maps; those beside and between them are anything."""
    wrong = np.flatnonzero((found ^ program["output"]) & program["output_mask"])
    if wrong.size:
        at = int(wrong[0])
        raise AssertionError(
            f"output map: {wrong.size} of {len(found)} bytes differ, the first at offset "
            f"{int(program['output_offset']) + at:#x}: {found[at]:#04x}, not {program['output'][at]:#04x}"
        )
