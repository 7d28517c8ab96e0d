# amaranth: UnusedElaboratable=no
"""Bench of `OutputPacker`: random beats with every number of planes, and raw ones, with stalls on both sides."""

import json
import os
from random import Random
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.utils import get_sim_time

from spinplane.behavioral import BankWrite, plane_writes, raw_writes
from spinplane.hdl import beat_layout, write_layout

from ...lanes import drive, extremes
from ...packing import pack, pack_bits, unpack
from ...streams import receive, reset, send

PARAMETERS = json.loads(os.environ["BENCH_PARAMETERS"])
LANES, WIDTH = PARAMETERS["lanes"], PARAMETERS["width"]
BEAT, WRITE = beat_layout(LANES), write_layout(WIDTH)
RAW_SIZE = min(32 * LANES, WIDTH)
LARGEST_LINE = (1 << 24) - LANES
PERIOD_NS = 10

Beat = dict[str, Any]


def random_beat(raw: bool, planes: int, line_bits: int, rng: Random) -> Beat:
    """Codes that fit in the planes, signed or not, at an address whose writes all lie below 2^32 bits."""
    step = RAW_SIZE if raw else LANES
    reach = 32 * LANES if raw else (planes - 1) * line_bits + LANES
    last = ((1 << 32) - reach) // step
    low, high = rng.choice(((0, (1 << planes) - 1), (-(1 << (planes - 1)), (1 << (planes - 1)) - 1)))
    return {
        "codes": [rng.choice((low, high, rng.randint(low, high))) for _ in range(LANES)],
        "raw": [extremes(32, rng) for _ in range(LANES)],
        "address": rng.choice((0, last, rng.randint(0, last), rng.randint(0, min(last, 99)))) * step,
    }


def expected_writes(beat: Beat, raw: bool, planes: int, line_bits: int) -> list[BankWrite]:
    """What the golden model writes."""
    if raw:
        return raw_writes(beat["raw"], beat["address"], width=WIDTH)
    return plane_writes(beat["codes"], beat["address"], planes=planes, line_bits=line_bits, width=WIDTH)


async def run_beats(
    dut: HierarchyObject,
    raw: bool,
    planes: int,
    rng: Random,
    stalls: tuple[float, float] = (0, 0),
) -> None:
    """Compare writes with the golden model, and without stalls the cycles with one a write."""
    line_bits = rng.choice((0, LANES, WIDTH, LARGEST_LINE, rng.randrange(0, LARGEST_LINE, LANES)))
    dut.raw.value = int(raw)
    dut.last_plane.value = planes - 1
    drive(dut.line_bits, line_bits)
    beats = [random_beat(raw, planes, line_bits, rng) for _ in range(12)]
    expected = [write for beat in beats for write in expected_writes(beat, raw, planes, line_bits)]
    start = get_sim_time("ns")
    sender = cocotb.start_soon(send(dut, "beats", [pack(BEAT, beat) for beat in beats], stalls[0], rng))
    received = await receive(dut, "writes", len(expected), stalls[1], rng)
    await sender
    assert [unpack(WRITE, write) for write in received] == [
        {"address": write.address, "data": pack_bits(write.data), "mask": pack_bits(write.mask)}
        for write in expected
    ]
    if stalls == (0, 0):
        assert (get_sim_time("ns") - start) / PERIOD_NS == len(expected) + 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_number_of_planes_one_write_a_cycle(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    for planes in range(1, 9):
        await run_beats(dut, False, planes, rng)
        await run_beats(dut, True, planes, rng)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def stalls_on_both_sides(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    for stalls in ((0.6, 0), (0, 0.6), (0.3, 0.3)):
        for raw, planes in ((False, 1), (False, 3), (False, 8), (True, 1)):
            await run_beats(dut, raw, planes, rng, stalls)
