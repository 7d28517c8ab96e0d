"""Layers in several stages: the same values, fewer cycles where overlapping maxima are taken afterwards."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.codes import InputCode
from spinplane.compiler.frontend.model_zoo import build_graph
from spinplane.compiler.frontend.networks import BitWidths, Network, NetworkLayer, Pool
from spinplane.compiler.graph import (
    CodeAddition,
    Graph,
    InputCoding,
    Layer,
    Pooling,
    StepFunction,
    unscaled_output,
)
from spinplane.compiler.mapping.layer_splitting import split_layer, split_pool
from spinplane.compiler.mapping.parts import Part
from spinplane.compiler.oracle import finish, linear, run_graph
from spinplane.compiler.predict import predict
from spinplane.compiler.requantization.values import Addend
from spinplane.machine import Coding, Machine, Operand, SpinplaneError, load_machine
from spinplane.machine.registers import Error

SMALL = Machine(name="small", sub_arrays=8, rows=96, columns=128, segments=4, results_per_cycle=4)
OUTPUTS = [
    Operand(bits=1, coding=Coding.BIPOLAR),
    Operand(bits=2, coding=Coding.DOREFA),
    Operand(bits=2),
    Operand(bits=2, coding=Coding.TWOS_COMPLEMENT),
]


def first_layer(output: Operand, *, scale: int = 1, **more: object) -> Layer:
    """A layer of 3×3 weights with overlapping maxima, every other step falling; weights and steps times `scale`."""
    rng = np.random.default_rng(0)
    levels = np.arange(output.smallest, output.largest + 1, output.scale)
    limits = np.sort(scale * rng.integers(-20, 20, (6, len(levels) - 1)), axis=1)
    rising = np.arange(6) % 2 == 0
    options = {
        "name": "first",
        "weights": scale * rng.integers(-2, 2, (6, 2, 3, 3)),
        "w": Operand(bits=8, coding=Coding.TWOS_COMPLEMENT),
        "i": Operand(bits=3),
        "bias": np.arange(6),
        "pool": Pooling(kind="max_codes", size=(3, 3), stride=(2, 2), padding=(0, 1, 1, 0)),
        "steps": StepFunction(
            thresholds=np.where(rising[:, np.newaxis], limits, limits[:, ::-1]), rising=rising, levels=levels
        ),
    }
    return Layer(**{**options, **more})


def network(*layers: Layer) -> Graph:
    return Graph(
        name="net",
        input_shape=(2, 9, 11),
        input_coding=InputCoding(low=0, high=7),
        layers=layers,
        outputs=(unscaled_output(len(layers) - 1, (1, len(layers[-1].weights))),),
    )


def check(graph: Graph, machine: Machine, inputs: np.ndarray) -> list[int]:
    """Compile with and without, compare the former with the oracle; cycles of both."""
    programs = [compile_graph(graph, machine, split_pools=split) for split in (False, True)]
    program = programs[1]
    accelerator = Accelerator(machine)
    accelerator.load(program)
    accelerator.write_map(program.input, ((inputs - program.input.offset) // program.input.scale)[0])
    run = accelerator.run()
    assert run.error is Error.NONE
    assert run.counters == predict(program, resident=False).total
    for layer, wanted in zip(program.layers, run_graph(graph, inputs), strict=True):
        if layer.kept:
            values = layer.output.scale * accelerator.read_map(layer.output) + layer.output.offset
            assert (values == wanted[0]).all(), layer.name
    return [predict(p, resident=True).total.cycles for p in programs]


@pytest.mark.parametrize("output", OUTPUTS)
def test_both_layers_give_what_the_one_gives(output):
    layer = first_layer(output)
    values = np.random.default_rng(1).integers(0, 8, (2, 2, 9, 11))
    without, maxima = split_pool(layer, output).values()
    codes = finish(without, linear(without, values))
    assert without.pool is None
    assert (finish(maxima, linear(maxima, codes)) == finish(layer, linear(layer, values))).all()


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("padding", [(0, 0, 0, 0), (1, 1, 1, 1)])
def test_a_split_network_equals_the_oracle_in_fewer_cycles(output, padding):
    second = Layer(
        name="second",
        weights=np.random.default_rng(2).integers(-2, 2, (5, 6, 2, 2)),
        w=Operand(bits=2, coding=Coding.TWOS_COMPLEMENT),
        i=output,
        bias=np.zeros(5, dtype=np.int64),
        padding=padding,
    )
    graph = network(first_layer(output, scale=60, i=Operand(bits=8)), second)
    plain, split = check(graph, SMALL, np.random.default_rng(1).integers(0, 256, (1, 2, 9, 11)))
    assert split < plain


def test_passes_belong_to_the_layer_whose_maxima_they_take():
    layers = (
        NetworkLayer(name="conv0", channels=16, kernel=5, edge=True, pool=Pool(kind="max", size=3)),
        NetworkLayer(
            name="fc", channels=10, kernel=1, edge=True, bias=True, batch_norm=False, activation=False
        ),
    )
    graph = build_graph(
        Network(name="net", source="here", channels=1, side=14, edge_bits=8, layers=layers),
        BitWidths.parse("1:1"),
    )
    machine = load_machine("paper8")
    program = compile_graph(graph, machine, split_pools=True)
    assert [layer.name for layer in program.layers] == ["conv0", "fc"]
    assert len(program.layers[0].descriptors) == 2
    for number, layer in enumerate(program.layers):
        for descriptor in layer.descriptors:
            assert program.passes[descriptor - 1].layer == number
    plain, split = check(graph, machine, np.random.default_rng(0).integers(0, 256, (1, 1, 14, 14)))
    assert split < 0.85 * plain


def test_what_the_banks_do_not_hold_is_left_as_it_is():
    second = Layer(
        name="second",
        weights=np.ones((5, 6, 1, 1), dtype=np.int64),
        w=Operand(bits=1),
        i=OUTPUTS[2],
        bias=np.zeros(5, dtype=np.int64),
    )
    graph = network(first_layer(OUTPUTS[2], scale=60, i=Operand(bits=8)), second)
    sizes = [len(compile_graph(graph, SMALL, split_pools=split).kernel_rows) for split in (False, True)]
    assert sizes[1] > sizes[0]
    few = replace(SMALL, kernel_words=sizes[0])
    program = compile_graph(graph, few)
    assert (program.descriptors[1:] == compile_graph(graph, few, split_pools=False).descriptors[1:]).all()
    with pytest.raises(SpinplaneError, match=f"^layer second: .* the network needs {sizes[0]}$"):
        compile_graph(graph, replace(SMALL, kernel_words=sizes[0] - 1))


@pytest.mark.parametrize(
    "changes",
    [
        {"pool": None},
        {"steps": None},
        {"pool": Pooling(kind="sum", size=(3, 3), stride=(2, 2))},
        {"pool": Pooling(kind="max_codes", size=(2, 3), stride=(2, 3))},
        # Of a falling step the greatest sum is not the greatest code.
        {"pool": Pooling(kind="max_sums", size=(3, 3), stride=(2, 2))},
    ],
)
def test_what_is_not_split(changes):
    assert split_pool(first_layer(OUTPUTS[2], **changes), OUTPUTS[2]) is None


def test_greatest_sums_of_rising_steps_are_split():
    layer = first_layer(OUTPUTS[2])
    steps = StepFunction(
        thresholds=np.sort(layer.steps.thresholds, axis=1),
        rising=np.ones(6, dtype=bool),
        levels=layer.steps.levels,
    )
    layer = first_layer(
        OUTPUTS[2],
        steps=steps,
        pool=Pooling(kind="max_sums", size=(3, 3), stride=(2, 2), padding=(1, 1, 0, 0)),
    )
    values = np.random.default_rng(1).integers(0, 8, (2, 2, 9, 11))
    without, maxima = split_pool(layer, OUTPUTS[2]).values()
    codes = finish(without, linear(without, values))
    assert (finish(maxima, linear(maxima, codes)) == finish(layer, linear(layer, values))).all()


def bent(levels: np.ndarray) -> StepFunction:
    """Steps of two slopes, no line through which there is."""
    below, above = np.arange(-70, 0, 10), np.arange(0, len(levels) - 8)
    limits = np.tile(np.concatenate([below, above]), (6, 1))
    return StepFunction(thresholds=limits, rising=np.ones(6, dtype=bool), levels=levels)


ADDITION = CodeAddition(source=-1, own_scale=Fraction(1, 3), residual_scale=Fraction(2, 5), low=0, high=15)


@pytest.mark.parametrize(
    ("changes", "pools"),
    [
        # A greatest code that is that of no greatest or least sum.
        ({"steps": bent(np.arange(20) * 7 % 20)}, (False, True)),
        ({"steps": bent(np.arange(20) * 7 % 20), "addition": ADDITION}, (False, True)),
        # Own codes that no product gives.
        ({"steps": bent(np.arange(20)), "addition": ADDITION}, (True, False)),
        ({"steps": bent(2 * np.arange(20) - 9), "addition": ADDITION, "pool": None}, (False, False)),
    ],
)
def test_codes_that_need_several_stages(changes, pools):
    layer = first_layer(OUTPUTS[2], **changes)
    addend = Addend(code=InputCode(bits=3, scale=1, offset=0), smallest=0, largest=7)
    own, rest = split_layer(layer, addend if layer.addition else None).values()
    assert (own.addition, rest.addition) == (None, layer.addition)
    assert tuple(part.pool is not None for part in (own, rest)) == pools
    # Own codes are counted from 0 on, one after the other.
    assert own.steps.levels.min() == 0
    assert (np.diff(np.unique(own.steps.levels)) == 1).all()
    rng = np.random.default_rng(2)
    values = rng.integers(0, 8, (2, 2, 9, 11))
    sums = linear(layer, values)
    codes = finish(own, linear(own, values))
    height, width = finish(replace(layer, addition=None), sums).shape[2:]
    added = rng.integers(0, 8, (2, 6, height, width)) if layer.addition else None
    wanted = finish(layer, sums, added=added)
    assert (finish(rest, linear(rest, codes), added=added) == wanted).all()


def test_what_one_stage_computes_is_not_split():
    layer = first_layer(OUTPUTS[2])
    addend = Addend(code=InputCode(bits=3, scale=1, offset=0), smallest=0, largest=7)
    line = StepFunction(
        thresholds=np.tile(np.arange(-60, 60, 10), (6, 1)),
        rising=np.ones(6, dtype=bool),
        levels=np.arange(13),
    )
    for whole in (layer, replace(layer, steps=line, addition=ADDITION)):
        assert split_layer(whole, addend if whole.addition else None) == {Part.SUMS: whole}
