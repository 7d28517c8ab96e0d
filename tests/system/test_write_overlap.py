# amaranth: UnusedElaboratable=no
"""Writes beside senses: the sub-array, a reset or an abort meanwhile, and what the array says to a wrong sequencer."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from amaranth.hdl import Module

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.predict import predict
from spinplane.hdl import SubArray
from spinplane.hdl.accelerator import Accelerator
from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.control.sequencer import Sequencer
from spinplane.hdl.export.machine_verilog import array_model, models
from spinplane.machine import Machine, load_machine
from spinplane.machine.passes import Pass
from spinplane.models import open_model
from spinplane.sim import BenchFailure, run_bench, script_run
from tests.hdl import test_accelerator as test_hdl_accelerator
from tests.networks_on_rtl import Case, compare, run_twice
from tests.system.test_accelerator_networks import SLOW, TINY, compiled_networks


def overlapping(machine: Machine) -> Machine:
    return replace(machine, write_overlap="same_array")


SUB_ARRAYS = [
    overlapping(
        Machine(
            name="bench",
            sub_arrays=1,
            columns=32,
            segments=2,
            accumulator_bits=16,
            memory_operations=True,
            **sizes,
        )
    )
    for sizes in (
        {"rows": 24, "write_cycles": 1},
        {"rows": 31, "sense_cycles": 2, "write_cycles": 3},
        {"rows": 24, "sense_cycles": 3, "write_cycles": 2},
    )
]


@pytest.mark.parametrize(
    ("machine", "simulator"),
    [*((machine, "icarus") for machine in SUB_ARRAYS), (SUB_ARRAYS[1], "verilator")],
    ids=lambda value: getattr(value, "write_cycles", value),
)
def test_a_sub_array_writes_rows_while_it_senses_others(machine: Machine, simulator: str) -> None:
    run = run_bench(
        "spinplane.sim.benches.array.bench_write_overlap",
        {"sot_mram_array": array_model(), **verilog_modules(SubArray(machine), "sub_array")},
        "sub_array",
        simulator=simulator,
        environment={"BENCH_MACHINE": json.dumps(asdict(machine))},
    )
    assert run.check().tests == 2


@pytest.mark.thorough
@pytest.mark.parametrize("machine", [TINY, SLOW], ids=lambda machine: machine.name)
def test_a_reset_or_an_abort_at_any_time(machine: Machine, tmp_path: Path) -> None:
    test_hdl_accelerator.run(
        overlapping(machine), "icarus", tmp_path, ["resets_at_any_time", "aborts_at_any_time"]
    )


def never_waits_for_the_runs(sequencer: Sequencer, m: Module) -> None:
    m.d.sync += sequencer._opens_row.eq(0)


def never_waits_for_the_writes(sequencer: Sequencer, m: Module) -> None:
    m.d.sync += sequencer._ahead.eq(1)


def writes_a_row_that_is_sensed(sequencer: Sequencer, m: Module) -> None:
    with m.If(sequencer._offers_set):
        m.d.comb += sequencer.write_command.payload.row_d.eq(sequencer.command.payload.row_a)


def test_a_network_takes_fewer_cycles() -> None:
    machine, graph = load_machine("paper8"), open_model("digits-1-4")
    without, beside = (
        predict(compile_graph(graph, m), resident=True).total for m in (machine, overlapping(machine))
    )
    assert beside.cycles < without.cycles
    assert without.ands == beside.ands


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Networks with layers that write over the rows of their first row of regions."""
    compiled = compiled_networks(overlapping(TINY), 12)
    chosen = [case for case in compiled if any(map(goes_around, case[1].passes))]
    return chosen[:2]


def goes_around(layer_pass: Pass) -> bool:
    """Whether lines take the places of others, some of whose rows several regions of a row sense."""
    step = layer_pass.next_lines + layer_pass.line_skip
    lines = layer_pass.first_lines + (layer_pass.region_rows - 1) * step
    shared = layer_pass.region_columns > 1 and layer_pass.first_columns > layer_pass.next_columns
    return shared and layer_pass.next_lines > 0 and lines > layer_pass.ring_lines


def run_networks(cases: list[Case], monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[str]:
    """Run them on an accelerator whose Verilog is written now; returns how they differ from what is expected."""

    def sources(machine: Machine, _: Path) -> dict[str, str]:
        return {**models(), **verilog_modules(Accelerator(machine), "accelerator")}

    monkeypatch.setattr(script_run, "accelerator_sources", sources)
    machine = overlapping(TINY)
    return list(compare(machine, cases, run_twice(machine, cases, "icarus", folder)))


@pytest.mark.thorough
def test_networks_without_a_fault(cases: list[Case], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert not run_networks(cases, monkeypatch, tmp_path)


DURING_ITS_PULSE = "senses a row during its write pulse"


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        (never_waits_for_the_runs, DURING_ITS_PULSE),
        # Rows that nobody has written yet are sensed, too.
        (never_waits_for_the_writes, f"({DURING_ITS_PULSE}|senses an unknown cell)"),
        (writes_a_row_that_is_sensed, DURING_ITS_PULSE),
    ],
)
def test_the_array_refuses(
    fault: Callable[[Sequencer, Module], None],
    refusal: str,
    cases: list[Case],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    sound = Sequencer.elaborate

    def elaborate(sequencer: Sequencer, platform: object) -> Module:
        m = sound(sequencer, platform)
        fault(sequencer, m)
        return m

    monkeypatch.setattr(Sequencer, "elaborate", elaborate)
    with pytest.raises(BenchFailure, match=rf"sot_mram_array \S+: {refusal}"):
        run_networks(cases, monkeypatch, tmp_path)
