"""Damage to data sets of training: batches of CIFAR-10, files of MNIST."""

import gzip
import pickle
import random
from pathlib import Path

import numpy as np

from spinplane.machine import SpinplaneError
from spinplane.machine.files import read_unpacked
from spinplane.training.data import _cifar_part, read_idx
from spinplane.training.plain_pickle import read_plain_pickle

from .harness import Kind, damage_bytes

_NUMBERS = (0, 1, 2, 255, 2**16, 2**31 - 1, 2**32 - 1)


def _cifar(seed: int, folder: Path) -> bytes:
    rng = np.random.default_rng(seed % 8)
    pixels, labels = rng.integers(0, 256, (2, 3072), np.uint8), [int(x) for x in rng.integers(0, 10, 2)]
    if seed % 8 == 1:
        pixels = np.asfortranarray(pixels)
    batch = {
        b"data": pixels,
        b"labels": labels,
        b"filenames": [b"a.png", b"b.png"],
        b"batch_label": b"1 of 5",
    }
    return pickle.dumps(batch, protocol=2 if seed % 2 else 4)


def _damaged_cifar(seed: int, folder: Path) -> bytes:
    draw = random.Random(f"damage {seed}")
    data = _cifar(seed, folder)
    if seed % 3 == 0:
        return damage_bytes(draw, data)
    # Most of a batch are pixels, of which each value is as good as another: damage what is around them.
    batch = pickle.loads(data)
    kind = draw.randrange(6)
    if kind == 0:
        batch.pop(draw.choice(list(batch)))
    elif kind == 1:
        batch[b"labels"] = draw.choice(
            [[1], [1, -1], [1, 10], [1, 2**70], [1, 1.5], [[1], [2]], "12", None, {}]
        )
    elif kind == 2:
        batch[b"data"] = draw.choice(
            [
                batch[b"data"].astype("i4"),
                batch[b"data"][:, :9],
                batch[b"data"].ravel(),
                np.array([print]),
                b"x",
                [1],
            ]
        )
    elif kind == 3:
        return pickle.dumps(
            draw.choice([[batch], None, 3, {1: 2}, {b"data": batch}, Path, Path("x")]), protocol=2
        )
    data = pickle.dumps(batch, protocol=2)
    places = [at for at in range(len(data)) if at < 200 or at > len(data) - 200]
    for _ in range(draw.randint(0 if kind < 4 else 1, 2)):
        at = draw.choice(places)
        data = (
            data[:at]
            + draw.choice([b"", bytes([draw.randrange(256)]), b"r\xff\xff\xff\x7f", b"(" * 9])
            + data[at + 1 :]
        )
    return data


def _mnist(seed: int, folder: Path) -> bytes:
    rng = np.random.default_rng(seed % 8)
    array = rng.integers(0, 256, (3, 28, 28) if seed % 2 else (30,), np.uint8)
    data = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
    return gzip.compress(data, mtime=0) if seed % 8 < 3 else data


def _damaged_mnist(seed: int, folder: Path) -> bytes:
    draw = random.Random(f"damage {seed}")
    data = _mnist(seed, folder)
    for _ in range(draw.randint(1, 3)):
        if draw.random() < 0.5:
            data = damage_bytes(draw, data)
        else:
            at = draw.randrange(17)
            data = (
                data[:at] + draw.choice(_NUMBERS).to_bytes(4, "big")[-draw.choice([1, 4]) :] + data[at + 1 :]
            )
    return data


def _pickle(path: Path) -> None:
    try:
        read_plain_pickle(path.read_bytes())
    except ValueError as error:
        raise SpinplaneError(str(error)[:200]) from None


CIFAR = Kind(
    name="data_batch_1",
    whole=_cifar,
    damaged=_damaged_cifar,
    steps=[("container", _pickle), ("values", lambda path: _cifar_part(path.parent, path.name, 32))],
)
MNIST = Kind(
    whole=_mnist,
    damaged=_damaged_mnist,
    steps=[("bytes", lambda path: read_unpacked(path, str(path), 1 << 27)), ("header", read_idx)],
)
