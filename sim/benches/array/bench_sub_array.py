# amaranth: UnusedElaboratable=no
"""Bench of `SubArray`: long random command streams against the functional machine."""

import json
import os
from random import Random

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral import Engine
from spinplane.hdl import SubArray
from spinplane.machine import CommandStream, Machine, Op, command_dtype, pack_commands

from ...packing import pack_bits, unpack
from ...programs import ProgramGenerator, used_fields
from ...streams import receive, reset, send

MACHINE = Machine(**json.loads(os.environ["BENCH_MACHINE"]))
SUB_ARRAY = SubArray(MACHINE)
RESULT, EVENTS = SUB_ARRAY.result.payload.shape(), SUB_ARRAY.events.shape()
COUNTER_OF = {
    "row_write": "row_writes",
    "row_read": "row_reads",
    "and_": "ands",
    "or_": "ors",
    "bit_count": "bit_counts",
    "additions": "additions",
}
COMMANDS = 250


class Log:
    """What is seen from the reset on: sums of all events, the cycles in which each happened, and sensed rows."""

    def __init__(self, dut: HierarchyObject) -> None:
        self.sums = {name: 0 for name in COUNTER_OF if name in dict(EVENTS)}
        self.cycles: dict[str, list[int]] = {name: [] for name in self.sums}
        self.rows: list[list[int]] = []
        cocotb.start_soon(self._watch(dut))

    async def _watch(self, dut: HierarchyObject) -> None:
        cycle, sensed = 0, False
        while True:
            await FallingEdge(dut.clk)
            if raw := dut.events.value.to_unsigned():
                events = unpack(EVENTS, raw)
                for name in self.sums:
                    self.sums[name] += events[name]
                    self.cycles[name] += [cycle] if events[name] else []
            if MACHINE.memory_operations:
                if sensed:
                    word = dut.row.value.to_unsigned()
                    self.rows.append([word >> column & 1 for column in range(MACHINE.columns)])
                sensed = bool(dut.sensed.value)
            cycle += 1


async def run(dut: HierarchyObject, program: CommandStream, stall: float, rng: Random) -> np.ndarray:
    """Stream a program with random stalls on all streams, twice as many on that of the results, which it returns."""
    commands = program.commands
    emits = used_fields(commands)["emit"] == 1
    slots = 1 << commands["log_slots"][emits]
    if MACHINE.memory_operations:
        dut.columns.value = pack_bits(program.enabled)
    senders = [
        cocotb.start_soon(send(dut, "command", pack_commands(MACHINE, commands), stall, rng)),
        cocotb.start_soon(send(dut, "write", map(pack_bits, program.bus_rows[:, 0]), stall, rng)),
    ]
    results = await receive(dut, "result", len(slots), 2 * stall, rng)
    for sender in senders:
        await sender
    await idle(dut)
    lanes = [unpack(RESULT, raw)[:number] for raw, number in zip(results, slots, strict=True)]
    return np.array([value for lane in lanes for value in lane], np.int64)


async def idle(dut: HierarchyObject) -> None:
    """Wait until nothing is on its way, and one cycle more."""
    await FallingEdge(dut.clk)
    while dut.busy.value:
        await FallingEdge(dut.clk)
    await FallingEdge(dut.clk)
    await RisingEdge(dut.clk)


async def agrees_with_the_functional_machine(dut: HierarchyObject, stall: float) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    generator, golden = ProgramGenerator(MACHINE, cocotb.RANDOM_SEED), Engine(MACHINE)
    await reset(dut)
    # Of anything, and of dot products alone, which are the ones to hold each other up.
    for program in (
        generator.writes(),
        generator.program(COMMANDS // 2),
        generator.program(COMMANDS // 2, leave_out=set(Op) - {Op.DOT}),
    ):
        log = Log(dut)
        results = await run(dut, program, stall, rng)
        expected = golden.run(program)
        assert_same("results", results, expected.results)
        assert_same("rows", np.array(log.rows, np.uint8).reshape(-1, MACHINE.columns), expected.rows)
        counters = expected.counters.as_dict()
        assert log.sums == {event: counters[COUNTER_OF[event]] for event in log.sums}, "events differ"


def assert_same(name: str, found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape, f"{name} are {len(found)}, not {len(expected)}"
    wrong = np.argwhere(found != expected)
    assert not len(wrong), f"{name} differ in {len(wrong)} places, first at {wrong[0].tolist()}"


@cocotb.test(timeout_time=300, timeout_unit="us")
async def random_commands(dut: HierarchyObject) -> None:
    await agrees_with_the_functional_machine(dut, 0)


@cocotb.test(timeout_time=300, timeout_unit="us")
async def random_commands_with_stalls(dut: HierarchyObject) -> None:
    await agrees_with_the_functional_machine(dut, 0.4)


PAIRS, DOTS = 4, 6


def writes_and_dots() -> CommandStream:
    """Rows of ones, then dot products over all their pairs."""
    commands = np.zeros(2 * PAIRS + DOTS, dtype=command_dtype(MACHINE))
    commands["op"] = [Op.WRITE.value] * 2 * PAIRS + [Op.DOT.value] * DOTS
    commands["row_d"][: 2 * PAIRS] = range(2 * PAIRS)
    dots = commands[2 * PAIRS :]
    dots["row_b"], dots["tiles"] = PAIRS, PAIRS - 1
    dots["log_slots"] = MACHINE.segments.bit_length() - 1
    dots["clear"][0] = dots["emit"][-1] = 1
    return CommandStream(
        machine=MACHINE, commands=commands, rows=np.ones((2 * PAIRS, MACHINE.columns), np.uint8)
    )


def expected_sums() -> list[int]:
    return [DOTS * PAIRS * MACHINE.segment_columns] * MACHINE.segments


@cocotb.test(timeout_time=300, timeout_unit="us")
async def row_operations_follow_each_other_without_a_gap(dut: HierarchyObject) -> None:
    """From one command to the next, and through all pairs of a dot product."""
    await reset(dut)
    log = Log(dut)
    assert (await run(dut, writes_and_dots(), 0, Random(0))).tolist() == expected_sums()
    senses = log.cycles["and_"]
    assert len(senses) == DOTS * PAIRS
    assert set(np.diff(senses)) == {MACHINE.sense_cycles}
    assert set(np.diff(log.cycles["row_write"])) == {MACHINE.write_cycles}
    # The first command follows the writes as closely, and every sensed row is counted and summed.
    assert senses[0] - log.cycles["row_write"][-1] == MACHINE.sense_cycles
    assert [cycle + 1 for cycle in senses] == log.cycles["bit_count"]
    assert [cycle + 2 for cycle in senses] == log.cycles["additions"]


@cocotb.test(timeout_time=300, timeout_unit="us")
async def a_reset_without_a_pulse_cuts_none(dut: HierarchyObject) -> None:
    """Whenever it comes; the array stops the simulation otherwise. Afterwards all is as after the first reset."""
    program = writes_and_dots()
    await reset(dut)
    await run(dut, program, 0, Random(0))
    longest = 2 * len(program.rows) * MACHINE.write_cycles
    for delay in range(longest):
        streams = [
            cocotb.start_soon(send(dut, "command", pack_commands(MACHINE, program.commands))),
            cocotb.start_soon(send(dut, "write", map(pack_bits, program.rows))),
        ]
        for _ in range(delay):
            await RisingEdge(dut.clk)
        await FallingEdge(dut.clk)
        while dut.pulse.value:
            await FallingEdge(dut.clk)
        for stream in streams:
            stream.cancel()
        dut.rst.value = 1
        await RisingEdge(dut.clk)
        dut.rst.value = dut.command__valid.value = dut.write__valid.value = 0
    assert (await run(dut, program, 0, Random(0))).tolist() == expected_sums()
