"""The integer graph: what enters, what leaves, and the steps between."""

from dataclasses import replace

import numpy as np
import pytest

from spinplane.compiler.graph import Graph, InputCoding, StepFunction
from spinplane.machine import SpinplaneError


def graph(**coding) -> Graph:
    return Graph(
        name="small",
        input_shape=(2, 2, 3),
        input_coding=InputCoding(**{"low": 0, "high": 255, **coding}),
        layers=(),
        output_scale=np.array([0.5, 2.0]),
        output_offset=np.array([1.0, -1.0]),
        output_shape=(1, 2),
    )


def test_inputs_are_rounded_half_to_even_and_clipped():
    values = np.array([-3, 0.5, 1.5, 2.4, 300, 255] * 2, dtype=float)
    assert graph().encode_input(values).ravel().tolist() == [0, 0, 2, 2, 255, 255] * 2


def test_inputs_are_scaled_in_float32_and_lose_their_zero_point():
    coded = graph(scale=0.5, zero_point=1.0, multiply=2.0, subtract=1.0, low=-1, high=1)
    x = np.array([0.0, 0.25, 0.5] * 4)
    # (2x − 1) / 0.5 + 1 = −1, 0, 1: clipped to −1 … 1, less the zero point.
    assert coded.encode_input(x).ravel().tolist() == [-2, -1, 0] * 4


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
    own = graph().decode_output(np.array([[[[4]], [[3]]]]))
    assert own.tolist() == [[3.0, 5.0]]


def test_outputs_keep_to_their_bounds():
    bounded = replace(graph(), output_low=np.array([-np.inf, 0.0]), output_high=np.array([2.5, np.inf]))
    values = np.array([[[[4]], [[-3]]], [[[-9]], [[3]]]])
    assert bounded.decode_output(values).tolist() == [[2.5, 0.0], [-3.5, 5.0]]


def test_steps_rise_or_fall_channel_by_channel():
    steps = StepFunction(
        thresholds=np.array([[0, 10], [5, -5]]), rising=np.array([True, False]), levels=np.array([-1, 0, 1])
    )
    sums = np.array([[-1, 0, 9, 10], [6, 5, -4, -5]]).reshape(1, 2, 1, 4)
    assert steps.apply(sums)[0, :, 0].tolist() == [[-1, 0, 0, 1], [-1, 0, 0, 1]]
