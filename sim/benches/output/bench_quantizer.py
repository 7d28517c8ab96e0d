# amaranth: UnusedElaboratable=no
"""Bench of `Quantizer`: all values when narrow, values around steps of random configurations when wide."""

from itertools import product
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import Timer

from spinplane.behavioral import quantize, quantize_unit
from spinplane.machine import CODE_BITS, Rounding

from ...lanes import drive, extremes
from ...streams import reset

EXHAUSTIVE_BITS = 6
LOWEST, HIGHEST = -(1 << (CODE_BITS - 1)), (1 << (CODE_BITS - 1)) - 1


async def code_of(
    dut: HierarchyObject, value: int, *, shift: int, rounding: Rounding, low: int, high: int
) -> int:
    inputs = {"value": value, "shift": shift, "rounding": rounding.value, "low": low, "high": high}
    for name, number in inputs.items():
        drive(getattr(dut, name), number)
    await Timer(1, "ns")
    return dut.code.value.to_signed()


def values_for(width: int, shift: int, low: int, high: int, rng: Random) -> list[int]:
    """All values; or extreme ones, random ones, and those around steps of the code."""
    least, greatest = -(1 << (width - 1)), (1 << (width - 1)) - 1
    if width <= EXHAUSTIVE_BITS:
        return list(range(least, greatest + 1))
    found = [least, greatest, *(extremes(width, rng) for _ in range(4))]
    for _ in range(4):
        step = (2 * rng.randint(low - 1, high + 1) + rng.choice((0, 1))) << shift >> 1
        found += [step - 1, step, step + 1]
    return [value for value in found if least <= value <= greatest]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def shifts_roundings_and_bounds(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    width = len(dut.value)
    codes: set[int] = set()
    for shift, rounding in product(range(1 << len(dut.shift)), Rounding):
        random_bounds = sorted(extremes(CODE_BITS, rng) for _ in range(2))
        for low, high in ((LOWEST, HIGHEST), (0, 3), random_bounds):
            for value in values_for(width, shift, low, high, rng):
                wanted = int(quantize(value, shift=shift, rounding=rounding, low=low, high=high))
                found = await code_of(dut, value, shift=shift, rounding=rounding, low=low, high=high)
                assert found == wanted, (value, shift, rounding, low, high)
                codes.add(found)
    # A bench whose values all clip would prove little.
    assert len(codes) >= min(1 << width, 256)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def eq_4_after_relu(dut: HierarchyObject) -> None:
    """Thirds of [0, 1], of values in units of 1/4 times 3: the ties of k = 2 are where the roundings differ."""
    await reset(dut)
    quarters = range(-3, 6)
    for rounding in Rounding:
        units = [min(max(quarter, 0), 4) / 4 for quarter in quarters]
        levels, _ = quantize_unit(units, 2, rounding)
        codes = [
            await code_of(dut, 3 * quarter, shift=2, rounding=rounding, low=0, high=3) for quarter in quarters
        ]
        assert codes == levels.tolist()
