# amaranth: UnusedElaboratable=no
"""Bench of `BitCounter` in all modes: all rows when they are narrow, random and extreme ones when they are wide."""

import json
import os
from random import Random
from typing import Any

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.utils import get_sim_time

from spinplane.behavioral import count_bits
from spinplane.hdl import BitCounter

from ...packing import pack, unpack
from ...streams import receive, reset, send

COUNTER = BitCounter(**json.loads(os.environ["BENCH_PARAMETERS"]))
ROW, COUNT = COUNTER.row.payload.shape(), COUNTER.count.payload.shape()
EXHAUSTIVE_COLUMNS = 10
#: Logarithms of slots and planes that the leaves can form.
MODES = [
    (log_slots, log_planes)
    for log_slots in range(COUNTER.slots.bit_length())
    for log_planes in range(4)
    if COUNTER.leaf << (log_slots + log_planes) <= COUNTER.columns
]
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
        *(rng.getrandbits(columns) for _ in range(300)),
    ]


def items(rng: Random) -> list[dict[str, Any]]:
    """Rows in every mode if they are narrow, else each in a random one; and steps that travel with them."""
    found = rows(rng)
    pairs = (
        [(row, mode) for row in found for mode in MODES]
        if COUNTER.columns <= EXHAUSTIVE_COLUMNS
        else [(row, rng.choice(MODES)) for row in found] + [(found[1], mode) for mode in MODES]
    )
    return [
        {
            "bits": row,
            "mode": {"log_slots": log_slots, "log_planes": log_planes},
            "step": rng.getrandbits(ROW["step"].width),
        }
        for row, (log_slots, log_planes) in pairs
    ]


async def count_rows(
    dut: HierarchyObject, sent: list[dict[str, Any]], rng: Random, send_stall: float, receive_stall: float
) -> None:
    """Send rows and compare their counts, and the steps that travel with them, with the golden model."""
    sender = cocotb.start_soon(send(dut, "row", [pack(ROW, row) for row in sent], send_stall, rng))
    counts = await receive(dut, "count", len(sent), receive_stall, rng)
    await sender
    for row, raw in zip(sent, counts, strict=True):
        bits = np.array([row["bits"] >> column & 1 for column in range(COUNTER.columns)], np.uint8)
        mode = row["mode"]
        slots = count_bits(bits, 1 << mode["log_slots"], 1 << mode["log_planes"]).tolist()
        slots += [0] * (COUNTER.slots - len(slots))
        assert unpack(COUNT, raw) == {"slots": slots, "step": row["step"]}, f"{row['bits']:#x}, {mode}"


@cocotb.test()
async def one_row_a_cycle(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    sent = items(rng)
    start = get_sim_time("ns")
    await count_rows(dut, sent, rng, 0, 0)
    cycles = (get_sim_time("ns") - start) / PERIOD_NS
    assert cycles == len(sent) + 1


@cocotb.test()
async def stalls_on_both_sides(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    for send_stall, receive_stall in ((0.5, 0), (0, 0.5), (0.3, 0.3)):
        await count_rows(dut, items(rng), rng, send_stall, receive_stall)
