"""Layers of groups on the RTL, the functional machine and the compiler's prediction: every bit, event and cycle."""

from dataclasses import replace
from pathlib import Path

import pytest

from spinplane.compiler.codegen.program import compile_graph
from spinplane.machine import Machine, SpinplaneError, load_machine
from tests.grouped_networks import grouped_network
from tests.networks_on_rtl import Case, compare, run_twice

#: Four slots of one leaf, or two of two: slots of their own elements have one plane or two side by side.
SLOTS = Machine(
    name="slots",
    sub_arrays=8,
    rows=128,
    columns=64,
    segments=4,
    row_buses=2,
    results_per_cycle=4,
    write_cycles=1,
    image_words=8192,
)
#: Writes beside senses, and as many planes side by side as slots.
OVERLAP = replace(
    load_machine("tiny"),
    name="planes-overlap",
    columns=128,
    rows=96,
    write_overlap="same_array",
    image_words=8192,
)


@pytest.mark.parametrize(
    ("machine", "count"),
    [
        pytest.param(SLOTS, 16, marks=pytest.mark.thorough, id="slots"),
        pytest.param(OVERLAP, 8, marks=pytest.mark.thorough, id="overlap"),
    ],
)
def test_grouped_networks_agree(machine: Machine, count: int, tmp_path: Path) -> None:
    cases: list[Case] = []
    for seed in range(100):
        graph, inputs = grouped_network(seed)
        try:
            program = compile_graph(graph, machine)
        except SpinplaneError:
            continue
        if len(cases) < count and any(layer_pass.spread for layer_pass in program.passes):
            cases.append((graph, program, inputs))
    assert len(cases) == count
    assert any(layer_pass.subtracts for _, program, _ in cases for layer_pass in program.passes)
    assert not list(compare(machine, cases, run_twice(machine, cases, "verilator", tmp_path)))
