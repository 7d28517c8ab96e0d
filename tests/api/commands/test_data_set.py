"""Accuracy on a data set, at the functional machine's speed, and data sets that are not what they should be."""

import zipfile

import numpy as np
import pytest
from result_files import written
from rich.console import Console
from small_networks import small_graph, small_images

import spinplane
from spinplane.cli import main
from spinplane.commands.data_set import check_labels, confusion_table, load_images
from spinplane.compiler.oracle import run_graph
from spinplane.machine import SpinplaneError


@pytest.fixture
def data(tmp_path):
    """Images and labels of a file, of which the network takes some for another class."""
    graph, x = small_graph(), small_images(150)
    found = graph.decode_outputs(run_graph(graph, graph.encode_input(x)))[0].argmax(axis=1)
    y = np.where(np.arange(len(found)) % 5, found, (found + 1) % 3)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    return tmp_path / "data.npz", y, found


def test_every_image_gets_the_class_of_the_oracle(data, tmp_path):
    path, labels, found = data
    steps = []
    report = spinplane.accuracy(
        small_graph(), data=path, machine="tiny", folder=tmp_path, advance=lambda *step: steps.append(step)
    )
    assert steps == [(64, 150), (128, 150), (150, 150)]
    confusion = np.array(report.confusion)
    assert confusion.tolist() == [
        [int(((labels == label) & (found == one)).sum()) for one in range(3)] for label in range(3)
    ]
    assert report.baseline == (labels == found).mean() == 0.8
    assert (report.technology, report.seeds, report.points, report.picture) == (None, 0, (), None)
    assert not (tmp_path / "accuracy.png").exists()


def test_the_report_is_a_table_text_and_json(data):
    report = spinplane.accuracy(small_graph(), data=data[0], machine="tiny")
    assert written(report)["confusion"] == [list(row) for row in report.confusion]
    text = str(report)
    assert "120 of 150 images right: 80.00%" in text
    assert (
        "expected input   1×6×6 (channels, height, width) of uint8, from 0 to 3 in steps of 1, 4 codes"
        in text
    )
    row = [str(count or "·") for count in report.confusion[0]]
    assert [cell.strip() for cell in text.splitlines()[5].split("│")[1:5]] == ["0", *row]


def test_the_first_images_and_other_names(tmp_path):
    x = small_images(20)
    np.savez(tmp_path / "data.npz", images=x, labels=np.zeros((20, 1), dtype=np.uint8))
    report = spinplane.accuracy(small_graph(), data=tmp_path / "data.npz", machine="tiny", images=7)
    assert report.images == sum(map(sum, report.confusion)) == 7


def test_many_classes_are_told_by_their_most_frequent_mistakes():
    counts = np.diag(np.full(20, 10))
    counts[3, 7], counts[4, 0] = 5, 2
    console = Console(width=100)
    with console.capture() as capture:
        console.print(confusion_table(tuple(map(tuple, counts.tolist()))))
    lines = [line for line in capture.get().splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]
    assert cells == [["3", "7", "5", "33.3%"], ["4", "0", "2", "16.7%"]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, r"expected an \.npz with images and labels \(x and y\) of numbers: it has nothing"),
        ({"x": np.zeros((1, 6, 6))}, "of numbers: it has x"),
        ({"x": np.zeros((1, 6, 6)), "labels": np.zeros(1, int)}, "of numbers: it has x, labels"),
        ({"x": np.zeros((2, 6, 6)), "y": np.zeros(1, int)}, "2 images and 1 labels"),
        ({"x": np.zeros((0, 6, 6)), "y": np.zeros(0, int)}, "0 images and 0 labels"),
        ({"x": np.float32(1), "y": np.zeros(1, int)}, "no list of images and 1 labels"),
        (
            {"x": np.zeros((2, 6, 6)), "y": np.zeros(2)},
            r"labels of float64 and shape \(2,\): expected one whole",
        ),
        ({"x": np.zeros((2, 6, 6)), "y": np.zeros((2, 3), int)}, r"labels of int64 and shape \(2, 3\)"),
        (
            {"x": np.array([{}, {}]), "y": np.zeros(2, int)},
            "x: it holds Python objects, which are never loaded",
        ),
        (
            {"x": np.zeros((2, 6, 6)), "y": np.array([0, 3])},
            "labels from 0 to 3: network small has the classes 0 to 2",
        ),
        (
            {"x": np.zeros((2, 6, 6)), "y": np.array([-1, 0])},
            "labels from -1 to 0: network small has the classes",
        ),
        (
            {"x": np.zeros((2, 5, 6)), "y": np.zeros(2, int)},
            r"input of shape \(2, 5, 6\): network small takes 1×6×6",
        ),
        ({"x": np.full((2, 6, 6), np.nan), "y": np.zeros(2, int)}, "input: its values are not all finite"),
        (
            {"x": np.array([["a"], ["b"]]), "y": np.zeros(2, int)},
            "x: it holds <U1, not numbers",
        ),
    ],
)
def test_bad_data_are_named(tmp_path, arrays, message):
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(SpinplaneError, match=message):
        spinplane.accuracy(small_graph(), data=tmp_path / "data.npz", machine="tiny")


def test_pickled_objects_are_never_loaded(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    np.savez(tmp_path / "data.npz", x=np.array([Trap()], dtype=object), y=np.zeros(1, dtype=int))
    np.save(tmp_path / "data.npy", np.array([Trap()], dtype=object))
    for name in ("data.npz", "data.npy"):
        with pytest.raises(SpinplaneError, match="of numbers: "):
            load_images(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_what_is_no_archive_is_one_line_and_exit_2(tmp_path, capsys, content):
    (tmp_path / "data.npz").write_bytes(content)
    with pytest.raises(SystemExit) as end:
        main(["accuracy", "digits-1-1", "--no-check", "--data", str(tmp_path / "data.npz")])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        f"spinplane: data {tmp_path / 'data.npz'}: expected an .npz with images and labels"
    )


def test_a_damaged_member_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "data.npz", "w") as archive:
        archive.writestr(
            "x.npy", b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (9,"
        )
        archive.writestr("y.npy", b"")
    with pytest.raises(SpinplaneError, match=r"expected an \.npz with images and labels"):
        load_images(tmp_path / "data.npz")


def test_the_labels_are_those_of_the_first_output():
    assert check_labels(small_graph(), np.array([0, 2])) == 3
