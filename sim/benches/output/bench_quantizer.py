"""Bench of `Quantizer`: every shift and rounding, values around steps of the code, Eq. 4 itself."""

from itertools import product
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral import quantize, quantize_unit
from spinplane.hdl import Quantizer
from spinplane.machine import CODE_BITS, Rounding
from spinplane.machine.output_stage import PRODUCT_BITS, SHIFT_BITS

from ...lanes import drive, extremes
from ...streams import reset

LOWEST, HIGHEST = -(1 << (CODE_BITS - 1)), (1 << (CODE_BITS - 1)) - 1
#: Ports, and the cycles after a value in which they are looked at.
PORTS = {
    "value": 0,
    "shift": 0,
    "rounding": Quantizer.ROUNDING_STAGE,
    **dict.fromkeys(("low", "high", "level_shift", "zero"), Quantizer.LATENCY),
}

Item = dict[str, int]


def item(
    value: int,
    shift: int,
    rounding: Rounding,
    low: int = LOWEST,
    high: int = HIGHEST,
    level_shift: int = 0,
    zero: int = 0,
) -> Item:
    """What goes in for one value."""
    numbers = (value, shift, rounding.value, low, high, level_shift, zero)
    return dict(zip(PORTS, numbers, strict=True))


def code_of(values: Item) -> int:
    """What the golden model makes of it."""
    level = quantize(
        values["value"],
        shift=values["shift"],
        rounding=Rounding(values["rounding"]),
        low=values["low"],
        high=values["high"],
    )
    return ((int(level) << values["level_shift"]) + values["zero"]) % (1 << CODE_BITS)


async def run_items(dut: HierarchyObject, items: list[Item], rng: Random) -> list[int]:
    """Codes of all items, one a cycle."""
    codes = []
    for cycle in range(len(items) + Quantizer.LATENCY):
        for name, delay in PORTS.items():
            port = getattr(dut, name)
            at = cycle - delay
            drive(port, items[at][name] if 0 <= at < len(items) else rng.getrandbits(len(port)))
        await FallingEdge(dut.clk)
        if cycle >= Quantizer.LATENCY:
            codes.append(dut.code.value.to_unsigned())
        await RisingEdge(dut.clk)
    return codes


def values_for(shift: int, low: int, high: int, rng: Random) -> list[int]:
    """Extreme values, random ones, and those around steps of the code."""
    end = 1 << (PRODUCT_BITS - 1)
    found = [-end, end - 1, *(extremes(PRODUCT_BITS, rng) for _ in range(4))]
    for _ in range(4):
        step = (2 * (rng.choice((low, high)) + rng.randint(-1, 1)) + rng.choice((0, 1))) << shift >> 1
        found += [step - 1, step, step + 1]
    return [value for value in found if -end <= value < end]


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def shifts_roundings_and_bounds(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    items = []
    for shift, rounding in product(range(1 << SHIFT_BITS), Rounding):
        # The last bounds may be the wrong way round.
        anything = [extremes(CODE_BITS, rng) for _ in range(2)]
        for low, high in ((LOWEST, HIGHEST), (0, 3), sorted(anything), anything):
            for value in values_for(shift, low, high, rng):
                extra = rng.choice(((0, 0), (rng.randrange(2), rng.randrange(256))))
                items.append(item(value, shift, rounding, low, high, *extra))
    codes = await run_items(dut, items, rng)
    wanted = [code_of(values) for values in items]
    wrong = [at for at in range(len(items)) if codes[at] != wanted[at]]
    assert not wrong, (items[wrong[0]], codes[wrong[0]], wanted[wrong[0]])
    # A bench whose values all clip would prove little.
    assert len(set(codes)) > 256


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def eq_4_after_relu(dut: HierarchyObject) -> None:
    """Thirds of [0, 1], of values in units of 1/4 times 3: the ties of k = 2 are where the roundings differ."""
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    quarters = range(-3, 6)
    for rounding in Rounding:
        units = [min(max(quarter, 0), 4) / 4 for quarter in quarters]
        levels, _ = quantize_unit(units, 2, rounding)
        items = [item(3 * quarter, 2, rounding, 0, 3) for quarter in quarters]
        assert await run_items(dut, items, rng) == levels.tolist()
