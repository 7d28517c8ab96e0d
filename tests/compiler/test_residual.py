"""Residual blocks: the compiler's programs against the oracle, and what it refuses."""

import re
from dataclasses import replace

import numpy as np
import pytest
from checked_networks import check, check_loops

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.codes import InputCode
from spinplane.compiler.graph import Pooling, Residual, StepFunction
from spinplane.compiler.meaning.reach import reachable_sums
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.requantization.requantize import requantization
from spinplane.compiler.requantization.values import Addend
from spinplane.machine import Coding, Operand, SpinplaneError
from tests.compiler.codegen.test_program import FEW, SMALL, TINY, inputs_of, layer_of, network, steps_of

BIPOLAR = Operand(bits=1, coding=Coding.BIPOLAR)
#: Values from −9 to −6.
FAR = Operand(bits=2, zero_point=9)
DOREFA = Operand(bits=2, coding=Coding.DOREFA)
SAME = (1, 1, 1, 1)


def residual(source, scale=1, residual_scale=1):
    return Residual(source=source, scale=scale, residual_scale=residual_scale)


def even(kernels, levels, first, distance):
    """Rising steps at equal distances."""
    limits = first + distance * np.arange(len(levels) - 1)
    return StepFunction(
        thresholds=np.tile(limits, (kernels, 1)), rising=np.ones(kernels, bool), levels=np.asarray(levels)
    )


def identity_block(channels, operand, **of_the_sum):
    """Two layers with the network's input added to the second one's sums."""
    levels = list(range(operand.smallest, operand.largest + 1, operand.scale))
    return network(
        (channels, 6, 7),
        layer_of(
            (5, channels, 3, 3), padding=SAME, i=operand, w=1, steps=steps_of(5, [0, 1, 2, 3]), name="a"
        ),
        layer_of(
            (channels, 5, 3, 3),
            padding=SAME,
            name="b",
            seed=1,
            residual=residual(-1, 2, -3),
            **{"steps": steps_of(channels, levels, seed=4), **of_the_sum},
        ),
        layer_of((3, channels, 2, 2), i=operand, name="c"),
    )


def downsampled_block(operand):
    """Two layers of which the first halves the map, and a layer of 1×1 kernels beside them that is added."""
    return network(
        (2, 8, 8),
        layer_of(
            (4, 2, 3, 3),
            padding=SAME,
            name="stem",
            steps=steps_of(4, list(range(operand.smallest, operand.largest + 1, operand.scale)), spread=12),
        ),
        layer_of(
            (6, 4, 3, 3),
            stride=(2, 2),
            padding=SAME,
            i=operand,
            w=1,
            name="conv",
            steps=steps_of(6, [0, 1, 2, 3]),
        ),
        layer_of(
            (6, 4, 1, 1),
            inputs=(0,),
            stride=(2, 2),
            i=operand,
            w=3,
            name="down",
            steps=even(6, np.arange(-32, 32), -31, 1),
        ),
        layer_of(
            (6, 6, 3, 3),
            inputs=(1,),
            padding=SAME,
            name="sum",
            residual=residual(2, 3, 2),
            steps=even(6, np.arange(8), -10, 9),
        ),
        layer_of((4, 6, 4, 4), i=3, name="fc"),
    )


@pytest.mark.parametrize("run", [check, check_loops], ids=["functional", "loops"])
@pytest.mark.parametrize(
    "graph",
    [
        identity_block(3, Operand(bits=4)),
        identity_block(3, BIPOLAR),
        identity_block(17, DOREFA),
        identity_block(
            2, Operand(bits=3, coding=Coding.TWOS_COMPLEMENT), steps=even(2, np.arange(-4, 4), -20, 6)
        ),
        downsampled_block(Operand(bits=2)),
        downsampled_block(BIPOLAR),
        downsampled_block(DOREFA),
    ],
)
@pytest.mark.parametrize("machine", [SMALL, FEW], ids=["small", "few"])
def test_blocks(graph, machine, run):
    run(graph, replace(machine, rows=max(machine.rows, 128)), inputs_of(graph))


@pytest.mark.parametrize(
    "graph",
    [identity_block(3, Operand(bits=1)), downsampled_block(Operand(bits=1))],
    ids=["identity", "down"],
)
def test_blocks_on_tiny(graph):
    check(graph, TINY, inputs_of(graph))
    check_loops(graph, TINY, inputs_of(graph, count=1))


@pytest.mark.parametrize("run", [check, check_loops], ids=["functional", "loops"])
@pytest.mark.parametrize(
    "layer",
    [
        layer_of((4, 4, 1, 1), residual=residual(-1, -2, 5)),
        layer_of((4, 2, 1, 1), groups=2, residual=residual(-1, 1, -1)),
        layer_of(
            (4, 4, 1, 2),
            padding=(0, 1, 0, 1),
            pool=Pooling(kind="sum", size=(1, 2), stride=(1, 1)),
            residual=residual(-1, 1, 7),
        ),
        layer_of(
            (4, 4, 1, 2),
            padding=(0, 1, 0, 1),
            pool=Pooling(kind="max_sums", size=(1, 2), stride=(1, 1)),
            residual=residual(-1, -1, 7),
        ),
    ],
    ids=["scaled", "groups", "sum", "max_sums"],
)
def test_sums_leave_with_their_residual_in_stripes_too(layer, run):
    graph = network((4, 4, 90), layer)
    run(graph, FEW, inputs_of(graph))
    program = compile_graph(graph, FEW, fold_pools=True)
    assert len(program.passes) > 1
    assert all(n.residual and n.residual_planes == 2 for n in program.passes)


def test_a_map_lives_until_it_is_added():
    layers = [
        layer_of((2, 2, 1, 1), name=f"conv{n}", steps=steps_of(2, [0, 1, 2, 3], spread=4), seed=n)
        for n in range(5)
    ]
    layers[4] = replace(layers[4], residual=residual(0))
    graph = network((2, 9, 9), *layers)
    with pytest.raises(SpinplaneError) as error:
        compile_graph(graph, replace(TINY, image_words=100))
    words = r"its input of (\d+) words and its output of \d+, and (\d+) read beside them or later, need"
    found = re.search(rf"^layer conv\d: {words} image_words = (\d+), machine tiny has 100$", str(error.value))
    assert found, str(error.value)
    # The machine's words are even.
    needed = int(found[3]) + int(found[3]) % 2
    program = check(graph, replace(TINY, image_words=needed), inputs_of(graph))
    # The first layer's output is there at the end, what lay between has been written over.
    assert [layer.kept for layer in program.layers] == [True, False, False, True, True]
    with pytest.raises(SpinplaneError, match="read beside them or later"):
        compile_graph(graph, replace(TINY, image_words=needed - 2))


@pytest.mark.parametrize(
    ("steps", "method"),
    [
        (even(4, np.arange(16), -40, 7), "line"),
        (even(4, [0, 1], 3, 1), "line"),
        (steps_of(4, np.arange(6), seed=9, spread=12), "searched"),
    ],
)
@pytest.mark.parametrize("scales", [(1, 1), (3, -2), (-5, 4), (7, 0), (0, 3)])
@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (1, -3), (2, -3)])
def test_every_sum_with_every_code_becomes_its_level(steps, method, scales, scale, offset):
    layer = layer_of((4, 2, 1, 1), w=3, residual=residual(0, *scales), steps=steps)
    addend = Addend(
        code=InputCode(bits=2, scale=scale, offset=offset),
        smallest=offset,
        largest=offset + 3 * scale,
    )
    output = InputCode(bits=4, scale=1, offset=0)
    found = requantization(layer, output, addend, SMALL)
    # Where one of both does not count, few of the steps are reached.
    assert found.methods()[method if all(scales) else "line"] == 4
    low, high = reachable_sums(layer)
    sums, codes = (of.ravel() for of in np.meshgrid(np.arange(low.min(), high.max() + 1), np.arange(4)))
    values = scales[0] * sums + scales[1] * (scale * codes + offset)
    wanted = steps.apply(np.tile(values, (1, 4, 1, 1)).transpose(0, 1, 3, 2))[0, :, :, 0]
    given = found(np.tile(sums, (4, 1)), np.tile(codes, (4, 1)))
    inside = (sums >= low[:, np.newaxis]) & (sums <= high[:, np.newaxis])
    assert given[inside].tolist() == wanted[inside].tolist()


def conv(name="conv", **more):
    return layer_of((2, 2, 1, 1), **{"name": name, "steps": steps_of(2, [0, 1, 2, 3]), **more})


@pytest.mark.parametrize(
    ("layers", "text"),
    [
        (
            [conv(), conv("next", padding=SAME, residual=residual(0))],
            "layer next: a residual of 2×4×4 does not fit its own 2×6×6 (channels, height, width)",
        ),
        (
            [conv(residual=residual(0))],
            "layer conv: its residual is map 0: must be from -1 (the network's input) to -1",
        ),
        (
            [conv(), conv("next", inputs=(1,))],
            "layer next: its input is map 1: must be from -1 (the network's input) to 0",
        ),
        (
            [conv(), conv("next", inputs=(-1,))],
            "layer conv: no layer takes its output",
        ),
        (
            [conv(), conv("a"), conv("b", i=FAR, inputs=(0,), residual=residual(1))],
            "layer b: it takes values from -9 to -6, layer a takes the same map as values from 0 to 3",
        ),
        (
            [
                conv(
                    padding=(0, 0, 0, 1),
                    pool=Pooling(kind="max_codes", size=(1, 2), stride=(1, 1)),
                    residual=residual(-1),
                )
            ],
            "layer conv: a residual is added to pooled sums, never before max pooling of codes (pool kind "
            "max_codes)",
        ),
        (
            [conv(residual=residual(-1, 2**31, 1))],
            "layer conv: its sums times 2147483648 and the codes of its residual times 1 need multipliers of more than "
            "32 bits",
        ),
        (
            [conv(), conv("next", residual=residual(0, 1, -(2**31)))],
            "layer next: its sums times 1 and the codes of its residual times -2147483648 need multipliers of more "
            "than 32 bits",
        ),
        (
            [conv(residual=residual(-1, 0, 0))],
            "layer conv: its sums and its residual are both multiplied by 0",
        ),
        (
            [conv(residual=residual(-1, 2**22, 1), bias=np.array([0, 600]), steps=None)],
            "layer conv: sums with the residual from ",
        ),
    ],
)
def test_what_cannot_be_computed_is_refused(layers, text):
    with pytest.raises(SpinplaneError) as error:
        compile_graph(network((2, 4, 4), *layers), TINY)
    assert str(error.value).startswith(text)


def test_the_oracle_refuses_other_shapes():
    graph = network((2, 4, 4), conv(stride=(4, 4), residual=residual(-1)))
    with pytest.raises(SpinplaneError, match=r"^layer conv: a residual of 2×4×4 does not fit its own 2×1×1 "):
        run_graph(graph, inputs_of(graph))
