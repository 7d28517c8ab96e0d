"""What prepares an input in the file becomes its coding, and what is left to the host is told."""

import numpy as np
import onnx
import pytest
from checked_networks import check
from onnx import TensorProto, helper, numpy_helper
from onnx_models import QONNX, quant

from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.judges.import_check import check_import
from spinplane.machine import SpinplaneError, load_machine

node = helper.make_node
FLOAT, INT64, UINT8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8
RNG = np.random.default_rng(1)
CONSTANTS = {
    "zero": np.float32(0),
    "one": np.float32(1),
    "five": np.float32(5),
    "pixel": np.float32(255),
    "step": np.float32(1 / 64),
    **{f"bits{bits}": np.float32(bits) for bits in (3, 4, 8)},
    "mean": np.array([0.4, 0.5, 0.6], np.float32).reshape(3, 1, 1),
    "deviation": np.array([0.2, 0.25, 0.3], np.float32).reshape(3, 1, 1),
    "mean_last": np.array([4, 5, 6.5], np.float32),
    "gamma": np.array([0.5, 1, 2], np.float32),
    "beta": np.array([0.1, 0.2, 0.3], np.float32),
    "variance": np.array([1, 2, 3], np.float32),
    "w": RNG.integers(-3, 4, (4, 3, 3, 3)).astype(np.float32),
    "v": RNG.integers(-4, 4, (144, 10)).astype(np.float32),
    "k": np.array([3]),
    "twenty": np.float32(20),
    "of_both": RNG.integers(-3, 4, (2, 6, 2, 2)).astype(np.float32),
}
CAST = node("Cast", ["x"], ["xf"], to=FLOAT)
NORMALIZED = [
    CAST,
    node("Div", ["xf", "pixel"], ["xd"]),
    node("Sub", ["xd", "mean"], ["xm"]),
    node("Div", ["xm", "deviation"], ["xs"]),
    quant("xs", "xq", 8, scale="step"),
]
LAST = [
    CAST,
    node("Sub", ["xf", "mean_last"], ["xm"]),
    quant("xm", "xn", 8),
    node("Transpose", ["xn"], ["xq"], perm=[0, 3, 1, 2]),
]
GREATEST = [
    CAST,
    node("MaxPool", ["xf"], ["xp"], kernel_shape=[2, 2], strides=[1, 1], pads=[0, 0, 1, 1]),
    quant("xp", "xq", 4, signed=0, scale="five"),
]
BOUNDED = [
    node("BatchNormalization", ["x", "gamma", "beta", "gamma", "variance"], ["xb"]),
    node("Relu", ["xb"], ["xr"]),
    quant("xr", "xq", 4, signed=0, scale="step"),
]
LAYERS = [
    quant("w", "wq", 3),
    node("Conv", ["xq", "wq"], ["a"], pads=[1, 1, 1, 1]),
    node("Relu", ["a"], ["r"]),
    quant("r", "q", 4, scale="five", signed=0),
    node("Flatten", ["q"], ["f"]),
    quant("v", "vq", 4),
    node("MatMul", ["f", "vq"], ["l"]),
]
FIRST, CHANNELS_LAST, ANY = [1, 3, 6, 6], [1, 6, 6, 3], ["N", 3, 6, 6]


def saved(path, nodes, shape, kind, outputs):
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(name, of, None) for name, of in outputs.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in CONSTANTS.items()],
    )
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid(QONNX, 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    return path


@pytest.mark.parametrize(
    ("nodes", "shape", "kind", "operations"),
    [
        (NORMALIZED, FIRST, UINT8, ["divide", "subtract", "divide"]),
        (LAST, CHANNELS_LAST, UINT8, ["subtract"]),
        ([node("Cast", ["x"], ["xq"], to=FLOAT)], FIRST, UINT8, []),
        (GREATEST, FIRST, UINT8, []),
        (BOUNDED, ANY, FLOAT, ["multiply", "add", "maximum"]),
    ],
    ids=[
        "uint8, mean and deviation",
        "channels last",
        "uint8 as it is",
        "a maximum",
        "normalized and bounded",
    ],
)
def test_preparation_becomes_the_coding_of_the_input(nodes, shape, kind, operations, tmp_path):
    path = saved(tmp_path / "made.onnx", [*nodes, *LAYERS], shape, kind, {"l": FLOAT})
    network = import_model(path)
    assert [operation.kind for operation in network.graph.input_coding.operations] == operations
    assert network.graph.input_shape == (3, 6, 6)
    check = check_import(path, network)
    assert not check.missing
    assert network.told == ()


@pytest.mark.parametrize(
    ("node_left", "outputs"),
    [
        (node("TopK", ["l", "k"], ["values", "places"]), {"values": FLOAT, "places": INT64}),
        (node("Softmax", ["l"], ["p"]), {"l": FLOAT, "p": FLOAT}),
        (node("ArgMax", ["l"], ["p"], axis=1), {"p": INT64}),
        (node("Sigmoid", ["l"], ["p"]), {"p": FLOAT}),
    ],
)
def test_what_is_left_to_the_host_is_told(node_left, outputs, tmp_path):
    path = saved(tmp_path / "made.onnx", [*NORMALIZED, *LAYERS, node_left], FIRST, UINT8, outputs)
    network = import_model(path)
    (told,) = network.told
    assert f"{node_left.op_type} (output '{node_left.output[0]}') is left to the host" in told
    assert told.endswith(": the output is 'l'")
    assert [output.name for output in network.graph.outputs] == ["l"]
    assert not check_import(path, network).missing


def test_places_of_maxima_are_left_to_the_host(tmp_path):
    pool = node("MaxPool", ["q"], ["m", "places"], kernel_shape=[2, 2], strides=[2, 2], name="pool")
    nodes = [*NORMALIZED, *LAYERS[:4], pool]
    path = saved(tmp_path / "made.onnx", nodes, FIRST, UINT8, {"m": FLOAT, "places": INT64})
    network = import_model(path)
    assert network.told == ("Indices of MaxPool (pool) is left to the host: the output is 'q'",)
    assert [output.name for output in network.graph.outputs] == ["m", "q"]
    assert not check_import(path, network).missing
    taken = [node("Cast", ["places"], ["pf"], to=FLOAT), node("Relu", ["pf"], ["p"])]
    path = saved(tmp_path / "made.onnx", [*nodes, *taken], FIRST, UINT8, {"m": FLOAT, "p": FLOAT})
    with pytest.raises(
        SpinplaneError, match=r"it comes after Indices of MaxPool .*, which is left to the host"
    ):
        import_model(path)


@pytest.mark.parametrize("kind", [FLOAT, UINT8])
def test_an_input_in_two_codings(kind, tmp_path):
    nodes = [
        CAST if kind == UINT8 else node("Identity", ["x"], ["xf"]),
        *NORMALIZED[1:],
        quant("xf", "xr", 4, scale="five"),
        *LAYERS[:4],
        node("Conv", ["xr", "wq"], ["b"], pads=[1, 1, 1, 1]),
        node("Add", ["b", "q"], ["c"]),
        quant("c", "y", 4, scale="five"),
    ]
    path = saved(tmp_path / "made.onnx", nodes, FIRST, kind, {"y": FLOAT})
    network = import_model(path)
    graph = network.graph
    assert sorted(len(coding.operations) for coding in graph.input_coding.parts) == [0, 3]
    assert graph.input_shape == (3, 6, 6)
    assert graph.map_shape == (6, 6, 6)
    assert [layer.name for layer in graph.layers[:2]] == ["coding 2 of x", "coding 1 of x"]
    compared = check_import(path, network)
    assert not compared.missing
    assert {node.tensor for node in compared.nodes} == {"xq", "xr", "q", "y"}
    images = (
        np.random.default_rng(2).uniform(-5, 260, (2, 3, 6, 6)).astype(np.uint8 if kind == UINT8 else "f4")
    )
    check(graph, load_machine("paper8"), graph.encode_input(images))


def test_the_codes_of_a_tensor_and_a_quantizer_of_it(tmp_path):
    nodes = [
        CAST,
        quant("xf", "xr", 4, signed=0, scale="twenty"),
        node("Concat", ["xr", "xf"], ["both"], axis=1),
        node("Conv", ["both", "of_both"], ["b"]),
        quant("b", "y", 8, scale="five"),
    ]
    path = saved(tmp_path / "made.onnx", nodes, FIRST, UINT8, {"y": FLOAT})
    network = import_model(path)
    assert len(network.graph.input_coding.parts) == 2
    assert not check_import(path, network).missing
