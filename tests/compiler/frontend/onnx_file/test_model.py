"""What a file may hold: operators by their domains, one order of nodes, names of its own."""

import os
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import BEGIN, CONV, QONNX, execute, quant, run, save

from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.frontend.onnx_file.model import read_model
from spinplane.machine import SpinplaneError

NODES = [*BEGIN, CONV, helper.make_node("Relu", ["s"], ["r"], name="relu"), quant("r", "y", 3)]
LAST = "qonnx.custom_op.channels_last"
DOMAINS = "qonnx.custom_op.general, qonnx.custom_op.channels_last, com.microsoft, PACTOps"


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
    ("given", "found", "hint"),
    [
        ({"Conv": "com.microsoft"}, "'Conv' of domain 'com.microsoft' (node 'conv')", "ONNX's own Conv"),
        ({"Relu": QONNX}, f"'Relu' of domain '{QONNX}' (node 'relu')", "ONNX's own Relu"),
        ({"Relu": "onnx.brevitas"}, "'Relu' of domain 'onnx.brevitas' (node 'relu')", "ONNX's own Relu"),
        ({"Relu": LAST}, f"'Relu' of domain '{LAST}' (node 'relu')", "ONNX's own Relu"),
        ({"Quant": "elsewhere"}, "'Quant' of domain 'elsewhere' (node 'xq')", f"Quant of {QONNX}"),
        ({"Quant": ""}, "'Quant' of domain '' (node 'xq')", f"Quant of {QONNX}"),
        ({"Quant": "ai.onnx"}, "'Quant' of domain 'ai.onnx' (node 'xq')", f"Quant of {QONNX}"),
        ({"Quant": LAST}, f"'Quant' of domain '{LAST}' (node 'xq')", f"Quant of {QONNX}"),
        ({"Conv": "a\nb"}, "'Conv' of domain 'a\\nb' (node 'conv')", "ONNX's own Conv"),
    ],
)  # fmt: skip
def test_operators_of_other_domains_are_refused(given, found, hint, versions, tmp_path):
    path = change(tmp_path / "made.onnx", domains(given, versions))
    with pytest.raises(SpinplaneError) as error:
        read_model(path)
    assert str(error.value) == f"operator {found} is not supported: use {hint}"


def test_operators_that_no_domain_has_are_refused(tmp_path):
    path = change(tmp_path / "made.onnx", lambda m: m.graph.node[3].MergeFrom(onnx.NodeProto(domain=LAST)))
    model = onnx.load(path)
    model.graph.node[3].op_type = "Klip"
    onnx.save(model, path)
    with pytest.raises(SpinplaneError) as error:
        read_model(path)
    assert str(error.value) == (
        f"operator 'Klip' of domain '{LAST}' (node 'relu') is not supported: use ONNX's own operators, or those of "
        f"{DOMAINS}"
    )


@pytest.mark.parametrize("domain", ["", LAST])
def test_layouts_are_those_of_their_domains(domain, tmp_path):
    """Channels, lines and columns are four each: no shape tells the two layouts apart."""
    weights = np.ones((4, 4, 2, 3) if domain == "" else (4, 3, 2, 4), np.float32)
    last = helper.make_node("Conv", ["x", "v"], ["y"], name="last", domain=domain)
    path = change(tmp_path / "made.onnx", lambda m: None, [last], {"v": weights}, shape=(1, 4, 4, 4))
    expected = (1, 4, 3, 2) if domain == "" else (1, 2, 3, 4)
    assert read_model(path).shape("y", "") == expected


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
        import_model(path)
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
        import_model(path)


def test_activations_are_the_first_input(tmp_path):
    """A scale that is computed is none of the file's numbers."""
    scaled = helper.make_node(
        "Quant", ["c", "xq", "zero", "bits4"], ["y"], domain=QONNX, name="late", signed=1, narrow=0
    )
    path = save(tmp_path / "made.onnx", [BEGIN[0], scaled], {"c": np.ones((1, 2, 6, 6), np.float32)})
    with pytest.raises(SpinplaneError, match=r"late: its input 'c' does not come from the network's input$"):
        import_model(path)


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


def node(kind, inputs, outputs, name="", **attributes):
    return helper.make_node(kind, inputs, outputs, name=name, **attributes)


def tensor(name, values):
    return onnx.numpy_helper.from_array(np.asarray(values), name)


SCALED = [*BEGIN, CONV, node("Mul", ["s", "one"], ["r"], "scaled"), quant("r", "y", 3)]


@pytest.mark.parametrize(
    ("change_model", "message"),
    [
        (
            lambda m: m.graph.node.append(node("Relu", ["x"], ["s"], "again")),
            "again: its output 's' is made elsewhere too",
        ),
        (
            lambda m: m.graph.node.append(node("Relu", ["x"], ["one"], "again")),
            "again: its output 'one' is made elsewhere too",
        ),
        (
            lambda m: m.graph.node.append(node("Relu", ["x"], ["x"], "again")),
            "again: its output 'x' is made elsewhere too",
        ),
        (lambda m: m.graph.node[3].input.__setitem__(0, "z"), "scaled: its input 'z' is made by no node"),
        (
            lambda m: m.graph.node[3].input.__setitem__(1, "y"),
            "scaled: it takes what it makes itself, or a node before it does",
        ),
        (
            lambda m: m.graph.node[3].input.__setitem__(0, "r"),
            "scaled: it takes what it makes itself, or a node before it does",
        ),
        (lambda m: m.graph.node[3].ClearField("op_type"), "node 'scaled' has no operator, or no output"),
        (lambda m: m.graph.node[3].ClearField("output"), "node 'scaled' has no operator, or no output"),
        (
            lambda m: m.graph.initializer.append(tensor("one", 1.0)),
            "constant 'one' has no name, or comes twice",
        ),
        (lambda m: m.graph.input.append(m.graph.input[0]), "an input has no name, or comes twice"),
        (lambda m: m.graph.output.add(name="late"), "its output 'late' is made by no node"),
        (lambda m: m.graph.sparse_initializer.add(), "sparse constants are not supported"),
        (
            lambda m: m.ClearField("opset_import"),
            "has version no of ONNX's operators: expected one from 7 to 23",
        ),
        (
            lambda m: setattr(m.opset_import[0], "version", 6),
            "has version 6 of ONNX's operators: expected one from 7 to 23",
        ),
        (
            lambda m: setattr(m.opset_import[0], "version", 99),
            "has version 99 of ONNX's operators: expected one from 7 to 23",
        ),
        (lambda m: m.ClearField("graph"), "not a readable ONNX model, or cut short: it has no graph"),
        (
            lambda m: m.graph.node.extend([node("Relu", ["x"], [f"u{n}"]) for n in range(20_000)]),
            "20005 nodes, expected 20000 at most",
        ),
        (
            lambda m: m.graph.input[0].type.tensor_type.shape.dim.add(dim_value=2**40),
            "input 'x': 5 axes, or more than 2147483648 elements",
        ),
        (
            lambda m: m.graph.input[0].type.tensor_type.shape.dim[1].ClearField("dim_value"),
            "input 'x': its axis 1 has no fixed size: export it with a number",
        ),
        (
            lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[2], "dim_param", "height"),
            "input 'x': its axis 2 ('height') has no fixed size: export it with a number",
        ),
        (
            lambda m: m.graph.input[0].type.tensor_type.ClearField("shape"),
            "input 'x' has no fixed shape",
        ),
        (
            lambda m: m.graph.node[3].attribute.add(name="body").g.node.add(op_type="Relu", output=["x"]),
            "'scaled': operator Mul is not supported: it has a graph",
        ),
        (
            lambda m: m.graph.node[3].input.append("one"),
            "scaled: has 3 inputs: Mul takes 2",
        ),
        (
            lambda m: m.graph.node[4].input.pop(),
            "Quant (output 'y'): has 3 inputs: Quant takes 4",
        ),
        (
            lambda m: m.graph.node[1].input.pop(),
            "Quant (output 'wq'): has 3 inputs: Quant takes 4",
        ),
        (lambda m: m.graph.node[3].output.insert(0, ""), "scaled: its first output has no name"),
    ],
)
def test_a_file_that_says_two_things_at_once_is_refused(change_model, message, tmp_path):
    path = change(tmp_path / "made.onnx", change_model, SCALED)
    with pytest.raises(SpinplaneError) as error:
        import_model(path)
    newest = onnx.defs.onnx_opset_version()
    assert str(error.value) == f"model {path}: {message.replace('23', str(newest))}"


def test_nodes_need_no_order(tmp_path):
    path = change(tmp_path / "made.onnx", lambda model: model.graph.node.reverse())
    given = list(onnx.load(path).graph.node)
    image = np.random.default_rng(0).integers(0, 16, (2, 6, 6))
    plain = save(tmp_path / "plain.onnx", NODES, {})
    assert [node.op_type for node in given] == ["Quant", "Relu", "Conv", "Quant", "Quant"]
    assert (run(path, image) == execute(plain, image)).all()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("/features/0/Conv", "/features/0/Conv"),
        ("", "Conv (output 's')"),
        ("relu", "relu (output 's')"),
        ("a\nb", "a\\nb"),
    ],
)
def test_layers_have_the_names_of_the_file(name, label, tmp_path):
    path = change(tmp_path / "made.onnx", lambda model: setattr(model.graph.node[2], "name", name))
    assert [layer.name for layer in import_model(path).graph.layers] == [label]


def test_weights_may_be_beside_the_file(tmp_path):
    plain = save(tmp_path / "plain.onnx", NODES, {})
    path = tmp_path / "made.onnx"
    onnx.save(onnx.load(plain), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    image = np.random.default_rng(0).integers(0, 16, (2, 6, 6))
    assert (run(path, image) == execute(plain, image)).all()
    (tmp_path / "weights.bin").rename(tmp_path / "moved.bin")
    with pytest.raises(SpinplaneError, match=r"external data 'weights\.bin' cannot be read: No such file"):
        import_model(path)


def test_many_operators_after_sums_are_refused(tmp_path):
    """Exact numbers grow with each: a small file would take hours."""
    chain = [node("Mul", [f"m{n}" if n else "s", "third"], [f"m{n + 1}"]) for n in range(65)]
    path = save(
        tmp_path / "made.onnx", [*BEGIN, CONV, *chain, quant("m65", "y", 3)], {"third": np.float32(1 / 3)}
    )
    with pytest.raises(
        SpinplaneError, match=r": Mul \(output 'm65'\): more than 64 operators after the sums of 4 channels$"
    ):
        import_model(path)


@pytest.mark.parametrize(
    ("kind", "message"), [("folder", "not a file"), ("pipe", "not a file"), ("missing", "No such")]
)
def test_what_is_no_file_is_refused(kind, message, tmp_path):
    path = tmp_path / "made.onnx"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(SpinplaneError, match=rf"^model {path}: .*{message}"):
        import_model(path)


def test_a_large_file_is_refused_unread(tmp_path):
    path = tmp_path / "made.onnx"
    with path.open("wb") as file:
        file.truncate((1 << 30) + 1)
    with pytest.raises(SpinplaneError, match=r": the model is larger than 1024 MiB$"):
        import_model(path)


@pytest.mark.parametrize("declared", [[], [7, 7], None])
def test_what_a_file_declares_of_its_output_is_not_read(declared, tmp_path):
    def change_model(model):
        output = helper.make_tensor_value_info("y", TensorProto.FLOAT, declared)
        model.graph.output[0].CopyFrom(output)

    assert import_model(change(tmp_path / "made.onnx", change_model)).graph.outputs[0].shape == (1, 4, 6, 6)


def test_a_network_without_a_layer_is_a_copy(tmp_path):
    path = save(tmp_path / "made.onnx", [quant("x", "y", 4)], {})
    image = np.random.default_rng(0).integers(-12, 12, (2, 6, 6))
    assert (run(path, image) == execute(path, image)).all()


def test_a_normalization_that_is_trained_is_refused(tmp_path):
    trained = node("BatchNormalization", ["s", "a", "a", "a", "a"], ["y"], "norm", training_mode=1)
    path = change(
        tmp_path / "made.onnx",
        lambda model: setattr(model.opset_import[0], "version", 14),
        [*BEGIN, CONV, trained],
        {"a": np.ones(4, np.float32)},
    )
    with pytest.raises(
        SpinplaneError, match=r": norm: a BatchNormalization that is being trained is not supported$"
    ):
        import_model(path)


@pytest.mark.parametrize(
    "parameter", [np.float32("nan"), np.float32("inf"), np.float64(1e300), np.zeros(0, np.float32)]
)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_parameters_of_quantizers_are_finite(parameter, number, tmp_path):
    quantizer = quant("s", "y", 3)
    quantizer.input[number] = "other"
    path = save(tmp_path / "made.onnx", [*BEGIN, CONV, quantizer], {"other": parameter})
    with pytest.raises(SpinplaneError, match=r"its input 'other' is empty, or not all finite numbers$"):
        import_model(path)


def test_a_zero_point_is_small(tmp_path):
    quantizer = quant("s", "y", 3)
    quantizer.input[2] = "other"
    path = save(tmp_path / "made.onnx", [*BEGIN, CONV, quantizer], {"other": np.float32(1e30)})
    with pytest.raises(SpinplaneError, match=r": zero point 1e\+30: must be from −32768 to 32768$"):
        import_model(path)
