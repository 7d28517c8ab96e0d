# amaranth: UnusedElaboratable=no
"""Bench of `RowWalk`: random layers against the golden model, a row a cycle, with and without stalls."""

import json
import os
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral import walk_rows
from spinplane.hdl.descriptor import DESCRIPTOR
from spinplane.hdl.row_walk import LINE_ADDRESS_BITS, ROW_REQUEST
from spinplane.machine import Machine
from spinplane.machine.descriptor import Descriptor

from .packing import pack, unpack
from .random_layer import random_layer, waits
from .streams import receive, reset

MACHINE = Machine(**json.loads(os.environ["BENCH_PARAMETERS"]))
LAUNCH_CYCLES = 6


def expected_requests(layer: Descriptor) -> list[dict[str, int]]:
    """Payloads of the golden model's requests."""
    groups = 1 << layer["log_groups"]
    return [
        {
            "row": request.row,
            "y": request.y,
            "x": request.x,
            "address": (layer["in_base"] + request.y * layer["in_line_bits"]) % (1 << LINE_ADDRESS_BITS),
            "plane_group": request.plane_group,
            "last_piece": int(request.last_piece),
            "group": request.group,
            "last_group": int(request.group == groups - 1),
            "last_of_region": int(request.last_of_region),
        }
        for request in walk_rows(layer)
    ]


async def begin(dut: HierarchyObject, layer: Descriptor) -> None:
    dut.layer.value = pack(DESCRIPTOR, layer)
    dut.start.value = 1
    await RisingEdge(dut.clk)
    dut.start.value = 0


async def check_walk(dut: HierarchyObject, layer: Descriptor, stall: float, rng: Random) -> None:
    await begin(dut, layer)
    expected = expected_requests(layer)
    received = await receive(dut, "rows", len(expected), stall, rng)
    assert [unpack(ROW_REQUEST, payload) for payload in received] == expected
    await FallingEdge(dut.clk)
    assert not dut.busy.value
    assert not dut.rows__valid.value
    await RisingEdge(dut.clk)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_row_a_cycle(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for _ in range(25):
        layer = random_layer(MACHINE, rng)
        start = cocotb.utils.get_sim_time("ns")
        await check_walk(dut, layer, 0, rng)
        cycles = (cocotb.utils.get_sim_time("ns") - start) / 10
        assert cycles == LAUNCH_CYCLES + len(expected_requests(layer)) + waits(layer) + 1


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def stalls(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for _ in range(10):
        await check_walk(dut, random_layer(MACHINE, rng), 0.4, rng)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def the_largest_steps_are_exact(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for sign in (-1, 1):
        far = Descriptor(
            in_base=(1 << 32) - 1,
            in_line_bits=(1 << 24) - 1,
            start_x=-(1 << 23) if sign < 0 else (1 << 23) - 1,
            start_y=-(1 << 15) if sign < 0 else (1 << 15) - 1,
            unit_bits=(1 << 24) - 1,
            piece_bits=(1 << 24) - 1,
            plane_group_bits=(1 << 24) - 1,
            plane_groups=1,
            pieces=1,
            line_rows=4095,
            group_rows=4095,
            input_row=4095,
            ring_lines=1,
            first_lines=2,
            next_lines=2,
            line_skip=255,
            first_columns=2,
            next_columns=1,
            region_rows=2,
            region_columns=2,
            log_groups=3,
            log_groups_x=1,
            group_x_bits=(1 << 24) - 1,
            group_y_lines=(1 << 16) - 1,
        )
        await check_walk(dut, far, 0, rng)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def start_begins_anew(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for stopped_after in (0, 1, 4, 5, 6, 7, 30):
        await begin(dut, random_layer(MACHINE, rng))
        dut.rows__ready.value = 1
        for _ in range(stopped_after):
            await RisingEdge(dut.clk)
        dut.rows__ready.value = 0
        await check_walk(dut, random_layer(MACHINE, rng), 0, rng)
