"""Thresholds reproduce the map at every reachable sum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinplane.compiler.frontend.quantizers import bipolar, levels_of_quant
from spinplane.compiler.frontend.thresholds import find_steps, reachable_sums
from spinplane.compiler.graph import Layer, Pooling
from spinplane.machine import Coding, Operand, SpinplaneError


def layer(weights, i, pool=None):
    w = Operand(bits=4, coding=Coding.TWOS_COMPLEMENT)
    bias = np.zeros(len(weights), dtype=np.int64)
    return Layer(name="l", weights=weights, w=w, i=i, bias=bias, pool=pool)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.integers(1, 4), st.booleans())
def test_every_sum_gets_its_level(seed, pooled, bits, signed):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-8, 8, (5, 2, 2, 1))
    pool = Pooling(kind="sum", size=(2, 2), stride=(2, 2)) if pooled else None
    made = layer(weights, Operand(bits=2), pool)
    factor = rng.normal(0, 0.3, (5, 1)).astype(np.float32)
    factor[0] = 0
    offset = rng.normal(0, 2, (5, 1)).astype(np.float32)
    levels = (
        bipolar(np.array(1.0), "b")
        if bits == 1
        else levels_of_quant(
            scale=np.array(0.7),
            zero_point=np.array(0.0),
            bits=np.array(float(bits)),
            signed=signed,
            narrow=False,
            rounding="ROUND",
            name="q",
        )
    )

    def real(sums):
        return sums.astype(np.float32) * factor + offset

    steps = find_steps(made, real, levels)
    low, high = reachable_sums(made)
    for kernel in range(5):
        sums = np.arange(low[kernel], high[kernel] + 1)
        all_kernels = np.broadcast_to(sums, (5, len(sums)))
        expected = levels.values[levels.index(real(all_kernels))[kernel]]
        maps = np.zeros((1, 5, 1, len(sums)), dtype=np.int64)
        maps[0, kernel, 0] = sums
        assert (steps.apply(maps)[0, kernel, 0] == expected).all()


def test_reachable_sums_hold_padding_and_pooled_regions():
    weights = np.array([3, -2]).reshape(1, 2, 1, 1)
    low, high = reachable_sums(layer(weights, Operand(bits=2)))
    assert (low.tolist(), high.tolist()) == ([-6], [9])
    pool = Pooling(kind="sum", size=(3, 2), stride=(2, 2))
    low, high = reachable_sums(layer(weights, Operand(bits=2), pool))
    assert (low.tolist(), high.tolist()) == ([-36], [54])


def test_what_is_not_finite_is_refused():
    made = layer(np.ones((1, 1, 1, 1), dtype=int), Operand(bits=1))
    with pytest.raises(
        SpinplaneError, match="layer l: the operators after its sums yield values that are not finite"
    ):
        find_steps(made, lambda sums: sums + np.inf, bipolar(np.array(1.0), "b"))
