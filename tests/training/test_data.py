"""Data sets from local files: tiny ones of every format, and damaged ones."""

import gzip
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from spinplane.machine import SpinplaneError
from spinplane.training.data import dataset_names, load_dataset, read_idx, resize


def write_idx(path: Path, array: np.ndarray) -> None:
    sizes = np.array(array.shape, ">u4").tobytes()
    content = bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_mnist(directory: Path, suffix: str = "") -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    arrays = {}
    for part, count in (("train", 5), ("t10k", 3)):
        arrays[f"{part}-images-idx3-ubyte"] = rng.integers(0, 256, (count, 28, 28), np.uint8)
        arrays[f"{part}-labels-idx1-ubyte"] = rng.integers(0, 10, count, np.uint8)
    for name, array in arrays.items():
        write_idx(directory / f"{name}{suffix}", array)
    return arrays


def refuses(message: str) -> "pytest.RaisesExc[SpinplaneError]":
    return pytest.raises(SpinplaneError, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize("dataset", ["mnist", "fashion-mnist"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_mnist_is_read_plain_and_gzipped(tmp_path: Path, dataset: str, suffix: str) -> None:
    arrays = write_mnist(tmp_path, suffix)
    train, test = load_dataset(dataset, tmp_path, 28)
    assert np.array_equal(train.batch(np.arange(5)), arrays["train-images-idx3-ubyte"][:, None])
    assert np.array_equal(test.batch(np.array([2, 0])), arrays["t10k-images-idx3-ubyte"][[2, 0], None])
    assert np.array_equal(test.labels, arrays["t10k-labels-idx1-ubyte"])
    assert train.labels.dtype == np.int64


def test_unknown_dataset_and_directory_are_named(tmp_path: Path) -> None:
    names = "cifar10, fashion-mnist, imagenet, mnist, svhn, svhn-train"
    assert ", ".join(dataset_names()) == names
    with refuses(f"data set 'emnist' is not one of {names}; did you mean 'mnist'?"):
        load_dataset("emnist", tmp_path, 28)
    with refuses(f"data set mnist: {tmp_path / 'x'} is not a directory"):
        load_dataset("mnist", tmp_path / "x", 28)


def test_missing_file_is_named(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    with refuses(f"no t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz in {tmp_path}"):
        load_dataset("mnist", tmp_path, 28)


def test_truncated_idx_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "images"
    write_idx(path, np.zeros((2, 3, 3), np.uint8))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with refuses(f"{path}: 33 bytes, its header says 34"):
        read_idx(path)
    path.write_bytes(whole[:9])
    with refuses(f"{path}: ends inside its header"):
        read_idx(path)
    path.write_bytes(whole[:2])
    with refuses(f"{path}: not an IDX file of unsigned bytes"):
        read_idx(path)
    path.write_bytes(b"\0\0\x0d" + whole[3:])
    with refuses(f"{path}: not an IDX file of unsigned bytes"):
        read_idx(path)


def test_truncated_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    write_idx(path, np.arange(200, dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SpinplaneError, match=f"^{re.escape(str(path))}: cannot be read: "):
        read_idx(path)


def test_sizes_whose_product_overflows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(bytes([0, 0, 8, 3]) + b"\xff" * 12)
    with refuses(f"{path}: 16 bytes, its header says {16 + (2**32 - 1) ** 3}"):
        read_idx(path)


def test_labels_must_match_images(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(4, np.uint8))
    with refuses(f"{tmp_path / 'train-labels-idx1-ubyte'}: 4 labels for 5 images"):
        load_dataset("mnist", tmp_path, 28)


def test_images_of_other_dimensions_are_refused(tmp_path: Path) -> None:
    write_mnist(tmp_path)
    write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((5, 784), np.uint8))
    with refuses(f"{tmp_path / 'train-images-idx3-ubyte'}: must have 3 dimensions, as in MNIST"):
        load_dataset("mnist", tmp_path, 28)
    write_mnist(tmp_path)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", np.zeros((3, 1), np.uint8))
    with refuses(f"{tmp_path / 't10k-labels-idx1-ubyte'}: must have 1 dimensions, as in MNIST"):
        load_dataset("mnist", tmp_path, 28)


def cifar_batches() -> dict[str, tuple[np.ndarray, list[int]]]:
    rng = np.random.default_rng(2)
    names = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]
    return {
        name: (rng.integers(0, 256, (2, 3072), np.uint8), [int(x) for x in rng.integers(0, 10, 2)])
        for name in names
    }


@pytest.mark.parametrize("version", ["python", "binary"])
def test_cifar10_is_read_in_both_versions(tmp_path: Path, version: str) -> None:
    batches = cifar_batches()
    for name, (pixels, labels) in batches.items():
        if version == "python":
            (tmp_path / name).write_bytes(pickle.dumps({b"data": pixels, b"labels": labels}, protocol=2))
        else:
            records = np.hstack([np.array(labels, np.uint8)[:, None], pixels])
            (tmp_path / f"{name}.bin").write_bytes(records.tobytes())
    train, test = load_dataset("cifar10", tmp_path, 32)
    assert train.batch(np.arange(10)).shape == (10, 3, 32, 32)
    assert np.array_equal(train.batch(np.array([3]))[0].ravel(), batches["data_batch_2"][0][1])
    assert test.labels.tolist() == batches["test_batch"][1]


def test_damaged_cifar10_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data_batch_1"
    content = pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1, 2]}, protocol=2)
    path.write_bytes(content[:-100])
    with pytest.raises(SpinplaneError, match=f"^{re.escape(str(path))}: not a batch of CIFAR-10: "):
        load_dataset("cifar10", tmp_path, 32)
    path.write_bytes(pickle.dumps({b"data": np.zeros((2, 3000), np.uint8), b"labels": [1, 2]}, protocol=2))
    with refuses(f"{path}: not a batch of CIFAR-10: data is not an array of n×3072 bytes"):
        load_dataset("cifar10", tmp_path, 32)
    path.unlink()
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(bytes(3074))
    with refuses(f"{path}: 3074 bytes, not a multiple of 3073"):
        load_dataset("cifar10", tmp_path, 32)


class _Harmful:
    def __reduce__(self) -> tuple:
        return (Path("written-by-a-pickle").touch, ())


def test_a_pickle_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps(_Harmful()))
    with pytest.raises(SpinplaneError, match=r"not a batch of CIFAR-10: .* is not allowed$"):
        load_dataset("cifar10", tmp_path, 32)
    assert not Path("written-by-a-pickle").exists()


def write_svhn(directory: Path, part: str, count: int) -> dict[str, np.ndarray]:
    from scipy.io import savemat

    rng = np.random.default_rng(count)
    content = {
        "X": rng.integers(0, 256, (32, 32, 3, count), np.uint8),
        "y": rng.integers(1, 11, (count, 1), np.uint8),
    }
    content["y"][0] = 10
    savemat(directory / f"{part}_32x32.mat", content)
    return content


@pytest.mark.training
def test_svhn_is_read_with_extra_and_resized(tmp_path: Path) -> None:
    core, extra, _ = (write_svhn(tmp_path, part, n) for part, n in (("train", 3), ("extra", 4), ("test", 2)))
    train_images, test_images = load_dataset("svhn", tmp_path, 40)
    labels = np.concatenate([core["y"], extra["y"]]).ravel() % 10
    assert train_images.labels.tolist() == labels.tolist()
    assert train_images.labels[0] == 0
    assert train_images.batch(np.arange(7)).shape == (7, 3, 40, 40)
    assert len(test_images.labels) == 2
    unresized, _ = load_dataset("svhn-train", tmp_path, 32)
    assert np.array_equal(unresized.batch(np.arange(3)), core["X"].transpose(3, 2, 0, 1))


@pytest.mark.training
def test_svhn_needs_extra_and_whole_files(tmp_path: Path) -> None:
    for part in ("train", "test"):
        write_svhn(tmp_path, part, 2)
    with refuses(f"no extra_32x32.mat in {tmp_path}"):
        load_dataset("svhn", tmp_path, 40)
    path = tmp_path / "train_32x32.mat"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(SpinplaneError, match=f"^{re.escape(str(path))}: not a readable MATLAB file: "):
        load_dataset("svhn-train", tmp_path, 40)


@pytest.mark.training
def test_a_mat_file_of_something_else_is_refused(tmp_path: Path) -> None:
    from scipy.io import savemat

    path = tmp_path / "train_32x32.mat"
    savemat(path, {"X": np.zeros((32, 32, 3, 1))})
    with refuses(f"{path}: not SVHN's cropped digits: no X of 32×32×3×n bytes with y"):
        load_dataset("svhn-train", tmp_path, 40)


@pytest.mark.training
def test_resize_keeps_flat_images_and_averages_neighbours() -> None:
    flat = np.full((2, 3, 32, 32), 77, np.uint8)
    assert np.array_equal(resize(flat, 40), np.full((2, 3, 40, 40), 77, np.uint8))
    assert resize(flat, 32) is flat
    edge = np.zeros((1, 1, 2, 2), np.uint8)
    edge[..., 1] = 200
    assert resize(edge, 4)[0, 0, 0].tolist() == [0, 50, 150, 200]


def write_imagenet(directory: Path) -> None:
    from PIL import Image

    for part in ("train", "val"):
        for label, name in enumerate(("n01", "n02")):
            folder = directory / part / name
            folder.mkdir(parents=True)
            Image.new("RGB", (300 + label, 200), (label * 100, 10, 20)).save(folder / "a.JPEG", quality=100)
    (directory / "train" / "n01" / "readme.txt").write_text("not an image")


@pytest.mark.training
def test_imagenet_folders_are_read_when_asked_for(tmp_path: Path) -> None:
    write_imagenet(tmp_path)
    train, val = load_dataset("imagenet", tmp_path, 224)
    assert train.labels.tolist() == val.labels.tolist() == [0, 1]
    batch = train.batch(np.array([1, 0]))
    assert batch.shape == (2, 3, 224, 224)
    assert batch.dtype == np.uint8
    assert abs(int(batch[0, 0, 100, 100]) - 100) <= 2
    assert int(batch[1, 0, 100, 100]) <= 2


@pytest.mark.training
def test_incomplete_imagenet_folders_are_named(tmp_path: Path) -> None:
    with refuses(f"{tmp_path / 'train'} is not a directory"):
        load_dataset("imagenet", tmp_path, 224)
    (tmp_path / "train").mkdir()
    with refuses(f"{tmp_path / 'train'}: has no folder of a class"):
        load_dataset("imagenet", tmp_path, 224)
    (tmp_path / "train").rmdir()
    write_imagenet(tmp_path)
    (tmp_path / "train" / "n02" / "a.JPEG").write_bytes(b"no image")
    train, _ = load_dataset("imagenet", tmp_path, 224)
    with pytest.raises(
        SpinplaneError, match=re.escape(f"image {tmp_path}/train/n02/a.JPEG: cannot be read: ")
    ):
        train.batch(np.array([1]))
    (tmp_path / "val" / "n03").mkdir()
    with refuses(f"{tmp_path / 'val' / 'n03'}: no such class among the training images"):
        load_dataset("imagenet", tmp_path, 224)
    (tmp_path / "val" / "n03").rmdir()
    (tmp_path / "val" / "n01" / "a.JPEG").unlink()
    with refuses(f"{tmp_path / 'val' / 'n01'}: has no image"):
        load_dataset("imagenet", tmp_path, 224)
