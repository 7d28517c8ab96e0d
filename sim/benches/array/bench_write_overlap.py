# amaranth: UnusedElaboratable=no
"""Bench of `SubArray` with ``write_overlap``: rows are written while others are sensed, and read afterwards."""

from random import Random

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject

from spinplane.behavioral import Engine
from spinplane.hdl.common.command import write_command_layout
from spinplane.machine import CommandStream, Op, command_dtype

from ...packing import pack, pack_bits
from ...streams import reset, send
from .bench_sub_array import MACHINE, Log, assert_same, idle, run

WRITE = write_command_layout(MACHINE)
#: Rows below are sensed, the others written.
HALF = MACHINE.rows // 2
DOTS = 60


def dot_products(rng: np.random.Generator) -> CommandStream:
    """Single pairs of different rows of the lower half, and one sum of them."""
    commands = np.zeros(DOTS, dtype=command_dtype(MACHINE))
    commands["op"] = Op.DOT.value
    commands["row_a"], commands["row_b"] = np.array([rng.permutation(HALF)[:2] for _ in range(DOTS)]).T
    commands["clear"][0] = commands["emit"][-1] = 1
    return program_of(commands)


def first_writes(rng: np.random.Generator) -> CommandStream:
    """Random bits in all rows."""
    return writes(np.arange(MACHINE.rows), rng)


def later_writes(rng: np.random.Generator) -> CommandStream:
    """Random bits in all rows of the upper half, several times."""
    return writes(rng.permutation(np.repeat(np.arange(HALF, MACHINE.rows), 3)), rng)


def writes(rows: np.ndarray, rng: np.random.Generator) -> CommandStream:
    commands = np.zeros(len(rows), dtype=command_dtype(MACHINE))
    commands["op"], commands["row_d"] = Op.WRITE.value, rows
    return program_of(commands, rng.integers(0, 2, (len(rows), MACHINE.columns), dtype=np.uint8))


def reads_and_moves() -> CommandStream:
    """Every row alone, each of the lower half written back to the upper one, and again."""
    rows = np.arange(MACHINE.rows)
    commands = np.zeros(2 * len(rows), dtype=command_dtype(MACHINE))
    commands["op"], commands["row_a"] = Op.READ.value, np.tile(rows, 2)
    commands["row_d"], commands["write_back"] = np.tile(rows % HALF + HALF, 2), np.tile(rows < HALF, 2)
    return program_of(commands)


def program_of(commands: np.ndarray, rows: np.ndarray | None = None) -> CommandStream:
    empty = np.zeros((0, MACHINE.columns), np.uint8)
    return CommandStream(machine=MACHINE, commands=commands, rows=empty if rows is None else rows)


def write_streams(dut: HierarchyObject, program: CommandStream, stall: float) -> list[cocotb.task.Task]:
    """Commands and rows of a program that writes, by the stream of their own."""
    commands = [
        pack(WRITE, {name: int(command[name]) for name in dict(WRITE)}) for command in program.commands
    ]
    return [
        cocotb.start_soon(send(dut, "write_command", commands, stall, Random(1))),
        cocotb.start_soon(send(dut, "write", map(pack_bits, program.rows), stall, Random(2))),
    ]


async def writes_beside_senses(dut: HierarchyObject, stall: float) -> dict[str, set[int]]:
    """Compare all that is sensed; returns how many cycles lay between writes and between senses."""
    rng, stalls = np.random.default_rng(cocotb.RANDOM_SEED), Random(cocotb.RANDOM_SEED)
    golden, first = Engine(MACHINE), first_writes(rng)
    await reset(dut)
    dut.columns.value = (1 << MACHINE.columns) - 1
    for stream in write_streams(dut, first, stall):
        await stream
    await idle(dut)
    golden.run(first)

    beside, dots, log = later_writes(rng), dot_products(rng), Log(dut)
    both = write_streams(dut, beside, stall)
    results = await run(dut, dots, stall, stalls)
    for stream in both:
        await stream
    await idle(dut)
    golden.run(beside)
    assert_same("results", results, golden.run(dots).results)
    assert log.sums["row_write"] == len(beside.commands)
    assert log.sums["and_"] == DOTS
    between = {event: set(np.diff(cycles).tolist()) for event, cycles in log.cycles.items()}

    after = Log(dut)
    await run(dut, reads_and_moves(), stall, stalls)
    assert_same("rows", np.array(after.rows, np.uint8), golden.run(reads_and_moves()).rows)
    return between


@cocotb.test(timeout_time=300, timeout_unit="us")
async def neither_waits_for_the_other(dut: HierarchyObject) -> None:
    between = await writes_beside_senses(dut, 0)
    assert between["row_write"] == {MACHINE.write_cycles}
    assert between["and_"] == {MACHINE.sense_cycles}


@cocotb.test(timeout_time=300, timeout_unit="us")
async def streams_that_stall(dut: HierarchyObject) -> None:
    await writes_beside_senses(dut, 0.4)
