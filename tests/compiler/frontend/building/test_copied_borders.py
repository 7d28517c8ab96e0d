"""Padding by copies of lines and columns in ONNX files, against onnxruntime and on the functional machine."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from checked_models import check_model
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.frontend.import_model import import_model
from spinplane.machine import SpinplaneError


def model(mode: str, *pads: int) -> onnx.ModelProto:
    """A Pad of dequantized codes of 2×3×4, and a convolution."""
    constants = {
        "scale": np.float32(0.05),
        "zero": np.int8(-7),
        "made": np.float32(0.0371),
        "pads": np.array([0, 0, *pads[:2], 0, 0, *pads[2:]]),
        "codes_of_w": np.random.default_rng(1).integers(-9, 9, (2, 2, 2, 3)).astype(np.int8),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["codes"]),
        helper.make_node("DequantizeLinear", ["codes", "scale", "zero"], ["numbers"]),
        helper.make_node("Pad", ["numbers", "pads"], ["padded"], mode=mode),
        helper.make_node("DequantizeLinear", ["codes_of_w", "scale"], ["w"]),
        helper.make_node("Conv", ["padded", "w"], ["sums"]),
        helper.make_node("QuantizeLinear", ["sums", "made", "zero"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "pad",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 2, 3, 4))],
        [helper.make_tensor_value_info("y", TensorProto.INT8, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)


@pytest.mark.parametrize("mode", ["edge", "reflect", "wrap"])
@pytest.mark.parametrize("pads", [(1, 1, 1, 1), (2, 0, 0, 3), (0, 2, 0, 0)])
def test_copies_are_onnxruntimes(mode: str, pads: tuple[int, ...], tmp_path: Path) -> None:
    images = np.random.default_rng(3).normal(0, 2, (3, 2, 3, 4)).astype(np.float32)
    check_model(model(mode, *pads), images, tmp_path)


def test_more_copies_than_lines_are_refused(tmp_path: Path) -> None:
    onnx.save(model("reflect", 3, 0, 0, 0), tmp_path / "model.onnx")
    with pytest.raises(SpinplaneError, match="3 copies of a side of 3 in mode reflect"):
        import_model(tmp_path / "model.onnx")
