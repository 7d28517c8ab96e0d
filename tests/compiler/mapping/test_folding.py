"""Average pooling folded into kernels: the same sums, fewer cycles where it is chosen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_strategies import networks

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.frontend.model_zoo import build_graph
from spinplane.compiler.frontend.networks import BitWidths
from spinplane.compiler.graph import Graph, InputCoding, Layer, Pooling, unscaled_output
from spinplane.compiler.mapping.folding import fold_pool
from spinplane.compiler.oracle import finish, linear, run_graph
from spinplane.compiler.predict import predict
from spinplane.machine import Coding, Machine, Operand, load_machine
from spinplane.machine.descriptor import Pool
from spinplane.machine.program import Program
from spinplane.machine.registers import Error

SMALL = Machine(name="small", sub_arrays=8, rows=96, columns=128, segments=4, results_per_cycle=4)


def layer_of(weights: np.ndarray, **more: object) -> Layer:
    options = {
        "name": "conv",
        "w": Operand(bits=4, coding=Coding.TWOS_COMPLEMENT),
        "i": Operand(bits=3),
        "bias": np.arange(len(weights)) - 1,
        "pool": Pooling(kind="sum", size=(2, 2), stride=(2, 2)),
    }
    return Layer(weights=weights, **{**options, **more})


def pooled_maps(program: Program) -> int:
    """Passes that add up windows."""
    return sum(layer_pass.pool is Pool.SUM for layer_pass in program.passes)


def check(program: Program, graph: Graph, inputs: np.ndarray) -> None:
    accelerator = Accelerator(program.machine)
    accelerator.load(program)
    codes = (inputs - program.input.offset) // program.input.scale
    accelerator.write_map(program.input, codes[0])
    run = accelerator.run()
    assert run.error is Error.NONE
    assert run.counters == predict(program, resident=False).total
    for layer, right in zip(program.layers, run_graph(graph, inputs), strict=True):
        if layer.kept:
            values = layer.output.scale * accelerator.read_map(layer.output) + layer.output.offset
            assert (values == right[0]).all(), layer.name


@pytest.mark.parametrize("stride", [(1, 1), (2, 1), (2, 3)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 3)])
@pytest.mark.parametrize("pool", [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((1, 3), (2, 1))])
@pytest.mark.parametrize("gaps", [(1, 1), (3, 2)])
@pytest.mark.parametrize("groups", [1, 2])
def test_the_sums_stay_what_they_are(stride, dilation, pool, gaps, groups):
    rng = np.random.default_rng(0)
    layer = layer_of(
        rng.integers(-8, 8, (4, 2 // groups, 3, 2)),
        stride=stride,
        dilation=dilation,
        padding=(1, 0, 2, 1),
        groups=groups,
        pool=Pooling(kind="sum", size=pool[0], stride=pool[1], dilation=gaps),
    )
    folded = fold_pool(layer)
    assert folded is not None
    assert folded.pool is None
    values = rng.integers(0, 8, (2, 2, 22, 24))
    assert (linear(folded, values) == finish(layer, linear(layer, values))).all()


def test_a_kernel_of_ones_by_hand():
    folded = fold_pool(layer_of(np.ones((1, 1, 2, 2), dtype=int), w=Operand(bits=1)))
    assert folded.weights[0, 0].tolist() == [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
    assert folded.w == Operand(bits=3)
    assert folded.stride == (2, 2)
    assert folded.bias.tolist() == [-4]


@pytest.mark.parametrize(
    ("least", "greatest", "operand"),
    [
        (-1, 1, Operand(bits=4, coding=Coding.TWOS_COMPLEMENT)),
        (-2, -2, Operand(bits=4, coding=Coding.TWOS_COMPLEMENT)),
        (-32, 31, Operand(bits=8, coding=Coding.TWOS_COMPLEMENT)),
        (-33, 31, None),
        (-1, 32, None),
        (0, 63, Operand(bits=8)),
        (0, 64, None),
        (0, 0, Operand(bits=1)),
    ],
)
def test_sums_take_the_narrowest_operand_of_at_most_8_planes(least, greatest, operand):
    weights = np.array([least, greatest]).reshape(2, 1, 1, 1) * np.ones((1, 1, 2, 2), dtype=int)
    folded = fold_pool(layer_of(weights))
    assert (folded.w if folded else None) == operand


@pytest.mark.parametrize(
    "pool",
    [
        None,
        Pooling(kind="sum", size=(1, 1), stride=(2, 2)),
        Pooling(kind="max_sums", size=(2, 2), stride=(2, 2)),
        Pooling(kind="max_codes", size=(2, 2), stride=(2, 2)),
    ],
)
def test_only_averages_are_folded(pool):
    assert fold_pool(layer_of(np.ones((1, 1, 2, 2), dtype=int), pool=pool)) is None


@settings(max_examples=40, deadline=None)
@given(networks(), st.sampled_from([load_machine("tiny"), SMALL]))
def test_random_networks_equal_the_unfolded_oracle(drawn, machine):
    graph, inputs = drawn
    check(compile_graph(graph, machine, fold_pools=True), graph, inputs[:1])


def test_it_is_chosen_where_it_takes_fewer_cycles():
    graph = build_graph("lenet", BitWidths.parse("4:4"))
    machine = load_machine("paper")
    plain, folded = compile_graph(graph, machine), compile_graph(graph, machine, fold_pools=True)
    check(folded, graph, np.random.default_rng(0).integers(0, 256, (1, 1, 28, 28)))
    # The first layer's sums would have 10 planes.
    assert pooled_maps(plain) == 2
    assert pooled_maps(folded) == 1
    cycles = [predict(program, resident=True).total.cycles for program in (plain, folded)]
    assert cycles[1] < 0.95 * cycles[0]


def test_sums_that_only_a_whole_region_makes_too_wide_are_not_folded():
    weights = np.full((4, 2, 3, 3), 7)
    weights[0, 0, 0, 0] = -8
    layer = layer_of(weights, i=Operand(bits=8))
    graph = Graph(
        name="net",
        input_shape=(2, 9, 9),
        input_coding=InputCoding(low=0, high=255),
        layers=(layer,),
        outputs=(unscaled_output(0, (1, 4, 3, 3)),),
    )
    # A window has 18 codes of weights, 15 at most; a whole region has 32 of 6 bits, 60 at most.
    machine = replace(SMALL, accumulator_bits=18)
    programs = [compile_graph(graph, machine, fold_pools=fold) for fold in (False, True)]
    assert [pooled_maps(program) for program in programs] == [1, 1]
    assert pooled_maps(compile_graph(graph, SMALL, fold_pools=True)) == 0


def test_weights_of_one_bit_stay_unfolded():
    graph = build_graph("svhn", BitWidths.parse("1:4"))
    machine = load_machine("paper")
    programs = [compile_graph(graph, machine, fold_pools=fold) for fold in (False, True)]
    assert (programs[0].descriptors == programs[1].descriptors).all()
