# amaranth: UnusedElaboratable=no
"""Bench of `Pooling`: random windows at few places, so that the same is read, written and passed on."""

import json
import os
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral import pool
from spinplane.hdl import Pooling
from spinplane.machine import Machine
from spinplane.machine.activation import PRODUCT_BITS
from spinplane.machine.descriptor import PoolAt

from ...lanes import extremes
from ...packing import pack, pack_bits, unpack
from ...streams import reset

MACHINE = Machine(**json.loads(os.environ["BENCH_PARAMETERS"]))
LANES = MACHINE.results_per_cycle


async def run_regions(dut: HierarchyObject, mode: PoolAt, gaps: float, rng: Random) -> int:
    """Compare outer beats with the golden model; returns how many there were."""
    dut.mode.value = mode.value
    layouts = Pooling(MACHINE).signature.members
    expected: list[list[int]] = []
    received: list[tuple[int, list[int]]] = []
    sent: list[int] = []
    cycle = 0

    async def tick() -> None:
        nonlocal cycle
        await FallingEdge(dut.clk)
        if dut.out_valid.value:
            received.append((cycle, unpack(layouts["pooled"].shape, dut.pooled.value.to_unsigned())))
        await RisingEdge(dut.clk)
        dut.in_valid.value = 0
        cycle += 1

    for _ in range(20):
        first = rng.randrange(MACHINE.pool_beats)
        places = range(first, min(MACHINE.pool_beats, first + rng.randint(1, 3)))
        values: dict[int, list[list[int]]] = {place: [] for place in places}
        windows = 1 if mode is PoolAt.NONE else rng.randint(1, 5)
        negatives = {place: [rng.random() < 0.5 for _ in range(LANES)] for place in places}
        counted: list[bool] = []
        for window in range(windows):
            seen = any(counted)
            counted.append(rng.random() < 0.7)
            for place in places:
                values[place].append([extremes(PRODUCT_BITS - 1, rng) for _ in range(LANES)])
                dut.in_valid.value = 1
                dut.address.value = place
                dut.counts.value = int(counted[-1])
                dut.seen.value = int(seen)
                dut.outer.value = int(window == windows - 1)
                dut.values.value = pack(layouts["values"].shape, values[place][-1])
                dut.negative.value = pack_bits(negatives[place])
                if window == windows - 1:
                    sent.append(cycle)
                    of_lanes = list(zip(*values[place], strict=True))
                    expected.append(pool(of_lanes, mode, counts=counted, negative=negatives[place]).tolist())
                await tick()
                while rng.random() < gaps:
                    dut.values.value = rng.getrandbits(PRODUCT_BITS * LANES)
                    await tick()
    for _ in range(Pooling.LATENCY):
        await tick()
    latency = Pooling.LATENCY
    assert received == [(at + latency, pooled) for at, pooled in zip(sent, expected, strict=True)]
    return len(expected)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_mode(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for mode in PoolAt:
        for gaps in (0, 0.4):
            assert await run_regions(dut, mode, gaps, rng) >= 20
