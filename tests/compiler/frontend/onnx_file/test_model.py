"""Which operators a file may hold: by their domain, before anything else reads them."""

import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import BEGIN, CONV, QONNX, execute, quant, run, save

from spinplane.compiler.frontend.onnx_import import load_model
from spinplane.machine import SpinplaneError

NODES = [*BEGIN, CONV, helper.make_node("Relu", ["s"], ["r"], name="relu"), quant("r", "y", 3)]
ALLOWED = "use ONNX's own operators, or Quant, BipolarQuant of qonnx.custom_op.general"


def change(path, change_model, nodes=NODES, constants=None, **options):
    """Save a model that was changed after its making."""
    model = onnx.load(save(path, nodes, constants or {}, **options))
    change_model(model)
    onnx.save(model, path)
    return path


def domains(given, versions=True):
    """Give the operators of some types another domain."""

    def change_model(model):
        for node in model.graph.node:
            node.domain = given.get(node.op_type, node.domain)
        if versions:
            model.opset_import.extend(
                helper.make_opsetid(d, 1) for d in {*given.values()} - {"", "ai.onnx", QONNX}
            )

    return change_model


@pytest.mark.parametrize("versions", [True, False])
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"Conv": "qonnx.custom_op.channels_last"}, "'Conv' of domain 'qonnx.custom_op.channels_last' (node 'conv')"),
        ({"Conv": "com.microsoft"}, "'Conv' of domain 'com.microsoft' (node 'conv')"),
        ({"Relu": QONNX}, f"'Relu' of domain '{QONNX}' (node 'relu')"),
        ({"Relu": "onnx.brevitas"}, "'Relu' of domain 'onnx.brevitas' (node 'relu')"),
        ({"Quant": "elsewhere"}, "'Quant' of domain 'elsewhere' (node 'xq')"),
        ({"Quant": ""}, "'Quant' of domain '' (node 'xq')"),
        ({"Quant": "ai.onnx"}, "'Quant' of domain 'ai.onnx' (node 'xq')"),
        ({"Quant": "qonnx.custom_op.channels_last"}, "'Quant' of domain 'qonnx.custom_op.channels_last' (node 'xq')"),
        ({"Conv": "a\nb"}, "'Conv' of domain 'a\\nb' (node 'conv')"),
    ],
)  # fmt: skip
def test_operators_of_other_domains_are_refused(given, found, versions, tmp_path):
    path = change(tmp_path / "made.onnx", domains(given, versions))
    with pytest.raises(SpinplaneError) as error:
        load_model(path)
    assert str(error.value) == f"model {path}: operator {found} is not supported: {ALLOWED}"


def test_a_channels_last_convolution_of_equal_sides_is_refused(tmp_path):
    """Channels, lines and columns are four each: no shape tells the two layouts apart."""
    weights = np.random.default_rng(0).integers(-3, 4, (4, 4, 1, 1)).astype(np.float32)
    last = [quant("x", "xq", 4, signed=0), quant("v", "vq", 3)]
    last.append(helper.make_node("Conv", ["xq", "vq"], ["y"], kernel_shape=[1, 1], name="last"))
    path = change(
        tmp_path / "made.onnx",
        domains({"Conv": "qonnx.custom_op.channels_last"}),
        last,
        {"v": weights},
        shape=(1, 4, 4, 4),
    )
    with pytest.raises(SpinplaneError, match=r"operator 'Conv' of domain 'qonnx.custom_op.channels_last'"):
        load_model(path)


@pytest.mark.parametrize("domain", [QONNX, "onnx.brevitas", "finn.custom_op.general"])
@pytest.mark.parametrize("standard", ["", "ai.onnx"])
def test_spellings_of_the_known_domains_are_taken(domain, standard, tmp_path):
    plain = save(tmp_path / "plain.onnx", NODES, {})

    def change_model(model):
        domains({"Quant": domain, "Conv": standard, "Relu": standard})(model)
        model.opset_import[0].domain = standard

    path = change(tmp_path / "made.onnx", change_model)
    image = np.random.default_rng(0).integers(0, 16, (2, 6, 6))
    assert (run(path, image) == execute(plain, image)).all()


@pytest.mark.parametrize("kind", ["Relu", "Quant", "If"])
def test_no_module_is_imported_that_a_file_names(kind, tmp_path, monkeypatch):
    """QONNX finds an operator by importing its domain."""
    canary = tmp_path / "canary"
    (tmp_path / "named_by_a_file.py").write_text(f"open({str(canary)!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    nodes = [*BEGIN, CONV, helper.make_node("Relu", ["s"], ["y"], name="relu")]
    if kind == "If":
        inner = helper.make_node("Relu", ["s"], ["z"], domain="named_by_a_file")
        output = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
        bodies = {f"{way}_branch": helper.make_graph([inner], way, [], [output]) for way in ("then", "else")}
        nodes[-1] = helper.make_node("If", ["yes"], ["y"], **bodies)
    path = change(
        tmp_path / "made.onnx",
        domains({kind: "named_by_a_file"}) if kind != "If" else lambda model: None,
        nodes,
        {"yes": np.array(True)},
    )
    with pytest.raises(SpinplaneError, match=r"of domain 'named_by_a_file' \(node '[^\n]*$"):
        load_model(path)
    assert not canary.exists()
    assert "named_by_a_file" not in sys.modules


@pytest.mark.parametrize("domain", ["", QONNX])
def test_known_operators_are_not_defined_anew(domain, tmp_path):
    def change_model(model):
        body = [helper.make_node("Neg", ["a"], ["b"])]
        function = helper.make_function(domain, "Relu", ["a"], ["b"], body, [helper.make_opsetid("", 13)])
        model.functions.append(function)

    path = change(tmp_path / "made.onnx", change_model)
    with pytest.raises(SpinplaneError, match=rf"^model {path}: function 'Relu' of domain '{domain}': a file"):
        load_model(path)


def test_activations_are_the_first_input(tmp_path):
    """A scale that is computed is none of the file's numbers."""
    scaled = helper.make_node("Quant", ["c", "xq", "zero", "bits4"], ["y"], domain=QONNX, name="late")
    path = save(tmp_path / "made.onnx", [BEGIN[0], scaled], {"c": np.ones((1, 2, 6, 6), np.float32)})
    with pytest.raises(SpinplaneError, match=r"late: 'xq' is not its first input$"):
        load_model(path)


def test_a_transposed_quantizer_keeps_the_axis_of_its_scales(tmp_path):
    """QONNX's own tidying would leave the scales at the last axis, whichever that becomes."""
    rng = np.random.default_rng(3)
    nodes = [
        helper.make_node("Flatten", ["x"], ["f"]),
        quant("f", "xq", 4, signed=0),
        quant("v", "vq", 4, scale="scales"),
        helper.make_node("Transpose", ["vq"], ["vt"], perm=[1, 0]),
        helper.make_node("Gemm", ["xq", "vt"], ["y"], transB=1),
    ]
    constants = {
        "v": rng.normal(0, 4, (8, 8)).astype(np.float32),
        "scales": np.float32(2) ** np.arange(-3, 5, dtype=np.float32),
    }
    path = save(tmp_path / "made.onnx", nodes, constants, shape=(1, 2, 2, 2))
    codes = np.clip(np.rint(constants["v"] / constants["scales"]), -8, 7) * constants["scales"]
    image = rng.integers(0, 16, (2, 2, 2))
    assert (run(path, image) == image.reshape(1, -1) @ codes).all()
