# amaranth: UnusedElaboratable=no
"""Bench of `OutputPacker`: random beats with every number of planes, and raw ones, as close as they may be or not."""

import json
import os
from random import Random
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral import BankWrite, plane_writes, raw_writes
from spinplane.hdl import OutputPacker

from ...lanes import drive, extremes
from ...packing import pack, pack_bits
from ...streams import reset

PARAMETERS = json.loads(os.environ["BENCH_PARAMETERS"])
LANES, WIDTH = PARAMETERS["lanes"], PARAMETERS["width"]
RAW_SIZE = min(32 * LANES, WIDTH)
LARGEST_LINE = (1 << 24) - LANES

Beat = dict[str, Any]


def random_beat(raw: bool, planes: int, line_bits: int, rng: Random) -> Beat:
    """Codes that fit in the planes, signed or not, at an address whose writes all lie below 2^32 bits."""
    step = RAW_SIZE if raw else LANES
    reach = 32 * LANES if raw else (planes - 1) * line_bits + LANES
    last = ((1 << 32) - reach) // step
    low, high = rng.choice(((0, (1 << planes) - 1), (-(1 << (planes - 1)), (1 << (planes - 1)) - 1)))
    return {
        "codes": [rng.choice((low, high, rng.randint(low, high))) for _ in range(LANES)],
        "values": [extremes(32, rng) for _ in range(LANES)],
        "address": rng.choice((0, last, rng.randint(0, last), rng.randint(0, min(last, 99)))) * step,
        "written": rng.random() < 0.8,
    }


def expected_writes(beat: Beat, raw: bool, planes: int, line_bits: int) -> list[BankWrite]:
    """What the golden model writes."""
    if raw:
        return raw_writes(beat["values"], beat["address"], width=WIDTH)
    return plane_writes(beat["codes"], beat["address"], planes=planes, line_bits=line_bits, width=WIDTH)


async def run_beats(dut: HierarchyObject, raw: bool, planes: int, gaps: float, rng: Random) -> None:
    """Compare the writes of every cycle with those of the golden model."""
    line_bits = rng.choice((0, LANES, WIDTH, LARGEST_LINE, rng.randrange(0, LARGEST_LINE, LANES)))
    dut.raw.value = int(raw)
    dut.last_plane.value = planes - 1
    drive(dut.line_bits, line_bits)
    members = OutputPacker(LANES, WIDTH).signature.members
    codes, values = members["codes"].shape, members["values"].shape
    writes, beat = [], None
    for _ in range(12):
        new = random_beat(raw, planes, line_bits, rng)
        writes_of_new = expected_writes(new, raw, planes, line_bits)
        wait = len(writes_of_new) + (rng.randrange(4) if rng.random() < gaps else 0)
        writes.append((new, [*writes_of_new, *[None] * (wait - len(writes_of_new))]))
    for at, (new, _) in enumerate([*writes, ({}, [])]):
        dut.in_valid.value = int(bool(new))
        if new:
            dut.address.value = new["address"]
            dut.written.value = int(new["written"])
            dut.codes.value = pack(codes, [code % 256 for code in new["codes"]])
        of_beat = writes[at - 1][1] if at else [None]
        for number, write in enumerate(of_beat):
            # A beat comes in the cycle of the last write of the one before, or later.
            dut.in_valid.value = int(bool(new) and number == len(of_beat) - 1)
            await FallingEdge(dut.clk)
            last = write is not None and (number + 1 == len(of_beat) or of_beat[number + 1] is None)
            assert bool(dut.last.value) == last
            written = write is not None and beat is not None and beat["written"]
            assert bool(dut.write_valid.value) == written
            if write is not None and written:
                found = (dut.word, dut.data, dut.mask)
                wanted = (write.address, pack_bits(write.data), pack_bits(write.mask))
                assert tuple(port.value.to_unsigned() for port in found) == wanted
            await RisingEdge(dut.clk)
        beat = new
        if new:
            dut.values.value = pack(values, [value % (1 << 32) for value in new["values"]])


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_number_of_planes(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for gaps in (0, 0.5):
        for planes in range(1, 9):
            await run_beats(dut, False, planes, gaps, rng)
            await run_beats(dut, True, planes, gaps, rng)
