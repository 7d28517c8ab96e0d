# amaranth: UnusedElaboratable=no
"""Bench of `SerialMultiplier`: the ends and random products, begun anew in the middle of others."""

import json
import os
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.hdl.common.serial_multiplier import SerialMultiplier

from ...streams import reset

PARAMETERS = json.loads(os.environ["BENCH_PARAMETERS"])


async def begin(dut: HierarchyObject, last_step: int, step: int) -> None:
    dut.start.value, dut.last_step.value, dut.step.value = 1, last_step, step
    await RisingEdge(dut.clk)
    dut.start.value = 0


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def products(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    largest = [(1 << PARAMETERS[name]) - 1 for name in ("count_bits", "step_bits")]
    latency = SerialMultiplier(**PARAMETERS).latency
    for _ in range(60):
        last_step, step = (rng.choice((0, 1, end, rng.randint(0, end))) for end in largest)
        if rng.random() < 0.3:
            await begin(dut, *largest)
            for _ in range(rng.randrange(latency)):
                await RisingEdge(dut.clk)
        await begin(dut, last_step, step)
        # Inputs are looked at with the start alone.
        dut.last_step.value, dut.step.value = (rng.randint(0, end) for end in largest)
        for _ in range(latency - 1):
            await RisingEdge(dut.clk)
        for _ in range(rng.randint(1, 3)):
            await FallingEdge(dut.clk)
            assert dut.product.value.to_unsigned() == (last_step + 1) * step
            await RisingEdge(dut.clk)
