"""An imported network beside what the executor of its file computes: node by node, and from end to end."""

from collections import Counter
from pathlib import Path

import numpy as np

from spinplane.compiler.frontend.building import ImportedNetwork
from spinplane.compiler.frontend.import_model import import_model
from spinplane.compiler.judges.comparison import NodeComparison, compare_tensors
from spinplane.compiler.oracle import run_graph
from spinplane.machine import SpinplaneError

from .executors import execute
from .files import NetworkFile

#: Operators that define their arithmetic in integers and one multiplication: none of their results is a near-tie.
#: QLinearAveragePool adds up numbers of float32.
INTEGER_OPERATORS = ("qlinearconv", "qlinearmatmul", "qlinearadd", "qlinearconcat", "qlinearglobal", "qgemm")
#: Share of the elements that may be near-ties which the executor takes otherwise.
MOST_NEAR_TIES = 1e-4


def imported(path: Path) -> ImportedNetwork | str:
    """The network of a file, or why it is refused."""
    try:
        return import_model(path)
    except SpinplaneError as error:
        message = str(error)
        assert len(message) < 300, message
        assert "\n" not in message, message
        return message


def input_values(network: ImportedNetwork, file: NetworkFile) -> np.ndarray:
    """Values of the images, shape (images, channels, height, width)."""
    graph, tensor = network.graph, network.graph.input_tensor
    assert tensor is not None
    images = np.concatenate([image[:1] for image in file.given()]).astype(np.float32)
    sides = [(len(images), *graph.input_shape)[axis] for axis in tensor.order]
    return graph.input_coding.encode(images.reshape(sides).transpose(np.argsort(tensor.order)))


def judge(network: ImportedNetwork, file: NetworkFile) -> Counter:
    """Hold a network to the executor of its file; counts of what was compared.

    A difference that is not a near-tie is an error, and so is any where no node before differs.
    """
    tensors = execute(file)
    values = input_values(network, file)
    nodes = compare_tensors(network, values, tensors)
    for node in nodes:
        assert node.differing == 0, node
        if node.node.startswith(INTEGER_OPERATORS) or file.form == "tflite":
            assert node.near_ties == 0, node
    seen = Counter(
        tensors=len(nodes),
        elements=sum(node.elements for node in nodes),
        near_ties=sum(node.near_ties for node in nodes),
        differing=sum(node.near_ties_differing for node in nodes),
    )
    if not seen["differing"]:
        check_ends(network, values, tensors, nodes)
    return seen


def check_ends(
    network: ImportedNetwork,
    values: np.ndarray,
    tensors: dict[str, np.ndarray],
    nodes: tuple[NodeComparison, ...],
) -> None:
    """Outputs of the oracle's own way through the network: no further from the executor's than each node by itself."""
    largest = {node.tensor: node.largest for node in nodes}
    maps = run_graph(network.graph, values)
    for output, own in zip(network.graph.outputs, network.graph.decode_outputs(maps), strict=True):
        # A fixed batch holds copies of one image.
        given = tensors[output.name][:, 0].reshape(own.shape)
        # What scales and moves codes rounds to float32.
        size = np.abs(own) + 2 * np.abs(output.offset).max() + np.abs(own).max()
        allowed = largest.get(output.name, 0.0) + 4 * np.finfo(np.float32).eps * size
        assert (np.abs(given - own) <= allowed).all(), output.name
