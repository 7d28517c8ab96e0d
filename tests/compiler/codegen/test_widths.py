"""Sums at the ends of their widths: the greatest that fits is computed, and one more is refused."""

from dataclasses import replace

import numpy as np
import pytest

from spinplane.behavioral import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import Graph, InputCoding, Layer, Pooling, unscaled_output
from spinplane.compiler.oracle import run_graph
from spinplane.machine import Coding, Machine, Operand, SpinplaneError, load_machine

TINY = load_machine("tiny")
#: Rows for long kernels.
LONG = Machine(name="long", sub_arrays=2, rows=2048, columns=2048, segments=1, image_words=4096)


def dense(weights: object, *, w: Operand, i: Operand, bias: int = 0) -> Graph:
    """One kernel of (channels, height, width) over all of its input, whose sum leaves the network."""
    kernel = np.array(weights)
    kernel = kernel.reshape(-1, 1, 1) if kernel.ndim == 1 else kernel
    layer = Layer(
        name="dense",
        weights=kernel[np.newaxis],
        w=w,
        i=i,
        bias=np.array([bias]),
    )
    return Graph(
        name="dense",
        input_shape=kernel.shape,
        input_coding=InputCoding(low=i.smallest, high=i.largest),
        layers=(layer,),
        outputs=(unscaled_output(0, (1, 1)),),
    )


def check(graph: Graph, machine: Machine, value: int) -> None:
    """The functional machine gives what the graph means where all inputs have this value."""
    program = compile_graph(graph, machine)
    inputs = np.full((1, *graph.input_shape), value)
    accelerator = Accelerator(machine)
    accelerator.load(program)
    given = program.input
    accelerator.write_map(given, (inputs[0] - given.offset) // given.scale)
    accelerator.run()
    assert (accelerator.read_map(program.layers[0].output) == run_graph(graph, inputs)[0][0]).all()


def refused(graph: Graph, machine: Machine, text: str) -> None:
    with pytest.raises(SpinplaneError) as error:
        compile_graph(graph, machine)
    assert str(error.value) == f"layer dense: {text}"


def test_the_greatest_count_of_an_accumulator() -> None:
    """15 bits and a sign: 128 codes times 255 are 2^15 − 128, and 255 more are too many."""
    machine = replace(TINY, accumulator_bits=16)
    four, eight = Operand(bits=4), Operand(bits=8)
    last = [15] * 8 + [8]
    graph = dense(last, w=four, i=eight)
    assert sum(last) * 255 < 1 << 15 <= sum(last) * 255 + 255
    check(graph, machine, 255)
    too_many = sum(last) * 255 + 255
    refused(
        dense([*last[:-1], 9], w=four, i=eight),
        machine,
        f"counts up to {too_many} do not fit in accumulator_bits = 16 of machine tiny, which uses 32 of them",
    )


def test_the_greatest_window_sum() -> None:
    """24 bits: 65 793 codes of 255 are 2^24 − 1."""
    bipolar, eight = Operand(bits=1, coding=Coding.BIPOLAR), Operand(bits=8)
    greatest, beyond = np.ones((1, 241, 273), dtype=int), np.ones((1, 134, 491), dtype=int)
    assert 255 * greatest.size == (1 << 24) - 1
    assert beyond.size == greatest.size + 1
    check(dense(greatest, w=bipolar, i=eight), LONG, 255)
    refused(
        dense(beyond, w=bipolar, i=eight), LONG, f"window sums up to {255 * 65_794} do not fit in 24 bits"
    )


@pytest.mark.parametrize(
    ("bias", "too_far"),
    [(2**31 - 1 - 3 * 3, 2**31 - 3 * 3), (-(2**31) + 2 * 3 * 3, -(2**31) + 2 * 3 * 3 - 1)],
)
def test_the_ends_of_a_sum(bias: int, too_far: int) -> None:
    """Sums of −4·3 and more, up to 3·3, beside the bias, in 32 bits with a sign."""
    w, i = Operand(bits=3, coding=Coding.TWOS_COMPLEMENT), Operand(bits=2)
    weights = [3, -4, -2]
    check(dense(weights, w=w, i=i, bias=bias), TINY, 3)
    least, greatest = too_far - 6 * 3, too_far + 3 * 3
    refused(
        dense(weights, w=w, i=i, bias=too_far), TINY, f"sums from {least} to {greatest} do not fit in 32 bits"
    )


def test_the_ends_of_a_sum_of_a_region() -> None:
    """32 windows of sums up to 2^30 reach 2^35, one too many for 36 bits with a sign."""
    layer = Layer(
        name="dense",
        weights=np.ones((1, 1, 1, 1), dtype=int),
        w=Operand(bits=2, coding=Coding.TWOS_COMPLEMENT),
        i=Operand(bits=1),
        bias=np.array([2**30 - 1]),
        pool=Pooling(kind="sum", size=(4, 8), stride=(4, 8)),
    )
    graph = replace(dense([1], w=layer.w, i=layer.i), input_shape=(1, 4, 8), layers=(layer,))
    refused(graph, TINY, f"pooled sums from {2**35 - 32} to {2**35} do not fit in 36 bits")
    # One less fits in 36 bits, and is too wide for a sum that leaves the network.
    graph = replace(graph, layers=(replace(layer, bias=layer.bias - 1),))
    refused(graph, TINY, f"sums from {2**35 - 64} to {2**35 - 32} do not fit in 32 bits")
