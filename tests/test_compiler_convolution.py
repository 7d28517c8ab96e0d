"""Convolutions as programs, run by the functional machine and compared with the oracle."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spinplane.behavioral import Engine, convolve, decode
from spinplane.compiler import Convolution
from spinplane.machine import Coding, Machine, Op, Operand, Program, SpinplaneError, load_machine

TINY = load_machine("tiny")
# What depends on the number of sub-arrays is chosen anew.
DERIVED = {"row_buses": 0, "results_per_cycle": 0}
MACHINES = [
    TINY,
    replace(TINY, sub_arrays=1, segments=1, rows=40, **DERIVED),
    replace(TINY, sub_arrays=3, columns=128, segments=4, rows=33, sense_cycles=2, write_cycles=1, **DERIVED),
]
U1, U8 = Operand(bits=1), Operand(bits=8)
S8 = Operand(bits=8, coding=Coding.TWOS_COMPLEMENT)
BIPOLAR = Operand(bits=1, coding=Coding.BIPOLAR)


@st.composite
def operands(draw: st.DrawFn) -> Operand:
    bits = draw(st.integers(1, 8))
    codings = list(Coding) if bits == 1 else [coding for coding in Coding if coding is not Coding.BIPOLAR]
    return Operand(bits=bits, coding=draw(st.sampled_from(codings)))


def geometry(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    return numbers | st.tuples(numbers, numbers)


@given(
    data=st.data(), machine=st.sampled_from(MACHINES), w=operands(), i=operands(), seed=st.integers(0, 999)
)
@settings(max_examples=60, deadline=None)
def test_results_and_counters_of_any_layer(
    data: st.DataObject, machine: Machine, w: Operand, i: Operand, seed: int
) -> None:
    groups = data.draw(st.integers(1, 3), "groups")
    channels = data.draw(st.integers(1, 12), "channels")
    kernels = groups * data.draw(st.integers(1, 7), "kernels")
    kernel = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 4)), "kernel")
    options = {
        "stride": data.draw(geometry(st.integers(1, 3)), "stride"),
        "padding": data.draw(geometry(st.integers(0, 2)), "padding"),
        "dilation": data.draw(geometry(st.integers(1, 2)), "dilation"),
        "groups": groups,
    }
    shape = (data.draw(st.integers(1, 2)), channels * groups, *data.draw(st.tuples(*[st.integers(1, 5)] * 2)))
    reach = np.broadcast_to(options["dilation"], 2) * (np.array(kernel) - 1) + 1
    assume((reach <= np.array(shape[2:]) + 2 * np.broadcast_to(options["padding"], 2)).all())
    rng = np.random.default_rng(seed)
    weights = decode(rng.integers(0, 2**w.bits, (kernels, channels, *kernel)), w)
    inputs = decode(rng.integers(0, 2**i.bits, shape), i)
    bias = data.draw(st.sampled_from([None, rng.integers(-9999, 9999, kernels)]), "bias")
    refused = ""
    try:
        convolution = Convolution(machine, weights, shape[1:], w=w, i=i, bias=bias, **options)
    except SpinplaneError as error:
        refused = str(error)
    if refused:
        assert re.search(r" need \d+ rows, machine tiny has \d+ \(rows\)$", refused)
        return
    run = Engine(machine).run(convolution.program(inputs))
    expected = convolve(inputs, weights, w=w, i=i, bias=bias, **options)
    np.testing.assert_array_equal(convolution.outputs(run.results), expected)
    assert convolution.output_shape == expected.shape[1:]
    assert replace(run.counters, cycles=0, stalled=0) == convolution.predicted(len(inputs))


def outputs_on(machine: Machine, weights: np.ndarray, inputs: np.ndarray, **options: Any) -> np.ndarray:
    convolution = Convolution(machine, weights, inputs.shape[1:], **options)
    return convolution.outputs(Engine(machine).run(convolution.program(inputs)).results)


def test_small_rows_take_several_passes_over_the_windows() -> None:
    rng = np.random.default_rng(1)
    weights, inputs = rng.integers(0, 2, (40, 4, 3, 3)), rng.integers(0, 256, (2, 4, 4, 4))
    small = replace(TINY, rows=12)
    options = {"w": U1, "i": U8, "bias": rng.integers(-5, 5, 40)}
    convolution = Convolution(small, weights, (4, 4, 4), **options)
    assert convolution.layout.passes > 1
    np.testing.assert_array_equal(
        outputs_on(small, weights, inputs, **options), convolve(inputs, weights, **options)
    )
    written = convolution.program(inputs).commands["op"] == Op.WRITE.value
    once = Convolution(TINY, weights, (4, 4, 4), **options).program(inputs).commands["op"] == Op.WRITE.value
    assert written.sum() > once.sum()


def test_groups_and_passes_together() -> None:
    rng = np.random.default_rng(2)
    weights, inputs = rng.integers(0, 2, (33, 2, 2, 2)), rng.integers(0, 2, (1, 6, 3, 3))
    small = replace(TINY, rows=8, sub_arrays=1, **DERIVED)
    options = {"w": U1, "i": U1, "groups": 3}
    assert Convolution(small, weights, (6, 3, 3), **options).layout.passes > 1
    np.testing.assert_array_equal(
        outputs_on(small, weights, inputs, **options), convolve(inputs, weights, **options)
    )


@pytest.mark.parametrize("value", ["smallest", "largest"])
def test_extremes_of_both_operands(value: str) -> None:
    weights = np.full((1, 64, 3, 3), getattr(S8, value))
    inputs = np.full((1, 64, 3, 3), S8.smallest)
    assert outputs_on(TINY, weights[:, :16], inputs[:, :16], w=S8, i=S8).ravel() == (
        16 * 9 * getattr(S8, value) * -128
    )


def test_an_input_that_is_only_padding() -> None:
    """Every position is padding but one: offsets of ±1 operands are taken back everywhere else."""
    weights, inputs = np.ones((2, 1, 3, 3), int), -np.ones((1, 1, 1, 1), int)
    found = outputs_on(TINY, weights, inputs, w=BIPOLAR, i=BIPOLAR, padding=1)
    assert found.ravel().tolist() == [-1, -1]


def test_weights_of_zero_alone_and_a_bias() -> None:
    found = outputs_on(
        TINY, np.zeros((3, 1, 1, 1), int), np.ones((1, 1, 2, 2), int), w=U1, i=U1, bias=[5, 0, -7]
    )
    assert (found == np.array([5, 0, -7]).reshape(1, 3, 1, 1)).all()


def test_no_images() -> None:
    convolution = Convolution(TINY, np.ones((3, 1, 2, 2), int), (1, 3, 3), w=U1, i=U1)
    program = convolution.program(np.zeros((0, 1, 3, 3), int))
    run = Engine(TINY).run(program)
    assert convolution.outputs(run.results).shape == (0, 3, 2, 2)
    assert replace(run.counters, cycles=0) == convolution.predicted(0)


def test_the_width_of_accumulators_is_proven_from_the_weights() -> None:
    def bits(weights: list[int], w: Operand, i: Operand, **options: Any) -> int:
        values = np.array(weights).reshape(1, -1, 1, 1)
        return Convolution(TINY, values, (values.size, 1, 1), w=w, i=i, **options).accumulator_bits

    assert bits([1], U1, U1) == 2
    assert bits([1, 1, 1, 1], U1, U8) == 1 + 10
    assert bits([-128], S8, S8) == 16
    assert bits([-128, 127], S8, U8) == 16
    assert bits([-128, -1], S8, U8) == 17
    assert bits([0], U1, U1, bias=[-512]) == 10
    # The constants alone, minus the sum of the weights, need more than the results.
    assert bits([1] * 7, BIPOLAR, BIPOLAR, bias=[-8]) == 5


def refusal(
    weights: tuple[int, ...], inputs: tuple[int, ...], machine: Machine = TINY, **options: Any
) -> str:
    options = {"w": U1, "i": U1} | options
    with pytest.raises(SpinplaneError) as error:
        Convolution(machine, np.ones(weights, int), inputs, **options)
    return str(error.value)


def test_refuses_shapes_and_groups_that_do_not_fit() -> None:
    assert refusal((2, 1, 3), (1, 3, 3)) == (
        "layer convolution: weights of shape (2, 1, 3) and inputs of shape (1, 3, 3): expected "
        "(kernels, channels / groups, height, width) and (channels, height, width)"
    )
    assert refusal((2, 1, 3, 3), (1, 1, 3, 3), name="conv1").startswith(
        "layer conv1: weights of shape (2, 1, 3, 3) and inputs of shape (1, 1, 3, 3): "
    )
    assert refusal((3, 1, 1, 1), (2, 3, 3), groups=2) == (
        "layer convolution: 3 kernels of 1 channels in 2 groups do not fit an input of 2 channels"
    )
    assert refusal((4, 2, 1, 1), (2, 3, 3), groups=2) == (
        "layer convolution: 4 kernels of 2 channels in 2 groups do not fit an input of 2 channels"
    )
    assert refusal((4, 2, 1, 1), (2, 3, 3), groups=0) == (
        "layer convolution: 4 kernels of 2 channels in 0 groups do not fit an input of 2 channels"
    )


def test_refuses_a_layer_that_needs_more_rows() -> None:
    assert refusal((1, 100, 3, 3), (100, 3, 3), w=U8, i=S8) == (
        "layer convolution: a window of 900 positions at 8:8 bits (W:I) and its kernels need 240 rows, machine "
        "tiny has 64 (rows)"
    )


def test_refuses_results_that_do_not_fit_in_an_accumulator() -> None:
    narrow = replace(TINY, name="narrow", accumulator_bits=16)
    assert refusal((1, 129, 1, 1), (129, 1, 1), narrow, i=U8, name="fc", bias=[-1]) == (
        "layer fc: results from -1 to 32894 need accumulators of 17 bits, machine narrow has 16 (accumulator_bits)"
    )
    assert Convolution(narrow, np.ones((1, 128, 1, 1), int), (128, 1, 1), w=U1, i=U8).accumulator_bits == 16


def test_refuses_values_that_the_operands_cannot_hold() -> None:
    with pytest.raises(
        SpinplaneError, match=r"^value 2 is none of a 1-bit unsigned operand: allowed are 0 to 1$"
    ):
        Convolution(TINY, np.full((1, 1, 1, 1), 2), (1, 1, 1), w=U1, i=U1).program(np.ones((1, 1, 1, 1), int))
    convolution = Convolution(TINY, np.ones((1, 1, 1, 1), int), (1, 1, 1), w=U1, i=U1)
    with pytest.raises(
        SpinplaneError, match=r"^value -1 is none of a 1-bit unsigned operand: allowed are 0 to 1$"
    ):
        convolution.program(np.full((1, 1, 1, 1), -1))


def test_refuses_inputs_of_another_shape() -> None:
    convolution = Convolution(TINY, np.ones((1, 1, 1, 1), int), (1, 2, 3), w=U1, i=U1, name="conv")
    with pytest.raises(SpinplaneError) as error:
        convolution.program(np.ones((1, 1, 3, 2), int))
    assert str(error.value) == "layer conv: inputs of shape (1, 1, 3, 2): expected (batch, 1, 2, 3)"


def test_the_program_of_a_single_product() -> None:
    """Weight 1 beside input 1: two rows are written, one AND is taken and handed out."""
    program: Program = Convolution(TINY, np.ones((1, 1, 1, 1), int), (1, 1, 1), w=U1, i=U1).program([[[[1]]]])
    assert program.commands["op"].tolist() == [Op.WRITE.value, Op.WRITE.value, Op.DOT.value]
    assert program.commands[["row_a", "row_b", "length", "clear", "emit"]][2].tolist() == (0, 1, 0, 1, 1)
    assert program.commands["row_d"].tolist() == [1, 0, 0]
    assert program.rows.sum(axis=1).tolist() == [1, 1]
    assert program.masks.all()
