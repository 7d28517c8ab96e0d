# amaranth: UnusedElaboratable=no
"""Bench of `BitCounter`: all rows when they are narrow, random and extreme ones when they are wide."""

import json
import os
from random import Random

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.utils import get_sim_time

from spinplane.behavioral import count_bits
from spinplane.hdl import BitCounter

from .packing import pack, unpack
from .streams import receive, reset, send

COUNTER = BitCounter(**json.loads(os.environ["BENCH_PARAMETERS"]))
ROW, COUNT = COUNTER.row.payload.shape(), COUNTER.count.payload.shape()
EXHAUSTIVE_COLUMNS = 10
PERIOD_NS = 10


def rows(rng: Random) -> list[int]:
    """All rows, or those with few ones or few zeros and random ones."""
    columns = COUNTER.columns
    if columns <= EXHAUSTIVE_COLUMNS:
        return list(range(1 << columns))
    full = (1 << columns) - 1
    single = [1 << column for column in range(columns)]
    return [
        0,
        full,
        *single,
        *(full ^ bit for bit in single),
        *(rng.getrandbits(columns) for _ in range(500)),
    ]


async def count_rows(dut: HierarchyObject, rng: Random, send_stall: float, receive_stall: float) -> None:
    """Send all rows and compare their counts, and the steps that travel with them, with the golden model."""
    sent = [{"bits": row, "step": rng.getrandbits(ROW["step"].width)} for row in rows(rng)]
    sender = cocotb.start_soon(send(dut, "row", [pack(ROW, row) for row in sent], send_stall, rng))
    counts = await receive(dut, "count", len(sent), receive_stall, rng)
    await sender
    for row, raw in zip(sent, counts, strict=True):
        bits = np.array([row["bits"] >> column & 1 for column in range(COUNTER.columns)], np.uint8)
        total, segments = count_bits(bits, COUNTER.segments)
        expected = {"total": int(total), "segments": segments.tolist(), "step": row["step"]}
        assert unpack(COUNT, raw) == expected, f"{row['bits']:#x}"


@cocotb.test()
async def one_row_a_cycle(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    start = get_sim_time("ns")
    await count_rows(dut, rng, 0, 0)
    cycles = (get_sim_time("ns") - start) / PERIOD_NS
    assert cycles == len(rows(rng)) + 1


@cocotb.test()
async def stalls_on_both_sides(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    for send_stall, receive_stall in ((0.5, 0), (0, 0.5), (0.3, 0.3)):
        await count_rows(dut, rng, send_stall, receive_stall)
