"""The check at the end of an import: a few images through the file's own executor, node by node."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinplane.machine import SpinplaneError

from ..expected_input import expected_input, input_ends
from ..frontend.building import ImportedNetwork
from ..frontend.onnx_file.names import quoted
from ..graph import Graph
from .comparison import NodeComparison, compare_tensors, tensors_to_compare
from .executor import ExecutionError, Executor

#: Share of the elements that are near-ties and differ, above which this is told.
TOLD_SHARE = 1e-4
#: Random images reach beyond the range that the network expects: relative to it, and in codes.
_BEYOND, _CODES_BEYOND = 0.02, 1.5
_SEED = 0
_SECONDS, _SECONDS_OF_AN_IMAGE = 10.0, 4.0


@dataclass(frozen=True, kw_only=True)
class ImportCheck:
    """What the file's executor says of an import.

    Parameters
    ----------
    executor : str
        Its name, version and settings.
    nodes : tuple of NodeComparison
        In the order in which they are computed; empty if it was not executed.
    missing : str
        Why it was not; empty if it was.
    """

    executor: str
    nodes: tuple[NodeComparison, ...]
    missing: str = ""

    def __str__(self) -> str:
        if self.missing:
            return f"import not checked: {self.missing}"
        elements = sum(node.elements for node in self.nodes)
        ties = sum(node.near_ties for node in self.nodes)
        differing = sum(node.near_ties_differing for node in self.nodes)
        told = f"import checked by {self.executor}: {elements:,} values of {len(self.nodes)} tensors"
        if not differing:
            return f"{told} are equal" + (f", {ties:,} of them near-ties" if ties else "")
        share = f", {differing / elements:.2%} of the values" if differing > TOLD_SHARE * elements else ""
        return f"{told} are equal but for {differing:,} of {ties:,} near-ties{share}"


def check_import(path: Path, network: ImportedNetwork) -> ImportCheck:
    """Compare a network with its file on random images, on the least, the greatest and the number 0.

    Parameters
    ----------
    path : Path
    network : ImportedNetwork
        Of this file.

    Raises
    ------
    SpinplaneError
        If a node differs beyond near-ties, naming the first one.
    """
    executor = Executor.of_file(path)
    if executor.version is None:
        return ImportCheck(executor=str(executor), nodes=(), missing=f"{executor.package} is not installed")
    try:
        nodes = compare_with_file(executor, path, network, check_images(network.graph))
    except ExecutionError as error:
        return ImportCheck(executor=str(executor), nodes=(), missing=str(error))
    if first := next((node for node in nodes if node.differing), None):
        raise SpinplaneError(
            f"{first.node}: {first.differing:,} of {first.elements:,} values of {quoted(first.tensor)} differ by up to "
            f"{first.largest:.6g} from those of {executor}; `spinplane compare` shows all nodes, `--no-check` goes on"
        )
    return ImportCheck(executor=str(executor), nodes=nodes)


def compare_with_file(
    executor: Executor, path: Path, network: ImportedNetwork, images: np.ndarray
) -> tuple[NodeComparison, ...]:
    """Compare a network with what an executor makes of its file.

    Parameters
    ----------
    executor : Executor
    path : Path
    network : ImportedNetwork
        Of this file.
    images : ndarray of shape (images, channels, height, width), float32

    Raises
    ------
    ExecutionError
        See `Executor.run`.
    SpinplaneError
        If a tensor has another shape in the executor.
    """
    view = network.views.get(-1)
    if view and network.graph.input_tensor and view.tensor == network.graph.input_tensor.name:
        # The file does not round its input: it gets numbers that are codes.
        values = network.graph.input_coding.encode(images)
        numbers = values * view.scale.reshape(-1, 1, 1) + view.offset.reshape(-1, 1, 1)
        images = numbers.astype(np.float32)
    run = executor.run(
        path,
        images,
        tensors_to_compare(network),
        # TFLite's quantizers are those of its tensors, so the view is that of the input itself.
        order=view.order if view and executor.package == "ai-edge-litert" else None,
        seconds=_SECONDS + _SECONDS_OF_AN_IMAGE * len(images),
    )
    return compare_tensors(network, network.graph.input_coding.encode(run.images), run.tensors)


def check_images(graph: Graph) -> np.ndarray:
    """Images of an import's check, shape (5, channels, height, width), float32."""
    low, high = _ends(graph)
    extremes = np.stack([low, high, np.zeros_like(low)])
    return np.concatenate([random_images(graph, 2, seed=_SEED), extremes])


def random_images(graph: Graph, count: int, *, seed: int) -> np.ndarray:
    """Images of numbers all over the range that a network expects, and a little beyond.

    Parameters
    ----------
    graph : Graph
    count, seed : int

    Returns
    -------
    ndarray of shape (count, channels, height, width), float32
    """
    low, high = _ends(graph)
    beyond = max(_BEYOND, _CODES_BEYOND / max(expected_input(graph).codes - 1, 1))
    drawn = np.random.default_rng(seed).uniform(-beyond, 1 + beyond, (count, *graph.input_shape))
    return (low + (high - low) * drawn).astype(np.float32)


def _ends(graph: Graph) -> tuple[np.ndarray, np.ndarray]:
    """Images of the least and of the greatest numbers that the network expects, float32."""
    limits = np.finfo(np.float32)
    low, high = (
        np.clip(np.broadcast_to(end.reshape(-1, 1, 1), graph.input_shape), limits.min / 4, limits.max / 4)
        for end in input_ends(graph.input_coding)
    )
    return low.astype(np.float32), high.astype(np.float32)
