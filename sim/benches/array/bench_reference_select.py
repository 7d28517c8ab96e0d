"""Bench of `ReferenceSelect`: every operation."""

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer

from spinplane.behavioral import select_reference

from ...streams import reset


@cocotb.test()
async def every_operation(dut: HierarchyObject) -> None:
    await reset(dut)
    for sense in range(4):
        dut.sense.value = sense
        await Timer(1, "ns")
        enables = tuple(int(port.value) for port in (dut.en_m, dut.en_and, dut.en_or))
        assert enables == select_reference(sense), sense
