"""The check at the end of an import: every fault of an importer that an image can show, told by its node."""

import re
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import onnx
import pytest
from onnx_models import BEGIN, CONV, QONNX, quant, save
from small_networks import small_graph
from tflite_networks import random_network

from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.graph import InputCoding, InputOperation
from spinplane.compiler.judges import executor as executing
from spinplane.compiler.judges.import_check import ImportCheck, check_images, check_import, random_images
from spinplane.machine import SpinplaneError

NODES = [*BEGIN, CONV, quant("s", "y", 4)]


@pytest.fixture
def path(tmp_path):
    return save(tmp_path / "made.onnx", NODES, {})


def test_a_right_import_is_told_with_its_executor(path):
    check = check_import(path, import_model(path))
    assert [(node.node, node.tensor, node.elements) for node in check.nodes] == [
        ("input", "xq", 360),
        ("conv", "y", 720),
    ]
    assert str(check) == "import checked by qonnx 1.0.0, node by node: 1,080 values of 2 tensors are equal"


def changed(network, **parts):
    layer = replace(network.graph.layers[0], **parts)
    return replace(network, graph=replace(network.graph, layers=(layer,)))


def test_a_wrong_weight_is_refused_by_its_node(path):
    network = import_model(path)
    weights = network.graph.layers[0].weights.copy()
    weights[1, 0, 2, 2] += 1
    with pytest.raises(
        SpinplaneError,
        match=r"^conv: [\d,]+ of 720 values of 'y' differ by up to \d+ from those of qonnx [\d.]+, node by node; "
        r"`spinplane compare` shows all nodes, `--no-check` goes on$",
    ):
        check_import(path, changed(network, weights=weights))


def test_a_wrong_input_is_refused_as_such(path):
    network = import_model(path)
    coding = replace(network.graph.input_coding, high=14)
    with pytest.raises(SpinplaneError, match=r"^input: \d+ of 360 values of 'xq' differ by up to 1 from"):
        check_import(path, replace(network, graph=replace(network.graph, input_coding=coding)))


@pytest.mark.parametrize("fault", ["bias", "padding", "pad_value", "dilation", "steps", "transposed"])
def test_each_fault_of_a_layer_shows(path, fault):
    network = import_model(path)
    layer = network.graph.layers[0]
    steps = layer.steps
    parts = {
        "bias": {"bias": layer.bias + 1},
        "padding": {"padding": (0, 1, 2, 1)},
        "pad_value": {"pad_value": 1},
        "dilation": {"dilation": (2, 2), "padding": (2, 2, 2, 2)},
        "steps": {"steps": replace(steps, thresholds=steps.thresholds + 1, exact=None)},
        "transposed": {"weights": layer.weights.transpose(0, 1, 3, 2)},
    }
    with pytest.raises(SpinplaneError, match=r"^conv: "):
        check_import(path, changed(network, **parts[fault]))


def test_near_ties_that_differ_are_told_and_taken(tmp_path):
    nodes = [
        *BEGIN,
        CONV,
        onnx.helper.make_node("Mul", ["s", "third"], ["t"]),
        quant("t", "y", 4, scale="step"),
    ]
    constants = {"third": np.float32(0.3), "step": np.float32(0.6)}
    path = save(tmp_path / "made.onnx", nodes, constants)
    check = check_import(path, import_model(path))
    differing, ties = (
        sum(getattr(node, name) for node in check.nodes) for name in ("near_ties_differing", "near_ties")
    )
    assert ties > differing
    wanted = (
        f"equal but for {differing} of {ties} near-ties" if differing else f"equal, {ties} of them near-ties"
    )
    assert wanted in str(check)


def test_a_share_of_differing_near_ties_that_is_large_is_told():
    from spinplane.compiler.judges.comparison import NodeComparison

    node = NodeComparison(
        node="conv",
        tensor="y",
        shape=(1, 4),
        elements=1000,
        differing=0,
        near_ties=9,
        near_ties_differing=2,
        largest=1,
    )
    told = str(ImportCheck(executor="e", nodes=(node,)))
    assert (
        told
        == "import checked by e: 1,000 values of 1 tensors are equal but for 2 of 9 near-ties, 0.20% of the values"
    )
    many = replace(node, elements=100_000)
    assert str(ImportCheck(executor="e", nodes=(many,))).endswith("equal but for 2 of 9 near-ties")


def test_an_executor_that_is_not_there_is_told(path, monkeypatch):
    def missing(package):
        raise executing.PackageNotFoundError(package)

    monkeypatch.setattr(executing, "version", missing)
    check = check_import(path, import_model(path))
    assert (check.nodes, str(check)) == ((), "import not checked: qonnx is not installed")


def test_a_file_that_its_executor_does_not_run_is_told(tmp_path):
    nodes = [*BEGIN, CONV, quant("s", "y", 4)]
    nodes[-1] = onnx.helper.make_node(
        "Quant",
        ["s", "one", "zero", "bits4"],
        ["y"],
        domain=QONNX,
        signed=1,
        narrow=0,
        rounding_mode="ROUND_TO_ZERO",
    )
    path = save(tmp_path / "made.onnx", nodes, {})
    assert str(check_import(path, import_model(path))) == (
        "import not checked: qonnx 1.0.0, node by node does not run the file: "
        "Could not resolve rounding mode called: ROUND_TO_ZERO"
    )


def test_images_reach_all_codes_and_beyond():
    operations = (InputOperation(kind="divide", constant=np.float32(255)),)
    coding = InputCoding(operations=operations, scale=1 / 255, zero_point=3, low=0, high=255)
    graph = replace(small_graph(), input_coding=coding, input_shape=(3, 16, 16))
    images = check_images(graph)
    assert (images.shape, images.dtype) == ((5, 3, 16, 16), np.float32)
    codes = coding.encode(images)
    assert (codes[2] == -3).all()
    assert (codes[3] == 252).all()
    assert (images[4] == 0).all()
    assert images[:2].min() < -3
    assert images[:2].max() > 252
    assert len(np.unique(coding.encode(random_images(graph, 8, seed=1)))) == 256
    assert (random_images(graph, 2, seed=1) == random_images(graph, 2, seed=1)).all()


@pytest.mark.parametrize("seed", range(6))
def test_tflite_files_are_judged_by_the_reference_kernels(tmp_path, seed):
    path = random_network(seed).save(tmp_path / "made.tflite")
    network = import_model(path)
    check = check_import(path, network)
    assert str(check).startswith("import checked by ai-edge-litert ")
    assert all((node.differing, node.near_ties) == (0, 0) for node in check.nodes)
    number = next(n for n, layer in enumerate(network.graph.layers) if n in network.views and layer.steps)
    layer = replace(network.graph.layers[number], bias=network.graph.layers[number].bias + 100_000)
    layers = (*network.graph.layers[:number], layer, *network.graph.layers[number + 1 :])
    with pytest.raises(SpinplaneError, match=f"^{re.escape(layer.name)}: "):
        check_import(path, replace(network, graph=replace(network.graph, layers=layers)))


def test_qdq_files_are_judged_by_onnxruntime(tmp_path):
    codes = np.random.default_rng(0).integers(-127, 128, (3, 2, 3, 3)).astype(np.int8)
    constants = {"s": np.float32(0.1), "z": np.int8(3), "t": np.float32(0.02), "n": np.int8(0), "w": codes}
    nodes = [
        onnx.helper.make_node("QuantizeLinear", ["x", "s", "z"], ["xq"]),
        onnx.helper.make_node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
        onnx.helper.make_node("DequantizeLinear", ["w", "t", "n"], ["wd"]),
        onnx.helper.make_node("Conv", ["xd", "wd"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        onnx.helper.make_node("QuantizeLinear", ["c", "s", "z"], ["yq"]),
        onnx.helper.make_node("DequantizeLinear", ["yq", "s", "z"], ["y"]),
    ]
    path = save(tmp_path / "made.onnx", nodes, constants)
    check = check_import(path, import_model(path))
    assert check.executor == f"onnxruntime {version('onnxruntime')}, ORT_DISABLE_ALL"
    assert [(node.node, node.tensor) for node in check.nodes][:2] == [("input", "xq"), ("conv", "yq")]
    assert all(node.differing == 0 for node in check.nodes)
