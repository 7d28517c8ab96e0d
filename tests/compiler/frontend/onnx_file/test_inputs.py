"""Inputs: batches of any size, types, and tensors without an axis of images."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from spinplane.compiler.frontend.onnx_file.model import read_model
from spinplane.machine import SpinplaneError


def save(path, nodes, shape, constants=None, kind=TensorProto.FLOAT, version=13, inputs=()):
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", kind, shape), *inputs],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=10)
    onnx.save(model, path)
    return path


RELU = [helper.make_node("Relu", ["x"], ["y"])]
VIEW = [helper.make_node("Reshape", ["x", "to"], ["y"])]


@pytest.mark.parametrize(("batch", "images"), [("N", 1), (0, 1), (-1, 1), (1, 1), (4, 4)])
def test_a_batch_of_any_size_has_one_image(batch, images, tmp_path):
    path = save(tmp_path / "made.onnx", RELU, [batch, 3, 8, 8])
    if isinstance(batch, int) and batch < 1:
        model = onnx.load(path)
        model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
        onnx.save(model, path)
    model = read_model(path)
    assert model.batch == images
    assert model.inputs == {"x": (1, 3, 8, 8)}
    assert model.shape("y", "") == (1, 3, 8, 8)


@pytest.mark.parametrize(("to", "shape"), [([4, -1], (1, 12)), ([-1, 12], (1, 12)), ([0, 2, 6], (1, 2, 6))])
def test_views_of_a_fixed_batch_are_those_of_one_image(to, shape, tmp_path):
    model = read_model(save(tmp_path / "made.onnx", VIEW, [4, 3, 4], {"to": np.array(to)}))
    assert (model.batch, model.shape("y", "")) == (4, shape)


def test_a_tensor_whose_images_are_mixed_has_none(tmp_path):
    model = read_model(save(tmp_path / "made.onnx", VIEW, [4, 3, 4], {"to": np.array([6, 8])}))
    assert model.batch is None
    assert model.inputs == {"x": (4, 3, 4)}
    assert model.shape("y", "") == (6, 8)


def test_inputs_of_two_batches_are_refused(tmp_path):
    other = helper.make_tensor_value_info("z", TensorProto.FLOAT, [3, 5])
    path = save(tmp_path / "made.onnx", RELU, [2, 5], inputs=[other])
    with pytest.raises(SpinplaneError, match=r"^inputs of 2 and 3 images$"):
        read_model(path)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("FLOAT", "float32"), ("INT8", "int8"), ("UINT8", "uint8"), ("INT4", "int4"), ("BFLOAT16", "bfloat16")],
)
def test_types_are_named_as_numpys(kind, name, tmp_path):
    nodes = [helper.make_node("Identity", ["x"], ["i"]), helper.make_node("Flatten", ["i"], ["y"])]
    model = read_model(
        save(tmp_path / "made.onnx", nodes, [1, 4], kind=getattr(TensorProto, kind), version=21)
    )
    assert model.type("x") == model.type("y") == name


@pytest.mark.parametrize(
    ("node", "name"),
    [
        (helper.make_node("QuantizeLinear", ["x", "s"], ["y"]), "uint8"),
        (helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"]), "int8"),
        (helper.make_node("QuantizeLinear", ["x", "s"], ["y"], output_dtype=TensorProto.UINT4), "uint4"),
        (helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT16), "float16"),
        (helper.make_node("ArgMax", ["x"], ["y"]), "int64"),
        (helper.make_node("Shape", ["x"], ["y"]), "int64"),
    ],
)
def test_operators_give_the_types_of_their_definition(node, name, tmp_path):
    constants = {"s": np.float32(1), "z": np.int8(3)}
    model = read_model(save(tmp_path / "made.onnx", [node], [1, 4], constants, version=21))
    assert model.type("y") == name


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (("Add", ["x", "z"]), "its input 'z' is of type int8, expected float32"),
        (("MatMulInteger", ["x", "z"]), "its input 'x' is of type float32, expected int8, uint8"),
        (("QLinearMatMul", ["z", "s", "z", "z", "s", "z", "s", "u"]), None),
        (
            ("QLinearMatMul", ["z", "s", "u", "z", "s", "z", "s", "z"]),
            "its input 'u' is of type uint8, expected int8",
        ),
    ],
)
def test_types_that_do_not_fit_are_refused(node, message, tmp_path):
    kind, inputs = node
    constants = {"s": np.float32(1), "z": np.zeros((4, 4), np.int8), "u": np.zeros((4, 4), np.uint8)}
    nodes = [helper.make_node(kind, inputs, ["y"], name="node")]
    path = save(tmp_path / "made.onnx", nodes, [1, 4], constants)
    if message is None:
        assert read_model(path).type("y") == "uint8"
        return
    with pytest.raises(SpinplaneError) as error:
        read_model(path)
    assert str(error.value) == f"node: {message}"


def test_nodes_that_no_output_needs_are_left_out(tmp_path):
    nodes = [*RELU, helper.make_node("LRN", ["y"], ["unused"], size=3)]
    assert [node.op_type for node in read_model(save(tmp_path / "made.onnx", nodes, [1, 3, 4])).nodes] == [
        "Relu"
    ]
