"""Bench of `Multiplier`: extreme and random factors, a product a cycle."""

from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.hdl import Multiplier
from spinplane.machine.output_stage import MULTIPLIER_BITS, POOLED_BITS, PRODUCT_BITS

from ...lanes import drive, extremes
from ...streams import reset

END = 1 << (PRODUCT_BITS - 1)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_product_a_cycle(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    factors = [
        (extremes(POOLED_BITS, rng), rng.randrange(2), extremes(MULTIPLIER_BITS, rng)) for _ in range(4000)
    ]
    for cycle in range(len(factors) + Multiplier.LATENCY):
        if cycle < len(factors):
            for name, number in zip(("operand", "rounds_up", "factor"), factors[cycle], strict=True):
                drive(getattr(dut, name), number)
        await FallingEdge(dut.clk)
        if cycle >= Multiplier.LATENCY:
            operand, rounds_up, factor = factors[cycle - Multiplier.LATENCY]
            product = ((operand + rounds_up) * factor + END) % (2 * END) - END
            assert dut.product.value.to_signed() == product, (operand, rounds_up, factor)
        await RisingEdge(dut.clk)
