"""Training: kill and resume, results, refusals."""

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from result_files import written

import spinplane
from spinplane.machine import SpinplaneError
from spinplane.training.data import load_dataset
from spinplane.training.settle import settle
from spinplane.training.train import load_trained, train
from spinplane.training.trainer import evaluate

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

RUN = """
import sys
from spinplane import train
train("digits", "1:2", sys.argv[1], epochs=5, seed=3, output=sys.argv[2], resume=True, threads=1, batch=50,
      progress=False)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MNIST's files with 400 training and 100 test images: bars whose place tells the class."""
    directory = tmp_path_factory.mktemp("mnist")
    rng = np.random.default_rng(8)
    for part, count in (("train", 400), ("t10k", 100)):
        labels = rng.integers(0, 10, count).astype(np.uint8)
        images = rng.integers(0, 60, (count, 28, 28)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[4 + 2 * label : 6 + 2 * label, 4:24] = 220
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", labels)):
            sizes = np.array(array.shape, ">u4").tobytes()
            (directory / name).write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())
    return directory


def weights(directory: Path) -> dict[str, torch.Tensor]:
    return torch.load(directory / "checkpoint.pt", weights_only=True)["model"]


def test_a_killed_training_ends_with_the_same_weights(data: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", RUN, str(data)]
    subprocess.run([*command, str(tmp_path / "whole")], check=True)
    killed = subprocess.Popen([*command, str(tmp_path / "killed")])
    while killed.poll() is None and not (tmp_path / "killed" / "checkpoint.pt").exists():
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "result.json").exists()
    subprocess.run([*command, str(tmp_path / "killed")], check=True)
    whole, resumed = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    results = [json.loads((tmp_path / name / "result.json").read_text()) for name in ("whole", "killed")]
    assert results[0]["history"] == results[1]["history"]
    exports = [(tmp_path / name / "network.onnx").read_bytes() for name in ("whole", "killed")]
    assert exports[0] == exports[1]


def test_training_learns_and_tells_what_it_did(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "a" / "b"
    state = torch.get_rng_state()
    options = {"epochs": 6, "seed": 1, "batch": 20, "rate": 5e-3}
    result = spinplane.train("digits", "2:2:6", data, output=output, progress=False, **options)
    assert torch.equal(torch.get_rng_state(), state)
    assert result.last_error < 0.3
    assert result.lowest_error <= result.last_error
    expected = {"network": "digits", "bits": "2:2:6", "dataset": "mnist", "edge_bits": None, **options}
    assert asdict(result.configuration) == expected
    assert (result.training_images, result.test_images, result.weights) == (400, 100, 29200)
    assert spinplane.read_result(output / "result.json") == result
    assert written(result)["last_error"] == result.last_error
    assert sorted(path.name for path in output.iterdir()) == ["checkpoint.pt", "network.onnx", "result.json"]
    assert str(result).startswith("digits at 2:2:6 on mnist: test error ")

    _, test = load_dataset("mnist", data, 28)
    model = load_trained(output / "checkpoint.pt")
    assert evaluate(model, test) == result.last_error
    assert evaluate(settle(model), test) == result.exported_error
    onnx.checker.check_model(onnx.load(output / "network.onnx"))


def test_another_seed_gives_other_weights(data: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        train("digits", "1:1", data, epochs=1, seed=seed, output=tmp_path / str(seed), progress=False)
    first, second = weights(tmp_path / "0"), weights(tmp_path / "1")
    assert not torch.equal(first["blocks.0.convolution.weight"], second["blocks.0.convolution.weight"])


def test_edge_layers_have_the_bits_asked_for(data: Path, tmp_path: Path) -> None:
    options = {"epochs": 1, "batch": 200, "progress": False}
    train("digits", "1:1", data, output=tmp_path / "32", edge_bits=32, **options)
    train("digits", "32:32", data, output=tmp_path / "float", **options)
    assert [b.weight_bits for b in load_trained(tmp_path / "32" / "checkpoint.pt").blocks] == [32, 1, 1, 32]
    assert [b.weight_bits for b in load_trained(tmp_path / "float" / "checkpoint.pt").blocks] == [32] * 4


def refuses(message: str) -> "pytest.RaisesExc[SpinplaneError]":
    return pytest.raises(SpinplaneError, match=f"^{re.escape(message)}$")


def test_a_checkpoint_is_neither_overwritten_nor_taken_for_another_s(data: Path, tmp_path: Path) -> None:
    train("digits", "1:1", data, epochs=1, output=tmp_path, progress=False)
    path = tmp_path / "checkpoint.pt"
    with refuses(f"{path} exists: add --resume to go on, or choose another folder"):
        train("digits", "1:1", data, epochs=1, output=tmp_path, progress=False)
    with refuses(f"{path}: belongs to a training with bits = '1:1:8', not '1:2:8'"):
        train("digits", "1:2", data, epochs=1, output=tmp_path, resume=True, progress=False)
    with refuses(f"{path}: belongs to a training with epochs = 1, not 2"):
        train("digits", "1:1", data, epochs=2, output=tmp_path, resume=True, progress=False)
    again = train("digits", "1:1", data, epochs=1, output=tmp_path, resume=True, progress=False)
    assert len(again.history) == 1
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SpinplaneError, match=f"^{re.escape(str(path))}: not a checkpoint: "):
        train("digits", "1:1", data, epochs=1, output=tmp_path, resume=True, progress=False)


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with refuses(f"no checkpoint {tmp_path / 'checkpoint.pt'}"):
        load_trained(tmp_path / "checkpoint.pt")


def test_what_does_not_fit_is_refused_before_anything_is_written(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    with refuses("data set mnist has 1 channels, network svhn takes 3"):
        train("svhn", "1:1", data, output=output)
    with refuses("epochs = 0, batch = 128: must be at least 1 epoch and 2 images"):
        train("digits", "1:1", data, epochs=0, output=output)
    with refuses("bits '1x4': expected W:I or W:I:G, such as 1:4 or 2:2:8"):
        train("digits", "1x4", data, output=output)
    assert not output.exists()
