"""Accuracy of a network in a faulty memory: fault maps drawn from a technology, over seeds."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spinplane.behavioral import Engine
from spinplane.compiler.graph import Graph
from spinplane.compiler.mapping import layer_inputs, layer_outputs, map_network
from spinplane.compiler.oracle import run_graph
from spinplane.device import draw_fault_map, load_technology
from spinplane.machine import Machine, SpinplaneError, load_machine

from .drawing import draw_accuracy
from .models import open_model, shipped_networks


@dataclass(frozen=True, kw_only=True)
class AccuracyPoint:
    """Accuracy at one variation.

    Parameters
    ----------
    offset_sigma_v : float
        Standard deviation of the sense amplifiers' offsets.
    stuck_cells, drifted_amplifiers : float
        Mean number over the seeds.
    accuracies : tuple of float
        Share of right classes, one for each seed.
    """

    offset_sigma_v: float
    stuck_cells: float
    drifted_amplifiers: float
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean accuracy over the seeds."""
        return float(np.mean(self.accuracies))

    @property
    def standard_error(self) -> float:
        """Of the mean over the seeds: how much fault maps differ, on these images."""
        count = len(self.accuracies)
        return float(np.std(self.accuracies, ddof=1) / np.sqrt(count)) if count > 1 else 0.0


@dataclass(frozen=True, kw_only=True)
class AccuracyReport:
    """Accuracy against variation.

    Parameters
    ----------
    network, machine, technology : str
    images : int
    baseline : float
        Accuracy on these images without faults.
    points : tuple of AccuracyPoint
    picture : Path
    """

    network: str
    machine: str
    technology: str
    images: int
    baseline: float
    points: tuple[AccuracyPoint, ...]
    picture: Path

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON takes it."""
        points = [{**asdict(p), "mean": p.mean, "standard_error": p.standard_error} for p in self.points]
        return {**asdict(self), "points": points, "picture": str(self.picture)}

    def __str__(self) -> str:
        lines = [
            f"{self.network} on {self.machine}, {self.technology}: {self.images} images, "
            f"{self.baseline:.1%} right without faults",
            "",
            "offset σ   drifted amplifiers   stuck cells   accuracy ± standard error over the fault maps",
        ]
        for p in self.points:
            lines.append(
                f"{p.offset_sigma_v * 1e3:5.1f} mV   {p.drifted_amplifiers:18.1f}   {p.stuck_cells:11.1f}   "
                f"{p.mean:.1%} ± {p.standard_error:.1%}"
            )
        return "\n".join([*lines, "", f"plot  {self.picture}"])


def load_images(path: Path | None) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of an .npz; those that come with the package, if no file is given.

    Raises
    ------
    SpinplaneError
        If the file has no ``images`` and ``labels``, as many of each.
    """
    path = path or next(iter(shipped_networks().values())).with_name("mnist-test-200.npz")
    try:
        with np.load(path, allow_pickle=False) as data:
            images, labels = data["images"], data["labels"]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise SpinplaneError(f"data {path}: expected an .npz with images and labels: {error}") from None
    if len(images) != len(labels) or not len(images):
        raise SpinplaneError(f"data {path}: {len(images)} images and {len(labels)} labels")
    return images, labels


def accuracy(
    model: str | Path | Graph,
    *,
    data: Path | None = None,
    technology: str | Path = "sot-mram",
    machine: Machine | str | Path = "paper8",
    offset_sigmas_v: Sequence[float] | None = None,
    weak_cells: float | None = None,
    images: int = 20,
    seeds: int = 5,
    folder: Path = Path("build") / "accuracy",
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> AccuracyReport:
    """Classify images in the functional machine with fault maps of a technology.

    Parameters
    ----------
    model : str, Path or Graph
        See `open_model`.
    data : Path, optional
        See `load_images`.
    technology : str or Path
        See `spinplane.device.load_technology`.
    machine : Machine, str or Path
    offset_sigmas_v : sequence of float, optional
        Standard deviations of the amplifiers' offsets in V; 1, 2 and 4 times the technology's, if not given.
    weak_cells : float, optional
        Share of cells that no write changes; from the technology, if not given.
    images, seeds : int
        The first images of the data; fault maps of each point.
    folder : Path
        For the plot.
    advance : callable
        Is given the runs done and the runs in all.

    Raises
    ------
    SpinplaneError
        If model, data or technology cannot be read, or a number is not allowed.
    """
    if images < 1 or seeds < 1:
        raise SpinplaneError(f"images = {images}, seeds = {seeds}: at least 1 of each")
    machine, graph, chosen = load_machine(machine), open_model(model), load_technology(technology)
    pixels, labels = load_images(data)
    inputs, labels = graph.encode_input(pixels[:images]), labels[:images]
    mapped = map_network(graph, machine)
    right = _share(run_graph(graph, inputs)[-1], labels)
    own = chosen["sense_amplifier.offset_sigma"]
    points = []
    sigmas = list(offset_sigmas_v) if offset_sigmas_v else [own, 2 * own, 4 * own]
    for at, sigma in enumerate(sigmas):
        maps = []
        shares = []
        for seed in range(seeds):
            faults = draw_fault_map(machine, chosen, seed, offset_sigma=sigma, weak_cells=weak_cells)
            engine, values = Engine(machine, faults), inputs
            for layer in mapped:
                run = engine.run(layer.convolution.program(layer_inputs(layer, values)))
                values = layer_outputs(layer, run.results)
            maps.append(faults)
            shares.append(_share(values, labels))
            advance(at * seeds + seed + 1, len(sigmas) * seeds)
        points.append(
            AccuracyPoint(
                offset_sigma_v=float(sigma),
                stuck_cells=float(np.mean([len(m.stuck) for m in maps])),
                drifted_amplifiers=float(np.mean([sum(m.faulty_columns.values()) for m in maps])),
                accuracies=tuple(shares),
            )
        )
    picture = draw_accuracy(
        folder / "accuracy.png",
        title=f"{graph.name} on {machine.name}, {chosen.name}: {len(labels)} images, {seeds} fault maps a point",
        sigmas_mv=[1e3 * p.offset_sigma_v for p in points],
        means=[p.mean for p in points],
        errors=[p.standard_error for p in points],
        baseline=right,
    )
    return AccuracyReport(
        network=graph.name,
        machine=machine.name,
        technology=chosen.name,
        images=len(labels),
        baseline=right,
        points=tuple(points),
        picture=picture,
    )


def _share(values: np.ndarray, labels: np.ndarray) -> float:
    return float((values.reshape(len(values), -1).argmax(axis=1) == labels).mean())
