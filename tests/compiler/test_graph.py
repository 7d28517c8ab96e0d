"""The integer graph: what enters, what leaves, and the steps between."""

from dataclasses import replace

import numpy as np
import pytest

from spinplane.compiler.graph import Graph, InputCoding, InputOperation, Output, StepFunction
from spinplane.machine import Rounding, SpinplaneError

OUTPUT = Output(
    name="probabilities",
    layers=(0,),
    scale=np.array([0.5, 2.0]),
    offset=np.array([1.0, -1.0]),
    shape=(1, 2),
)


def graph(**coding) -> Graph:
    return Graph(
        name="small",
        input_shape=(2, 2, 3),
        input_coding=InputCoding(**{"low": 0, "high": 255, **coding}),
        layers=(),
        outputs=(OUTPUT,),
    )


def test_inputs_are_rounded_half_to_even_and_clipped():
    values = np.array([-3, 0.5, 1.5, 2.4, 300, 255] * 2, dtype=float)
    assert graph().encode_input(values).ravel().tolist() == [0, 0, 2, 2, 255, 255] * 2


def test_inputs_are_scaled_in_float32_and_lose_their_zero_point():
    operations = (
        InputOperation(kind="multiply", constant=np.array(2.0)),
        InputOperation(kind="subtract", constant=np.array(1.0)),
    )
    coded = graph(operations=operations, scale=0.5, zero_point=1.0, low=-1, high=1)
    x = np.array([0.0, 0.25, 0.5] * 4)
    # (2x − 1) / 0.5 + 1 = −1, 0, 1: clipped to −1 … 1, less the zero point.
    assert coded.encode_input(x).ravel().tolist() == [-2, -1, 0] * 4


def test_operations_on_the_input_have_constants_of_channels_and_an_order():
    operations = (
        InputOperation(kind="divide", constant=np.array(2.0)),
        InputOperation(kind="maximum", constant=np.array(-1.0)),
        InputOperation(kind="add", constant=np.array([10.0, 20.0])),
        InputOperation(kind="minimum", constant=np.array([12.0, 30.0])),
    )
    x = np.array([[-8, -2, 0, 2, 4, 8]] * 2)
    assert graph(operations=operations).encode_input(x.ravel()).reshape(2, 6).tolist() == [
        [9, 9, 10, 11, 12, 12],
        [19, 19, 20, 21, 22, 24],
    ]


def test_operations_are_those_of_float32():
    # In real numbers the first one is 2^24 + 1, and the result 1.
    operations = (
        InputOperation(kind="add", constant=np.array(1.0)),
        InputOperation(kind="subtract", constant=np.array(2.0**24)),
    )
    assert graph(operations=operations).encode_input(np.full(12, 2.0**24)).max() == 0


def test_operations_may_leave_float32_but_not_the_numbers():
    large = InputOperation(kind="multiply", constant=np.array(3.4e38))
    x = np.array([-2, 0, 1] * 4)
    assert graph(operations=(large, large)).encode_input(x).ravel().tolist() == [0, 0, 255] * 4
    difference = InputOperation(kind="subtract", constant=np.array(np.inf))
    with pytest.raises(SpinplaneError, match="the operations before its quantizer give what is not a number"):
        graph(operations=(large, large, difference)).encode_input(x)


@pytest.mark.parametrize(
    ("rounding", "values"),
    [
        (Rounding.FLOOR, [-2, -2, 1, 1]),
        (Rounding.CEIL, [-1, -1, 2, 2]),
        (Rounding.TO_ZERO, [-1, -1, 1, 1]),
        (Rounding.AWAY, [-2, -2, 2, 2]),
        (Rounding.HALF_EVEN, [-2, -1, 1, 2]),
        (Rounding.HALF_UP, [-1, -1, 1, 2]),
        (Rounding.HALF_DOWN, [-2, -1, 1, 1]),
        (Rounding.HALF_AWAY, [-2, -1, 1, 2]),
        (Rounding.HALF_TO_ZERO, [-1, -1, 1, 1]),
    ],
)
def test_inputs_are_rounded_in_every_way(rounding, values):
    x = np.array([-1.5, -1.25, 1.25, 1.5] * 3)
    assert graph(rounding=rounding, low=-4).encode_input(x).ravel().tolist() == values * 3


def test_a_zero_point_of_a_half_gives_odd_values():
    x = np.array([-9, -1, 0.4, 9] * 3)
    coded = graph(zero_point=1.5, low=0, high=3)
    assert coded.encode_input(x).ravel().tolist() == [-3, -3, 1, 3] * 3


def test_bipolar_inputs_are_signs():
    x = np.array([-1e-45, -0.0, 0.0, 7.0] * 3)
    assert graph(bipolar=True).encode_input(x).ravel().tolist() == [-1, 1, 1, 1] * 3


def test_an_output_has_its_layers_side_by_side_and_its_own_order_of_axes():
    first, second = np.arange(12).reshape(2, 1, 2, 3), 100 + np.arange(12).reshape(2, 1, 2, 3)
    output = replace(
        OUTPUT, layers=(1, 0), scale=np.ones(2), offset=np.zeros(2), shape=(1, 2, 3, 2), order=(0, 2, 3, 1)
    )
    (own,) = replace(graph(), outputs=(output,)).decode_outputs([first, second])
    assert own.shape == (2, 2, 3, 2)
    assert (own[..., 0] == second[:, 0]).all()
    assert (own[..., 1] == first[:, 0]).all()


@pytest.mark.parametrize("shape", [(12,), (2, 2, 3), (1, 2, 2, 3), (5, 2, 2, 3), (4, 12)])
def test_an_image_or_a_batch_may_be_flat(shape):
    values = np.arange(np.prod(shape)).reshape(shape)
    assert (graph().encode_input(values).ravel() == values.ravel()).all()


@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5), (3, 1, 4, 5)])
def test_images_of_one_channel_need_not_name_it(shape):
    grey = replace(graph(), input_shape=(1, 4, 5))
    values = np.arange(np.prod(shape)).reshape(shape)
    coded = grey.encode_input(values)
    assert coded.shape[1:] == (1, 4, 5)
    assert (coded.ravel() == values.ravel()).all()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((3, 2, 2)), r"input of shape \(3, 2, 2\): network small takes 2×2×3"),
        (np.zeros(()), "input of shape"),
        (np.zeros((0, 12)), "input of shape"),
        (np.full(12, np.nan), "its values are not all finite"),
        (np.array(["a"] * 12), "expected numbers"),
    ],
)
def test_other_inputs_are_refused(values, message):
    with pytest.raises(SpinplaneError, match=message):
        graph().encode_input(values)


def test_outputs_have_the_networks_own_units_and_shape():
    own = graph().decode_outputs([np.array([[[[4]], [[3]]]])])
    assert [one.tolist() for one in own] == [[[3.0, 5.0]]]


def test_outputs_keep_to_their_bounds():
    bounded = replace(OUTPUT, low=np.array([-np.inf, 0.0]), high=np.array([2.5, np.inf]))
    values = np.array([[[[4]], [[-3]]], [[[-9]], [[3]]]])
    assert bounded.decode(values).tolist() == [[2.5, 0.0], [-3.5, 5.0]]


def test_steps_rise_or_fall_channel_by_channel():
    steps = StepFunction(
        thresholds=np.array([[0, 10], [5, -5]]), rising=np.array([True, False]), levels=np.array([-1, 0, 1])
    )
    sums = np.array([[-1, 0, 9, 10], [6, 5, -4, -5]]).reshape(1, 2, 1, 4)
    assert steps.apply(sums)[0, :, 0].tolist() == [[-1, 0, 0, 1], [-1, 0, 0, 1]]
