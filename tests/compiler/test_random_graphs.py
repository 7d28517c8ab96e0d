"""Random graphs: what the functional machine and the loops of the contract give is what the graph says."""

from contextlib import suppress
from dataclasses import replace

import pytest
from checked_networks import check, check_loops
from random_graphs import RandomGraph

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.mapping.concatenation import arrange_maps
from spinplane.machine import Machine, SpinplaneError, load_machine

TINY = replace(load_machine("tiny"), rows=128)
#: Four buses and slots, planes of a quarter of a row.
SMALL = Machine(name="small", sub_arrays=8, rows=192, columns=128, segments=4, results_per_cycle=4)


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_are_exact(seed: int) -> None:
    drawn = RandomGraph(seed, layers=2 + seed % 7, images=2)
    check(drawn.graph, SMALL if seed % 2 else TINY, drawn.inputs)


@pytest.mark.parametrize("seed", range(60, 80))
def test_random_graphs_are_exact_through_the_loops_of_the_contract(seed: int) -> None:
    drawn = RandomGraph(seed, layers=5)
    check_loops(drawn.graph, SMALL if seed % 2 else TINY, drawn.inputs)


def test_random_graphs_concatenate_and_copy() -> None:
    drawn = [RandomGraph(seed, layers=2 + seed % 7).graph for seed in range(60)]
    arranged = [arrange_maps(graph) for graph in drawn]
    assert sum(len(one.together) for one in arranged) > 80
    assert sum(len(one.graph.layers) for one in arranged) > 60 + sum(len(one.layers) for one in drawn)
    assert sum(len(graph.outputs) > 1 for graph in drawn) > 30


@pytest.mark.thorough
def test_outputs_are_kept_where_maps_share_the_bank() -> None:
    overwritten = 0
    for seed in range(100, 112):
        drawn = RandomGraph(seed, layers=14)
        program = compile_graph(drawn.graph, SMALL)
        maps = [program.input, *(layer.output for layer in program.layers)]
        words = max(one.base + one.height * one.line_bits for one in maps) // SMALL.columns
        for share in (5, 6, 7, 8, 9, 10):
            machine = replace(SMALL, image_words=max(16, words * share // 20 * 2 + 2))
            with suppress(SpinplaneError):
                compile_graph(drawn.graph, machine)
                break
        shared = check(drawn.graph, machine, drawn.inputs)
        overwritten += not all(layer.kept for layer in shared.layers)
    assert overwritten > 6
