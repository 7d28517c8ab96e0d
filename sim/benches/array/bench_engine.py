# amaranth: UnusedElaboratable=no
"""Bench of `Engine`: random programs for ranges and clusters of sub-arrays against the golden one, to the cycle."""

import json
import os
from random import Random

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, Timer

from spinplane.behavioral import Engine, EngineRun
from spinplane.hdl import COUNTERS, row_layout
from spinplane.hdl.common.beat import result_beat_layout
from spinplane.machine import CommandStream, Counters, Machine, Op, command_dtype, pack_commands

from ...packing import pack, pack_bits, unpack
from ...programs import ProgramGenerator, used_fields
from ...streams import receive, reset, send
from .bench_sub_array import idle

MACHINE = Machine(**json.loads(os.environ["BENCH_MACHINE"]))
BEAT, ROW = result_beat_layout(MACHINE), row_layout(MACHINE)
COMMANDS = 150
#: Operations that a program leaves out: rows are sensed alone when no dot product is on its way.
ROW_OPERATIONS = (Op.READ, Op.AND, Op.OR, Op.XOR)
PHASES = (ROW_OPERATIONS, (Op.DOT,), ROW_OPERATIONS) if MACHINE.memory_operations else ((), ())


class SensedRows:
    """Rows of all sub-arrays, each time that a row operation has been sensed."""

    def __init__(self, dut: HierarchyObject) -> None:
        self.rows: list[list[int]] = []
        cocotb.start_soon(self._watch(dut))

    async def _watch(self, dut: HierarchyObject) -> None:
        while MACHINE.memory_operations:
            await FallingEdge(dut.clk)
            while dut.sensed.value:
                await FallingEdge(dut.clk)
                words = []
                for sub_array in range(MACHINE.sub_arrays):
                    dut.row_of.value = sub_array
                    await Timer(1, "ps")
                    words.append(dut.row.value.to_unsigned())
                self.rows.append(words)


def members(command: np.void) -> list[int]:
    """Sub-arrays that take part in a row operation, in order."""
    of_cluster = MACHINE.sub_arrays >> int(command["log_clusters"])
    part = range(int(command["first"]), int(command["last"]) + 1)
    return [start + member for start in range(0, MACHINE.sub_arrays, of_cluster) for member in part]


def results_of(command: np.void) -> list[int]:
    """How many results each beat of a command has, from lane 0 on."""
    number, lanes = int(command["last"]) + 1 << int(command["log_slots"]), MACHINE.results_per_cycle
    of_cluster = [min(lanes, number - at) for at in range(0, number, lanes)]
    return of_cluster * (1 << int(command["log_clusters"]))


async def run(dut: HierarchyObject, program: CommandStream, stall: float, rng: Random) -> EngineRun:
    """Stream a program with random stalls on all streams."""
    commands = used_fields(program.commands)
    beats = [number for command in commands[commands["emit"] == 1] for number in results_of(command)]
    if MACHINE.memory_operations:
        dut.columns.value = pack_bits(program.enabled)
    seen, before = SensedRows(dut), unpack(COUNTERS, dut.counters.value.to_unsigned())
    rows = [pack(ROW, [pack_bits(bits) for bits in buses]) for buses in program.bus_rows]
    senders = [
        cocotb.start_soon(send(dut, "command", pack_commands(MACHINE, program.commands), stall, rng)),
        cocotb.start_soon(send(dut, "write", rows, stall, rng)),
    ]
    found = await receive(dut, "result", len(beats), stall, rng)
    for sender in senders:
        await sender
    await idle(dut)
    await idle(dut)
    after = unpack(COUNTERS, dut.counters.value.to_unsigned())
    senses = commands[np.isin(commands["op"], [op.value for op in ROW_OPERATIONS])]
    words = [
        operation[member]
        for command, operation in zip(senses, seen.rows, strict=True)
        for member in members(command)
    ]
    bits = [[word >> column & 1 for column in range(MACHINE.columns)] for word in words]
    values = [
        value for beat, number in zip(found, beats, strict=True) for value in unpack(BEAT, beat)[:number]
    ]
    return EngineRun(
        results=np.array(values, np.int64),
        rows=np.array(bits, np.uint8).reshape(-1, MACHINE.columns),
        counters=Counters(**{name: after[name] - before[name] for name in after}),
    )


async def run_programs(dut: HierarchyObject, stall: float) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    generator, golden = ProgramGenerator(MACHINE, cocotb.RANDOM_SEED), Engine(MACHINE)
    await reset(dut)
    for program in (generator.writes(), *(generator.program(COMMANDS, others) for others in PHASES)):
        found, expected = await run(dut, program, stall, rng), golden.run(program)
        np.testing.assert_array_equal(found.results, expected.results)
        np.testing.assert_array_equal(found.rows, expected.rows)
        timeless = {"cycles", "stalled"} if stall else set()
        counters = [
            {name: number for name, number in each.counters.as_dict().items() if name not in timeless}
            for each in (found, expected)
        ]
        assert counters[0] == counters[1]
        assert not stall or found.counters.cycles > expected.counters.cycles


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_programs(dut: HierarchyObject) -> None:
    await run_programs(dut, 0)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def random_programs_with_stalls(dut: HierarchyObject) -> None:
    await run_programs(dut, 0.4)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def results_taken_as_they_come_leave_no_gap(dut: HierarchyObject) -> None:
    """As many pairs as the results have beats: commands follow each other row by row."""
    lanes = MACHINE.results_per_cycle
    pairs, kernel_tiles = -(-MACHINE.sub_arrays // lanes), 20
    commands = np.zeros(2 * pairs + kernel_tiles, command_dtype(MACHINE))
    commands["last"] = MACHINE.sub_arrays - 1
    commands["row_d"][: 2 * pairs] = range(2 * pairs)
    dots = commands[2 * pairs :]
    dots["op"], dots["row_b"], dots["tiles"], dots["clear"], dots["emit"] = (
        Op.DOT.value,
        pairs,
        pairs - 1,
        1,
        1,
    )
    ones = np.ones((2 * pairs, MACHINE.columns), np.uint8)
    await reset(dut)
    found = await run(dut, CommandStream(machine=MACHINE, commands=commands, rows=ones), 0, Random(0))
    assert found.results.tolist() == [pairs * MACHINE.columns] * MACHINE.sub_arrays * kernel_tiles
    rows = 2 * pairs * MACHINE.write_cycles + kernel_tiles * pairs * MACHINE.sense_cycles
    assert (found.counters.cycles, found.counters.stalled) == (1 + rows + 2 + pairs, 0)
