"""What is worked out once: layers are lowered, and words of kernels made, for the program alone that is taken."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_networks import pooled_graph, small_graph

import spinplane
from spinplane.compiler.codegen import passes
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.frontend.model_zoo import build_graph
from spinplane.compiler.frontend.networks import BitWidths
from spinplane.compiler.mapping import lowering
from spinplane.compiler.mapping.group_splitting import split_groups
from spinplane.compiler.mapping.lowering import lower
from spinplane.compiler.meaning.reach import reachable_sums
from spinplane.machine import Coding, Operand, SpinplaneError, load_machine
from spinplane.machine.codec import decode

TINY = load_machine("tiny")


def counted(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> Counter[object]:
    """How often a function is called, by its first argument."""
    calls, function = Counter[object](), getattr(module, name)

    def count(first: object, *others: object) -> object:
        calls[first] += 1
        return function(first, *others)

    monkeypatch.setattr(module, name, count)
    return calls


def test_each_layer_is_lowered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch, lowering, "encode_weights")
    result = spinplane.compile_model(pooled_graph(), machine="tiny", fold_pools=True)
    assert [layer.pool for layer in result.layers] == ["split", "folded", None]
    # The identity that takes the maxima, and the sum of the kernels of which averages are taken, are others.
    assert calls == {"maxima": 1 + 1, "averages": 1 + 1, "dense": 1}


def test_each_layer_of_alexnet_is_lowered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = build_graph("alexnet-dorefa", BitWidths.parse("1:1"))
    calls = counted(monkeypatch, lowering, "encode_weights")
    spinplane.compile_model(graph, machine="paper")
    overlapping = {layer.name for layer in graph.layers if layer.pool}
    assert len(overlapping) == 3
    # So are the layers that compute groups of 48 and of 192 channels as wider ones.
    wider = Counter(
        {
            layer.name: len({part for way in split_groups(layer) for part in way.values()})
            for layer in graph.layers
        }
    )
    assert +wider == {"conv1": 2, "conv3": 4, "conv4": 2}
    assert calls == {
        layer.name: 1 + (layer.name in overlapping) + wider[layer.name] for layer in graph.layers
    }


def test_what_is_lowered_without_its_pool_is_the_layer_without_one() -> None:
    whole = pooled_graph().layers[0]
    layer = replace(whole, pool=None)
    found = lower(whole, (1, 8, 8), TINY).part(layer)
    expected = lower(layer, (1, 8, 8), TINY)
    assert (found.weights.codes == expected.weights.codes).all()
    for name in ("layer", "input_shape", "code", "windows", "region", "region_stride", "first_window"):
        assert getattr(found, name) == getattr(expected, name)
    assert (found.regions, found.start) == (expected.regions, expected.start)
    assert (found.stride, found.dilation) == (expected.stride, expected.dilation)


def test_banks_are_checked_before_words_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    few = replace(TINY, kernel_words=16)
    calls = counted(monkeypatch, passes, "kernel_rows")
    with pytest.raises(SpinplaneError, match="exceeds kernel_words = 16 of machine tiny: the network needs"):
        compile_graph(pooled_graph(), few, fold_pools=True)
    assert not calls
    program = compile_graph(pooled_graph(), TINY, fold_pools=True)
    assert calls.total() == len(program.stages) == len(program.descriptors) - 2


@pytest.mark.parametrize("fold_pools", [False, True])
def test_a_program_knows_its_stages(fold_pools: bool, tmp_path: Path) -> None:
    graph = pooled_graph()
    program = compile_graph(graph, TINY, fold_pools=fold_pools)
    assert [placed.stage.number for placed in program.stages] == [0, 0, 1, 2]
    assert [n for placed in program.stages for n in placed.numbers] == [1, 2, 3, 4]
    for placed in program.stages:
        words = program.descriptors[list(placed.numbers)]
        assert placed.passes == tuple(decode(of_pass, program.machine) for of_pass in words)
        first, lowered = placed.passes[0], placed.allocation.placement.layer
        assert first.in_base == placed.sources[0].base
        assert first.out_base == placed.target.base
        assert first.kernel_row == placed.allocation.kernel_row
        assert first.search_reads == placed.steps.fields.get("search_reads", 0)
        assert (placed.target.channels, placed.target.height) == (lowered.kernels, lowered.regions[0])
    maxima, taken, averages, dense = program.stages
    assert (maxima.target,) == taken.sources
    assert [taken.target, averages.target, dense.target] == [layer.output for layer in program.layers]
    assert (averages.allocation.placement.layer.layer is graph.layers[1]) != fold_pools
    assert averages.stage.windows == (4, 4)
    program.save(tmp_path / "program")
    assert not isinstance(CompiledProgram.load(tmp_path / "program"), CompiledProgram)


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32])
def test_weights_may_be_of_any_integer_type(kind: type) -> None:
    graph = small_graph()
    signed = Operand(bits=8, coding=Coding.TWOS_COMPLEMENT)
    wide = np.random.default_rng(0).integers(-128, 128, graph.layers[0].weights.shape)
    wide.flat[0] = -128
    first = replace(graph.layers[0], weights=wide, w=signed)
    second = graph.layers[1]
    programs = [
        compile_graph(
            replace(graph, layers=(replace(first, weights=first.weights.astype(dtype)), second)), TINY
        )
        for dtype in (np.int64, kind)
    ]
    assert (programs[0].kernel_rows == programs[1].kernel_rows).all()
    assert (programs[0].descriptors == programs[1].descriptors).all()
    narrow = replace(first, weights=first.weights.astype(kind))
    assert np.array_equal(reachable_sums(narrow), reachable_sums(first))
