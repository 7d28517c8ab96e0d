"""Data sets, and what a network makes of them on the functional machine: the class of every image."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.table import Table

from spinplane.behavioral import Accelerator
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.graph import Graph
from spinplane.machine import FaultMap, SpinplaneError
from spinplane.machine.array_files import IMAGES, open_archive

from ..models import shipped_networks
from ..samples import SAMPLES

#: Pairs of names under which a data set may have its images and labels.
_NAMES = (("x", "y"), ("images", "labels"))
_EXPECTED = "expected an .npz with images and labels (x and y) of numbers"
#: Images that run together.
_CHUNK = 64
#: Classes up to which the confusion table has a column for each.
_COLUMNS = 12
#: Pairs of classes that are listed where there are more.
_PAIRS = 15


def load_images(path: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of a data set.

    Parameters
    ----------
    path : Path or None
        An .npz with ``x`` and ``y``, or ``images`` and ``labels``; None: the digits that come with the package.

    Returns
    -------
    images : ndarray of shape (n, …), of numbers
    labels : ndarray of shape (n,), int64

    Raises
    ------
    SpinplaneError
        If it cannot be read without unpickling objects, has not both, not as many of each, or other labels than whole
        numbers.
    """
    path = path or next(iter(shipped_networks().values())).with_name(f"{SAMPLES}.npz")
    with open_archive(path, f"data {path}", _EXPECTED, IMAGES) as file:
        names = next((pair for pair in _NAMES if set(pair) <= set(file.names)), None)
        if names is None:
            raise SpinplaneError(f"data {path}: {_EXPECTED}: it has {', '.join(file.names[:8]) or 'nothing'}")
        images, labels = (file.read(name) for name in names)
    if not images.ndim or not labels.ndim or len(images) != len(labels) or not len(images):
        raise SpinplaneError(
            f"data {path}: {len(images) if images.ndim else 'no list of'} images and "
            f"{len(labels) if labels.ndim else 'no list of'} labels"
        )
    if labels.dtype.kind not in "iu" or labels.size != len(labels):
        raise SpinplaneError(
            f"data {path}: labels of {labels.dtype} and shape {labels.shape}: expected one whole number an image"
        )
    return images, labels.reshape(-1).astype(np.int64)


def check_labels(graph: Graph, labels: np.ndarray) -> int:
    """The number of a network's classes, to which the labels must belong.

    Raises
    ------
    SpinplaneError
        If one does not.
    """
    classes = int(np.prod(graph.outputs[0].shape[1:]))
    least, greatest = int(labels.min()), int(labels.max())
    if least < 0 or greatest >= classes:
        raise SpinplaneError(
            f"labels from {least} to {greatest}: network {graph.name} has the classes 0 to {classes - 1}"
        )
    return classes


def classes_of(
    program: CompiledProgram,
    codes: np.ndarray,
    faults: FaultMap | None = None,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> np.ndarray:
    """The greatest number of each image's first output on the functional machine.

    Parameters
    ----------
    program : CompiledProgram
    codes : ndarray of shape (images, channels, height, width), int64
    faults : FaultMap, optional
    advance : callable
        Is given the images done and all of them.

    Returns
    -------
    ndarray of shape (images,), int64
    """
    return classes_on(Accelerator(program.machine, faults), program, codes, advance)


def classes_on(
    accelerator: Accelerator,
    program: CompiledProgram,
    codes: np.ndarray,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> np.ndarray:
    """`classes_of`, on a machine that shows afterwards what has become of it."""
    accelerator.load(program)
    found = []
    for start in range(0, len(codes), _CHUNK):
        numbers = first_output(program, accelerator, codes[start : start + _CHUNK])
        found.append(numbers.reshape(len(numbers), -1).argmax(axis=1))
        advance(min(start + _CHUNK, len(codes)), len(codes))
    return np.concatenate(found)


def first_output(program: CompiledProgram, accelerator: Accelerator, codes: np.ndarray) -> np.ndarray:
    """The network's first output in its own units and shape, a batch of images in front, of a loaded program."""
    output = program.graph.outputs[0]
    found = accelerator.run_images(codes, layers=output.layers).maps
    values = [program.layers[number].output.values(found[number]) for number in output.layers]
    return output.decode(np.concatenate(values, axis=1))


def confusion_of(labels: np.ndarray, found: np.ndarray, classes: int) -> tuple[tuple[int, ...], ...]:
    """How many images of each label (rows) were taken for each class (columns)."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, found), 1)
    return tuple(tuple(row) for row in counts.tolist())


def confusion_table(confusion: tuple[tuple[int, ...], ...]) -> Table:
    """A line for each label, or for each of the most frequent mistakes where there are many classes."""
    counts = np.array(confusion)
    if len(counts) <= _COLUMNS:
        table = Table(
            title="labels (rows) and the classes that were found",
            caption="right: of the images with this label",
        )
        for heading in ("label", *map(str, range(len(counts))), "right"):
            table.add_column(heading, justify="right")
        for label, row in enumerate(counts):
            share = f"{row[label] / row.sum():.1%}" if row.sum() else ""
            table.add_row(str(label), *(str(count) if count else "·" for count in row), share)
        return table
    table = Table(title="the most frequent mistakes")
    for heading in ("label", "class found", "images", "of the images with this label"):
        table.add_column(heading, justify="right")
    mistakes = counts - np.diag(np.diag(counts))
    for at in np.argsort(-mistakes, axis=None, kind="stable")[:_PAIRS]:
        label, found = divmod(int(at), len(counts))
        if mistakes[label, found]:
            share = mistakes[label, found] / counts[label].sum()
            table.add_row(str(label), str(found), str(mistakes[label, found]), f"{share:.1%}")
    return table
