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
from spinplane.machine import Machine, Op, Program, command_dtype, pack_commands

from .packing import pack, pack_bits, unpack
from .programs import ProgramGenerator, used_fields
from .streams import receive, reset, send

MACHINE = Machine(**json.loads(os.environ["BENCH_MACHINE"]))
SUB_ARRAY = SubArray(MACHINE)
ROW, RESULT = SUB_ARRAY.write.payload.shape(), SUB_ARRAY.result.payload.shape()
EVENTS = SUB_ARRAY.events.shape()
COUNTER_OF = {
    "row_write": "row_writes",
    "row_read": "row_reads",
    "and_": "ands",
    "or_": "ors",
    "bit_count": "bit_counts",
    "additions": "additions",
}
COMMANDS = 250


class EventLog:
    """Events of every cycle since the reset: their sums, and the cycles in which each happened."""

    def __init__(self, dut: HierarchyObject) -> None:
        self.sums = dict.fromkeys(COUNTER_OF, 0)
        self.cycles: dict[str, list[int]] = {name: [] for name in COUNTER_OF}
        cocotb.start_soon(self._watch(dut))

    async def _watch(self, dut: HierarchyObject) -> None:
        cycle = 0
        while True:
            await FallingEdge(dut.clk)
            if raw := dut.events.value.to_unsigned():
                events = unpack(EVENTS, raw)
                for name in COUNTER_OF:
                    self.sums[name] += events[name]
                    self.cycles[name] += [cycle] if events[name] else []
            cycle += 1


async def run(
    dut: HierarchyObject, program: Program, stall: float, rng: Random
) -> tuple[np.ndarray, np.ndarray]:
    """Stream a program with random stalls on all four streams; returns results and rows."""
    commands = program.commands
    counted = np.isin(commands["op"], [Op.DOT.value, Op.COUNT.value])
    emits = used_fields(commands)["emit"] == 1
    slots = 1 << commands["log_slots"][counted & emits]
    rows_out = int((~counted & emits).sum())
    rows_in = [
        pack(ROW, {"bits": pack_bits(bits), "mask": pack_bits(mask)})
        for bits, mask in zip(program.bus_rows()[:, 0], program.masks, strict=True)
    ]
    senders = [
        cocotb.start_soon(send(dut, "command", pack_commands(MACHINE, commands), stall, rng)),
        cocotb.start_soon(send(dut, "write", rows_in, stall, rng)),
    ]
    rows = cocotb.start_soon(receive(dut, "row", rows_out, stall, rng))
    results = await receive(dut, "result", len(slots), stall, rng)
    words = await rows
    for sender in senders:
        await sender
    await FallingEdge(dut.clk)
    while dut.busy.value:
        await FallingEdge(dut.clk)
    await RisingEdge(dut.clk)
    lanes = [unpack(RESULT, raw)[:number] for raw, number in zip(results, slots, strict=True)]
    bits = [[word >> column & 1 for column in range(MACHINE.columns)] for word in words]
    values = [value for lane in lanes for value in lane]
    return np.array(values, np.int64), np.array(bits, np.uint8).reshape(-1, MACHINE.columns)


async def agrees_with_the_functional_machine(dut: HierarchyObject, stall: float) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    generator, golden = ProgramGenerator(MACHINE, cocotb.RANDOM_SEED), Engine(MACHINE)
    await reset(dut)
    for program in (generator.writes(), generator.program(COMMANDS)):
        log = EventLog(dut)
        results, rows = await run(dut, program, stall, rng)
        expected = golden.run(program)
        assert_same("results", results, expected.results)
        assert_same("rows", rows, expected.rows)
        counters = expected.counters.as_dict()
        assert log.sums == {event: counters[name] for event, name in COUNTER_OF.items()}, "events differ"


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


PLANES, TILES, DOTS = 2, 2, 5


def writes_and_counts() -> Program:
    """Rows of ones, then dot products and counts over all their planes and tiles."""
    rows = 2 * PLANES * TILES
    commands = np.zeros(rows + 2 * DOTS, dtype=command_dtype(MACHINE))
    commands["op"][:rows] = Op.WRITE.value
    commands["row_d"][:rows] = range(rows)
    counting = commands[rows:]
    counting["op"] = np.resize([Op.DOT.value, Op.COUNT.value], 2 * DOTS)
    counting["row_b"][::2] = PLANES * TILES
    counting["planes_a"], counting["planes_b"][::2], counting["tiles"] = PLANES - 1, PLANES - 1, TILES - 1
    counting["length"] = MACHINE.columns - 1
    counting["log_slots"] = MACHINE.segments.bit_length() - 1
    counting["clear"][0] = counting["emit"][-1] = 1
    ones = np.ones((rows, MACHINE.columns), np.uint8)
    return Program(machine=MACHINE, commands=commands, rows=ones, masks=ones)


def expected_sums() -> list[int]:
    dot, count = (2**PLANES - 1) ** 2, 2**PLANES - 1
    return [DOTS * TILES * MACHINE.segment_columns * (dot + count)] * MACHINE.segments


@cocotb.test(timeout_time=300, timeout_unit="us")
async def row_operations_follow_each_other_without_a_gap(dut: HierarchyObject) -> None:
    """From one command to the next, and through all planes and tiles of a dot product."""
    await reset(dut)
    log = EventLog(dut)
    results, _ = await run(dut, writes_and_counts(), 0, Random(0))
    assert results.tolist() == expected_sums()
    senses = sorted(log.cycles["and_"] + log.cycles["row_read"])
    assert len(senses) == DOTS * TILES * (PLANES**2 + PLANES)
    assert set(np.diff(senses)) == {MACHINE.sense_cycles}
    assert set(np.diff(log.cycles["row_write"])) == {MACHINE.write_cycles}
    # The first command follows the writes as closely, and every sensed row is counted and summed.
    assert senses[0] - log.cycles["row_write"][-1] == MACHINE.sense_cycles
    assert [cycle + 1 for cycle in senses] == log.cycles["bit_count"]
    assert [cycle + 2 for cycle in senses] == log.cycles["additions"]


@cocotb.test(timeout_time=300, timeout_unit="us")
async def a_reset_without_a_pulse_cuts_none(dut: HierarchyObject) -> None:
    """Whenever it comes; the array stops the simulation otherwise. Afterwards all is as after the first reset."""
    program = writes_and_counts()
    await reset(dut)
    await run(dut, program, 0, Random(0))
    words = [pack(ROW, {"bits": pack_bits(bits), "mask": pack_bits(bits)}) for bits in program.rows]
    longest = 2 * len(program.rows) * MACHINE.write_cycles
    for delay in range(longest):
        streams = [
            cocotb.start_soon(send(dut, "command", pack_commands(MACHINE, program.commands))),
            cocotb.start_soon(send(dut, "write", words)),
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
    results, _ = await run(dut, program, 0, Random(0))
    assert results.tolist() == expected_sums()
