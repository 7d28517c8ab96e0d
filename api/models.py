"""From what a caller has of a model to an integer graph: a file, its content, or the name of a network."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Union

import numpy as np

from spinplane.compiler.expected_input import expected_input, input_warnings
from spinplane.compiler.graph import Graph, InputCoding
from spinplane.machine import MAX_BITS, SpinplaneError
from spinplane.machine.arguments import as_path, is_path, refusal
from spinplane.machine.choices import nearest
from spinplane.machine.files import temporary_folder, write_file
from spinplane.machine.reporting.brief import brief

from .defaults import SEED
from .report.model_notes import ModelNotes

if TYPE_CHECKING:
    from onnx import ModelProto

    from spinplane.compiler.frontend.building import ImportedNetwork

_log = logging.getLogger("spinplane")


def shipped_networks() -> dict[str, Path]:
    """Trained networks that come with the package, by name."""
    folder = Path(str(files("spinplane"))) / "data" / "networks"
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A file that does not quantize its input, and how this is: number = scale · (code − zero_point).

    Parameters
    ----------
    path : Path
        Text is taken, too.
    bits : int
        Of its codes, 1 to 8.
    scale : float
    zero_point : int
    signed : bool
        Whether codes are from −2^(bits − 1), or from 0.

    Raises
    ------
    SpinplaneError
        If the bits are not from 1 to 8, or the scale is not a positive number.
    """

    path: Path
    bits: int
    scale: float = 1.0
    zero_point: int = 0
    signed: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", as_path("path", self.path))
        if not 1 <= self.bits <= MAX_BITS:
            raise SpinplaneError(f"input bits = {self.bits}: must be from 1 to {MAX_BITS}")
        if not 0 < np.float32(self.scale) < np.inf:
            raise SpinplaneError(f"input scale = {self.scale}: must be a positive number")
        if not -(2**MAX_BITS) < self.zero_point < 2**MAX_BITS:
            raise SpinplaneError(f"input zero point = {self.zero_point}: must be from −255 to 255")

    def __str__(self) -> str:
        return str(self.path)

    @property
    def coding(self) -> InputCoding:
        """How its numbers become codes."""
        low = -(2 ** (self.bits - 1)) if self.signed else 0
        return InputCoding(
            scale=float(np.float32(self.scale)),
            zero_point=float(self.zero_point),
            low=low,
            high=low + 2**self.bits - 1,
        )


#: A model as functions take it, see `open_network`.
Model = Union[str, Path, Graph, ModelFile, "ModelProto"]
_NAMELESS = "model"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Network:
    """An opened model.

    Parameters
    ----------
    graph : Graph
    notes : ModelNotes
        What to tell of it.
    name : str
        Of the model in messages.
    file : Path or None
    content : bytes or None
        Of a file that only the caller has.
    imported : ImportedNetwork or None
        Of the file; None of a graph without one.
    """

    graph: Graph
    notes: ModelNotes
    name: str
    file: Path | None = None
    content: bytes | None = None
    imported: "ImportedNetwork | None" = None

    def __repr__(self) -> str:
        return brief(
            self, f"{self.graph.name}: {len(self.graph.layers)} layers, from {self.file or 'a graph'}"
        )

    @contextmanager
    def as_file(self) -> Iterator[Path]:
        """The file that was imported, or one with its content for as long as it is needed."""
        if self.file is not None:
            yield self.file
        else:
            assert self.content is not None
            with _written(self.content) as file:
                yield file

    def encode(self, values: np.ndarray) -> tuple[np.ndarray, ModelNotes]:
        """An input as the values of the graph's input, see `arrange`, and what to tell of both."""
        x = self.arrange(values)
        return self.graph.input_coding.encode(x), self.notes_with(x)

    def arrange(self, values: np.ndarray) -> np.ndarray:
        """An input as a batch of images, see `Graph.arrange_input`; it may also have the shape of the file's input."""
        in_file, array = self.notes.expects.in_file, np.asarray(values)
        if in_file and array.shape[-len(in_file) :] == in_file != array.shape[-len(self.graph.input_shape) :]:
            assert self.imported is not None
            # A map in the file's axes, of which the first one is the batch.
            sides = [self.graph.input_shape[axis - 1] for axis in self.imported.views[-1].order[1:]]
            back = np.argsort(self.imported.views[-1].order)
            array = array.reshape(-1, *sides).transpose(back)
        return self.graph.arrange_input(array)

    def notes_with(self, x: np.ndarray) -> ModelNotes:
        """What to tell of the network and of an input that `arrange` has arranged."""
        return replace(self.notes, warnings=input_warnings(self.graph, x))


def open_model(model: Model, *, check: bool = True, seed: int = SEED) -> Graph:
    """A model as an integer graph, see `open_network`."""
    return open_network(model, check=check, seed=seed).graph


def open_network(model: Model, *, check: bool = True, seed: int = SEED) -> Network:
    """A model as an integer graph, with what to tell of it.

    Parameters
    ----------
    model : str, Path, ModelFile, ModelProto or Graph
        An ONNX, QONNX or TFLite file, which says how its input is quantized, or a `ModelFile`, which says it instead;
        the name of a shipped network, ``digits-1-4``; a network of the literature with its bits, ``svhn:1:4``, which
        gets seeded weights; an ``onnx.ModelProto``, which is read and checked as its file would be, and goes by the
        name of its graph; or a graph as it is.
    check : bool
        Whether to compare a file's graph with the file's own executor.
    seed : int
        Of those weights.

    Raises
    ------
    SpinplaneError
        If there is no such model, it cannot be read, its executor computes something else, or `model` is of another
        type.
    """
    if isinstance(model, Graph):
        return _without_file(model)
    if not is_path(model) and not isinstance(model, ModelFile):
        return _open_content(*_content_of(model), check)
    name = str(model)
    shipped = shipped_networks()
    if drawn_seed(name) is not None:
        network, _, bits = name.partition(":")
        from spinplane.compiler.frontend.model_zoo import build_graph
        from spinplane.compiler.frontend.networks import BitWidths

        return replace(_without_file(build_graph(network, BitWidths.parse(bits), seed=seed)), name=name)
    path = shipped.get(name) or as_path("model", name)
    if not path.is_file():
        from spinplane.compiler.frontend.networks import network_names

        meant = nearest(name, [*shipped, *(f"{network}:1:4" for network in network_names())])
        mend = (
            f"did you mean {meant!r}?"
            if meant
            else "a network from the literature needs its bits, such as svhn:1:4"
        )
        raise SpinplaneError(f"model {name!r} is neither a file nor one of {', '.join(shipped)}; {mend}")
    _log.info("open %s", path)
    state = path.stat()
    given = model if isinstance(model, ModelFile) else None
    return _open_file(path, given, check, state.st_mtime_ns, state.st_size)


def _without_file(graph: Graph) -> Network:
    return Network(graph=graph, notes=ModelNotes(expects=expected_input(graph), check=""), name=graph.name)


@lru_cache(maxsize=8)
def _open_file(path: Path, given: ModelFile | None, check: bool, changed: int, size: int) -> Network:
    """A file, imported and checked once for as long as it stays as it is."""
    return replace(_import(path, None, given, check), file=path)


@lru_cache(maxsize=8)
def _open_content(content: bytes, name: str, check: bool) -> Network:
    """The content of an ONNX file, imported and checked once."""
    with _written(content) as path:
        return replace(_import(path, name, None, check), content=content)


def _content_of(model: object) -> tuple[bytes, str]:
    """What an ONNX model is as a file, and the name of its graph.

    Raises
    ------
    SpinplaneError
        If it is no such model, or larger than a file of one can be.
    """
    from google.protobuf.message import EncodeError
    from onnx import ModelProto

    from spinplane.compiler.frontend.onnx_file.names import shown

    if not isinstance(model, ModelProto):
        raise refusal(
            "model", model, "a name, the path of a file, a Graph, a ModelFile or an onnx.ModelProto"
        )
    name = shown(model.graph.name) or _NAMELESS
    try:
        return model.SerializeToString(), name
    except (EncodeError, ValueError):
        raise SpinplaneError(f"model {name}: larger than a file of one can be") from None


@contextmanager
def _written(content: bytes) -> Iterator[Path]:
    with temporary_folder() as folder:
        write_file(folder / "model.onnx", content)
        yield folder / "model.onnx"


def _import(path: Path, name: str | None, given: ModelFile | None, check: bool) -> Network:
    """A file, imported and checked; without a name, messages and the graph have the file's."""
    from spinplane.compiler.frontend.import_model import import_model
    from spinplane.compiler.judges.import_check import check_import

    imported = import_model(path, coding=given.coding if given else None, name=name)
    if check:
        try:
            told = str(check_import(path, imported))
        except SpinplaneError as error:
            raise SpinplaneError(f"model {name or path}: {error}") from None
    else:
        told = "import not checked, as --no-check says"
    expects = expected_input(imported.graph)
    view = imported.views.get(-1)
    if view and view.sides == imported.graph.input_shape != view.shape[1:]:
        expects = replace(expects, in_file=view.shape[1:])
    notes = ModelNotes(expects=expects, check=told, told=imported.told)
    return Network(graph=imported.graph, notes=notes, name=name or str(path), imported=imported)


def drawn_seed(model: str) -> int | None:
    """Seed of a model's weights: `SEED` for a network of the literature, None for one whose weights are in a file."""
    return SEED if model.partition(":")[2] and not Path(model).exists() else None
