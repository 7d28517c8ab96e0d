"""Accuracy in a faulty memory."""

import json

import numpy as np
import pytest

import spinplane
from spinplane.cli import main
from spinplane.fault_study import load_images
from spinplane.machine import SpinplaneError


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    done = []
    result = spinplane.accuracy(
        "digits-1-1",
        offset_sigmas_v=[0.0, 0.05],
        weak_cells=0.0,
        images=3,
        seeds=2,
        folder=tmp_path_factory.mktemp("accuracy"),
        advance=lambda *steps: done.append(steps),
    )
    assert done == [(1, 4), (2, 4), (3, 4), (4, 4)]
    return result


def test_no_variation_loses_nothing_and_much_of_it_loses_much(report):
    none, much = report.points
    assert none.accuracies == (report.baseline,) * 2
    assert (none.drifted_amplifiers, none.stuck_cells, none.standard_error) == (0, 0, 0)
    assert much.drifted_amplifiers > 1000
    assert much.mean < none.mean


def test_the_report_is_text_json_and_a_plot(report):
    figures = json.loads(json.dumps(report.as_dict()))
    assert [point["mean"] for point in figures["points"]] == [point.mean for point in report.points]
    assert report.picture.read_bytes().startswith(b"\x89PNG")
    assert "50.0 mV" in str(report)


def test_weak_cells_are_drawn(tmp_path):
    result = spinplane.accuracy(
        "digits-1-1", offset_sigmas_v=[0.0], weak_cells=0.01, images=1, seeds=1, folder=tmp_path
    )
    cells = 8 * 512 * 256
    assert 0.009 * cells < result.points[0].stuck_cells < 0.011 * cells


def test_the_command(capsys, tmp_path):
    images, labels = load_images(None)
    np.savez(tmp_path / "d.npz", images=images[:2], labels=labels[:2])
    arguments = ["accuracy", "digits-1-1", "--data", str(tmp_path / "d.npz"), "--seeds", "1"]
    main([*arguments, "--offset-sigma", "0.001", "-o", str(tmp_path), "--json", str(tmp_path / "a.json")])
    assert "sot-mram: 2 images" in capsys.readouterr().out
    assert json.loads((tmp_path / "a.json").read_text())["technology"] == "sot-mram"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": 0}, "images = 0, seeds = 5: at least 1"),
        ({"technology": "dram"}, "dram"),
        ({"offset_sigmas_v": [-1.0]}, "offset sigma = -1.0 V"),
    ],
)
def test_wrong_requests_are_named(options, message, tmp_path):
    with pytest.raises(SpinplaneError, match=message):
        spinplane.accuracy("digits-1-1", folder=tmp_path, **options)


def test_data_without_labels_is_named(tmp_path):
    np.savez(tmp_path / "d.npz", images=np.zeros((1, 28, 28)))
    with pytest.raises(SpinplaneError, match=r"expected an \.npz with images and labels"):
        load_images(tmp_path / "d.npz")
