"""The first run: a digit, its class, and what is left behind."""

import json

import numpy as np
import pytest

import spinplane
from spinplane.cli import main
from spinplane.drawing import draw_network
from spinplane.samples import sample_digit


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return spinplane.classify(digit=7, folder=tmp_path_factory.mktemp("demo"))


def test_a_seven_is_a_seven(result):
    figures = json.loads(json.dumps(result.as_dict()))
    assert (figures["label"], figures["class"], figures["mismatches"]) == (7, 7, 0)
    assert figures["class"] == int(np.argmax(figures["outputs"]))
    assert [layer["i"] for layer in figures["layers"]] == [8, 4, 4, 8]


def test_the_files_are_there(result):
    assert result.picture.read_bytes().startswith(b"\x89PNG")
    assert (result.verilog / "imce.v").is_file() or any(result.verilog.rglob("*.v"))
    assert "label 7, class 7, 0 mismatches" in str(result)
    assert str(result.picture) in str(result)


def test_other_digits_differ(result):
    other = spinplane.open_model("digits-1-4").encode_input(sample_digit(3))
    assert other.shape == (1, 1, 28, 28)
    assert not (result.run.layers[0].outputs == 0).all()


def test_the_command_classifies_unless_told_to_convolve(capsys, tmp_path):
    main(["demo", "--digit", "1", "--output", str(tmp_path), "--json", str(tmp_path / "d.json")])
    assert "label 1, class 1, 0 mismatches" in capsys.readouterr().out
    assert json.loads((tmp_path / "d.json").read_text())["class"] == 1


def test_maps_of_any_number_are_drawn(tmp_path):
    path = draw_network(
        tmp_path / "maps.png",
        title="five maps",
        image=np.zeros((4, 4)),
        layers=["a", "b"],
        values=[np.arange(30).reshape(5, 2, 3), np.arange(3).reshape(3, 1, 1)],
    )
    assert path.stat().st_size > 1000
