"""Engine in RTL against the functional machine: random programs for ranges of sub-arrays."""

from dataclasses import replace

import numpy as np
import pytest

from spinplane.behavioral import Engine, EngineRun
from spinplane.machine import Machine, Op, Program
from spinplane.sim.programs import ProgramGenerator, used_fields
from spinplane.sim.run import run_programs

# More sub-arrays than two, and not a power of two, so that ranges have a middle.
THREE = Machine(name="three", sub_arrays=3, rows=24, columns=32, segments=2, accumulator_bits=16)
SLOW = replace(
    THREE, name="slow", sub_arrays=2, columns=64, segments=4, sense_cycles=3, write_cycles=1, rows=31
)
# The widths of all of these fields are special: one sub-array, one segment.
ALONE = replace(THREE, name="alone", sub_arrays=1, segments=1, sense_cycles=2)


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
    [(THREE, "verilator"), (THREE, "icarus"), (SLOW, "icarus"), (ALONE, "icarus"), (ALONE, "amaranth")],
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
