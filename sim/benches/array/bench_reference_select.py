"""Bench of `ReferenceSelect`: every operation, with and without the OR beside an AND where there is that."""

from itertools import product

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer

from spinplane.behavioral import select_reference

from ...streams import reset


@cocotb.test()
async def every_operation(dut: HierarchyObject) -> None:
    await reset(dut)
    excludes = hasattr(dut, "exclusive")
    for sense, exclusive in product(range(4), (False, True) if excludes else (False,)):
        dut.sense.value = sense
        if excludes:
            dut.exclusive.value = exclusive
        await Timer(1, "ns")
        enables = tuple(int(port.value) for port in (dut.en_m, dut.en_and, dut.en_or))
        assert enables == select_reference(sense, exclusive), (sense, exclusive)
