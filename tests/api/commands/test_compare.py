"""`spinplane compare`, and the check that all commands begin with."""

import json
from dataclasses import replace

import numpy as np
import pytest
from onnx_models import BEGIN, CONV, quant, save
from result_files import written
from tflite_networks import Network

import spinplane
from spinplane import models
from spinplane.cli import main
from spinplane.compiler.frontend import import_model as importing
from spinplane.compiler.judges import executor as executing
from spinplane.compiler.judges import import_check
from spinplane.machine import SpinplaneError

NODES = [*BEGIN, CONV, quant("s", "y", 4)]


@pytest.fixture
def path(tmp_path):
    models._open_file.cache_clear()
    return save(tmp_path / "made.onnx", NODES, {})


@pytest.fixture
def wrong(path, monkeypatch):
    """An importer that takes a weight for another."""
    right = importing.import_model

    def import_wrongly(path, **options):
        network = right(path, **options)
        weights = network.graph.layers[0].weights.copy()
        weights[0, 0, 1, 1] -= 1
        layer = replace(network.graph.layers[0], weights=weights)
        return replace(network, graph=replace(network.graph, layers=(layer,)))

    monkeypatch.setattr(importing, "import_model", import_wrongly)
    return path


def test_a_shipped_network_is_equal_at_every_node():
    result = spinplane.compare("digits-1-1", samples=3)
    assert (result.first, result.differing, result.failure) == (None, 0, "")
    assert [node.node for node in result.nodes] == ["input", "conv0", "conv1", "conv2", "fc"]
    assert result.nodes[0].elements == 3 * 28 * 28
    assert result.executor == "qonnx 1.0.0, node by node"
    assert written(result)["first"] is None


def test_the_command_shows_a_table_json_and_a_page(path, capsys, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(144).reshape(2, 2, 6, 6) % 16)
    arguments = ["compare", str(path), "--input", str(tmp_path / "x.npy"), "--json", str(tmp_path / "c.json")]
    main([*arguments, "--html", str(tmp_path / "c.html")])
    out = capsys.readouterr().out
    assert "made beside qonnx 1.0.0, node by node: 2 images" in out
    assert "│ conv  │ y      │ 1×4×6×6 │    288 │         0 │" in out
    assert "equal at every node; 0 of 0 near-ties taken otherwise" in out
    content = json.loads((tmp_path / "c.json").read_text())
    assert (content["images"], content["first"], content["nodes"][1]["tensor"]) == (2, None, "y")
    assert set(content["spinplane"]["versions"]) >= {"onnx", "onnxruntime", "qonnx"}
    page = (tmp_path / "c.html").read_text()
    assert "<td>conv</td><td>y</td>" in page
    assert "<script" not in page


def test_a_difference_names_the_first_node_and_exits_with_1(wrong, capsys):
    with pytest.raises(SystemExit) as end:
        main(["compare", str(wrong), "--samples", "2"])
    assert end.value.code == 1
    shown = capsys.readouterr()
    assert "first difference at node conv; 0 of 0 near-ties taken otherwise" in shown.out
    (line,) = shown.err.splitlines()
    assert line.endswith("values differ from those of qonnx 1.0.0, node by node, the first at node conv")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.onnx"], "model 'nowhere.onnx' is neither a file nor one of"),
        (["svhn:1:4"], "model 'svhn:1:4' is not a file: nothing else says what it computes"),
        (["digits-1-1", "--samples", "0"], "samples = 0: must be at least 1"),
        (
            ["digits-1-1", "--input", "nowhere.npy"],
            "input nowhere.npy: cannot be read: No such file or directory",
        ),
        (["digits-1-1", "--input", "bad.npy"], "input of shape (3, 3): network digits-1-1 takes 1×28×28"),
    ],
)
def test_a_wrong_request_is_one_line_and_exits_with_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("bad.npy", np.zeros((3, 3)))
    with pytest.raises(SystemExit) as end:
        main(["compare", *arguments])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"spinplane: {message}")


def test_without_the_executor_there_is_nothing_to_compare(path, monkeypatch):
    def missing(package):
        raise executing.PackageNotFoundError(package)

    monkeypatch.setattr(executing, "version", missing)
    with pytest.raises(SpinplaneError, match=r"comparing .*made\.onnx needs qonnx, which is not installed"):
        spinplane.compare(path)


def test_a_wrong_import_is_refused_by_every_command(wrong, capsys):
    with pytest.raises(SystemExit) as end:
        main(["compile", str(wrong), "--machine", "tiny"])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"spinplane: model {wrong}: conv: ")
    assert line.endswith("`--no-check` goes on")


def test_no_check_goes_on_and_says_so(wrong, capsys):
    main(["compile", str(wrong), "--machine", "tiny", "--no-check"])
    assert "import not checked, as --no-check says" in capsys.readouterr().out


def test_every_command_tells_the_check_and_the_input(path, capsys, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((2, 6, 6)))
    arguments = [str(path), "--machine", "tiny", "--input", str(tmp_path / "x.npy"), "--output", "0,0,0"]
    main(["trace", *arguments])
    out = capsys.readouterr().out
    assert "import checked by qonnx 1.0.0, node by node: 1,080 values of 2 tensors are equal" in out
    assert (
        "expected input   2×6×6 (channels, height, width) of uint8, from 0 to 15 in steps of 1, 16 codes"
        in out
    )
    assert (
        "warning          the input takes 1 of 16 codes: it reaches from 0 to 0, the network expects 0 to 15"
        in out
    )


def test_a_file_is_checked_once_for_as_long_as_it_stays(path, monkeypatch):
    checked = []
    right = import_check.check_import
    monkeypatch.setattr(import_check, "check_import", lambda *given: checked.append(given) or right(*given))
    for _ in range(2):
        spinplane.compile_model(path, machine="tiny")
    assert len(checked) == 1
    save(path, NODES, {"w": np.ones((4, 2, 3, 3), dtype=np.float32)})
    assert (spinplane.open_model(path).layers[0].weights == 1).all()
    assert len(checked) == 2


def test_an_input_may_have_the_axes_of_the_file(tmp_path):
    network = Network(np.random.default_rng(3))
    file = network.finish(network.conv(network.input((1, 5, 4, 2)), 3), dequantize=False)
    path = file.save(tmp_path / "made.tflite")
    opened = models.open_network(path)
    assert str(opened.notes.expects).startswith(
        "2×5×4 (channels, height, width), or 5×4×2 as in the file, of int8"
    )
    x = np.arange(80).reshape(2, 5, 4, 2)
    assert (opened.arrange(x) == x.transpose(0, 3, 1, 2)).all()
    assert (opened.arrange(x[0]) == x[:1].transpose(0, 3, 1, 2)).all()
    assert (opened.arrange(x.transpose(0, 3, 1, 2)) == x.transpose(0, 3, 1, 2)).all()
    assert spinplane.compare(path, x).differing == 0
