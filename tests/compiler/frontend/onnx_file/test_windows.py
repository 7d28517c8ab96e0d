"""Padding that a file lets follow is onnxruntime's."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.frontend.onnx_file.windows import Window


def convolved(image: np.ndarray, kernel: np.ndarray, attributes: dict) -> np.ndarray:
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], **attributes)],
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, image.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(kernel, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": image})
    return found


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("seed", range(12))
def test_padding_that_follows_is_onnxruntimes(seed: int, auto_pad: str) -> None:
    """Of weights with zeros between them, where windows are dilated: onnxruntime does not take both."""
    rng = np.random.default_rng(seed)
    size, dilation, stride = rng.integers(2, 5, 2), rng.integers(1, 4, 2), rng.integers(1, 4, 2)
    reach = dilation * (size - 1) + 1
    sides = reach + rng.integers(0, 6, 2)
    image = rng.integers(1, 9, (1, 1, *sides)).astype(np.float32)
    dense = np.zeros((1, 1, *reach), dtype=np.float32)
    kernel = dense[:, :, :: dilation[0], :: dilation[1]]
    kernel[...] = rng.integers(1, 9, kernel.shape)
    window = Window(
        kernel=tuple(size.tolist()),
        stride=tuple(stride.tolist()),
        dilation=tuple(dilation.tolist()),
        before=(0, 0),
        after=(0, 0),
        auto_pad=auto_pad,
        ceil=False,
    )
    expected = convolved(image, dense, {"strides": window.stride, "auto_pad": auto_pad})
    padding = {"pads": window.padding(sides.tolist()), "dilations": window.dilation}
    found = convolved(image, np.ascontiguousarray(kernel), {"strides": window.stride, **padding})
    assert window.output(sides.tolist(), "node") == found.shape[2:]
    np.testing.assert_array_equal(found, expected)
