"""Maps from sums to values: thresholds, QLinearConv's float32, TFLite's doubling multiply."""

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from tflite_arithmetic import clamp, multiply_by_quantized_multiplier

from spinplane.compiler.graph import DoublingMultiply, FloatScale, StepFunction
from spinplane.compiler.judges.whole_products import with_whole_products
from spinplane.machine import SpinplaneError


def maps(sums: np.ndarray) -> np.ndarray:
    """Sums of shape (channels, n) as maps of one line."""
    return sums[np.newaxis, :, np.newaxis, :]


def test_a_map_that_is_not_monotone_has_a_level_between_any_two_break_points():
    absolute = StepFunction(
        thresholds=np.array([[-1, 0, 1], [-3, 0, 4]]),
        rising=np.ones(2, dtype=bool),
        levels=np.array([[2, 1, 0, 1], [7, 5, 5, 6]]),
    )
    assert not absolute.monotone
    assert absolute.count == 3
    sums = np.array([[-2, -1, 0, 1], [-4, -3, 0, 4]])
    assert absolute.apply(maps(sums))[0, :, 0].tolist() == [[2, 1, 0, 1], [7, 5, 5, 6]]


def test_levels_of_a_monotone_map_ascend():
    one = {"thresholds": np.zeros((2, 1), dtype=np.int64), "rising": np.array([True, False])}
    assert StepFunction(**one, levels=np.array([0, 1])).monotone
    assert StepFunction(**one, levels=np.array([[0, 1], [3, 3]])).monotone


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-30, 4))
def test_a_float_scale_rounds_sum_and_product_to_float32(seed, exponent):
    rng = np.random.default_rng(seed)
    scale = (rng.uniform(-1, 1, 3) * 2.0**exponent).astype(np.float32)
    steps = FloatScale(scale=scale, low=-100, high=155)
    wide = rng.integers(-(2**31), 2**31, (3, 200))
    near = np.rint(rng.integers(-220, 320, (3, 200)) / 2 / np.where(scale == 0, 1, scale)[:, np.newaxis])
    sums = np.concatenate([wide, np.clip(near, -(2**31), 2**31 - 1).astype(np.int64)], axis=1)
    got = steps.apply(maps(sums))[0, :, 0]
    for channel, of_channel in enumerate(sums):
        for s, value in zip(of_channel.tolist(), got[channel].tolist(), strict=True):
            product = np.float32(s) * scale[channel]
            assert value == clamp(round(float(product)), -100, 155)
    assert steps.rising.tolist() == (scale >= 0).tolist()
    assert (steps.levels[[0, -1]] == [-100, 155]).all()
    assert steps.count == 255


def test_a_float_scale_is_what_onnxruntime_makes_of_qlinearconv(tmp_path):
    rng = np.random.default_rng(0)
    kernels, channels, zero_point = 8, 64, 7
    weights = rng.integers(-128, 128, (kernels, channels, 1, 1), dtype=np.int8)
    bias = rng.integers(-20_000, 20_000, kernels, dtype=np.int32)
    scales = {"sx": np.float32(0.0123), "sy": np.float32(0.31)}
    scales["sw"] = (rng.uniform(0.5, 2, kernels) * 0.02).astype(np.float32)
    constants = {
        **scales,
        "w": weights,
        "b": bias,
        "zx": np.uint8(3),
        "zy": np.uint8(zero_point),
        "zw": np.zeros(kernels, dtype=np.int8),
    }
    names = ["x", "sx", "zx", "w", "sw", "zw", "sy", "zy", "b"]
    graph = helper.make_graph(
        [helper.make_node("QLinearConv", names, ["y"])],
        "made",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, (1, channels, 64, 64))],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, (1, kernels, 64, 64))],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(
        with_whole_products(model).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    x = rng.integers(0, 256, (1, channels, 64, 64), dtype=np.uint8)
    expected = session.run(None, {"x": x})[0].astype(np.int64) - zero_point

    sums = np.einsum("kc,bcyx->bkyx", weights[:, :, 0, 0].astype(np.int64), x.astype(np.int64) - 3)
    sums += bias.reshape(-1, 1, 1)
    scale = (scales["sx"] * scales["sw"]) / scales["sy"]
    assert scale.dtype == np.float32
    steps = FloatScale(scale=scale, low=-zero_point, high=255 - zero_point)
    assert (steps.apply(sums) == expected).all()
    assert len(np.unique(expected)) > 200


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-31, 30))
def test_a_doubling_multiply_is_gemmlowps(seed, shift):
    rng = np.random.default_rng(seed)
    multiplier = rng.integers(2**30, 2**31, 3).astype(np.int32)
    multiplier[0] = rng.choice([0, 1 << 30, 2**31 - 1])
    shifts = np.full(3, shift)
    steps = DoublingMultiply(multiplier=multiplier, shift=shifts, low=-128, high=127)
    limit = 2 ** (31 - max(shift, 0))
    wide = rng.integers(-limit, limit, (3, 100))
    real = multiplier[:, np.newaxis].astype(float) * 2.0 ** (shift - 31)
    near = np.rint(rng.integers(-300, 300, (3, 100)) / 2 / np.maximum(real, 1e-9))
    sums = np.concatenate([wide, np.clip(near, -limit, limit - 1).astype(np.int64)], axis=1)
    expected = [
        [clamp(multiply_by_quantized_multiplier(s, int(m), shift), -128, 127) for s in row]
        for row, m in zip(sums.tolist(), multiplier, strict=True)
    ]
    assert steps.apply(maps(sums))[0, :, 0].tolist() == expected
    assert steps.rising.all()
    assert steps.monotone


def test_numbers_that_the_operators_do_not_take_are_refused():
    with pytest.raises(SpinplaneError, match="scales of float64: must be finite numbers of float32"):
        FloatScale(scale=np.ones(1), low=0, high=1)
    with pytest.raises(SpinplaneError, match="scales of float32: must be finite numbers of float32"):
        FloatScale(scale=np.array([np.inf], dtype=np.float32), low=0, high=1)
    one = np.array([1], dtype=np.int32)
    with pytest.raises(SpinplaneError, match="multipliers from -1: must be from 0"):
        DoublingMultiply(multiplier=-one, shift=one, low=0, high=1)
    with pytest.raises(SpinplaneError, match="shifts from 31 to 31: must be from −31 to 30"):
        DoublingMultiply(multiplier=one, shift=31 * one, low=0, high=1)
    steps = DoublingMultiply(multiplier=one, shift=np.array([20]), low=0, high=1)
    with pytest.raises(
        SpinplaneError, match="values from 4096 to 4096, shifted left by up to 20, do not fit"
    ):
        steps.apply(np.full((1, 1, 1, 1), 4096))
