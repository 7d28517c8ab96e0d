"""Engine in RTL against the functional machine: random programs for ranges of sub-arrays."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.hdl import Value
from amaranth.sim import Simulator, SimulatorContext

from spinplane import hdl
from spinplane.behavioral import Engine, EngineRun
from spinplane.machine import Machine, Op, Program, command_dtype, pack_commands
from spinplane.sim.packing import pack_bits
from spinplane.sim.programs import ProgramGenerator, used_fields
from spinplane.sim.run import run_programs

# More sub-arrays than two, and not a power of two, so that ranges have a middle.
THREE = Machine(name="three", sub_arrays=3, rows=24, columns=32, segments=2, accumulator_bits=16)
SLOW = replace(
    THREE, name="slow", sub_arrays=2, columns=64, segments=4, sense_cycles=3, write_cycles=1, rows=31
)
# The widths of all of these fields are special: one sub-array, one segment.
ALONE = replace(THREE, name="alone", sub_arrays=1, segments=1, sense_cycles=2)
# Groups of 1 to 4, slots and planes of all sizes, a bus for each sub-array; a group may have less than a beat.
GROUPS = Machine(name="groups", sub_arrays=4, rows=24, columns=128, segments=4)
# Two groups of three sub-arrays, whose results do not fill their last beat; one bus for three.
ODD = Machine(
    name="odd",
    sub_arrays=6,
    rows=24,
    columns=32,
    segments=2,
    accumulator_bits=16,
    row_buses=2,
    results_per_cycle=2,
    write_cycles=3,
)
# One bus for all groups, results one at a time.
NARROW = Machine(
    name="narrow",
    sub_arrays=4,
    rows=24,
    columns=32,
    segments=2,
    accumulator_bits=16,
    row_buses=1,
    results_per_cycle=1,
)


def random_programs(machine: Machine, commands: int) -> tuple[list[Program], list[EngineRun]]:
    """Programs that follow each other, and what the functional machine makes of them."""
    generator, golden = ProgramGenerator(machine, seed=7), Engine(machine)
    programs = [generator.writes(), *(generator.program(commands) for _ in range(2))]
    return programs, [golden.run(program) for program in programs]


def assert_equal(found: EngineRun, expected: EngineRun, *, timing: bool) -> None:
    np.testing.assert_array_equal(found.results, expected.results)
    np.testing.assert_array_equal(found.rows, expected.rows)
    timeless = {} if timing else {"cycles": 0, "stalled": 0}
    assert replace(found.counters, **timeless) == replace(expected.counters, **timeless)


@pytest.mark.parametrize(
    ("machine", "simulator"),
    [
        (GROUPS, "verilator"),
        *((machine, "icarus") for machine in (THREE, SLOW, ALONE, GROUPS, ODD, NARROW)),
        *((machine, "amaranth") for machine in (ALONE, NARROW)),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_random_programs(machine: Machine, simulator: str) -> None:
    """Without stalls from outside the functional machine knows every cycle; with them, all the rest."""
    programs, expected = random_programs(machine, 60 if simulator == "amaranth" else 200)
    for found, golden in zip(run_programs(programs, simulator=simulator).runs, expected, strict=True):
        assert_equal(found, golden, timing=True)
    stalled = run_programs(programs, simulator=simulator, stall=0.4, seed=3).runs
    for found, golden in zip(stalled, expected, strict=True):
        assert_equal(found, golden, timing=False)
    assert sum(run.counters.cycles for run in stalled) > sum(run.counters.cycles for run in expected)


def test_random_programs_leave_nothing_out() -> None:
    """All operations, all flags, ranges of sub-arrays that begin, end and lie inside."""
    programs, runs = random_programs(THREE, 300)
    commands = used_fields(np.concatenate([program.commands for program in programs[1:]]))
    assert set(commands["op"]) == {op.value for op in Op}
    for flag in ("signed_a", "signed_b", "negate", "clear", "emit", "write_back"):
        assert set(commands[flag]) == {0, 1}, flag
    assert {(first, last) for first, last in commands[["first", "last"]].tolist()} == {
        (first, last) for last in range(3) for first in range(last + 1)
    }
    assert commands["tiles"].max() == 2
    assert min(commands["planes_a"].max(), commands["planes_b"].max()) >= 5
    assert all(min(run.counters.as_dict().values()) > 0 for run in runs[1:])
    assert all(len(run.results) > 50 and len(run.rows) > 50 for run in runs[1:])


def test_random_programs_have_all_slots_planes_and_groups() -> None:
    programs, _ = random_programs(GROUPS, 300)
    commands = np.concatenate([program.commands for program in programs[1:]])
    counts = commands[np.isin(commands["op"], [Op.DOT.value, Op.COUNT.value])]
    modes = {(slots, planes) for slots in range(3) for planes in range(4) if slots + planes <= 3}
    assert set(counts[["log_slots", "log_planes"]].tolist()) == modes
    assert set(counts[["log_slots", "log_groups"]].tolist()) == {(s, g) for s in range(3) for g in range(3)}
    for op in Op:
        assert set(commands["log_groups"][commands["op"] == op.value]) == {0, 1, 2}, op
    assert all((program.rows[:, 0] != program.rows[:, 1]).any() for program in programs)


@pytest.mark.parametrize("tiles", [1, 2])
def test_results_taken_as_they_come_leave_no_gap(tiles: int) -> None:
    """A beat for each row operation of one, two for each of two: commands follow each other row by row."""
    machine, rounds = replace(GROUPS, sub_arrays=2 * tiles, row_buses=1, results_per_cycle=2), 20
    commands = np.zeros(2 * tiles + rounds, command_dtype(machine))
    commands["last"], commands["length"] = machine.sub_arrays - 1, machine.columns - 1
    commands["row_d"][: 2 * tiles] = range(2 * tiles)
    dots = commands[2 * tiles :]
    dots["op"], dots["row_b"], dots["tiles"], dots["clear"], dots["emit"] = (
        Op.DOT.value,
        tiles,
        tiles - 1,
        1,
        1,
    )
    ones = np.ones((2 * tiles, machine.columns), np.uint8)
    program = Program(machine=machine, commands=commands, rows=ones, masks=ones)
    (run,) = run_programs([program], simulator="icarus").runs
    assert run.results.tolist() == [tiles * machine.columns] * machine.sub_arrays * rounds
    written = 2 * tiles * machine.write_cycles
    assert (run.counters.cycles, run.counters.stalled) == (1 + written + rounds * tiles + 2 + tiles, 0)


def beats(machine: Machine, command: dict[str, int]) -> list[list[int | None]]:
    """Beats of a command by the contract: result i·slots + s of each group, None in the lanes that are not valid."""
    lanes, of_group = machine.results_per_cycle, machine.sub_arrays >> command["log_groups"]
    found = []
    for group in range(1 << command["log_groups"]):
        results = [
            value if command["first"] <= i <= command["last"] else None
            for i in range(of_group)
            for value in ones(machine, group * of_group + i)
            .reshape(1 << command["log_slots"], -1)
            .sum(axis=1)
        ]
        results += [None] * (-len(results) % lanes)
        found += [results[at : at + lanes] for at in range(0, len(results), lanes)]
    return [beat for beat in found if set(beat) != {None}]


def ones(machine: Machine, sub_array: int) -> np.ndarray:
    """A row with another number of ones in every segment of the machine."""
    row = np.zeros((machine.segments, machine.segment_columns), np.uint8)
    for segment in range(machine.segments):
        row[segment, : 1 + sub_array * machine.segments + segment] = 1
    return row.ravel()


@pytest.mark.parametrize(
    "machine",
    [replace(GROUPS, columns=64, accumulator_bits=16, bus_bits=0), ODD, NARROW],
    ids=lambda machine: machine.name,
)
def test_beats(machine: Machine) -> None:
    """Lanes, their order and the end of a command, for every range of sub-arrays in every mode."""
    modes = [
        {"log_groups": groups, "log_slots": slots, "first": first, "last": last}
        for groups in range(3)
        if machine.sub_arrays % (1 << groups) == 0
        for slots in range(machine.segments.bit_length())
        for last in range(machine.sub_arrays >> groups)
        for first in range(last + 1)
    ]
    fixed = {"op": Op.COUNT.value, "length": machine.columns - 1, "clear": 1, "emit": 1}
    commands = np.zeros(machine.sub_arrays + len(modes), command_dtype(machine))
    commands["first"][: machine.sub_arrays] = commands["last"][: machine.sub_arrays] = range(
        machine.sub_arrays
    )
    for command, mode in zip(commands[machine.sub_arrays :], modes, strict=True):
        for name, value in {**fixed, **mode}.items():
            command[name] = value
    engine, found = hdl.Engine(machine), []
    last = []

    async def give(ctx: SimulatorContext) -> None:
        for word in pack_commands(machine, commands):
            ctx.set(Value.cast(engine.command.payload), word)
            ctx.set(engine.command.valid, 1)
            await ctx.tick().until(engine.command.ready)
        ctx.set(engine.command.valid, 0)

    async def write(ctx: SimulatorContext) -> None:
        ctx.set(engine.write.valid, 1)
        ctx.set(engine.write.payload.mask, (1 << machine.columns) - 1)
        for sub_array in range(machine.sub_arrays):
            for bus in range(machine.row_buses):
                ctx.set(engine.write.payload.bits[bus], pack_bits(ones(machine, sub_array)))
            await ctx.tick().until(engine.write.ready)
        ctx.set(engine.write.valid, 0)

    async def take(ctx: SimulatorContext) -> None:
        ctx.set(engine.result.ready, 1)
        while sum(last) < len(modes):
            *_, valid, payload = await ctx.tick().sample(engine.result.valid, engine.result.payload)
            if valid:
                lanes = range(machine.results_per_cycle)
                found.append([payload["values"][n] if payload["valid"] >> n & 1 else None for n in lanes])
                last.append(payload["last"])

    simulation = Simulator(engine)
    simulation.add_clock(1e-6)
    for bench in (give, write, take):
        simulation.add_testbench(bench)
    simulation.run()
    expected = [beats(machine, mode) for mode in modes]
    assert found == [beat for of_command in expected for beat in of_command]
    assert last == [int(n == len(of) - 1) for of in expected for n in range(len(of))]
