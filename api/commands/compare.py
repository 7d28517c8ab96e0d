"""An imported network beside the executor of its file, node by node."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from rich.table import Table

from spinplane.compiler.judges.comparison import NodeComparison
from spinplane.compiler.judges.executor import Executor
from spinplane.compiler.judges.import_check import compare_with_file, random_images
from spinplane.machine import SpinplaneError
from spinplane.machine.reporting.records import Record, record_of

from ..models import SEED, ModelFile, open_network
from ..report.model_notes import ModelNotes
from ..report.report import Report


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison(Report):
    """A network, and what its file's executor computes, each node on the executor's own inputs.

    Parameters
    ----------
    network : str
    model : ModelNotes
    executor : str
        Its name, version and settings.
    images : int
    nodes : tuple of NodeComparison
        In the order in which they are computed.
    """

    derived: ClassVar[tuple[str, ...]] = ("first", "differing", "near_ties", "near_ties_differing", "largest")

    network: str
    model: ModelNotes
    executor: str
    images: int
    nodes: tuple[NodeComparison, ...]

    @property
    def first(self) -> str | None:
        """The first node that differs."""
        return next((node.node for node in self.nodes if node.differing), None)

    @property
    def differing(self) -> int:
        """Values that differ and are not near-ties."""
        return sum(node.differing for node in self.nodes)

    @property
    def near_ties(self) -> int:
        """Values that are near-ties."""
        return sum(node.near_ties for node in self.nodes)

    @property
    def near_ties_differing(self) -> int:
        """Near-ties that the executor takes otherwise."""
        return sum(node.near_ties_differing for node in self.nodes)

    @property
    def largest(self) -> float:
        """Largest difference of all nodes."""
        return max((node.largest for node in self.nodes), default=0.0)

    @property
    def failure(self) -> str:
        """That values differ, naming the first node."""
        if not self.differing:
            return ""
        return (
            f"{self.differing:,} values differ from those of {self.executor}, the first at node {self.first}"
        )

    def tables(self) -> tuple[Table, ...]:
        """A line for each tensor of the file."""
        table = Table(
            title=f"{self.network} beside {self.executor}: {self.images} images",
            caption="each node on the executor's own inputs; largest difference in codes, of numbers in their units",
        )
        table.add_column("node")
        table.add_column("tensor")
        for heading in ("shape", "values", "differing", "near-ties", "taken otherwise", "largest difference"):
            table.add_column(heading, justify="right")
        for node in self.nodes:
            table.add_row(
                node.node,
                node.tensor,
                "×".join(map(str, node.shape)),
                f"{node.elements:,}",
                f"{node.differing:,}",
                f"{node.near_ties:,}",
                f"{node.near_ties_differing:,}",
                f"{node.largest:.6g}",
            )
        return (table,)

    @property
    def main_figure(self) -> str:
        """Values that differ."""
        return f"{self.differing:,} values differ"

    def records(self) -> tuple[Record, ...]:
        """A record for each tensor of the file."""
        return tuple({"network": self.network} | record_of(node) for node in self.nodes)

    def notes(self) -> tuple[str, ...]:
        """Where the network first differs, near-ties, and what there is to know of it."""
        ties = f"{self.near_ties_differing:,} of {self.near_ties:,} near-ties taken otherwise"
        first = f"first difference at node {self.first}" if self.first else "equal at every node"
        return (f"{first}; {ties}", *self.model.lines())


def compare(
    model: str | Path | ModelFile, values: np.ndarray | None = None, *, samples: int = 16, seed: int = SEED
) -> Comparison:
    """Compare an imported network with the executor of its file.

    Parameters
    ----------
    model : str or Path
        A file, or the name of a shipped network, see `open_network`.
    values : ndarray, optional
        Input of the network, see `Graph.encode_input`; random images if there is none.
    samples, seed : int
        Of these.

    Raises
    ------
    SpinplaneError
        If the model or the input is not as it should be, the model is no file, or its executor is not installed or does
        not run it.
    """
    network = open_network(model, check=False)
    if network.file is None or network.imported is None:
        raise SpinplaneError(f"model {str(model)!r} is not a file: nothing else says what it computes")
    if samples < 1:
        raise SpinplaneError(f"samples = {samples}: must be at least 1")
    executor = Executor.of_file(network.file)
    if executor.version is None:
        raise SpinplaneError(f"comparing {network.file} needs {executor.package}, which is not installed")
    graph = network.graph
    notes = replace(network.notes, check="")
    if values is None:
        images = random_images(graph, samples, seed=seed)
    else:
        images = network.arrange(values)
        notes = replace(network.notes_with(images), check="")
    return Comparison(
        network=graph.name,
        model=notes,
        executor=str(executor),
        images=len(images),
        nodes=compare_with_file(executor, network.file, network.imported, images),
    )
