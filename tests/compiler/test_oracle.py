"""The oracle of networks against the oracle of convolutions, and against loops for what follows them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinplane.behavioral import convolve
from spinplane.compiler.graph import (
    CodeAddition,
    DoublingAddition,
    FloatScale,
    Graph,
    InputCoding,
    Layer,
    Pooling,
    unscaled_output,
)
from spinplane.compiler.oracle import linear, pooled, run_graph
from spinplane.machine import Coding, Operand, SpinplaneError


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_sums_are_those_of_the_bit_plane_equation(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    groups, of_group, per_group = (data.draw(st.integers(1, 3)) for _ in range(3))
    kernel = data.draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    geometry = {
        "stride": data.draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
        "padding": data.draw(st.tuples(*[st.integers(0, 2)] * 4)),
        "dilation": data.draw(st.tuples(st.integers(1, 2), st.integers(1, 2))),
    }
    w = data.draw(
        st.sampled_from([Operand(bits=1, coding=Coding.BIPOLAR), Operand(bits=3, coding=Coding.DOREFA)])
    )
    i = data.draw(st.sampled_from([Operand(bits=1, coding=Coding.BIPOLAR), Operand(bits=4)]))
    weights = w.scale * rng.integers(0, 2**w.bits, (groups * per_group, of_group, *kernel)) + w.offset
    inputs = i.scale * rng.integers(0, 2**i.bits, (2, groups * of_group, 6, 7)) + i.offset
    bias = rng.integers(-100, 100, len(weights))
    layer = Layer(name="c", weights=weights, w=w, i=i, bias=bias, groups=groups, **geometry)
    expected = convolve(inputs, weights, w=w, i=i, groups=groups, bias=bias, **geometry)
    assert (linear(layer, inputs) == expected).all()


@pytest.mark.parametrize("kind", ["sum", "max_sums", "max_codes"])
def test_pooling_takes_every_region(kind):
    rng = np.random.default_rng(3)
    values = rng.integers(-9, 0, (1, 2, 5, 6))
    padding = (0, 0, 0, 0) if kind == "sum" else (1, 0, 1, 1)
    pool = Pooling(kind=kind, size=(3, 2), stride=(2, 2), padding=padding)
    got = pooled(values, pool)
    reduce = np.sum if kind == "sum" else np.max
    for c, y, x in np.ndindex(got.shape[1:]):
        top, left = y * 2 - padding[0], x * 2 - padding[1]
        region = values[0, c, max(top, 0) : top + 3, max(left, 0) : left + 2]
        assert got[0, c, y, x] == reduce(region)
    sides = [(5 + padding[0] + padding[2] - 3) // 2 + 1, (6 + padding[1] + padding[3] - 2) // 2 + 1]
    assert list(got.shape[2:]) == sides


@pytest.mark.parametrize("kind", ["sum", "max_sums", "max_codes"])
def test_regions_with_gaps(kind):
    values = np.random.default_rng(4).integers(-9, 9, (1, 2, 7, 8))
    got = pooled(values, Pooling(kind=kind, size=(3, 2), stride=(1, 2), dilation=(2, 3)))
    reduce = np.sum if kind == "sum" else np.max
    assert got.shape == (1, 2, 3, 3)
    for c, y, x in np.ndindex(got.shape[1:]):
        assert got[0, c, y, x] == reduce(values[0, c, y : y + 5 : 2, 2 * x : 2 * x + 4 : 3])


def test_maxima_of_sums_are_minima_where_the_channel_says_so():
    values = np.array([[3, -2, 5], [3, -2, 5]]).reshape(1, 2, 1, 3)
    pool = Pooling(kind="max_sums", size=(1, 2), stride=(1, 1), padding=(0, 1, 0, 0), least=(False, True))
    assert pooled(values, pool)[0, :, 0].tolist() == [[3, 3, 5], [3, -2, -2]]


def one_pixel(name: str, **parts: object) -> Layer:
    """A layer whose sums are its inputs, of two channels."""
    return Layer(
        name=name,
        weights=np.eye(2, dtype=np.int64).reshape(2, 2, 1, 1),
        w=Operand(bits=1),
        i=Operand(bits=4, coding=Coding.TWOS_COMPLEMENT),
        bias=np.zeros(2, dtype=np.int64),
        **parts,
    )


def network(*layers: Layer) -> Graph:
    return Graph(
        name="made",
        input_shape=(2, 1, 3),
        input_coding=InputCoding(low=-8, high=7),
        layers=layers,
        outputs=(unscaled_output(len(layers) - 1, (1, 2, 1, 3)),),
    )


def test_values_of_an_earlier_layer_are_added_after_steps_and_pooling():
    steps = FloatScale(scale=np.array([0.5, -1], dtype=np.float32), low=-4, high=4)
    pool = Pooling(kind="max_codes", size=(1, 2), stride=(1, 1), padding=(0, 0, 0, 1))
    exact = CodeAddition(source=-1, own_scale=Fraction(1, 2), residual_scale=Fraction(1, 4), low=-9, high=9)
    twice = CodeAddition(source=None, own_scale=Fraction(2), low=-1, high=3)
    doubling = DoublingAddition(
        source=0,
        left_shift=4,
        own_multiplier=2**30,
        own_shift=0,
        residual_multiplier=2**30,
        residual_shift=1,
        output_multiplier=2**30,
        output_shift=-3,
        low=-9,
        high=9,
    )
    layers = [
        one_pixel("first", steps=steps, pool=pool, addition=exact),
        one_pixel("second", steps=steps, addition=twice),
        one_pixel("third", steps=steps, inputs=(0,), addition=doubling),
    ]
    inputs = np.array([[-7, 3, 6], [5, -6, 1]]).reshape(1, 2, 1, 3)
    first, second, third = run_graph(network(*layers), inputs)
    # Codes −4 2 3 and −4 4 −1, their greatest of two 2 3 3 and 4 4 −1; half of these and a quarter of the input.
    assert first[0, :, 0].tolist() == [[-1, 2, 3], [3, 0, 0]]
    # Codes 0 1 2 and −3 0 0, doubled and clipped.
    assert second[0, :, 0].tolist() == [[0, 2, 3], [-1, 0, 0]]
    # (code · 8 + first · 16) / 16, halves away from 0.
    assert third[0, :, 0].tolist() == [[-1, 3, 4], [2, 0, 0]]


def test_values_of_another_shape_are_not_added():
    addition = CodeAddition(source=-1, own_scale=Fraction(1), residual_scale=Fraction(1), low=0, high=1)
    steps = FloatScale(scale=np.ones(2, dtype=np.float32), low=-4, high=4)
    layer = one_pixel("wide", padding=(0, 1, 0, 0), steps=steps, addition=addition)
    with pytest.raises(SpinplaneError, match="layer wide: a residual of 2×1×3 does not fit its own 2×1×4"):
        run_graph(network(layer), np.zeros((1, 2, 1, 3), dtype=np.int64))
