"""Models from files: equal to what qonnx computes of them."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from onnx_models import BEGIN, CONV, execute, quant, run, save

from spinplane.compiler.onnx_import import load_model
from spinplane.compiler.oracle import run_graph
from spinplane.machine import SpinplaneError

NETWORKS = Path(str(files("spinplane"))) / "data" / "networks"
MODELS = Path(__file__).parents[2] / "shared" / "models"


@pytest.mark.parametrize("name", ["digits-1-1", "digits-1-2", "digits-1-4", "digits-2-2"])
def test_shipped_networks_are_exact(name):
    with np.load(NETWORKS / "mnist-test-200.npz") as shipped:
        images, labels = shipped["images"], shipped["labels"]
    path = NETWORKS / f"{name}.onnx"
    graph = load_model(path)
    outputs = graph.decode_output(run_graph(graph, graph.encode_input(images[:, np.newaxis]))[-1])
    assert (outputs[:3] == np.concatenate([execute(path, image) for image in images[:3]])).all()
    assert (outputs.argmax(axis=1) == labels).mean() > 0.97


@pytest.mark.skipif(not MODELS.is_dir(), reason="the networks are not beside the repository (shared/models)")
def test_a_bipolar_cnv_gives_the_published_logits():
    with np.load(MODELS / "svhn_cnv_w1a1.npz") as photos:
        outputs = run(MODELS / "svhn_cnv_w1a1.onnx", photos["input"])
        assert (outputs == photos["logits"]).all()


@pytest.mark.skipif(not MODELS.is_dir(), reason="the networks are not beside the repository (shared/models)")
def test_an_export_with_all_its_leftovers():
    images = np.random.default_rng(0).random((3, 28, 28))
    outputs = run(MODELS / "tfc_w2a2.onnx", images[:, np.newaxis])
    expected = np.concatenate([execute(MODELS / "tfc_w2a2.onnx", image) for image in images])
    assert np.abs(outputs - expected).max() < 1e-5
    assert (outputs.argmax(axis=1) == expected.argmax(axis=1)).all()


def branches():
    rng = np.random.default_rng(2)
    column = (4, 1, 1)
    factor = rng.normal(0, 0.1, column).astype(np.float32)
    yield (
        "a bias, a product and a sum",
        [
            helper.make_node("Conv", ["xq", "wq", "b"], ["s"], strides=[2, 1], dilations=[1, 2]),
            helper.make_node("Mul", ["s", "f"], ["m"]),
            helper.make_node("Sub", ["m", "o"], ["d"]),
            quant("d", "y", 3),
        ],
        {
            "b": rng.normal(0, 9, 4).astype(np.float32),
            "f": factor,
            "o": rng.normal(0, 1, column).astype(np.float32),
        },
    )
    yield (
        "a maximum of sums, then a negative factor",
        [
            CONV,
            helper.make_node("MaxPool", ["s"], ["p"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 0, 1]),
            helper.make_node("Mul", ["p", "f"], ["m"]),
            quant("m", "y", 2),
        ],
        {"f": -np.abs(factor)},
    )
    yield (
        "a maximum after the factor",
        [
            CONV,
            helper.make_node("Mul", ["s", "f"], ["m"]),
            helper.make_node("MaxPool", ["m"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Relu", ["p"], ["r"]),
            quant("r", "y", 2, signed=0),
        ],
        {"f": factor},
    )
    yield (
        "an average, flattened, a matrix",
        [
            CONV,
            helper.make_node("AveragePool", ["s"], ["a"], kernel_shape=[3, 3], strides=[3, 3]),
            quant("a", "q", 3),
            helper.make_node("Flatten", ["q"], ["f"]),
            quant("v", "vq", 4),
            helper.make_node("MatMul", ["f", "vq"], ["p"]),
            helper.make_node("Div", ["p", "d"], ["y"]),
        ],
        {"v": rng.integers(-8, 8, (16, 5)).astype(np.float32), "d": np.float32(4)},
    )
    yield (
        "groups",
        [
            quant("x", "xq", 4, signed=0),
            quant("v", "vq", 3),
            helper.make_node("Conv", ["xq", "vq"], ["y"], group=2),
        ],
        {"v": rng.integers(-4, 4, (4, 1, 3, 3)).astype(np.float32)},
    )


@pytest.mark.parametrize(
    ("nodes", "constants"), [(n, c) for _, n, c in branches()], ids=[i for i, _, _ in branches()]
)
def test_operators_are_what_qonnx_makes_of_them(nodes, constants, tmp_path):
    begin = [] if nodes[0].op_type == "Quant" else BEGIN
    path = save(tmp_path / "made.onnx", begin + nodes, constants)
    for seed in range(4):
        image = np.random.default_rng(seed).integers(0, 16, (2, 6, 6))
        assert (run(path, image) == execute(path, image)).all()


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([CONV, helper.make_node("Softplus", ["s"], ["y"])], "operator Softplus (Softplus_0) is not supported"),
        ([CONV, helper.make_node("Conv", ["s", "wq2"], ["y"]), quant("w2", "wq2", 2)], "its input is not quantized"),
        ([helper.make_node("Conv", ["xq", "w"], ["y"])], "its weights are not quantized"),
        (
            [CONV, helper.make_node("AveragePool", ["s"], ["y"], kernel_shape=[2, 2], pads=[1, 1, 1, 1])],
            "an average is supported right after the sums, without padding",
        ),
        ([CONV, helper.make_node("Relu", ["s"], ["y"])], "what follows the last sums is not affine"),
    ],
)  # fmt: skip
def test_what_no_integer_graph_says_is_refused(nodes, message, tmp_path):
    order = sorted(nodes, key=lambda node: node.op_type != "Quant")
    constants = {"w2": np.ones((2, 4, 1, 1), dtype=np.float32)} if len(nodes) == 3 else {}
    path = save(tmp_path / "made.onnx", BEGIN + order, constants)
    with pytest.raises(SpinplaneError) as error:
        load_model(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("kept", [0, 10, 5_000, 100_000])
def test_a_truncated_model_is_one_line(kept, tmp_path):
    path = tmp_path / "cut.onnx"
    path.write_bytes((NETWORKS / "digits-1-1.onnx").read_bytes()[:kept])
    with pytest.raises(SpinplaneError, match=r"cut\.onnx") as error:
        load_model(path)
    assert "\n" not in str(error.value)


def test_a_flat_input_becomes_an_image(tmp_path):
    constants = {"to": np.array([1, 2, 6, 6])}
    nodes = [helper.make_node("Reshape", ["x", "to"], ["r"]), quant("r", "xq", 4, signed=0), BEGIN[1]]
    conv = helper.make_node("Conv", ["xq", "wq"], ["y"])
    path = save(tmp_path / "made.onnx", [*nodes, conv], constants, shape=(1, 72))
    image = np.random.default_rng(0).integers(0, 16, 72)
    assert load_model(path).input_shape == (2, 6, 6)
    assert (run(path, image) == execute(path, image)).all()


@pytest.mark.parametrize(
    ("nodes", "constants", "message"),
    [
        (
            [
                helper.make_node("Conv", ["xq", "wq"], ["s"]),
                helper.make_node("Mul", ["s", "f"], ["m"]),
                quant("m", "y", 4),
            ],
            {"f": np.arange(1, 5, dtype=np.float32)},
            "Mul_0: a constant of shape (4,) is not one value a channel",
        ),
        (
            [quant("v", "vq", 3), helper.make_node("MatMul", ["xq", "vq"], ["y"])],
            {"v": np.ones((6, 4), dtype=np.float32)},
            "a matrix of 6 inputs times a tensor of shape (1, 2, 6, 6): flatten it before",
        ),
        (
            [quant("v", "vq", 3), helper.make_node("Conv", ["xq", "vq"], ["y"])],
            {"v": np.ones((4, 3, 3, 3), dtype=np.float32)},
            "weights of 3 channels in 1 groups, an input of 2 channels",
        ),
        (
            [quant("v", "vq", 3), helper.make_node("Conv", ["xq", "vq"], ["y"])],
            {"v": np.full((4, 2, 3, 3), np.nan, dtype=np.float32)},
            "its weights have values that are no finite numbers",
        ),
        ([CONV, helper.make_node("MaxPool", ["s"], ["y"])], {}, "expected pooling of two dimensions"),
        (
            [CONV, helper.make_node("Mul", ["s", "f"], ["y"])],
            {"f": np.float32(np.inf)},
            "layer Conv_0: what follows its sums is not finite",
        ),
        (
            [CONV, helper.make_node("BatchNormalization", ["s", "a", "a", "a", "v"], ["y"])],
            {"a": np.ones(4, dtype=np.float32), "v": -np.ones(4, dtype=np.float32)},
            "a variance that is not positive",
        ),
        (
            [
                helper.make_node("Reshape", ["x", "to"], ["r"]),
                quant("r", "rq", 4, signed=0),
                helper.make_node("Conv", ["rq", "wq"], ["y"]),
            ],
            {"to": np.array([1, 2, 4, 9])},
            "a reshape to (1, 2, 4, 9) is not supported",
        ),
    ],
)  # fmt: skip
def test_shapes_and_numbers_that_do_not_fit_are_refused(nodes, constants, message, tmp_path):
    begin = BEGIN[1:] if nodes[0].op_type == "Reshape" else BEGIN
    path = save(tmp_path / "made.onnx", begin + nodes, constants)
    with pytest.raises(SpinplaneError) as error:
        load_model(path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
