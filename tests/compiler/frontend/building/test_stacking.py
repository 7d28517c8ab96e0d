"""Concatenation along lines and columns in ONNX files, against onnxruntime and on the functional machine."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from checked_models import check_model
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.frontend.import_model import import_model
from spinplane.machine import SpinplaneError

SCALES = {"one": np.float32(0.05), "other": np.float32(0.031), "made": np.float32(0.0427)}


def model(axis: int, *parts: tuple[int, str], quantized: bool) -> onnx.ModelProto:
    """Average pools of so many lines and columns, each with a quantizer, one after the other along an axis."""
    nodes, names = [], []

    def coded(tensor: str, scale: str, name: str) -> str:
        nodes.append(helper.make_node("QuantizeLinear", [tensor, scale, "zero"], [f"{name}_codes"]))
        nodes.append(helper.make_node("DequantizeLinear", [f"{name}_codes", scale, "zero"], [name]))
        return name

    coded("x", "one", "numbers")
    for number, (size, scale) in enumerate(parts):
        kernel = (size, 1) if axis == 2 else (1, size)
        nodes.append(
            helper.make_node(
                "AveragePool", ["numbers"], [f"pooled{number}"], kernel_shape=kernel, strides=kernel
            )
        )
        names.append(coded(f"pooled{number}", scale, f"part{number}"))
    nodes.append(helper.make_node("Concat", names, ["joined"], axis=axis))
    if quantized:
        nodes.append(helper.make_node("QuantizeLinear", ["joined", "made", "zero"], ["y"]))
    else:
        nodes.append(helper.make_node("DequantizeLinear", ["weights", "one"], ["w"]))
        nodes.append(helper.make_node("Conv", ["joined", "w"], ["sums"]))
        nodes.append(helper.make_node("QuantizeLinear", ["sums", "made", "zero"], ["y"]))
    weights = np.random.default_rng(1).integers(-9, 9, (2, 2, 3, 3)).astype(np.int8)
    constants = {**SCALES, "zero": np.int8(-7), "weights": weights}
    graph = helper.make_graph(
        nodes,
        "stack",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 2, 6, 6))],
        [helper.make_tensor_value_info("y", TensorProto.INT8, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)


@pytest.mark.parametrize(
    "made",
    [
        model(2, (1, "other"), (3, "one"), quantized=True),
        model(3, (3, "one"), (2, "other"), quantized=True),
        model(2, (3, "other"), (2, "other"), (6, "other"), quantized=True),
        model(3, (3, "other"), (1, "other"), quantized=False),
        model(-1, (1, "one"), (3, "one"), quantized=False),
    ],
)
def test_tensors_one_after_the_other_are_onnxruntimes(made: onnx.ModelProto, tmp_path: Path) -> None:
    check_model(made, np.random.default_rng(3).normal(0, 2, (3, 2, 6, 6)).astype(np.float32), tmp_path)


def test_flat_tensors_of_columns_and_of_channels_are_side_by_side(tmp_path: Path) -> None:
    """Features that lie along columns, and those of a matrix product."""
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["codes"]),
        helper.make_node("DequantizeLinear", ["codes", "one", "zero"], ["numbers"]),
        helper.make_node("Flatten", ["numbers"], ["flat"]),
        helper.make_node("DequantizeLinear", ["weights", "one"], ["w"]),
        helper.make_node("MatMul", ["flat", "w"], ["sums"]),
        helper.make_node("QuantizeLinear", ["sums", "made", "zero"], ["made_codes"]),
        helper.make_node("DequantizeLinear", ["made_codes", "made", "zero"], ["product"]),
        helper.make_node("Concat", ["flat", "product"], ["joined"], axis=1),
        helper.make_node("QuantizeLinear", ["joined", "made", "zero"], ["y"]),
    ]
    weights = np.random.default_rng(1).integers(-9, 9, (6, 6)).astype(np.int8)
    constants = {**SCALES, "zero": np.int8(-7), "weights": weights}
    graph = helper.make_graph(
        nodes,
        "flat",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 1, 1, 6))],
        [helper.make_tensor_value_info("y", TensorProto.INT8, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)
    check_model(made, np.random.default_rng(3).normal(0, 2, (3, 1, 1, 6)).astype(np.float32), tmp_path)


def test_three_scales_are_refused(tmp_path: Path) -> None:
    onnx.save(model(2, (3, "other"), (2, "one"), (6, "made"), quantized=True), tmp_path / "model.onnx")
    with pytest.raises(SpinplaneError, match="more than two tensors of different scales along axis 2"):
        import_model(tmp_path / "model.onnx")
