"""From the model's name to an integer graph: a file, a network of the package, or one from the literature."""

import zipfile
from importlib.resources import files
from pathlib import Path

import numpy as np

from spinplane.compiler.graph import Graph
from spinplane.machine import SpinplaneError


def shipped_networks() -> dict[str, Path]:
    """Trained networks that come with the package, by name."""
    folder = Path(str(files("spinplane"))) / "data" / "networks"
    return {path.stem: path for path in sorted(folder.glob("*.onnx"))}


#: Of the weights of a network of the literature, if no other is given.
SEED = 0


def open_model(model: str | Path | Graph, *, seed: int = SEED) -> Graph:
    """A model as an integer graph.

    Parameters
    ----------
    model : str, Path or Graph
        An ONNX or QONNX file; the name of a shipped network, ``digits-1-4``; a network of the literature with its
        bits, ``svhn:1:4``, which gets seeded weights; or a graph as it is.
    seed : int
        Of those weights.

    Raises
    ------
    SpinplaneError
        If there is no such model, or it cannot be read.
    """
    if isinstance(model, Graph):
        return model
    name = str(model)
    shipped = shipped_networks()
    if drawn_seed(name) is not None:
        network, _, bits = name.partition(":")
        from spinplane.compiler.frontend.model_zoo import build_graph
        from spinplane.compiler.frontend.networks import BitWidths

        return build_graph(network, BitWidths.parse(bits), seed=seed)
    path = shipped.get(name, Path(name))
    if not path.is_file():
        raise SpinplaneError(
            f"model {name!r} is neither a file nor one of {', '.join(shipped)}; a network from the literature needs "
            "its bits, such as svhn:1:4"
        )
    from spinplane.compiler.frontend.onnx_import import load_model

    return load_model(path)


def drawn_seed(model: str) -> int | None:
    """Seed of a model's weights: `SEED` for a network of the literature, None for one whose weights are in a file."""
    return SEED if model.partition(":")[2] and not Path(model).exists() else None


def load_array(path: Path) -> np.ndarray:
    """An array from a .npy file.

    Raises
    ------
    SpinplaneError
        If it is missing, cut short, or not a .npy file.
    """
    try:
        # Opened here, the file is closed even where numpy rejects it.
        with open(path, "rb") as file:
            values = np.load(file, allow_pickle=False)
    except FileNotFoundError:
        raise SpinplaneError(f"input {path}: no such file") from None
    except OSError as error:
        raise SpinplaneError(f"input {path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise SpinplaneError(f"input {path}: not a .npy file of numbers, or cut short: {error}") from None
    if not isinstance(values, np.ndarray):
        raise SpinplaneError(f"input {path}: a .npz holds several arrays; save one with numpy.save")
    return values
