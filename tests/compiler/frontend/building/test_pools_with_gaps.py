"""Pools of windows with gaps in ONNX files, against onnxruntime and on the functional machine."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from checked_models import check_model
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.frontend.import_model import import_model
from spinplane.machine import SpinplaneError


def model(operator: str, *, slope: tuple[float, float] = (1.0, 1.0), **window: object) -> onnx.ModelProto:
    """A pool of dequantized codes of 2×9×8, times a number a channel, and a quantizer."""
    constants = {
        "scale": np.float32(0.05),
        "zero": np.int8(-7),
        "made": np.float32(0.0371),
        "slope": np.array(slope, np.float32).reshape(2, 1, 1),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["codes"]),
        helper.make_node("DequantizeLinear", ["codes", "scale", "zero"], ["numbers"]),
        helper.make_node("Mul", ["numbers", "slope"], ["scaled"]),
        helper.make_node(operator, ["scaled"], ["pooled"], **window),
        helper.make_node("QuantizeLinear", ["pooled", "made", "zero"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "pool",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 2, 9, 8))],
        [helper.make_tensor_value_info("y", TensorProto.INT8, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)


@pytest.mark.parametrize(
    "made",
    [
        model("MaxPool", kernel_shape=(2, 3), dilations=(3, 2)),
        model("MaxPool", kernel_shape=(3, 2), dilations=(2, 2), strides=(2, 1), pads=(1, 0, 2, 1)),
        model(
            "MaxPool", kernel_shape=(3, 3), dilations=(2, 1), strides=(3, 2), pads=(1, 1, 1, 1), ceil_mode=1
        ),
        model("MaxPool", kernel_shape=(2, 2), dilations=(2, 2), pads=(1, 1, 1, 1), slope=(0.5, -1.0)),
        model("MaxPool", kernel_shape=(1, 2), dilations=(5, 1), strides=(1, 3), pads=(0, 1, 0, 0)),
        model("AveragePool", kernel_shape=(2, 3), dilations=(3, 2)),
        model("AveragePool", kernel_shape=(3, 2), dilations=(2, 2), strides=(2, 1), pads=(1, 1, 1, 1)),
        model("AveragePool", kernel_shape=(2, 2), dilations=(2, 3), pads=(1, 1, 1, 1), count_include_pad=1),
    ],
)
def test_pools_with_gaps_are_onnxruntimes(made: onnx.ModelProto, tmp_path: Path) -> None:
    images = np.random.default_rng(3).normal(0, 2, (3, 2, 9, 8)).astype(np.float32)
    check_model(made, images, tmp_path)


def test_a_window_of_nothing_but_padding_is_refused(tmp_path: Path) -> None:
    made = model("MaxPool", kernel_shape=(2, 2), dilations=(10, 1), pads=(1, 0, 1, 0))
    onnx.save(made, tmp_path / "pool.onnx")
    with pytest.raises(SpinplaneError, match="a window with gaps takes nothing but padding"):
        import_model(tmp_path / "pool.onnx")
