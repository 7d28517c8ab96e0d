"""Bench of `Shifter`: all values and amounts when narrow, random and extreme ones when wide."""

from itertools import product
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer

from spinplane.behavioral import shift_left

from ...streams import reset

EXHAUSTIVE_BITS = 6


@cocotb.test()
async def values_and_amounts(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    width, out_width = len(dut.value), len(dut.shifted)
    values = list(range(1 << width))
    if width > EXHAUSTIVE_BITS:
        values = [0, 1, values[-1], *(rng.getrandbits(width) for _ in range(20))]
    await reset(dut)
    for value, amount, invert in product(values, range(1 << len(dut.amount)), (0, 1)):
        dut.value.value = value
        dut.amount.value = amount
        dut.invert.value = invert
        await Timer(1, "ns")
        # The golden model is not asked for what its integers cannot hold: those bits are beyond the result.
        expected = int(shift_left(value & ((1 << max(0, out_width - amount)) - 1), amount))
        expected ^= invert * ((1 << out_width) - 1)
        assert dut.shifted.value.to_unsigned() == expected, (value, amount, invert)
