"""The oracle of networks against the oracle of convolutions, and against loops for what follows them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinplane.behavioral import convolve
from spinplane.compiler.graph import Layer, Pooling
from spinplane.compiler.oracle import linear, pooled
from spinplane.machine import Coding, Operand


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
