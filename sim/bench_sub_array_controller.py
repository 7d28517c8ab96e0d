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

from spinplane.hdl import Sense, SubArrayController
from spinplane.hdl.sub_array_controller import SENSED, Route
from spinplane.machine import Machine, Op, Program, pack_commands

from .packing import pack_bits, unpack
from .programs import ProgramGenerator, used_fields
from .streams import receive, reset, send

MACHINE = Machine(**json.loads(os.environ["BENCH_MACHINE"]))
CONTROLLER = SubArrayController(MACHINE)
COMMANDS = 120

#: One row operation: its lines, and how many cycles they were held.
Operation = dict[str, Any]


def duties(program: Program) -> tuple[list[Operation], list[dict[str, Any]]]:
    """Row operations of a program in their order, and what the sensed stream says of them."""
    operations: list[Operation] = []
    sensed: list[dict[str, Any]] = []
    for command in used_fields(program.commands):
        op, fields = Op(int(command["op"])), {name: int(command[name]) for name in command.dtype.names}
        if op is Op.WRITE:
            operations.append({"write": fields["row_d"], "cycles": MACHINE.write_cycles})
            continue
        for step in steps(op, fields):
            operations.append({**step["lines"], "cycles": MACHINE.sense_cycles})
            if step["route"] is not None:
                sensed.append({"route": step["route"], "step": step["step"]})
        if fields["write_back"]:
            columns = operations[-1]["columns"]
            back = {"write_back": fields["row_d"], "columns": columns, "cycles": MACHINE.write_cycles}
            operations.append(back)
    return operations, sensed


def steps(op: Op, fields: dict[str, int]) -> list[dict[str, Any]]:
    """The senses of one command: planes of b, planes of a, tiles, from the slowest to the fastest."""
    reference: Any = {Op.AND: Sense.AND, Op.DOT: Sense.AND, Op.OR: Sense.OR}.get(op, Sense.M)
    counted = op in (Op.DOT, Op.COUNT)
    route = Route.COUNT if counted else Route.LOAD if op is Op.LOAD else Route.ROW if fields["emit"] else None
    tiles, top_a, top_b = fields["tiles"] + 1, fields["planes_a"], fields["planes_b"]
    indices = [(b, a, t) for b in range(top_b + 1) for a in range(top_a + 1) for t in range(tiles)]
    found = []
    for number, (b, a, t) in enumerate(indices):
        lines = {
            "a": fields["row_a"] + a * tiles + t,
            "sense": reference.value,
            "columns": columns(fields, t == tiles - 1),
        }
        if reference is not Sense.M:
            lines["b"] = fields["row_b"] + b * tiles + t
        negate = fields["negate"] ^ (fields["signed_a"] & (a == top_a)) ^ (fields["signed_b"] & (b == top_b))
        step = {
            "shift": fields["shift"] + a + b,
            "negate": int(negate),
            "mode": {"log_slots": fields["log_slots"], "log_planes": fields["log_planes"]},
            "clear": int(fields["clear"] and number == 0),
            "emit": int(fields["emit"] and number == len(indices) - 1),
        }
        found.append({"lines": lines, "route": route, "step": step if counted else None})
    return found


def columns(fields: dict[str, int], last_tile: bool) -> int:
    """The sensed columns: in the last tile, those up to ``length`` in each slot."""
    width = MACHINE.columns >> fields["log_slots"]
    sensed = np.arange(MACHINE.columns) % width <= fields["length"] % width
    return pack_bits(sensed if last_tile else np.ones_like(sensed))


async def watch(dut: HierarchyObject, operations: list[Operation]) -> None:
    """Append every row operation when it ends; its lines must not change while it is held."""
    held: Operation = {}
    while True:
        await FallingEdge(dut.clk)
        now: Operation = {}
        if dut.write_enable.value:
            name = "write_back" if dut.write_back.value else "write"
            now[name] = dut.write_address.value.to_unsigned()
            if name == "write_back":
                now["columns"] = dut.columns.value.to_unsigned()
        if dut.enable_a.value:
            assert not now, "a write and a sense at once"
            now["a"] = dut.address_a.value.to_unsigned()
            now["sense"] = dut.sense.value.to_unsigned()
            now["columns"] = dut.columns.value.to_unsigned()
            if dut.enable_b.value:
                now["b"] = dut.address_b.value.to_unsigned()
        else:
            assert not dut.enable_b.value
            assert not dut.sense.value, "a reference without a row"
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
    expected, expected_sensed = duties(program)
    operations: list[Operation] = []
    await reset(dut)
    cocotb.start_soon(watch(dut, operations))
    rows = [0] * len(program.rows)
    senders = [
        cocotb.start_soon(send(dut, "command", pack_commands(MACHINE, program.commands), stall, rng)),
        cocotb.start_soon(send(dut, "write", rows, stall, rng)),
    ]
    sensed = [unpack(SENSED, raw) for raw in await receive(dut, "sensed", len(expected_sensed), stall, rng)]
    for sender in senders:
        await sender
    await FallingEdge(dut.clk)
    while dut.busy.value:
        await FallingEdge(dut.clk)
    for at, (found, wanted) in enumerate(zip(operations, expected, strict=True)):
        assert found == wanted, f"row operation {at}"
    for at, (found, wanted) in enumerate(zip(sensed, expected_sensed, strict=True)):
        assert Route(found["route"]) == wanted["route"], f"sensed row {at}"
        assert wanted["step"] is None or found["step"] == wanted["step"], f"sensed row {at}"


@cocotb.test(timeout_time=300, timeout_unit="us")
async def random_commands(dut: HierarchyObject) -> None:
    await obeys(dut, 0)


@cocotb.test(timeout_time=300, timeout_unit="us")
async def random_commands_with_stalls(dut: HierarchyObject) -> None:
    await obeys(dut, 0.5)


def two_reads() -> list[int]:
    generator = ProgramGenerator(MACHINE, 0)
    commands = used_fields(np.repeat(generator.writes().commands[:1], 2))
    commands["op"], commands["emit"] = Op.READ.value, 1
    commands["row_a"] = [1, 2]
    return pack_commands(MACHINE, commands)


@cocotb.test(timeout_time=300, timeout_unit="us")
async def a_sense_waits_for_the_row_before_it(dut: HierarchyObject) -> None:
    operations: list[Operation] = []
    await reset(dut)
    cocotb.start_soon(watch(dut, operations))
    await send(dut, "command", two_reads())
    await ClockCycles(dut.clk, 3 * MACHINE.sense_cycles + 3)
    assert [operation["a"] for operation in operations] == [1]
    assert (dut.stalled.value, dut.enable_a.value, dut.sensed__valid.value) == (1, 0, 1)
    await receive(dut, "sensed", 2)
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
