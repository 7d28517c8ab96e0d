"""Levels of Quant and BipolarQuant."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qonnx.custom_op.general.quant import quant

from spinplane.compiler.frontend.quantizers import bipolar, levels_of_quant
from spinplane.machine import Coding, SpinplaneError


def levels(bits=2, scale=1.0, zero_point=0.0, signed=True, narrow=False, rounding="ROUND"):
    return levels_of_quant(
        scale=np.array(scale),
        zero_point=np.array(zero_point),
        bits=np.array(float(bits)),
        signed=signed,
        narrow=narrow,
        rounding=rounding,
        name="q",
    )


@given(
    st.integers(1, 8),
    st.sampled_from([0.25, 1.0, 0.1, 3.0]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["ROUND", "HALF_EVEN", "FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN"]),
    st.integers(0, 2**32 - 1),
)
def test_values_are_what_qonnx_computes(bits, scale, signed, narrow, rounding, seed):
    if narrow and bits == 1 and not signed:
        return  # a single level
    x = (np.random.default_rng(seed).normal(0, 2**bits, 50) * scale).astype(np.float32)
    made = levels(bits, scale, 0.0, signed, narrow, rounding)
    expected = quant(x, np.float32(scale), np.float32(0), np.float32(bits), signed, narrow, rounding)
    assert np.allclose(made.quantize(x) * made.scale, expected, rtol=1e-6)
    assert made.operand.smallest <= made.values[0]
    assert made.values[-1] <= made.operand.largest


@pytest.mark.parametrize("bits", [1, 2, 3, 8])
def test_a_middle_zero_point_gives_dorefas_odd_numbers(bits):
    made = levels(bits, 2.0, (2**bits - 1) / 2, signed=False)
    assert made.operand.coding is Coding.DOREFA
    assert made.values.tolist() == list(range(-(2**bits) + 1, 2**bits, 2))
    assert made.scale == 1.0


def test_a_whole_zero_point_moves_the_values():
    made = levels(3, 0.5, 3.0, signed=False)
    assert made.values.tolist() == list(range(-3, 5))
    assert made.quantize(np.array([-9, -0.3, 0.0, 9])).tolist() == [-3, -1, 0, 4]
    assert (made.operand.coding, made.operand.bits) == (Coding.TWOS_COMPLEMENT, 4)


def test_zero_becomes_plus_one():
    made = bipolar(np.array(0.5), "b")
    assert made.quantize(np.array([-0.1, 0.0, 3])).tolist() == [-1, 1, 1]
    assert made.scale == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bits": 9}, "q: 9 bits: must be from 1 to 8"),
        ({"bits": 2.5}, "q: 2.5 bits"),
        ({"scale": 0.0}, "q: its scale must be positive"),
        ({"scale": [1.0, -1.0]}, "q: its scale must be positive"),
        ({"zero_point": 0.3}, "q: zero point 0.3 is neither a whole number nor the middle"),
        ({"zero_point": [0.0, 0.5]}, "q: several zero points, of which not all are whole numbers"),
        (
            {"rounding": "STOCHASTIC"},
            "rounding ROUND, HALF_EVEN, CEIL, FLOOR, UP, DOWN, ROUND_TO_ZERO, HALF_UP, HALF_DOWN",
        ),
        ({"bits": 1, "zero_point": 1.0}, "signed quantizer of 1 bit has zero point 1"),
        ({"bits": 8, "zero_point": 1e9}, "q: zero point 1e\\+09: must be from −32768 to 32768"),
    ],
)
def test_what_no_operand_holds_is_refused(options, message):
    with pytest.raises(SpinplaneError, match=message):
        levels(**options)


def test_values_beyond_eight_bits_of_twos_complement_have_a_zero_point():
    operand = levels(bits=8, zero_point=100.0).operand
    assert (operand.bits, operand.zero_point, operand.smallest, operand.largest) == (8, 228, -228, 27)
