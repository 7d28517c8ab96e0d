# amaranth: UnusedElaboratable=no
"""Random networks on the RTL, the functional machine and the compiler's prediction: every bit, event and cycle."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from network_strategies import networks
from random_graphs import RandomGraph

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import Graph
from spinplane.machine import Coding, Machine, Operand, SpinplaneError, load_machine
from tests.compiler.codegen.test_program import inputs_of
from tests.compiler.test_residual import downsampled_block, identity_block
from tests.networks_on_rtl import Case, compare, run_twice

TINY = load_machine("tiny")
SLOW = Machine(
    name="slow",
    sub_arrays=4,
    rows=64,
    columns=64,
    segments=2,
    row_buses=4,
    results_per_cycle=2,
    sense_cycles=2,
    write_cycles=3,
    image_words=4096,
)
#: Every result in one beat, every write in one cycle: nothing hides behind another wait.
FAST = Machine(
    name="fast",
    sub_arrays=8,
    rows=128,
    columns=64,
    segments=4,
    accumulator_bits=16,
    row_buses=8,
    results_per_cycle=4,
    write_cycles=1,
    image_words=4096,
)

#: Writes beside senses.
TINY_OVERLAP, SLOW_OVERLAP = (
    replace(machine, name=f"{machine.name}-overlap", write_overlap="same_array") for machine in (TINY, SLOW)
)

#: Of the random networks.
SEED = 5


def compiled_networks(machine: Machine, count: int) -> list[Case]:
    """Programs of random graphs with their inputs, no two with the same kernels; of ten graphs the compiler may refuse
    two. Every third one runs its images together, if the machine holds them.
    """
    cases: dict[int, Case] = {}
    refusals: list[str] = []

    # Without it the text of the function would be the seed.
    @seed(SEED)
    @settings(
        max_examples=2 * count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(networks())
    def draw(network: tuple[Graph, np.ndarray]) -> None:
        if len(cases) == count:
            return
        graph, inputs = network
        batch = 1 if len(cases) % 3 else len(inputs)
        try:
            program = compile_graph(graph, machine, batch=batch)
        except SpinplaneError as error:
            refusals.append(str(error))
        else:
            tag = program.header.tag
            cases.setdefault(tag, (graph, program, inputs[:batch]))

    draw()
    assert len(cases) == count
    assert len(refusals) <= count // 4, refusals
    return list(cases.values())


@pytest.mark.parametrize(
    ("machine", "count"),
    [
        (TINY, 20),
        pytest.param(TINY, 60, marks=pytest.mark.thorough),
        pytest.param(FAST, 20, marks=pytest.mark.thorough),
        pytest.param(TINY_OVERLAP, 20, marks=pytest.mark.thorough),
        pytest.param(SLOW_OVERLAP, 20, marks=pytest.mark.thorough),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_three_clocks_agree(machine: Machine, count: int, tmp_path: Path) -> None:
    cases = compiled_networks(machine, count)
    record = run_twice(machine, cases, "verilator", tmp_path)
    assert not list(compare(machine, cases, record))


def test_residual_blocks_agree(tmp_path: Path) -> None:
    graphs = [
        identity_block(3, Operand(bits=1)),
        downsampled_block(Operand(bits=1)),
        downsampled_block(Operand(bits=1, coding=Coding.BIPOLAR)),
    ]
    cases = [(graph, compile_graph(graph, TINY), inputs_of(graph, count=1)) for graph in graphs]
    record = run_twice(TINY, cases, "verilator", tmp_path)
    assert not list(compare(TINY, cases, record))


@pytest.mark.parametrize(
    ("machine", "count"),
    [
        (TINY, 12),
        pytest.param(TINY, 40, marks=pytest.mark.thorough),
        pytest.param(FAST, 20, marks=pytest.mark.thorough),
        pytest.param(SLOW_OVERLAP, 20, marks=pytest.mark.thorough),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_branches_concatenations_and_several_outputs_agree(
    machine: Machine, count: int, tmp_path: Path
) -> None:
    cases, refused, drawn_from = list[Case](), 0, 0
    while len(cases) < count:
        drawn = RandomGraph(1000 + drawn_from, layers=3 + drawn_from % 6)
        drawn_from += 1
        try:
            cases.append((drawn.graph, compile_graph(drawn.graph, machine), drawn.inputs))
        except SpinplaneError:
            refused += 1
    assert refused <= count // 4
    record = run_twice(machine, cases, "verilator", tmp_path)
    assert not list(compare(machine, cases, record))
