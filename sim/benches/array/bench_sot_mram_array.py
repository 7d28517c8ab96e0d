"""Bench of the Verilog `sot_mram_array` against its golden model, and of its refusals.

The top has the ports of the array and its event counters as outputs. Every test needs its own simulation:
nothing resets the cells.
"""

import json
import os
from collections.abc import Iterable
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge
from cocotb.types import LogicArray

from spinplane.behavioral import SotMramArray
from spinplane.machine import FaultMap, Machine

from ...array_lines import (
    EVENTS,
    INPUTS,
    Lines,
    overlapping_operations,
    random_operations,
    unknowns_that_pass,
    written_rows,
)
from ...streams import reset

MACHINE = Machine(**json.loads(os.environ["BENCH_MACHINE"]))
FAULTS = FaultMap.load(os.environ["BENCH_FAULTS"]) if "BENCH_FAULTS" in os.environ else None
SIZES = {
    "columns": MACHINE.columns,
    "sense_cycles": MACHINE.sense_cycles,
    "write_cycles": MACHINE.write_cycles,
}
OPERATIONS = 600


def put(dut: HierarchyObject, lines: Lines) -> None:
    for name in INPUTS:
        getattr(dut, name).value = lines.get(name, 0)


async def replay(dut: HierarchyObject, edges: Iterable[tuple[Lines, int | None]]) -> None:
    for number, (lines, expected) in enumerate(edges):
        put(dut, lines)
        await RisingEdge(dut.clk)
        await FallingEdge(dut.clk)
        shown = dut.sense.value.to_unsigned()
        assert expected in (shown, None), f"edge {number}, {lines}: {shown:#x}, expected {expected}"
    put(dut, {})
    await RisingEdge(dut.clk)


def known_rows(golden: SotMramArray, rng: Random) -> list[tuple[Lines, int]]:
    """Writes of all rows where a sense that is refused would be an event, of which transient faults are drawn."""
    return written_rows(golden, rng) if golden.transient is not None else []


@cocotb.test()
async def unknown_cells_that_do_not_matter(dut: HierarchyObject) -> None:
    await reset(dut)
    await replay(dut, unknowns_that_pass(**SIZES))


@cocotb.test()
async def random_row_operations(dut: HierarchyObject) -> None:
    golden = SotMramArray(MACHINE, FAULTS)
    rng = Random(cocotb.RANDOM_SEED)
    edges = known_rows(golden, rng) + random_operations(golden, rng, OPERATIONS)
    await reset(dut)
    await replay(dut, edges)
    counted = {name: getattr(dut, name).value.to_unsigned() for name in EVENTS}
    assert counted == {name: getattr(golden, name) for name in EVENTS}
    assert min(counted.values()) > 0
    assert golden.transient is None or min(golden.transient.counts.values()) > 0


@cocotb.test()
async def senses_during_writes(dut: HierarchyObject) -> None:
    golden = SotMramArray(MACHINE, FAULTS)
    rng = Random(cocotb.RANDOM_SEED)
    edges = known_rows(golden, rng) + overlapping_operations(golden, rng, OPERATIONS)
    await reset(dut)
    await replay(dut, edges)
    assert sum("wwl" in lines and "rwl" in lines for lines, _ in edges) > OPERATIONS // 5


@cocotb.test()
async def given_lines(dut: HierarchyObject) -> None:
    """Lines of the environment and what they show; what is refused ends in its ``$fatal``."""
    await reset(dut)
    await replay(dut, json.loads(os.environ["BENCH_LINES"]))


@cocotb.test()
async def undriven_lines(dut: HierarchyObject) -> None:
    await reset(dut)
    dut.rwl.value = LogicArray("X" * MACHINE.rows)
    await RisingEdge(dut.clk)
    await FallingEdge(dut.clk)
