"""Additions of codes against Python's fractions and TFLite's ADD, over all pairs of codes."""

from fractions import Fraction

import numpy as np
import pytest
from exact_rounding import EXACT
from tflite_arithmetic import clamp, multiply_by_quantized_multiplier

from spinplane.compiler.graph import CodeAddition, DoublingAddition
from spinplane.machine import Rounding


def pairs(low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """All pairs of two codes, as two maps of one channel."""
    codes = np.arange(low, high + 1)
    own, residual = np.meshgrid(codes, codes, indexing="ij")
    return own[np.newaxis, np.newaxis], residual[np.newaxis, np.newaxis]


@pytest.mark.parametrize("rounding", list(Rounding))
def test_a_sum_of_codes_is_rounded_once(rounding):
    addition = CodeAddition(
        source=0,
        own_scale=Fraction(float(np.float32(0.7))),
        residual_scale=Fraction(-5, 6),
        offset=Fraction(7, 2),
        rounding=rounding,
        low=-9,
        high=6,
        value_scale=2,
        value_offset=3,
    )
    own, residual = pairs(-16, 15)
    got = addition.apply(own, residual)
    for a, r, value in zip(
        own.ravel().tolist(), residual.ravel().tolist(), got.ravel().tolist(), strict=True
    ):
        exact = a * addition.own_scale + r * addition.residual_scale + addition.offset
        assert value == 2 * clamp(EXACT[rounding](exact), -9, 6) + 3
    assert addition.levels.tolist() == list(range(-15, 16, 2))


def test_a_second_quantizer_takes_one_code():
    addition = CodeAddition(source=None, own_scale=Fraction(1, 2), low=0, high=3)
    assert addition.apply(np.arange(-2, 9)).tolist() == [0, 0, 0, 0, 1, 2, 2, 2, 3, 3, 3]


def quantized(real: float) -> tuple[int, int]:
    """TFLite's QuantizeMultiplier."""
    significand, shift = np.frexp(real)
    multiplier = round(float(significand) * 2**31)
    return (multiplier // 2, int(shift) + 1) if multiplier == 2**31 else (multiplier, int(shift))


@pytest.mark.parametrize("scales", [(0.05, 0.03, 0.07), (0.1, 0.1, 0.2), (0.011, 0.9, 0.8), (1.0, 0.5, 0.25)])
@pytest.mark.parametrize("zero_points", [(0, 0, 0), (-128, 5, -30)])
def test_tflites_add_over_all_pairs(scales, zero_points):
    left_shift = 20
    twice = 2 * max(scales[:2])
    (own, own_shift), (residual, residual_shift) = (quantized(scale / twice) for scale in scales[:2])
    output, output_shift = quantized(twice / (2**left_shift * scales[2]))
    zero_own, zero_residual, zero_output = zero_points
    addition = DoublingAddition(
        source=0,
        left_shift=left_shift,
        own_multiplier=own,
        own_shift=own_shift,
        residual_multiplier=residual,
        residual_shift=residual_shift,
        output_multiplier=output,
        output_shift=output_shift,
        low=-128 - zero_output,
        high=127 - zero_output,
    )
    codes = pairs(-128, 127)
    got = addition.apply(codes[0] - zero_own, codes[1] - zero_residual)[0, 0] + zero_output

    def part(code: int, zero: int, multiplier: int, shift: int) -> int:
        return multiply_by_quantized_multiplier((code - zero) * (1 << left_shift), multiplier, shift)

    own_parts = [part(code, zero_own, own, own_shift) for code in range(-128, 128)]
    residual_parts = [part(code, zero_residual, residual, residual_shift) for code in range(-128, 128)]
    for own_part, row in zip(own_parts, got.tolist(), strict=True):
        for residual_part, code in zip(residual_parts, row, strict=True):
            raw = multiply_by_quantized_multiplier(own_part + residual_part, output, output_shift)
            assert code == clamp(raw + zero_output, -128, 127)
    assert (addition.levels[[0, -1]] == [-128 - zero_output, 127 - zero_output]).all()
