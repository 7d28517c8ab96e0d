"""Functions of single codes equal TFLite's reference kernels, over all codes and for scales of all sizes."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import OpResolverType
from tflite_models import TfliteFile, run_judge

from spinplane.compiler.frontend.tflite_operators import tables
from spinplane.compiler.frontend.tflite_operators.fixed_point import multiply, quantize_multiplier, round_away

CODES = np.arange(-128, 128, dtype=np.int64)
FUNCTIONS = {
    "QUANTIZE": tables.rescaled,
    "RELU": tables.rectified,
    "LEAKY_RELU": lambda x, scale, made: tables.leaky(x, scale, made, np.float32(-0.3)),
    "LOGISTIC": lambda x, scale, made: tables.looked_up(x, scale, made, tables.logistic),
    "TANH": lambda x, scale, made: tables.looked_up(x, scale, made, tables.tanh),
    "HARD_SWISH": tables.hard_swish,
}
OPTIONS = {"LEAKY_RELU": {"options": "LeakyReluOptions", "Alpha": -0.3}}
FIXED = {"LOGISTIC": (np.float32(1 / 256), -128), "TANH": (np.float32(1 / 128), 0)}


def scales_and_zero_points(rng: np.random.Generator, code: str):
    scale, made = (np.float32(2.0 ** rng.uniform(-9, -2)) for _ in range(2))
    zero_point, made_zero = (int(z) for z in rng.integers(-128, 128, 2))
    made, made_zero = FIXED.get(code, (made, made_zero))
    return scale, zero_point, made, made_zero


@pytest.mark.parametrize("code", FUNCTIONS)
def test_a_function_is_that_of_the_kernel(code: str) -> None:
    rng = np.random.default_rng(3)
    version = 1 if code == "HARD_SWISH" else 2
    for _ in range(50):
        scale, zero_point, made, made_zero = scales_and_zero_points(rng, code)
        file = TfliteFile()
        x = file.tensor("x", (1, 256), scale=scale, zero_point=zero_point)
        y = file.tensor("y", (1, 256), scale=made, zero_point=made_zero)
        file.operator(code, [x], y, version=version, **OPTIONS.get(code, {}))
        file.inputs, file.outputs = [x], [y]
        (expected,) = run_judge(file.to_bytes(), CODES.reshape(1, 256).astype(np.int8))
        least = made_zero if code == "RELU" else -128
        found = np.clip(FUNCTIONS[code](CODES - zero_point, scale, made) + made_zero, least, 127)
        assert (found == expected[0]).all()


def test_prelu_is_that_of_the_kernel() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        scale, zero_point, made, made_zero = scales_and_zero_points(rng, "PRELU")
        slopes, slope_scale, slope_zero = (
            rng.integers(-128, 128, 3),
            np.float32(2.0 ** rng.uniform(-9, -5)),
            7,
        )
        file = TfliteFile()
        x = file.tensor("x", (1, 256, 1, 3), scale=scale, zero_point=zero_point)
        slope = file.constant(
            "slope", slopes.reshape(1, 1, 3), "int8", scale=slope_scale, zero_point=slope_zero
        )
        y = file.tensor("y", (1, 256, 1, 3), scale=made, zero_point=made_zero)
        file.operator("PRELU", [x, slope], y)
        file.inputs, file.outputs = [x], [y]
        codes = np.repeat(CODES, 3).reshape(1, 256, 1, 3)
        (expected,) = run_judge(file.to_bytes(), codes.astype(np.int8))
        numbers = slopes.reshape(-1, 1) - slope_zero
        found = tables.leaky_by_channel(CODES - zero_point, scale, made, numbers, slope_scale) + made_zero
        assert (expected[0, :, 0] == np.clip(found, -128, 127).T).all()


def test_an_addition_is_that_of_the_kernel_for_all_pairs_of_codes() -> None:
    rng = np.random.default_rng(5)
    first, second = (codes.ravel() for codes in np.meshgrid(CODES, CODES))
    for _ in range(5):
        scale, zero_point, other, other_zero = scales_and_zero_points(rng, "ADD")
        made, made_zero = np.float32((scale + other) * rng.uniform(0.2, 1)), 5
        file = TfliteFile()
        a = file.tensor("a", (1, 65536), scale=scale, zero_point=zero_point)
        b = file.tensor("b", (1, 65536), scale=other, zero_point=other_zero)
        y = file.tensor("y", (1, 65536), scale=made, zero_point=made_zero)
        file.operator("ADD", [a, b], y, "AddOptions", version=2)
        file.inputs, file.outputs = [a, b], [y]
        (expected,) = run_judge(file.to_bytes(), *(x.reshape(1, -1).astype(np.int8) for x in (first, second)))
        found = tables.added(first - zero_point, second - other_zero, (scale, other, made)) + made_zero
        assert (np.clip(found, -128, 127) == expected[0]).all()


def dense(dtype: str, scales: tuple[float, float, float], bias: np.ndarray, code: str) -> bytes:
    """A layer whose sums are its bias, dense or a convolution."""
    zero_point = 128 if dtype == "uint8" else 0
    side, kernels = (1,) if code == "FULLY_CONNECTED" else (1, 1, 1), len(bias)
    file = TfliteFile()
    x = file.tensor("x", (1, *side), dtype, scale=scales[0], zero_point=zero_point)
    shape = {
        "FULLY_CONNECTED": (kernels, 1),
        "CONV_2D": (kernels, 1, 1, 1),
        "DEPTHWISE_CONV_2D": (1, 1, 1, kernels),
    }
    weights = file.constant(
        "w", np.full(shape[code], zero_point), dtype, scale=scales[1], zero_point=zero_point
    )
    stored = file.constant("b", bias, "int32", scale=np.float32(scales[0]) * np.float32(scales[1]))
    y = file.tensor("y", (1, *side[:-1], kernels), dtype, scale=scales[2], zero_point=zero_point)
    options = {"FULLY_CONNECTED": "FullyConnectedOptions", "CONV_2D": "Conv2DOptions"}
    fields = {} if code == "FULLY_CONNECTED" else {"StrideW": 1, "StrideH": 1}
    if code == "DEPTHWISE_CONV_2D":
        fields["DepthMultiplier"] = kernels
    file.operator(
        code, [x, weights, stored], y, options.get(code, "DepthwiseConv2DOptions"), version=4, **fields
    )
    file.inputs, file.outputs = [x], [y]
    return file.to_bytes()


def sums_near_steps(real: float, *, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    steps = ((rng.integers(-120, 120, 256) + 0.5) / real).astype(np.int64)
    return steps + rng.integers(-60, 60, 256)


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("code", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_the_scale_of_sums_is_that_of_the_kernel(code: str, dtype: str) -> None:
    """Sums so large that a scale in float32 and one in float64, and one rounding and two, give different codes."""
    rng, zero_point = np.random.default_rng(6), 128 if dtype == "uint8" else 0
    differ = 0
    for seed in range(10):
        given, weight = (np.float32(2.0 ** rng.uniform(-12, -9)) for _ in range(2))
        made = np.float32(given * weight * np.float32(2.0 ** rng.uniform(20, 23)))
        real = float(given) * float(weight) / float(made)
        in_float32 = float(given * weight) / float(made)
        sums = sums_near_steps(real, seed=seed)
        (expected,) = run_judge(
            dense(dtype, (given, weight, made), sums, code),
            np.full((1, 1) if code == "FULLY_CONNECTED" else (1, 1, 1, 1), zero_point).astype(dtype),
        )
        once = np.array([round_away(float(one) * real) for one in sums])
        twice, float32 = multiply(sums, real), multiply(sums, in_float32)
        own = {"FULLY_CONNECTED": once}.get(code, float32 if dtype == "uint8" else twice)
        assert (np.clip(own, -128, 127) == expected.ravel().astype(int) - zero_point).all()
        differ += int((once != twice).sum()) if code == "FULLY_CONNECTED" else int((float32 != twice).sum())
    assert differ


def test_a_dense_layer_rounds_away_from_the_middle() -> None:
    halves = np.arange(-40, 41) * 128
    (found,) = run_judge(
        dense("int8", (2**-4, 2**-4, 1), halves, "FULLY_CONNECTED"), np.zeros((1, 1), np.int8)
    )
    assert found.ravel().tolist() == [round_away(half / 256) for half in halves]


def test_the_default_kernels_round_in_another_way() -> None:
    rng = np.random.default_rng(7)
    sums = rng.integers(-(2**20), 2**20, 4096)
    data = dense("int8", (0.02, 0.003, 0.47), sums, "CONV_2D")
    given = np.zeros((1, 1, 1, 1), np.int8)
    reference, default = (
        run_judge(data, given, resolver=resolver)[0]
        for resolver in (OpResolverType.BUILTIN_REF, OpResolverType.AUTO)
    )
    assert 0 < (reference != default).sum() < 40


def test_multipliers() -> None:
    assert quantize_multiplier(0.0) == (0, 0)
    assert quantize_multiplier(1.0) == (1 << 30, 1)
    assert quantize_multiplier(0.25) == (1 << 30, -1)
    assert quantize_multiplier(1 - 2.0**-40) == (1 << 30, 1)
    assert quantize_multiplier(2.0**-40) == (0, 0)
    assert quantize_multiplier(-0.75) == (-3 << 29, 0)
