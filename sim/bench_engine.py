# amaranth: UnusedElaboratable=no
"""Bench that runs programs on an `Engine` and writes down what leaves it; who started it compares."""

import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from .driver import drive
from .exchange import PROGRAMS_VARIABLE, RUNS_FILE, read_programs, write_runs
from .streams import reset


class CocotbPins:
    """Ports of a cocotb design."""

    def __init__(self, dut: HierarchyObject) -> None:
        self._dut = dut
        self._handles: dict[str, Any] = {}

    def _handle(self, name: str) -> Any:
        if name not in self._handles:
            self._handles[name] = getattr(self._dut, name)
        return self._handles[name]

    def put(self, name: str, value: int) -> None:
        self._handle(name).value = value

    def get(self, name: str) -> int:
        return int(self._handle(name).value)

    async def settle(self) -> None:
        await FallingEdge(self._dut.clk)

    async def step(self) -> None:
        await RisingEdge(self._dut.clk)


@cocotb.test()
async def runs_programs(dut: HierarchyObject) -> None:
    programs, stall, seed = read_programs(Path(os.environ[PROGRAMS_VARIABLE]))
    await reset(dut)
    pins = CocotbPins(dut)
    runs = [await drive(pins, program, stall=stall, seed=seed) for program in programs]
    write_runs(Path(RUNS_FILE), runs)
