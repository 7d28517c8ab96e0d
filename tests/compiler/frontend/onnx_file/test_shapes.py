"""Shapes are those that onnx infers; operands that do not fit are named."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper, shape_inference

from spinplane.compiler.frontend.onnx_file.model import read_model
from spinplane.machine import SpinplaneError


def one_operator(path, op, shape, constants=(), **attributes):
    """A model of one operator on an input x and on constants."""
    names = [f"c{number}" for number, _ in enumerate(constants)]
    node = helper.make_node(op, ["x", *names], ["y"], name="node", **attributes)
    graph = helper.make_graph(
        [node],
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(
                "y", TensorProto.INT64 if op == "ArgMax" else TensorProto.FLOAT, None
            )
        ],
        [
            numpy_helper.from_array(np.asarray(value), name)
            for name, value in zip(names, constants, strict=True)
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)
    return model


def ones(*shape):
    return np.ones(shape, np.float32)


CONV = ones(6, 2, 3, 2)
WHOLE = {"dtype": np.int64}
CASES = [
    ("Conv", (1, 2, 9, 8), [CONV], {}),
    ("Conv", (1, 2, 9, 8), [CONV], {"strides": [2, 3], "pads": [1, 0, 2, 1], "dilations": [2, 1]}),
    ("Conv", (1, 4, 9, 8), [CONV], {"group": 2, "kernel_shape": [3, 2]}),
    ("Conv", (1, 2, 9, 8), [CONV], {"auto_pad": "SAME_UPPER", "strides": [2, 3]}),
    ("Conv", (1, 2, 9, 8), [CONV], {"auto_pad": "SAME_LOWER"}),
    ("Conv", (1, 2, 9, 8), [CONV], {"auto_pad": "VALID", "strides": [2, 2]}),
    ("Conv", (1, 2, 9), [ones(3, 2, 4)], {"pads": [1, 2]}),
    ("Conv", (1, 2, 5, 6, 7), [ones(3, 2, 1, 2, 3)], {}),
    ("MaxPool", (1, 3, 9, 8), [], {"kernel_shape": [3, 2]}),
    ("MaxPool", (1, 3, 9, 8), [], {"kernel_shape": [2, 2], "strides": [2, 3], "ceil_mode": 1}),
    ("MaxPool", (1, 3, 10, 8), [], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4, "dilations": [2, 1]}),
    ("AveragePool", (1, 3, 9, 8), [], {"kernel_shape": [3, 2], "pads": [0, 1, 0, 0], "strides": [2, 2]}),
    ("AveragePool", (1, 3, 9, 8), [], {"kernel_shape": [3, 2], "auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    ("GlobalAveragePool", (1, 3, 9, 8), [], {}),
    ("GlobalMaxPool", (1, 3, 9), [], {}),
    ("MatMul", (1, 7), [ones(7, 5)], {}),
    ("MatMul", (1, 2, 3, 7), [ones(7, 5)], {}),
    ("Gemm", (1, 7), [ones(7, 5), ones(5)], {}),
    ("Gemm", (1, 7), [ones(5, 7)], {"transB": 1}),
    ("Gemm", (1, 1), [ones(5, 1)], {"transA": 1, "transB": 1}),
    ("BatchNormalization", (1, 3, 2, 2), [ones(3)] * 4, {}),
    ("Add", (1, 3, 2, 2), [ones(3, 1, 1)], {}),
    ("Mul", (1, 3, 1, 2), [ones(2, 1, 4, 1)], {}),
    ("Clip", (1, 3), [np.float32(0), np.float32(1)], {}),
    ("Flatten", (1, 3, 2, 2), [], {}),
    ("Flatten", (1, 3, 2, 2), [], {"axis": -3}),
    ("Flatten", (1, 3), [], {"axis": 0}),
    ("Reshape", (1, 3, 4), [np.array([0, -1], **WHOLE)], {}),
    ("Reshape", (1, 3, 4), [np.array([1, 2, 6], **WHOLE)], {}),
    ("Squeeze", (1, 3, 1, 1), [], {}),
    ("Squeeze", (1, 3, 1, 1), [np.array([-1, 0], **WHOLE)], {}),
    ("Unsqueeze", (1, 2), [np.array([0, -1], **WHOLE)], {}),
    ("Transpose", (1, 2, 3, 4), [], {}),
    ("Transpose", (1, 2, 3, 4), [], {"perm": [0, 2, 3, 1]}),
    ("Concat", (1, 2, 3), [ones(1, 5, 3)], {"axis": -2}),
    ("MatMul", (1, 2, 3, 7), [ones(1, 1, 7, 5)], {}),
    ("MatMul", (1, 3, 7), [ones(7)], {}),
    ("Pad", (1, 3, 4), [np.array([0, 1, 2, 0, 3, -1], **WHOLE)], {}),
    ("Sum", (1, 3, 4), [ones(3, 1), ones(4)], {}),
    ("ReduceMean", (1, 3, 4, 5), [], {"axes": [2, -1]}),
    ("ReduceMean", (1, 3, 4, 5), [], {"axes": [2, 3], "keepdims": 0}),
    ("ReduceMax", (1, 3, 4), [], {}),
    ("ReduceSum", (1, 3, 4), [np.array([1], **WHOLE)], {"keepdims": 0}),
    ("ArgMax", (1, 3, 4), [], {"axis": -1}),
    ("ArgMax", (1, 3, 4), [], {"axis": 1, "keepdims": 0}),
    ("Tile", (1, 3, 4), [np.array([1, 2, 3], **WHOLE)], {}),
]  # fmt: skip


@pytest.mark.parametrize(("op", "shape", "constants", "attributes"), CASES)
def test_shapes_are_those_that_onnx_infers(op, shape, constants, attributes, tmp_path):
    model = one_operator(tmp_path / "made.onnx", op, shape, constants, **attributes)
    inferred = shape_inference.infer_shapes(model, strict_mode=True).graph.output[0].type.tensor_type.shape
    expected = tuple(side.dim_value for side in inferred.dim)
    assert read_model(tmp_path / "made.onnx").shape("y", "") == expected


def first_of(path, count):
    """A model of the first numbers along the last axis of 4."""
    model = one_operator(path, "TopK", (1, 3, 4), [np.array(count, **WHOLE)])
    model.graph.node[0].output.append("places")
    onnx.save(model, path)
    return read_model(path)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_the_first_of_an_axis(count, tmp_path):
    model = first_of(tmp_path / "made.onnx", [count])
    assert model.shape("y", "") == model.shape("places", "") == (1, 3, count)


@pytest.mark.parametrize("count", [[-1], [5], [1, 1], []])
def test_more_than_an_axis_has_is_refused(count, tmp_path):
    with pytest.raises(SpinplaneError, match=r"^node: the first \[.*\] of a tensor of shape \(1, 3, 4\)$"):
        first_of(tmp_path / "made.onnx", count)


@pytest.mark.parametrize("seed", range(200))
def test_windows_are_those_that_onnxruntime_takes(seed, tmp_path):
    """Of windows that fit: where one is larger than the image with its padding, onnxruntime's quotient is cut to 0."""
    rng = np.random.default_rng(seed)
    kernel, stride, dilation = (rng.integers(1, most, 2) for most in (5, 4, 3))
    pads, ceil = rng.integers(0, 3, 4).clip(max=np.tile(kernel, 2) - 1), int(rng.integers(2))
    sides = rng.integers(1, 9, 2)
    lists = zip(
        ("kernel_shape", "strides", "dilations", "pads"), (kernel, stride, dilation, pads), strict=True
    )
    attributes = {name: values.tolist() for name, values in lists}
    path, shape = tmp_path / "made.onnx", (1, 2, *sides.tolist())
    one_operator(path, "MaxPool", shape, ceil_mode=ceil, **attributes)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    fits = bool(ceil or (sides + pads[:2] + pads[2:] > dilation * (kernel - 1)).all())
    try:
        (found,) = session.run(None, {"x": np.ones(shape, np.float32)})
    except onnxruntime.capi.onnxruntime_pybind11_state.RuntimeException:
        fits = False
    if fits and found.size:
        assert read_model(path).shape("y", "") == found.shape
    else:
        with pytest.raises(SpinplaneError, match=r"^node: a window of .* does not fit an input of"):
            read_model(path)


@pytest.mark.parametrize(
    ("op", "shape", "constants", "attributes", "message"),
    [
        ("Conv", (1, 2, 9, 8), [ones(6, 2, 3)], {}, "weights of shape (6, 2, 3), an input of 4 axes"),
        ("Conv", (1, 2, 9, 8), [ones(0, 2, 3, 3)], {}, "weights of shape (0, 2, 3, 3): expected 1 to 32768 kernels"),
        ("Conv", (1, 3, 9, 8), [CONV], {}, "weights of 2 channels in 1 groups, an input of 3 channels"),
        ("Conv", (1, 8, 9, 8), [CONV], {"group": 4}, "weights of 2 channels in 4 groups, an input of 8 channels"),
        ("Conv", (1, 2, 9, 8), [CONV], {"group": 0}, "attribute 'group' is 0, expected from 1 to 32768"),
        ("Conv", (1, 2, 9, 8), [CONV], {"strides": [1, 0]}, "attribute 'strides' is 0, expected from 1 to 65536"),
        ("Conv", (1, 2, 9, 8), [CONV], {"dilations": [-1, 1]}, "attribute 'dilations' is -1, expected from 1 to 65536"),
        ("Conv", (1, 2, 9, 8), [CONV], {"pads": [0, 0, 0, -1]}, "attribute 'pads' is -1, expected from 0 to 65536"),
        ("Conv", (1, 2, 9, 8), [CONV], {"pads": [1, 1]}, "attribute 'pads' has 2 numbers, expected 4"),
        ("Conv", (1, 2, 9, 8), [CONV], {"strides": [1]}, "attribute 'strides' has 1 numbers, expected 2"),
        ("Conv", (1, 2, 9, 8), [CONV], {"kernel_shape": [3, 3]}, "attribute 'kernel_shape' is [3, 3], its weights "
            "have [3, 2]"),
        ("Conv", (1, 2, 9, 8), [CONV], {"auto_pad": "SAME"}, "attribute 'auto_pad' is none of NOTSET, "
            "VALID, SAME_UPPER, SAME_LOWER"),
        ("Conv", (1, 2, 2, 8), [CONV], {}, "a window of 3×2 does not fit an input of 2×8"),
        ("MaxPool", (1, 2), [], {"kernel_shape": [1, 1]}, "an input of 2 axes, expected 3 or more"),
        ("MatMul", (1, 7), [ones(6, 5)], {}, "a matrix of 6 inputs times a tensor of shape (1, 7)"),
        ("MatMul", (1, 7), [ones(7, 0)], {}, "a matrix of shape (7, 0): expected 1 to 32768 kernels"),
        ("Add", (1, 3, 2, 2), [ones(4, 1, 1)], {}, "shapes (1, 3, 2, 2) and (4, 1, 1) do not fit"),
        ("Mul", (1 << 20, 1), [ones(1, 1 << 12)], {}, "its output has 2 axes and 4.29e+09 "
            "elements, more than 8 or 2147483648"),
        ("Reshape", (2, 3), [np.array([4, -1], **WHOLE)], {}, "a tensor of shape (2, 3) cannot become [4, -1]"),
        ("Reshape", (2, 3), [np.array([-1, -1], **WHOLE)], {}, "a tensor of shape (2, 3) cannot become [-1, -1]"),
        ("Reshape", (2, 3), [ones(2)], {}, "its input 'c0' is of type float32, expected int64"),
        ("Squeeze", (2, 1), [np.array([0], **WHOLE)], {}, "a tensor of shape (2, 1) has not side 1 at axes [0]"),
        ("Squeeze", (2, 1), [np.array([1, -1], **WHOLE)], {}, "axes [1, -1] of a tensor of 2 axes"),
        ("Unsqueeze", (2, 1), [np.array([5], **WHOLE)], {}, "axes [5] of a tensor of 3 axes"),
        ("Transpose", (2, 1), [], {"perm": [0, 0]}, "attribute 'perm' is [0, 0], expected an order of 2 axes"),
        ("Flatten", (2, 1), [], {"axis": 3}, "attribute 'axis' is 3, expected from -2 to 2"),
        ("Concat", (1, 2, 3), [ones(1, 5, 4)], {"axis": 1}, "shapes (1, 2, 3) and (1, 5, 4) differ "
            "elsewhere than at axis 1"),
    ],
)  # fmt: skip
def test_operands_that_do_not_fit_are_refused(op, shape, constants, attributes, message, tmp_path):
    one_operator(tmp_path / "made.onnx", op, shape, constants, **attributes)
    with pytest.raises(SpinplaneError) as error:
        read_model(tmp_path / "made.onnx")
    assert str(error.value) == f"node: {message}"


def test_what_other_operators_give_is_not_known(tmp_path):
    one_operator(tmp_path / "made.onnx", "LRN", (1, 2, 3, 4), size=3)
    with pytest.raises(SpinplaneError, match=r"^node: the shape of 'y' is not known$"):
        read_model(tmp_path / "made.onnx").shape("y", "node")
