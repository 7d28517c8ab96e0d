"""Bench of `RoundingShifter`: all values when narrow, random values, extremes and ties when wide."""

from itertools import product
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer

from spinplane.behavioral import shift_right_rounded
from spinplane.machine import Rounding

from ...streams import reset

EXHAUSTIVE_BITS = 6


def values(width: int, amount: int, rng: Random) -> list[int]:
    """All values; or the extreme ones, random ones, and ties of `amount` with their neighbours."""
    low, high = -(1 << (width - 1)), (1 << (width - 1)) - 1
    if width <= EXHAUSTIVE_BITS:
        return list(range(low, high + 1))
    half = 1 << max(0, amount - 1)
    ties = [(2 * rng.randrange(-4, 5) + 1) * half + near for near in (-1, 0, 1) for _ in range(4)]
    found = [low, low + 1, -1, 0, 1, high, *ties, *(rng.randint(low, high) for _ in range(8))]
    return [value for value in found if low <= value <= high]


@cocotb.test()
async def values_amounts_and_roundings(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for amount, rounding in product(range(1 << len(dut.amount)), Rounding):
        for value in values(len(dut.value), amount, rng):
            dut.value.value = value & ((1 << len(dut.value)) - 1)
            dut.amount.value = amount
            dut.rounding.value = rounding.value
            await Timer(1, "ns")
            expected = int(shift_right_rounded(value, amount, rounding))
            assert dut.shifted.value.to_signed() == expected, (value, amount, rounding)
