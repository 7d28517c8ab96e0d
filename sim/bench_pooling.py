# amaranth: UnusedElaboratable=no
"""Bench of `Pooling`: all regions of one and two values when narrow, long random ones when wide."""

import json
import os
from itertools import product
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles
from cocotb.utils import get_sim_time

from spinplane import behavioral, hdl
from spinplane.machine import PoolMode, Rounding

from .packing import pack, unpack
from .streams import receive, reset, send

PARAMETERS = json.loads(os.environ["BENCH_PARAMETERS"])
WIDTH = PARAMETERS["width"]
POOLING = hdl.Pooling(**PARAMETERS)
VALUES, POOLED = POOLING.values.payload.shape(), POOLING.pooled.payload.shape()
LOW, HIGH = -(1 << (WIDTH - 1)), (1 << (WIDTH - 1)) - 1
SHIFTS = range(1 << len(POOLING.shift))
EXHAUSTIVE_BITS = 4
PERIOD_NS = 10

Region = list[int]


def payloads(regions: list[Region]) -> list[int]:
    """Packed payloads of regions, one after the other."""
    return [
        pack(VALUES, {"value": value, "last": int(at == len(region))})
        for region in regions
        for at, value in enumerate(region, 1)
    ]


def scenario(mode: PoolMode, rng: Random) -> list[Region]:
    """Regions whose sums fit in the width, if sums are what is asked for."""
    if WIDTH <= EXHAUSTIVE_BITS:
        numbers = range(LOW, HIGH + 1)
        regions = [list(region) for length in (1, 2) for region in product(numbers, repeat=length)]
    else:
        regions = [[LOW]]
        for length in (1, 2, 3, 4, 9, 16, 64) * 6:
            reach = rng.choice((HIGH, HIGH // length))
            regions.append([rng.choice((-reach, reach, rng.randint(-reach, reach))) for _ in range(length)])
    return [region for region in regions if mode is PoolMode.MAX or LOW <= sum(region) <= HIGH]


async def run_scenario(
    dut: HierarchyObject,
    mode: PoolMode,
    shift: int,
    rounding: Rounding,
    rng: Random,
    stalls: tuple[float, float] = (0, 0),
) -> None:
    """Compare results with the golden model, and without stalls the cycles with one a value."""
    dut.mode.value, dut.shift.value, dut.rounding.value = mode.value, shift, rounding.value
    regions = scenario(mode, rng)
    values = [value for region in regions for value in region]
    last = [at == len(region) for region in regions for at in range(1, len(region) + 1)]
    expected = behavioral.pool(values, last, mode, shift=shift, rounding=rounding).tolist()
    start = get_sim_time("ns")
    sender = cocotb.start_soon(send(dut, "values", payloads(regions), stalls[0], rng))
    results = await receive(dut, "pooled", len(expected), stalls[1], rng)
    await sender
    assert [unpack(POOLED, raw) for raw in results] == expected
    if stalls == (0, 0):
        assert (get_sim_time("ns") - start) / PERIOD_NS <= len(values) + 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_mode_one_value_a_cycle(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    for mode in (PoolMode.SUM, PoolMode.MAX):
        await run_scenario(dut, mode, rng.choice(SHIFTS), rng.choice(list(Rounding)), rng)
    for rounding, shift in product(Rounding, range(4)):
        await run_scenario(dut, PoolMode.AVERAGE, shift, rounding, rng)
    await run_scenario(dut, PoolMode.AVERAGE, SHIFTS[-1], Rounding.HALF_EVEN, rng)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def stalls_on_both_sides(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    for mode, stalls in product(PoolMode, ((0.5, 0), (0, 0.8), (0.3, 0.3))):
        await run_scenario(dut, mode, 2, rng.choice(list(Rounding)), rng, stalls)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_waiting_result_holds_up_the_last_value_of_the_next_region_only(dut: HierarchyObject) -> None:
    await reset(dut, PERIOD_NS)
    for mode, expected in ((PoolMode.SUM, [1, 3]), (PoolMode.MAX, [1, 2])):
        dut.mode.value = mode.value
        start = get_sim_time("ns")
        *free, held = payloads([[1], [0, 1, 2]])
        await send(dut, "values", free)
        assert (get_sim_time("ns") - start) / PERIOD_NS == len(free)
        holding = cocotb.start_soon(send(dut, "values", [held]))
        await ClockCycles(dut.clk, 5)
        assert not holding.done()
        results = await receive(dut, "pooled", 2)
        await holding
        assert [unpack(POOLED, raw) for raw in results] == expected
