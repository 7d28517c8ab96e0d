# amaranth: UnusedElaboratable=no
"""The array in Verilog and in Amaranth's simulator against its golden model, and what all of them refuse."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from amaranth.sim import Simulator, SimulatorContext

from spinplane import behavioral
from spinplane.hdl import SotMramArray
from spinplane.hdl.export.machine_verilog import array_model
from spinplane.machine import FaultMap, Machine
from spinplane.sim import BenchRun, run_bench
from spinplane.sim.array_lines import (
    EVENTS,
    INPUTS,
    Lines,
    overlapping_operations,
    random_operations,
    refusals,
    unknowns_that_pass,
)
from spinplane.sim.fault_files import fault_arguments

MACHINE = Machine(
    name="array",
    sub_arrays=1,
    rows=8,
    columns=16,
    segments=1,
    accumulator_bits=16,
    sense_cycles=2,
    write_cycles=3,
)
# More rows than the Verilog model searches at once for a line that is on.
TALL = Machine(**asdict(MACHINE) | {"name": "tall", "rows": 40, "sense_cycles": 1, "write_cycles": 1})
OVERLAP = Machine(**asdict(MACHINE) | {"name": "overlap", "write_overlap": "same_array"})
EXCLUSIVE = Machine(**asdict(MACHINE) | {"name": "exclusive", "memory_operations": True, "xor_sensing": True})
SIZES = {
    "columns": MACHINE.columns,
    "sense_cycles": MACHINE.sense_cycles,
    "write_cycles": MACHINE.write_cycles,
}
REFUSALS = refusals(**SIZES)
OVERLAP_REFUSALS = {
    name: case
    for name, case in refusals(**SIZES, write_overlap="same_array").items()
    if REFUSALS.get(name) != case
}
EXCLUSIVE_REFUSALS = {
    name: case for name, case in refusals(**SIZES, xor_sensing=True).items() if REFUSALS.get(name) != case
}


def wrapper(machine: Machine) -> str:
    """A top that sets the array's parameters and shows its event counters."""
    parameters = ", ".join(f".{name}({value})" for name, value in SotMramArray(machine).black_box.items())
    widths = {"wwl": machine.rows, "rwl": machine.rows} | dict.fromkeys(
        ("wbl", "wbl_enable", "rbl_enable"), machine.columns
    )
    inputs = "".join(f"input [{widths.get(name, 1) - 1}:0] {name}, " for name in INPUTS)
    events = "".join(f", output [31:0] {name}" for name in EVENTS)
    pins = ", ".join(f".{name}({name})" for name in ("clk", *INPUTS, "sense"))
    shown = "".join(f"  assign {name} = array.{name};\n" for name in EVENTS)
    return (
        f"module array_bench(input clk, {inputs}output [{machine.columns - 1}:0] sense{events});\n"
        f"  sot_mram_array #({parameters}) array ({pins});\n{shown}endmodule\n"
    )


def run(
    simulator: str,
    testcase: str,
    machine: Machine = MACHINE,
    *,
    lines: Sequence[tuple[Lines, int | None]] = (),
    faults: FaultMap | None = None,
) -> BenchRun:
    environment = {"BENCH_MACHINE": json.dumps(asdict(machine)), "BENCH_LINES": json.dumps(lines)}
    with TemporaryDirectory() as folder:
        if faults is not None:
            environment["BENCH_FAULTS"] = str(Path(folder) / "faults.npz")
            faults.save(environment["BENCH_FAULTS"])
        return run_bench(
            "spinplane.sim.benches.array.bench_sot_mram_array",
            {"sot_mram_array": array_model(), "array_bench": wrapper(machine)},
            "array_bench",
            simulator=simulator,
            testcase=testcase,
            environment=environment,
            plusargs=fault_arguments(faults, Path(folder)),
        )


def refused(simulator: str, edges: Sequence[Lines], machine: Machine = MACHINE) -> BenchRun:
    """Lines whose last ones the array has to refuse."""
    return run(simulator, "given_lines", machine, lines=[(lines, None) for lines in edges])


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize("machine", [MACHINE, TALL, EXCLUSIVE], ids=lambda machine: machine.name)
@pytest.mark.parametrize("testcase", ["unknown_cells_that_do_not_matter", "random_row_operations"])
def test_verilog_agrees_with_the_golden_model(testcase: str, machine: Machine, simulator: str) -> None:
    run(simulator, testcase, machine).check()


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
def test_verilog_senses_rows_while_others_are_written(simulator: str) -> None:
    run(simulator, "senses_during_writes", OVERLAP).check()


def assert_refused(run: BenchRun, message: str) -> None:
    """The ``$fatal`` names the array, or the task of it that found the fault, and says `message`."""
    assert re.fullmatch(rf"sot_mram_array array_bench\.array(\.\w+)?: {re.escape(message)}", run.message)


@pytest.mark.parametrize("simulator", ["icarus", pytest.param("verilator", marks=pytest.mark.thorough)])
@pytest.mark.parametrize("case", REFUSALS)
def test_verilog_refuses(case: str, simulator: str) -> None:
    edges, message = REFUSALS[case]
    assert_refused(refused(simulator, edges), message)


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize("case", OVERLAP_REFUSALS)
def test_verilog_refuses_a_sense_of_the_row_under_write(case: str, simulator: str) -> None:
    edges, message = OVERLAP_REFUSALS[case]
    assert_refused(refused(simulator, edges, OVERLAP), message)


@pytest.mark.parametrize("simulator", ["verilator", "icarus"])
@pytest.mark.parametrize("case", EXCLUSIVE_REFUSALS)
def test_verilog_refuses_an_xor(case: str, simulator: str) -> None:
    edges, message = EXCLUSIVE_REFUSALS[case]
    assert_refused(refused(simulator, edges, EXCLUSIVE), message)


def test_icarus_refuses_lines_that_are_not_driven() -> None:
    assert_refused(run("icarus", "undriven_lines"), "word lines or references are not driven")


def simulate(machine: Machine, edges: list[tuple[Lines, int | None]]) -> dict[str, int]:
    """Replay lines in Amaranth's simulator, compare what is sensed, and return the events."""
    array = SotMramArray(machine)
    events: dict[str, int] = {}

    async def bench(ctx: SimulatorContext) -> None:
        for lines, expected in edges:
            for name in INPUTS:
                ctx.set(getattr(array, name), lines.get(name, 0))
            await ctx.tick()
            assert expected is None or ctx.get(array.sense) == expected
        events.update({name: ctx.get(getattr(array, name)) for name in EVENTS})

    simulation = Simulator(array)
    simulation.add_clock(1e-9)
    simulation.add_testbench(bench)
    simulation.run()
    return events


@pytest.mark.parametrize("machine", [MACHINE, TALL, OVERLAP, EXCLUSIVE], ids=lambda machine: machine.name)
def test_amaranth_agrees_with_the_golden_model(machine: Machine) -> None:
    golden = behavioral.SotMramArray(machine)
    events = simulate(machine, random_operations(golden, Random(1), 100))
    assert events == {name: getattr(golden, name) for name in EVENTS}
    if machine.overlaps_writes:
        simulate(machine, overlapping_operations(behavioral.SotMramArray(machine), Random(1), 200))
    simulate(machine, unknowns_that_pass(**SIZES | {k: getattr(machine, k) for k in SIZES}))


@pytest.mark.parametrize(
    ("case", "machine"),
    [
        *((case, MACHINE) for case in REFUSALS),
        *((case, OVERLAP) for case in OVERLAP_REFUSALS),
        *((case, EXCLUSIVE) for case in EXCLUSIVE_REFUSALS),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_amaranth_refuses(case: str, machine: Machine) -> None:
    known = {"overlap": OVERLAP_REFUSALS, "exclusive": EXCLUSIVE_REFUSALS}.get(machine.name, REFUSALS)
    edges, message = known[case]
    with pytest.raises(AssertionError) as violated:
        simulate(machine, [*((lines, None) for lines in edges), ({}, None)])
    assert str(violated.value) == f"Assertion violated: {message}"


def test_a_legal_sequence_is_not_refused() -> None:
    """The writes that every refusal begins with are legal by themselves."""
    edges, _ = REFUSALS["read_of_unknown"]
    simulate(MACHINE, [*((lines, None) for lines in edges[: 2 * MACHINE.write_cycles]), ({}, None)])
