"""What input a network expects, and what is told of one that does not fit."""

from dataclasses import replace

import numpy as np
import pytest
from small_networks import small_graph

from spinplane.compiler.expected_input import expected_input, input_ends, input_warnings
from spinplane.compiler.graph import InputCoding, InputOperation

PIXELS = InputCoding(
    operations=(InputOperation(kind="divide", constant=np.float32(255)),), scale=1 / 15, low=0, high=15
)


def network(coding, channels=1):
    return replace(small_graph(), input_coding=coding, input_shape=(channels, 6, 6))


@pytest.mark.parametrize(
    ("coding", "channels", "text"),
    [
        (PIXELS, 1, "1×6×6 (channels, height, width) of float32, from 0 to 255 in steps of 17, 16 codes"),
        (
            InputCoding(low=-128, high=127),
            1,
            "1×6×6 (channels, height, width) of int8, from -128 to 127 in steps of 1, 256 codes",
        ),
        (
            InputCoding(low=0, high=3),
            1,
            "1×6×6 (channels, height, width) of uint8, from 0 to 3 in steps of 1, 4 codes",
        ),
        (
            InputCoding(scale=0.5, zero_point=128, low=0, high=255),
            1,
            "1×6×6 (channels, height, width) of float32, from -64 to 63.5 in steps of 0.5, 256 codes",
        ),
        (
            InputCoding(low=0, high=0, bipolar=True),
            1,
            "1×6×6 (channels, height, width) of float32, two codes, from -1 to 1",
        ),
        (
            InputCoding(
                operations=(
                    InputOperation(kind="subtract", constant=np.array([100, 50], np.float32)),
                    InputOperation(kind="multiply", constant=np.array([-0.1, 0.2], np.float32)),
                    InputOperation(kind="maximum", constant=np.float32(-2)),
                ),
                low=-4,
                high=3,
            ),
            2,
            "2×6×6 (channels, height, width) of float32, from 40 to 120 in steps of 3.57143, 8 codes",
        ),
    ],
)
def test_range_scale_layout_and_type_are_told(coding, channels, text):
    assert str(expected_input(network(coding, channels))) == text


def test_the_ends_are_those_of_the_first_and_the_last_code():
    rng = np.random.default_rng(0)
    for _ in range(50):
        kinds = rng.choice(["multiply", "divide", "add", "subtract"], 3)
        constants = np.exp(rng.normal(size=(3, 2))) * rng.choice([-1, 1], (3, 2))
        operations = tuple(
            InputOperation(kind=kind, constant=constant.astype(np.float32))
            for kind, constant in zip(kinds, constants, strict=True)
        )
        coding = InputCoding(operations=operations, scale=0.1, zero_point=5, low=0, high=15)
        ends = [np.asarray(end, dtype=np.float32).reshape(1, 2, 1, 1) for end in input_ends(coding)]
        reached = np.sort(np.stack([coding.encode(end).ravel() for end in ends]), axis=0)
        assert reached.tolist() == [[-5, -5], [10, 10]]


def test_a_range_that_fits_is_not_warned_of():
    graph = network(PIXELS)
    x = np.linspace(0, 255, 36, dtype=np.float32).reshape(1, 1, 6, 6)
    assert input_warnings(graph, x) == ()


def test_clipped_input_is_told_with_its_share():
    graph = network(PIXELS)
    x = np.linspace(0, 255, 36, dtype=np.float32).reshape(1, 1, 6, 6)
    x[0, 0, 3, :4] = 400
    assert input_warnings(graph, x) == (
        "11% of the input is clipped: it reaches from 0 to 400, the network expects 0 to 255",
    )


def test_input_of_few_codes_is_told():
    x = np.linspace(0, 1, 36, dtype=np.float32).reshape(1, 1, 6, 6)
    assert input_warnings(network(PIXELS), x) == (
        "the input takes 1 of 16 codes: it reaches from 0 to 1, the network expects 0 to 255",
    )


def test_inputs_of_two_and_of_four_codes_do_not_collapse():
    x = np.zeros((1, 1, 6, 6), dtype=np.float32)
    assert input_warnings(network(InputCoding(low=0, high=3)), x) == ()
    assert input_warnings(network(InputCoding(low=0, high=0, bipolar=True)), x + 100) == ()
