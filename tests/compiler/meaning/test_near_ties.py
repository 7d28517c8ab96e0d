"""Near-ties: counted as they are defined, and never missed by an evaluation in float32."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spinplane.compiler.frontend.building.linear import exact_sums
from spinplane.compiler.frontend.building.quantizing import find_steps, to_codes
from spinplane.compiler.frontend.quantizers import Levels, levels_of_quant
from spinplane.compiler.graph import DoublingMultiply, FloatScale, Layer, Pooling, StepFunction
from spinplane.compiler.meaning.exact_map import ExactMap, fractions
from spinplane.compiler.meaning.near_ties import near_ties, value_bounds
from spinplane.compiler.meaning.real_map import RealMap
from spinplane.compiler.oracle import finish, linear
from spinplane.machine import Coding, Operand

W = Operand(bits=4, coding=Coding.TWOS_COMPLEMENT)


def layer(weights: np.ndarray, i: Operand, **parts: object) -> Layer:
    bias = np.zeros(len(weights), dtype=np.int64)
    return Layer(name="l", weights=weights, w=W, i=i, bias=bias, **parts)


def quantizer(scale: float, zero_point: float = 0.0, bits: int = 4) -> Levels:
    return levels_of_quant(
        scale=np.array(np.float32(scale)),
        zero_point=np.array(zero_point),
        bits=np.array(float(bits)),
        signed=False,
        narrow=False,
        rounding="ROUND",
        name="q",
    )


def steps_of(real: ExactMap, levels: Levels) -> StepFunction:
    return find_steps(to_codes(RealMap(first=real), levels), levels)


@pytest.mark.parametrize("seed", range(8))
def test_near_ties_and_margins_are_counted_over_all_sums(seed):
    """With a unit roundoff that is 2^-24, scale, product, addend, quotient and zero point may all round."""
    rng = np.random.default_rng(seed)
    terms, channels = 20, 3
    made = layer(rng.integers(-8, 8, (channels, terms, 1, 1)), Operand(bits=6))
    scale, factor, addend, step = (rng.uniform(0.5, 1.5, n).astype(np.float32) for n in (1, 3, 3, 1))
    factor[1] *= -1
    step *= 30
    s = fractions(scale, channels)
    real = exact_sums(made, s).times(fractions(factor, channels)).plus(fractions(addend, channels))
    found = near_ties(replace(made, steps=steps_of(real, quantizer(step[0], 3.0))))
    n = terms + 2 + 1 + 1 + 1 + 1
    gamma = Fraction(n, 2**24 - n)
    for channel in range(channels):
        f, o, q = (Fraction(float(part)) for part in (factor[channel], addend[channel], step[0]))
        slope = s[channel] * f / q
        products = np.abs(made.weights[channel]).sum() * 63
        error = gamma * (abs(slope) * int(products) + abs(o) / q + 3)
        sums = range(int(real.least[channel]), int(real.greatest[channel]) + 1)
        codes = [slope * x + o / q + 3 for x in sums]
        near = [_code(code - error) != _code(code + error) for code in codes]
        assert found.count[channel] == sum(near)
        taken = [
            c + Fraction(1, 2)
            for c in range(15)
            if codes[0] < c + 0.5 < codes[-1] or codes[-1] < c + 0.5 < codes[0]
        ]
        margin = min(abs(code - step) for code in codes for step in taken)
        assert found.margin[channel] == pytest.approx(float(margin), rel=1e-12)


def _code(number: Fraction) -> int:
    return min(max(round(number), 0), 15)


def test_operations_that_do_not_round_have_no_near_ties():
    """Powers of two and short addends: sums lie on steps, and float32 sees that they do."""
    made = layer(np.full((1, 9, 1, 1), 3), Operand(bits=4))
    real = exact_sums(made, np.array([Fraction(1, 8)], dtype=object)).plus(
        np.array([Fraction(5, 2)], dtype=object)
    )
    found = near_ties(replace(made, steps=steps_of(real, quantizer(4.0))))
    assert found.count.tolist() == [0]
    assert found.margin.tolist() == [0.0]
    rounded = near_ties(replace(made, steps=steps_of(real, quantizer(5.0))))
    assert rounded.count.tolist() == [11]  # one sum at each step: 2.5, 7.5, …, 52.5 of 53.125


def test_what_a_relu_cuts_off_is_as_exact_as_its_bound():
    made = layer(np.full((1, 9, 1, 1), -3), Operand(bits=4))
    real = exact_sums(made, fractions(np.array(0.3), 1)).plus(np.array([Fraction(9)], dtype=object))
    ceil = replace(quantizer(1.0), rounding=quantizer(1.0).rounding.CEIL)
    kinked = real.at_least(fractions(np.array(0.0), 1))
    # The step from 0 to 1 is right after 0, where the Relu puts most sums.
    assert near_ties(replace(made, steps=steps_of(kinked, ceil))).count[0] < 20
    shifted = kinked.plus(fractions(np.array(0.1), 1)).plus(fractions(np.array(-0.1), 1))
    assert near_ties(replace(made, steps=steps_of(shifted, ceil))).count[0] > 300


def test_operators_that_define_their_arithmetic_have_none():
    weights = np.ones((2, 3, 1, 1), dtype=int)
    scale = FloatScale(scale=np.full(2, 0.1, dtype=np.float32), low=0, high=3)
    doubling = DoublingMultiply(
        multiplier=np.full(2, 2**30, dtype=np.int32), shift=np.array([0, -2]), low=0, high=3
    )
    for steps in (scale, doubling, None):
        found = near_ties(layer(weights, Operand(bits=2), steps=steps))
        assert found.count.tolist() == [0, 0]
        assert found.margin.tolist() == [np.inf, np.inf]
    least, greatest = value_bounds(layer(weights, Operand(bits=2), steps=scale), np.full((1, 2, 1, 1), 15))
    assert least.tolist() == greatest.tolist() == [[[[2]], [[2]]]]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, "sum", "max_codes"]))
def test_float32_stays_within_the_bounds(seed, kind):
    """Products of rounded weights and inputs, added in a random order, then operators, all in float32."""
    rng = np.random.default_rng(seed)
    terms, channels, f32 = int(rng.integers(1, 400)), 4, np.float32
    made = layer(rng.integers(-8, 8, (channels, terms, 1, 1)), Operand(bits=4))
    values = rng.integers(0, 16, (1, terms, 6, 8))
    w_scale, i_scale = (f32(2.0 ** rng.uniform(-8, 0)) for _ in range(2))
    factor, addend = rng.normal(0, 1, channels).astype(f32), rng.normal(0, 3, channels).astype(f32)
    products = made.weights[:, :, 0, 0].astype(f32)[:, :, np.newaxis, np.newaxis] * w_scale
    products = products * (values.astype(f32) * i_scale)
    sums = np.zeros((channels, 6, 8), dtype=f32)
    for term in rng.permutation(terms):
        sums = sums + products[:, term]
    real = exact_sums(made, fractions(np.array(float(w_scale) * float(i_scale)), channels))
    if kind == "sum":
        real = real.average(6)
        sums = sum((sums[:, y::2, x:6:3] for y in range(2) for x in range(3)), f32(0)) / f32(6)
    column = (-1, 1, 1)
    sums = np.maximum(sums * factor.reshape(column), f32(0)) + addend.reshape(column)
    step = f32(np.abs(sums).max() / 12 + 1e-3)
    if kind == "max_codes":
        sums = np.maximum.reduce([sums[:, y::2, x::2] for y in range(2) for x in range(2)])
    codes = np.clip(np.rint(sums / step + f32(2)), 0, 15).astype(int) - 2

    real = real.times(fractions(factor, channels)).at_least(fractions(np.array(0.0), channels))
    steps = steps_of(real.plus(fractions(addend, channels)), quantizer(step, 2.0))
    size = (2, 3) if kind == "sum" else (2, 2)
    pool = Pooling(kind=kind, size=size, stride=size) if kind else None
    made = replace(made, steps=steps, pool=pool)
    least, greatest = value_bounds(made, linear(made, values))
    exact = finish(made, linear(made, values))
    assert ((least <= codes) & (codes <= greatest)).all()
    assert ((least <= exact) & (exact <= greatest)).all()
    assert (least != greatest).mean() < 0.2
