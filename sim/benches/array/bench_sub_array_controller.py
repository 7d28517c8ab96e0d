# amaranth: UnusedElaboratable=no
"""Bench of `SubArrayController`: the lines that it holds for random commands, against the list of its duties."""

import json
import os
from random import Random
from typing import Any

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge

from spinplane.hdl import Sense
from spinplane.hdl.common.command import STEP
from spinplane.machine import CommandStream, Machine, Op, pack_commands

from ...packing import unpack
from ...programs import ProgramGenerator, used_fields
from ...streams import receive, reset, send

MACHINE = Machine(**json.loads(os.environ["BENCH_MACHINE"]))
COMMANDS = 120
REFERENCES: dict[Op, Any] = {
    **dict.fromkeys((Op.DOT, Op.AND, Op.XOR), Sense.AND),
    Op.READ: Sense.M,
    Op.OR: Sense.OR,
}

#: One row operation: its lines, and how many cycles they were held.
Operation = dict[str, Any]


def duties(program: CommandStream) -> tuple[list[Operation], list[dict[str, Any]]]:
    """Row operations of a program in their order, and what becomes of the rows that are counted."""
    operations: list[Operation] = []
    counted: list[dict[str, Any]] = []
    for command in used_fields(program.commands):
        op, fields = Op(int(command["op"])), {name: int(command[name]) for name in command.dtype.names}
        if op is Op.WRITE:
            operations.append({"write": fields["row_d"], "cycles": MACHINE.write_cycles})
            continue
        for pair in range(fields["tiles"] + 1):
            lines = {"a": fields["row_a"] + pair, "cycles": MACHINE.sense_cycles}
            if op is not Op.READ:
                lines["b"] = fields["row_b"] + pair
            if MACHINE.memory_operations:
                lines["sense"] = REFERENCES[op].value
            if MACHINE.xor_sensing:
                lines["exclusive"] = int(op is Op.XOR)
            operations.append(lines)
            if op is Op.DOT:
                counted.append(
                    {
                        "shift": fields["shift"],
                        "mode": {"log_slots": fields["log_slots"], "log_planes": fields["log_planes"]},
                        "subtract": fields["subtract"],
                        "clear": int(fields["clear"] and pair == 0),
                        "emit": int(fields["emit"] and pair == fields["tiles"]),
                    }
                )
        if fields.get("write_back"):
            operations.append({"write_back": fields["row_d"], "cycles": MACHINE.write_cycles})
    return operations, counted


async def watch(dut: HierarchyObject, operations: list[Operation]) -> None:
    """Append every row operation when it ends; its lines must not change while it is held."""
    held: Operation = {}
    while True:
        await FallingEdge(dut.clk)
        now: Operation = {}
        if dut.write_enable.value:
            writes_back = MACHINE.memory_operations and dut.write_back.value
            now["write_back" if writes_back else "write"] = dut.write_address.value.to_unsigned()
        if dut.enable_a.value:
            assert not now, "a write and a sense at once"
            now["a"] = dut.address_a.value.to_unsigned()
            if dut.enable_b.value:
                now["b"] = dut.address_b.value.to_unsigned()
            if MACHINE.memory_operations:
                now["sense"] = dut.sense.value.to_unsigned()
            if MACHINE.xor_sensing:
                now["exclusive"] = int(dut.exclusive.value)
        else:
            assert not dut.enable_b.value
            assert not (MACHINE.memory_operations and dut.sense.value), "a reference without a row"
            assert not (MACHINE.xor_sensing and dut.exclusive.value), "an XOR without rows"
        assert not (now and dut.stalled.value), "an operation goes on while it is stalled"
        if held:
            cycles = held.pop("cycles")
            assert now == held, "lines changed within an operation"
            now["cycles"] = cycles + 1
        elif now:
            now["cycles"] = 1
        held = now
        ends = bool(dut.wrote.value or dut.finished.value)
        assert bool(dut.pulse.value) == (bool(now) and not ends), "a pulse that a reset would cut"
        if ends:
            assert now, "nothing was there to end"
            operations.append(held)
            held = {}


async def obeys(dut: HierarchyObject, stall: float) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    generator = ProgramGenerator(MACHINE, cocotb.RANDOM_SEED)
    generator.writes()
    program = generator.program(COMMANDS)
    expected, expected_counts = duties(program)
    operations: list[Operation] = []
    await reset(dut)
    cocotb.start_soon(watch(dut, operations))
    senders = [
        cocotb.start_soon(send(dut, "command", pack_commands(MACHINE, program.commands), stall, rng)),
        cocotb.start_soon(send(dut, "write", [0] * len(program.rows), stall, rng)),
    ]
    counted = [unpack(STEP, raw) for raw in await receive(dut, "counted", len(expected_counts), stall, rng)]
    for sender in senders:
        await sender
    await FallingEdge(dut.clk)
    while dut.busy.value:
        await FallingEdge(dut.clk)
    for at, (found, wanted) in enumerate(zip(operations, expected, strict=True)):
        assert found == wanted, f"row operation {at}"
    assert counted == expected_counts


@cocotb.test(timeout_time=300, timeout_unit="us")
async def random_commands(dut: HierarchyObject) -> None:
    await obeys(dut, 0)


@cocotb.test(timeout_time=300, timeout_unit="us")
async def random_commands_with_stalls(dut: HierarchyObject) -> None:
    await obeys(dut, 0.5)


def a_pair_twice() -> list[int]:
    generator = ProgramGenerator(MACHINE, 0)
    commands = used_fields(np.repeat(generator.writes().commands[:1], 2))
    commands["op"] = Op.DOT.value
    commands["row_a"], commands["row_b"] = [1, 2], 3
    return pack_commands(MACHINE, commands)


@cocotb.test(timeout_time=300, timeout_unit="us")
async def a_sense_waits_for_the_row_before_it(dut: HierarchyObject) -> None:
    operations: list[Operation] = []
    await reset(dut)
    cocotb.start_soon(watch(dut, operations))
    await send(dut, "command", a_pair_twice())
    await ClockCycles(dut.clk, 3 * MACHINE.sense_cycles + 3)
    assert [operation["a"] for operation in operations] == [1]
    assert (dut.stalled.value, dut.enable_a.value, dut.counted__valid.value) == (1, 0, 1)
    await receive(dut, "counted", 2)
    assert [operation["a"] for operation in operations] == [1, 2]


@cocotb.test(timeout_time=300, timeout_unit="us")
async def a_write_waits_for_its_row(dut: HierarchyObject) -> None:
    operations: list[Operation] = []
    await reset(dut)
    cocotb.start_soon(watch(dut, operations))
    write = pack_commands(MACHINE, ProgramGenerator(MACHINE, 0).writes().commands[:1])
    await send(dut, "command", write)
    await ClockCycles(dut.clk, MACHINE.write_cycles + 2)
    assert operations == []
    assert (dut.stalled.value, dut.write_enable.value, dut.command__ready.value) == (1, 0, 0)
    await send(dut, "write", [0])
    await RisingEdge(dut.clk)
    assert operations == [{"write": 0, "cycles": MACHINE.write_cycles}]
    assert dut.busy.value == 0
