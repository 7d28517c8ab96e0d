"""Bench of `Limiter`: values around each limit, in each of its ways."""

from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.hdl import Limiter
from spinplane.machine.output_stage import POOLED_BITS, PRODUCT_BITS, RAW_BITS, THRESHOLD_BITS

from ...lanes import drive, extremes
from ...streams import reset

SEARCH_END, WIDE_END = 1 << (THRESHOLD_BITS - 1), 1 << (POOLED_BITS - 1)


def limited(value: int, raw: int, wide: int) -> int:
    """The bits that are looked at."""
    if wide:
        return min(max(value, -WIDE_END), WIDE_END - 1) % (2 * WIDE_END)
    if raw:
        return value % (1 << RAW_BITS)
    return min(max(value, -SEARCH_END), SEARCH_END - 2) % (2 * SEARCH_END)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_value_a_cycle(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    ends = [end + near for end in (-WIDE_END, -SEARCH_END, SEARCH_END, WIDE_END) for near in range(-3, 4)]
    values = [*ends, *ends, *ends, *(extremes(PRODUCT_BITS, rng) for _ in range(500))]
    ways = [
        (at // len(ends) == 0, at // len(ends) == 1)
        if at < 3 * len(ends)
        else rng.choice(((0, 0), (1, 0), (0, 1)))
        for at in range(len(values))
    ]
    for cycle in range(len(values) + Limiter.LATENCY):
        drive(dut.value, values[cycle] if cycle < len(values) else 0)
        if 1 <= cycle <= len(values):
            dut.raw.value, dut.wide.value = (int(way) for way in ways[cycle - 1])
        await FallingEdge(dut.clk)
        at = cycle - Limiter.LATENCY
        if at >= 0:
            found, (raw, wide) = dut.limited.value.to_unsigned(), ways[at]
            looked_at = found if wide else found % (1 << RAW_BITS)
            assert looked_at == limited(values[at], raw, wide), (values[at], raw, wide)
        await RisingEdge(dut.clk)
