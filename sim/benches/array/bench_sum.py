# amaranth: UnusedElaboratable=no
"""Bench of `Sum`: all pairs of sums and addends when narrow, long random dot products when wide."""

import json
import os
from itertools import product
from random import Random
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles
from cocotb.utils import get_sim_time

from spinplane import behavioral, hdl

from ...packing import pack, unpack
from ...streams import receive, reset, send

PARAMETERS = json.loads(os.environ["BENCH_PARAMETERS"])
LANES, WIDTH = PARAMETERS["lanes"], PARAMETERS["width"]
SUM = hdl.Sum(**PARAMETERS)
ADDENDS, RESULTS = SUM.addends.payload.shape(), SUM.results.payload.shape()
LOW, HIGH = -(1 << (WIDTH - 1)), (1 << (WIDTH - 1)) - 1
EXHAUSTIVE_BITS = 4
PERIOD_NS = 10

Payload = dict[str, Any]


def payload(values: list[int], *, carry: bool = False, clear: bool = False, emit: bool = False) -> Payload:
    return {"values": values, "carry": carry, "clear": clear, "emit": emit}


def scenario(rng: Random) -> tuple[list[Payload], list[list[int]]]:
    """Payloads whose sums do not wrap, and the golden model's results for them."""
    golden = behavioral.Sum(LANES, WIDTH)
    payloads: list[Payload] = []
    results: list[list[int]] = []

    def try_payload(values: list[int], **flags: bool) -> None:
        try:
            emitted = golden.add(values, **flags)
        except OverflowError:
            return
        payloads.append(payload(values, **flags))
        if emitted is not None:
            results.append(emitted.tolist())

    # Sums of a fresh design start at 0.
    try_payload([1] * LANES, emit=True)
    if WIDTH <= EXHAUSTIVE_BITS:
        everything = range(LOW, HIGH + 1)
        for start, value, clear in product(everything, everything, (False, True)):
            try_payload([start] * LANES, clear=True)
            try_payload([value] * LANES, clear=clear, emit=True)
    for _ in range(600):
        values = [rng.randint(LOW, HIGH) >> rng.randrange(WIDTH) for _ in range(LANES)]
        values[rng.randrange(LANES)] = rng.choice((LOW, -1, 0, HIGH))
        carry, clear, emit = (rng.random() < chance for chance in (0.3, 0.1, 0.4))
        try_payload(values, carry=carry, clear=clear, emit=emit)
        small = [rng.randint(LOW, HIGH) >> (WIDTH - 2) for _ in range(LANES)]
        try_payload(small, emit=emit)
    return payloads, results


async def run_scenario(dut: HierarchyObject, rng: Random, send_stall: float, receive_stall: float) -> int:
    """Compare the results of a scenario; returns the number of its payloads."""
    payloads, expected = scenario(rng)
    sender = cocotb.start_soon(send(dut, "addends", [pack(ADDENDS, p) for p in payloads], send_stall, rng))
    results = await receive(dut, "results", len(expected), receive_stall, rng)
    await sender
    assert [unpack(RESULTS, raw) for raw in results] == expected
    return len(payloads)


@cocotb.test()
async def one_payload_a_cycle(dut: HierarchyObject) -> None:
    await reset(dut, PERIOD_NS)
    start = get_sim_time("ns")
    payloads = await run_scenario(dut, Random(cocotb.RANDOM_SEED), 0, 0)
    assert (get_sim_time("ns") - start) / PERIOD_NS <= payloads + 1


@cocotb.test()
async def stalls_on_both_sides(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    for send_stall, receive_stall in ((0.5, 0), (0, 0.5), (0.3, 0.3)):
        await reset(dut, PERIOD_NS)
        await run_scenario(dut, rng, send_stall, receive_stall)


@cocotb.test()
async def a_waiting_result_holds_up_the_next_one_only(dut: HierarchyObject) -> None:
    await reset(dut, PERIOD_NS)
    one = [1] * LANES
    start = get_sim_time("ns")
    await send(
        dut, "addends", [pack(ADDENDS, payload(one, clear=True, emit=True)), pack(ADDENDS, payload(one))]
    )
    assert (get_sim_time("ns") - start) / PERIOD_NS == 2
    emitting = cocotb.start_soon(send(dut, "addends", [pack(ADDENDS, payload(one, emit=True))]))
    await ClockCycles(dut.clk, 8)
    assert not emitting.done()
    results = await receive(dut, "results", 2, 0.9, Random(cocotb.RANDOM_SEED))
    await emitting
    assert [unpack(RESULTS, raw) for raw in results] == [one, [3] * LANES]
