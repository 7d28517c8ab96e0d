# amaranth: UnusedElaboratable=no
"""Bench of `SubArray` with ``write_overlap``: rows are written while others are sensed, and read afterwards."""

from random import Random

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral import Engine
from spinplane.hdl.command import write_command_layout
from spinplane.machine import Op, Program, command_dtype

from .bench_sub_array import MACHINE, ROW, EventLog, assert_same, run
from .packing import pack, pack_bits
from .streams import reset, send

WRITE = write_command_layout(MACHINE)
#: Rows below are sensed, the others written.
HALF = MACHINE.rows // 2
DOTS = 60


def dot_products(rng: np.random.Generator) -> Program:
    """Single pairs of different rows of the lower half, and one sum of them."""
    commands = np.zeros(DOTS, dtype=command_dtype(MACHINE))
    commands["op"], commands["length"] = Op.DOT.value, MACHINE.columns - 1
    pairs = np.array([rng.permutation(HALF)[:2] for _ in range(DOTS)])
    commands["row_a"], commands["row_b"] = pairs.T
    commands["clear"][0] = commands["emit"][-1] = 1
    return program_of(commands)


def first_writes(rng: np.random.Generator) -> Program:
    """Random bits in all rows."""
    bits = rng.integers(0, 2, (MACHINE.rows, MACHINE.columns), dtype=np.uint8)
    return writes(np.arange(MACHINE.rows), bits, np.ones_like(bits))


def later_writes(rng: np.random.Generator) -> Program:
    """Random bits in random columns of all rows of the upper half, several times."""
    rows = np.repeat(np.arange(HALF, MACHINE.rows), 3)
    bits, masks = rng.integers(0, 2, (2, len(rows), MACHINE.columns), dtype=np.uint8)
    return writes(rng.permutation(rows), bits, masks)


def writes(rows: np.ndarray, bits: np.ndarray, masks: np.ndarray) -> Program:
    commands = np.zeros(len(rows), dtype=command_dtype(MACHINE))
    commands["op"], commands["row_d"] = Op.WRITE.value, rows
    return program_of(commands, bits, masks)


def reads() -> Program:
    """Every row alone."""
    commands = np.zeros(MACHINE.rows, dtype=command_dtype(MACHINE))
    commands["op"], commands["length"], commands["emit"] = Op.READ.value, MACHINE.columns - 1, 1
    commands["row_a"] = np.arange(MACHINE.rows)
    return program_of(commands)


def program_of(commands: np.ndarray, *rows: np.ndarray) -> Program:
    bits, masks = rows or np.zeros((2, 0, MACHINE.columns), np.uint8)
    return Program(machine=MACHINE, commands=commands, rows=bits, masks=masks)


async def writes_beside_senses(dut: HierarchyObject, stall: float) -> EventLog:
    rng, stalls = np.random.default_rng(cocotb.RANDOM_SEED), Random(cocotb.RANDOM_SEED)
    golden = Engine(MACHINE)
    first = first_writes(rng)
    await reset(dut)
    # Rows that come by the command stream, as without the other one.
    await run(dut, first, stall, stalls)
    golden.run(first)

    beside, dots = later_writes(rng), dot_products(rng)
    commands = [
        pack(WRITE, {name: int(command[name]) for name in dict(WRITE)}) for command in beside.commands
    ]
    rows = [
        pack(ROW, {"bits": pack_bits(bits), "mask": pack_bits(mask)})
        for bits, mask in zip(beside.rows, beside.masks, strict=True)
    ]
    log = EventLog(dut)
    both = [
        cocotb.start_soon(send(dut, "write_command", commands, stall, Random(1))),
        cocotb.start_soon(send(dut, "write", rows, stall, Random(2))),
    ]
    results, _ = await run(dut, dots, stall, stalls)
    for stream in both:
        await stream
    await FallingEdge(dut.clk)
    while dut.busy.value:
        await FallingEdge(dut.clk)
    await RisingEdge(dut.clk)
    golden.run(beside)
    assert_same("results", results, golden.run(dots).results)
    assert log.sums["row_write"] == len(commands)
    assert log.sums["and_"] == DOTS

    _, sensed = await run(dut, reads(), stall, stalls)
    assert_same("rows", sensed, golden.run(reads()).rows)
    return log


@cocotb.test(timeout_time=300, timeout_unit="us")
async def neither_waits_for_the_other(dut: HierarchyObject) -> None:
    log = await writes_beside_senses(dut, 0)
    assert set(np.diff(log.cycles["row_write"])) == {MACHINE.write_cycles}
    assert set(np.diff(log.cycles["and_"])) == {MACHINE.sense_cycles}


@cocotb.test(timeout_time=300, timeout_unit="us")
async def streams_that_stall(dut: HierarchyObject) -> None:
    await writes_beside_senses(dut, 0.4)
