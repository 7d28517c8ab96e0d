"""Additions of codes against Python's fractions and TFLite's ADD, over all pairs of codes."""

from fractions import Fraction

import numpy as np
import onnx
import onnxruntime
import pytest
from exact_rounding import EXACT
from tflite_arithmetic import clamp, multiply_by_quantized_multiplier

from spinplane.compiler.graph import CodeAddition, DoublingAddition, FloatAddition
from spinplane.compiler.meaning.additions import float_offset
from spinplane.compiler.meaning.fused import fused_multiply_add
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


def qlinear_add(scales, zero_points, kind):
    """Onnxruntime's own, of tensors of one channel."""
    names = ["a", "sa", "za", "b", "sb", "zb", "sy", "zy"]
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    constants = dict(zip(("sa", "sb", "sy"), map(np.float32, scales), strict=True))
    constants |= dict(zip(("za", "zb", "zy"), map(kind, zero_points), strict=True))
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("QLinearAdd", names, ["y"], domain="com.microsoft")],
        "made",
        [onnx.helper.make_tensor_value_info(name, element, None) for name in "ab"],
        [onnx.helper.make_tensor_value_info("y", element, None)],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    versions = [onnx.helper.make_opsetid("", 13), onnx.helper.make_opsetid("com.microsoft", 1)]
    model = onnx.helper.make_model(graph, opset_imports=versions, ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("seed", range(30))
def test_onnxruntimes_add_over_all_pairs(seed):
    rng = np.random.default_rng(seed)
    kind = (np.uint8, np.int8)[seed % 2]
    limits = np.iinfo(kind)
    low, high = int(limits.min), int(limits.max)
    scales = np.exp(rng.normal(-3, 1, 3)).astype(np.float32)
    if seed % 3 == 0:  # sums that are ties, which rounding decides
        scales = scales[0] * np.array([1, 1, 2], np.float32)
    zeros = rng.integers(low, high + 1, 3).tolist()
    ratios = np.float32(scales[0] / scales[2]), np.float32(scales[1] / scales[2])
    own, residual = pairs(low, high)
    session = qlinear_add(scales, zeros, kind)
    (expected,) = session.run(None, {"a": own.astype(kind).ravel(), "b": residual.astype(kind).ravel()})
    for own_is_first in (True, False):
        order = (0, 1) if own_is_first else (1, 0)
        addition = FloatAddition(
            source=0,
            own_is_first=own_is_first,
            own_scale=ratios[order[0]],
            residual_scale=ratios[order[1]],
            offset=float_offset(ratios, (zeros[0], zeros[1]), zeros[2]),
            own_zero=zeros[order[0]],
            residual_zero=zeros[order[1]],
            low=low,
            high=high,
            value_offset=-zeros[2],
        )
        values = (own - zeros[0], residual - zeros[1])
        got = addition.apply(values[order[0]], values[order[1]])
        assert (got.ravel() + zeros[2] == expected).all()
        assert (addition.levels == np.arange(low, high + 1) - zeros[2]).all()


def test_a_fused_sum_is_rounded_once():
    rng = np.random.default_rng(0)
    codes = rng.integers(-255, 256, 4000)
    factors = rng.normal(0, 1, 4000).astype(np.float32)
    # Sums near the middle of two numbers of float32, of which float64 may miss on which side they are.
    addends = (rng.integers(1 << 23, 1 << 24, 4000) * 2.0 ** rng.integers(-40, 30, 4000)).astype(np.float32)
    for code, factor, addend in zip(codes, factors, addends, strict=True):
        got = fused_multiply_add(np.array([code]), factor, np.array([addend]))
        exact = int(code) * Fraction(float(factor)) + Fraction(float(addend))
        near = [np.nextafter(got[0], toward, dtype=np.float32) for toward in (-np.inf, np.inf)]
        mine = abs(Fraction(float(got[0])) - exact)
        assert all(mine <= abs(Fraction(float(other)) - exact) for other in near)
