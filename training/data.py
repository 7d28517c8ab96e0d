"""Data sets by name, read from local files: MNIST, Fashion-MNIST, SVHN, CIFAR-10, ImageNet folders."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Protocol

import numpy as np

from spinplane.machine import SpinplaneError
from spinplane.machine.choices import one_of
from spinplane.machine.errors import one_line
from spinplane.machine.files import read_file, read_unpacked

from .mat_file import read_mat
from .plain_pickle import read_plain_pickle

#: Bytes of a file, unpacked: three times those of MNIST's images, and what SVHN's extra images need.
_MOST_BYTES, _MOST_OF_SVHN = 1 << 27, 1 << 31
_MOST_SIDES = 4
IMAGE_SUFFIXES = {".jpeg", ".jpg", ".png"}


class Images(Protocol):
    """Labelled images, handed out in batches."""

    @property
    def labels(self) -> np.ndarray:
        """Classes of shape (images,), int64."""

    def batch(self, indices: np.ndarray) -> np.ndarray:
        """Pixels of shape (len(indices), channels, side, side), uint8."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ArrayImages:
    """Images held in memory.

    Parameters
    ----------
    pixels : ndarray of shape (images, channels, side, side), uint8
    labels : ndarray of shape (images,), int64
    """

    pixels: np.ndarray
    labels: np.ndarray

    def batch(self, indices: np.ndarray) -> np.ndarray:
        """Pixels of shape (len(indices), channels, side, side), uint8."""
        return self.pixels[indices]


@dataclass(frozen=True, kw_only=True, eq=False)
class FolderImages:
    """Images read on demand: shorter side resized to 8/7 of `side`, centre cut out.

    Parameters
    ----------
    paths : tuple of Path
    labels : ndarray of shape (images,), int64
    side : int
        224 for ImageNet, resized to 256 before.
    """

    paths: tuple[Path, ...]
    labels: np.ndarray
    side: int

    def batch(self, indices: np.ndarray) -> np.ndarray:
        """Pixels of shape (len(indices), 3, side, side), uint8."""
        return np.stack([self._read(self.paths[i]) for i in indices])

    def _read(self, path: Path) -> np.ndarray:
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(path) as file:
                image = file.convert("RGB")
        except (OSError, UnidentifiedImageError) as error:
            raise SpinplaneError(f"image {path}: cannot be read: {error}") from None
        scale = self.side * 8 / 7 / min(image.size)
        width, height = (max(self.side, round(length * scale)) for length in image.size)
        left, top = (width - self.side) // 2, (height - self.side) // 2
        image = image.resize((width, height), Image.Resampling.BILINEAR)
        image = image.crop((left, top, left + self.side, top + self.side))
        return np.asarray(image).transpose(2, 0, 1)


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """What reads training and test images of a side from a folder."""

    read: Callable[[Path, int], tuple[Images, Images]]
    description: str


def load_dataset(dataset: str, directory: str | Path, side: int) -> tuple[Images, Images]:
    """Training and test images of a data set.

    Parameters
    ----------
    dataset : str
        ``"mnist"`` and ``"fashion-mnist"``: the four IDX files, gzipped or not. ``"svhn"``:
        ``train_32x32.mat``, ``extra_32x32.mat``, ``test_32x32.mat``, trained on the first two;
        ``"svhn-train"``: the same without ``extra``. ``"cifar10"``: the Python or the binary version.
        ``"imagenet"``: ``train/CLASS/*`` and ``val/CLASS/*``.
    directory : str or Path
        Where its files are.
    side : int
        Side to which images of another size are resized (bilinear).

    Raises
    ------
    SpinplaneError
        If the data set is unknown, or a file is missing or damaged, naming it.
    """
    if dataset not in _READERS:
        raise SpinplaneError(f"data set {dataset!r} is not {one_of(dataset, dataset_names())}")
    directory = Path(directory)
    if not directory.is_dir():
        raise SpinplaneError(f"data set {dataset}: {directory} is not a directory")
    return _READERS[dataset].read(directory, side)


def dataset_names() -> list[str]:
    """Names that `load_dataset` knows."""
    return sorted(_READERS)


def dataset_descriptions() -> dict[str, str]:
    """What each of these names stands for, and its files."""
    return {name: _READERS[name].description for name in dataset_names()}


def read_idx(path: Path) -> np.ndarray:
    """Array of bytes from an IDX file, gzipped or not.

    Raises
    ------
    SpinplaneError
        If it is not an IDX file of unsigned bytes, or its length does not match its sizes.
    """
    data = read_unpacked(path, str(path), _MOST_BYTES)
    if len(data) < 4 or data[:3] != b"\0\0\x08" or data[3] > _MOST_SIDES:
        raise SpinplaneError(f"{path}: not an IDX file of unsigned bytes")
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise SpinplaneError(f"{path}: ends inside its header")
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", data[3], 4))
    expected = start + prod(shape)
    if len(data) != expected:
        raise SpinplaneError(f"{path}: {len(data)} bytes, its header says {expected}")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _find(directory: Path, *names: str) -> Path:
    for name in names:
        if (directory / name).is_file():
            return directory / name
    raise SpinplaneError(f"no {' or '.join(names)} in {directory}")


def _labelled(pixels: np.ndarray, labels: np.ndarray, side: int, source: Path) -> ArrayImages:
    if len(pixels) != len(labels):
        raise SpinplaneError(f"{source}: {len(labels)} labels for {len(pixels)} images")
    return ArrayImages(pixels=resize(pixels, side), labels=labels.astype(np.int64))


def resize(pixels: np.ndarray, side: int) -> np.ndarray:
    """Images of another side, bilinear; those that have it are returned as they are.

    Parameters
    ----------
    pixels : ndarray of shape (images, channels, height, width), uint8
    side : int

    Returns
    -------
    ndarray of shape (images, channels, side, side), uint8
    """
    if pixels.shape[2:] == (side, side):
        return pixels
    from PIL import Image

    resized = np.empty((*pixels.shape[:2], side, side), np.uint8)
    for image, target in zip(
        pixels.reshape(-1, *pixels.shape[2:]), resized.reshape(-1, side, side), strict=True
    ):
        target[:] = Image.fromarray(image).resize((side, side), Image.Resampling.BILINEAR)
    return resized


def _mnist(directory: Path, side: int) -> tuple[Images, Images]:
    return _mnist_part(directory, "train", side), _mnist_part(directory, "t10k", side)


def _mnist_part(directory: Path, part: str, side: int) -> ArrayImages:
    names = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
    images, labels = (_find(directory, name, f"{name}.gz") for name in names)
    pixels, classes = read_idx(images), read_idx(labels)
    if pixels.ndim != 3 or classes.ndim != 1:
        wrong = images if pixels.ndim != 3 else labels
        raise SpinplaneError(f"{wrong}: must have {'3' if wrong is images else '1'} dimensions, as in MNIST")
    return _labelled(pixels[:, None], classes, side, labels)


def _svhn(directory: Path, side: int) -> tuple[Images, Images]:
    core, extra = _svhn_part(directory, "train", side), _svhn_part(directory, "extra", side)
    both = ArrayImages(
        pixels=np.concatenate([core.pixels, extra.pixels]),
        labels=np.concatenate([core.labels, extra.labels]),
    )
    return both, _svhn_part(directory, "test", side)


def _svhn_train(directory: Path, side: int) -> tuple[Images, Images]:
    return _svhn_part(directory, "train", side), _svhn_part(directory, "test", side)


def _svhn_part(directory: Path, part: str, side: int) -> ArrayImages:
    path = _find(directory, f"{part}_32x32.mat")
    packed = read_file(path, str(path), _MOST_OF_SVHN)
    try:
        content = read_mat(packed, _MOST_OF_SVHN)
    except ValueError as error:
        raise SpinplaneError(f"{path}: not a readable MATLAB file: {one_line(error)}") from None
    pixels, labels = content.get("X"), content.get("y")
    if (
        pixels is None
        or labels is None
        or pixels.dtype != np.uint8
        or pixels.shape != (32, 32, 3, labels.size)
    ):
        raise SpinplaneError(f"{path}: not SVHN's cropped digits: no X of 32×32×3×n bytes with y")
    if not np.isin(labels, range(11)).all():
        raise SpinplaneError(f"{path}: not SVHN's cropped digits: a label is not a number from 0 to 10")
    # The digit 0 has the label 10.
    return _labelled(pixels.transpose(3, 2, 0, 1), labels.ravel() % 10, side, path)


def _cifar10(directory: Path, side: int) -> tuple[Images, Images]:
    parts = [_cifar_part(directory, f"data_batch_{n}", side) for n in range(1, 6)]
    train = ArrayImages(
        pixels=np.concatenate([part.pixels for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
    )
    return train, _cifar_part(directory, "test_batch", side)


def _cifar_part(directory: Path, name: str, side: int) -> ArrayImages:
    path = _find(directory, name, f"{name}.bin")
    content = read_file(path, str(path), _MOST_BYTES)
    pixels, labels = (_cifar_records if path.suffix == ".bin" else _cifar_pickle)(content, path)
    if len(labels) and not 0 <= labels.min() <= labels.max() < 10:
        raise SpinplaneError(f"{path}: not a batch of CIFAR-10: its labels are not numbers from 0 to 9")
    return _labelled(pixels.reshape(-1, 3, 32, 32), labels, side, path)


def _cifar_records(content: bytes, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of shape (images, 3072) and labels of the binary version."""
    if not content or len(content) % 3073:
        raise SpinplaneError(f"{path}: {len(content)} bytes, not a multiple of 3073")
    records = np.frombuffer(content, np.uint8).reshape(-1, 3073)
    return records[:, 1:], records[:, 0]


def _cifar_pickle(content: bytes, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The same of the Python version."""
    try:
        batch = read_plain_pickle(content)
        pixels, labels = batch[b"data"], np.array(batch[b"labels"])
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise SpinplaneError(f"{path}: not a batch of CIFAR-10: {one_line(error)}") from None
    if not isinstance(pixels, np.ndarray) or pixels.shape[1:] != (3072,):
        raise SpinplaneError(f"{path}: not a batch of CIFAR-10: data is not an array of n×3072 bytes")
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise SpinplaneError(f"{path}: not a batch of CIFAR-10: its labels are not a list of whole numbers")
    return pixels, labels


def _imagenet(directory: Path, side: int) -> tuple[Images, Images]:
    classes = _class_names(directory / "train")
    train, test = (_image_folder(directory / part, classes, side) for part in ("train", "val"))
    return train, test


def _class_names(directory: Path) -> list[str]:
    if not directory.is_dir():
        raise SpinplaneError(f"{directory} is not a directory")
    names = sorted(entry.name for entry in directory.iterdir() if entry.is_dir())
    if not names:
        raise SpinplaneError(f"{directory}: has no folder of a class")
    return names


def _image_folder(directory: Path, classes: list[str], side: int) -> FolderImages:
    for name in _class_names(directory):
        if name not in classes:
            raise SpinplaneError(f"{directory / name}: no such class among the training images")
    paths, labels = [], []
    for label, name in enumerate(classes):
        folder = directory / name
        found = sorted(p for p in folder.glob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
        if not found:
            raise SpinplaneError(f"{folder}: has no image")
        paths += found
        labels += [label] * len(found)
    return FolderImages(paths=tuple(paths), labels=np.array(labels, np.int64), side=side)


_READERS = {
    "mnist": _Reader(read=_mnist, description="handwritten digits: the four IDX files, gzipped or not"),
    "fashion-mnist": _Reader(read=_mnist, description="clothes: four IDX files as of MNIST"),
    "svhn": _Reader(read=_svhn, description="house numbers with the extra images: three .mat files of 32×32"),
    "svhn-train": _Reader(read=_svhn_train, description="house numbers without the extra images"),
    "cifar10": _Reader(read=_cifar10, description="ten kinds of things: the Python or the binary version"),
    "imagenet": _Reader(read=_imagenet, description="a thousand classes: train/CLASS/* and val/CLASS/*"),
}
