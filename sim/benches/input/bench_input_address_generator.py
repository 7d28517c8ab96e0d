# amaranth: UnusedElaboratable=no
"""Bench of `InputAddressGenerator`: random layers against the golden model, a row a cycle, with and without stalls."""

import json
import os
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral import walk_rows
from spinplane.hdl.input.input_address_generator import LINE_ADDRESS_BITS, ROW_REQUEST
from spinplane.machine import Machine
from spinplane.machine.codec import encode
from spinplane.machine.passes import Pass

from ...packing import pack_descriptor, unpack
from ...random_layer import random_pass, waits
from ...streams import receive, reset

MACHINE = Machine(**json.loads(os.environ["BENCH_PARAMETERS"]))
LAUNCH_CYCLES = 6


def expected_requests(layer_pass: Pass) -> list[dict[str, int]]:
    """Payloads of the golden model's requests."""
    clusters = layer_pass.clusters
    return [
        {
            "row": request.row,
            "y": request.y,
            "x": request.x,
            "address": (
                layer_pass.in_base
                + request.y * layer_pass.in_line_bits
                + request.plane * (layer_pass.plane_group_bits // layer_pass.planes)
            )
            % (1 << LINE_ADDRESS_BITS),
            "plane_group": request.plane_group,
            "last_piece": int(request.last_piece),
            "cluster": request.cluster,
            "plane": request.plane,
            "last_of_set": int(
                request.cluster == clusters - 1 and request.plane == layer_pass.row_set_cycles // clusters - 1
            ),
            "last_of_region": int(request.last_of_region),
        }
        for request in walk_rows(layer_pass)
    ]


async def begin(dut: HierarchyObject, layer_pass: Pass) -> None:
    dut.layer.value = pack_descriptor(encode(layer_pass))
    dut.start.value = 1
    await RisingEdge(dut.clk)
    dut.start.value = 0


async def check_walk(dut: HierarchyObject, layer_pass: Pass, stall: float, rng: Random) -> None:
    await begin(dut, layer_pass)
    expected = expected_requests(layer_pass)
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
        layer_pass = random_pass(MACHINE, rng)
        start = cocotb.utils.get_sim_time("ns")
        await check_walk(dut, layer_pass, 0, rng)
        cycles = (cocotb.utils.get_sim_time("ns") - start) / 10
        assert cycles == LAUNCH_CYCLES + len(expected_requests(layer_pass)) + waits(layer_pass) + 1


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def stalls(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for _ in range(10):
        await check_walk(dut, random_pass(MACHINE, rng), 0.4, rng)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def the_largest_steps_are_exact(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for sign in (-1, 1):
        far = Pass(
            machine=MACHINE,
            in_base=(1 << 32) - 1,
            in_line_bits=(1 << 24) - 1,
            start_x=-(1 << 23) if sign < 0 else (1 << 23) - 1,
            start_y=-(1 << 15) if sign < 0 else (1 << 15) - 1,
            unit_bits=(1 << 24) - 1,
            piece_bits=(1 << 24) - 1,
            plane_group_bits=(1 << 24) - 1,
            plane_groups=2,
            pieces=2,
            line_rows=4095,
            group_rows=4095,
            input_row=4095,
            ring_lines=2,
            first_lines=2,
            next_lines=2,
            line_skip=255,
            first_columns=2,
            next_columns=1,
            region_rows=3,
            region_columns=3,
            clusters=8,
            clusters_x=2,
            cluster_x_bits=(1 << 24) - 1,
            cluster_y_lines=(1 << 16) - 1,
        )
        await check_walk(dut, far, 0, rng)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def start_begins_anew(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for stopped_after in (0, 1, 4, 5, 6, 7, 30):
        await begin(dut, random_pass(MACHINE, rng))
        dut.rows__ready.value = 1
        for _ in range(stopped_after):
            await RisingEdge(dut.clk)
        dut.rows__ready.value = 0
        await check_walk(dut, random_pass(MACHINE, rng), 0, rng)
