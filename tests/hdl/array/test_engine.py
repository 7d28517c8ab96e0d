# amaranth: UnusedElaboratable=no
"""Engine in RTL against its golden model: random programs for ranges and clusters of sub-arrays."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from spinplane.behavioral import Engine
from spinplane.hdl import Engine as EngineOfHdl
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.export.machine_verilog import array_model
from spinplane.machine import CommandStream, Machine, Op, operations
from spinplane.sim import run_bench
from spinplane.sim.programs import ProgramGenerator, used_fields

# More sub-arrays than two, and not a power of two, so that ranges have a middle.
THREE = Machine(
    name="three", sub_arrays=3, rows=24, columns=32, segments=2, accumulator_bits=16, memory_operations=True
)
SLOW = replace(
    THREE,
    name="slow",
    sub_arrays=2,
    rows=31,
    columns=64,
    segments=4,
    sense_cycles=3,
    write_cycles=1,
    xor_sensing=True,
)
# The widths of all of these fields are special: one sub-array, one segment.
ALONE = replace(THREE, name="alone", sub_arrays=1, segments=1, sense_cycles=2)
# Clusters of 1 to 4, slots and planes of all sizes, a bus for each sub-array; a cluster may have less than a beat.
CLUSTERS = Machine(name="clusters", sub_arrays=4, rows=24, columns=128, segments=4, memory_operations=True)
# Two clusters of three sub-arrays, whose results do not fill their last beat; one bus for three.
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
    memory_operations=True,
)
# One bus for all clusters, results one at a time, accumulators wider than segments, no memory operations.
NARROW = Machine(
    name="narrow",
    sub_arrays=4,
    rows=24,
    columns=32,
    segments=2,
    accumulator_bits=32,
    row_buses=1,
    results_per_cycle=1,
)


@pytest.mark.parametrize(
    ("machine", "simulator"),
    [
        (CLUSTERS, "verilator"),
        (ODD, "icarus"),
        *(
            pytest.param(machine, "icarus", marks=pytest.mark.thorough)
            for machine in (THREE, SLOW, ALONE, CLUSTERS, NARROW)
        ),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_bench(machine: Machine, simulator: str) -> None:
    run = run_bench(
        "spinplane.sim.benches.array.bench_engine",
        {"sot_mram_array": array_model(), **verilog_modules(EngineOfHdl(machine), "engine")},
        "engine",
        simulator=simulator,
        environment={"BENCH_MACHINE": json.dumps(asdict(machine))},
    )
    assert run.check().tests == 3


def random_programs(machine: Machine, commands: int) -> list[CommandStream]:
    generator = ProgramGenerator(machine, seed=7)
    generator.writes()
    return [generator.program(commands) for _ in range(2)]


def test_random_programs_leave_nothing_out() -> None:
    """All operations, all flags, ranges of sub-arrays that begin, end and lie inside."""
    machine = replace(THREE, name="all", xor_sensing=True)
    programs, golden = random_programs(machine, 300), Engine(machine)
    golden.run(ProgramGenerator(machine, seed=7).writes())
    runs = [golden.run(program) for program in programs]
    commands = used_fields(np.concatenate([program.commands for program in programs]))
    assert set(commands["op"]) == {op.value for op in Op}
    for flag in ("clear", "emit", "write_back"):
        assert set(commands[flag]) == {0, 1}, flag
    ranges = commands[commands["op"] != Op.DOT.value][["first", "last"]]
    assert set(ranges.tolist()) == {(first, last) for last in range(3) for first in range(last + 1)}
    assert set(commands["tiles"]) == {0, 1, 2, 6}
    assert set(commands["shift"]) > {0, 1, 2}
    assert all(min(run.counters.as_dict().values()) > 0 for run in runs)
    assert all(len(run.results) > 50 and len(run.rows) > 50 for run in runs)


def test_random_programs_have_all_slots_planes_and_clusters() -> None:
    commands = np.concatenate([program.commands for program in random_programs(CLUSTERS, 300)])
    dots = commands[commands["op"] == Op.DOT.value]
    modes = {(slots, planes) for slots in range(3) for planes in range(4) if slots + planes <= 3}
    assert set(dots[["log_slots", "log_planes"]].tolist()) == modes
    assert set(dots[["log_slots", "log_clusters"]].tolist()) == {(s, g) for s in range(3) for g in range(3)}
    for op in operations(CLUSTERS):
        assert set(commands["log_clusters"][commands["op"] == op.value]) == {0, 1, 2}, op
