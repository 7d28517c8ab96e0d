"""The tag of a program tells its kernels from those of any other."""

from dataclasses import replace

import numpy as np
import pytest
from small_networks import small_graph, small_images

from spinplane.behavioral import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.graph import Graph
from spinplane.compiler.oracle import run_graph
from spinplane.machine import load_machine
from spinplane.machine.codec import Header, decode

TINY = load_machine("tiny")


def tag_of(program: CompiledProgram) -> int:
    header = decode(program.descriptors[0], program.machine)
    assert isinstance(header, Header)
    return header.tag


def with_a_weight_turned(graph: Graph) -> Graph:
    """The graph with one other weight."""
    first = graph.layers[0]
    weights = first.weights.copy()
    weights.flat[-1] *= -1
    return replace(graph, layers=(replace(first, weights=weights), *graph.layers[1:]))


def test_kernels_of_a_network_of_the_same_shape_are_not_taken_for_its_own() -> None:
    graphs = [small_graph(), with_a_weight_turned(small_graph())]
    programs = [compile_graph(graph, TINY) for graph in graphs]
    assert (programs[0].descriptors[1:] == programs[1].descriptors[1:]).all()
    assert tag_of(programs[0]) != tag_of(programs[1])
    accelerator, images = Accelerator(TINY), small_images(8).astype(np.int64)
    wanted = [run_graph(graph, images)[-1] for graph in graphs]
    assert (wanted[0] != wanted[1]).any()
    cycles = []
    for number in (0, 1, 1, 0):
        program = programs[number]
        accelerator.load(program)
        for image, sums in zip(images, wanted[number], strict=True):
            accelerator.write_map(program.input, image)
            cycles.append(accelerator.run().counters.cycles)
            assert (accelerator.read_map(program.layers[-1].output) == sums).all()
    cold, steady = cycles[:2]
    assert cold > steady
    # Kernels are loaded when the network changes, and only then.
    runs = [cold, *[steady] * 7]
    assert cycles == [*runs, *runs, *[steady] * 8, *runs]


@pytest.mark.parametrize("changes", [{"rows": 128}, {"sub_arrays": 4}, {"write_cycles": 3}])
def test_tags_differ_between_machines(changes: dict[str, int]) -> None:
    graph = small_graph()
    assert tag_of(compile_graph(graph, TINY)) != tag_of(compile_graph(graph, replace(TINY, **changes)))


def test_a_program_compiled_again_has_its_tag() -> None:
    assert tag_of(compile_graph(small_graph(), TINY)) == tag_of(compile_graph(small_graph(), TINY)) != 0
