"""Bench of `WindowCorrection`: extreme and random window sums with every kind of scale."""

from random import Random

import cocotb
from cocotb.handle import HierarchyObject

from spinplane.behavioral import correct_window
from spinplane.hdl import WindowCorrection
from spinplane.machine.activation import WINDOW_SCALE_BITS, WINDOW_SUM_BITS

from ...lanes import drive, extremes, run_lane, with_gaps
from ...streams import reset


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def sums_and_scales(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    end = 1 << (WINDOW_SCALE_BITS - 1)
    for scale in (-end, end - 1, -1, 0, 1, *(rng.randrange(-end, end) for _ in range(8))):
        drive(dut.scale, scale)
        sums = [extremes(WINDOW_SUM_BITS, rng) for _ in range(30)]
        items = with_gaps([{"window_sum": value} for value in sums], rng.choice((0, 0.5)), rng)
        results = await run_lane(dut, items, ["window_sum"], ["correction"], WindowCorrection.LATENCY, rng)
        assert [result["correction"] for result in results] == correct_window(sums, scale).tolist()
