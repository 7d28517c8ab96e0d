"""Accuracy of a network in a faulty memory, over fault maps drawn from a technology.

The network is the accelerator's program, and its values are those of the functional machine: what
``spinplane run --faults`` computes for one map, here over many images and maps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from rich.table import Table

from spinplane.behavioral import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.graph import Graph
from spinplane.compiler.oracle import run_graph
from spinplane.device import check_machine, draw_fault_map, load_technology
from spinplane.device.faults import weak_cell_rates
from spinplane.device.statistics import clopper_pearson, student
from spinplane.device.technology import Technology
from spinplane.machine import FaultMap, Machine, SpinplaneError, load_machine

from ..models import open_model, shipped_networks
from ..report.drawing import draw_accuracy
from ..report.layer_figures import LayerFigures
from ..report.report import Report
from .compiled_layer import compiled_layers

#: Of all deviations, where neither they nor multiples are given as a sweep.
MULTIPLES = (1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True, kw_only=True)
class AccuracyPoint:
    """Accuracy at one variation.

    Parameters
    ----------
    multiple : float
        Of the deviations that were asked for; it is in those below.
    sigma_ra, sigma_tmr : float
        Standard deviations of a cell's resistance-area product and TMR, over the nominal ones.
    offset_sigma_v : float
        Standard deviation of the sense amplifiers' offsets.
    stuck_cells, drifted_amplifiers : float
        Mean number over the seeds; amplifiers drifted so far that they would be wrong with nominal cells.
    images : int
    accuracies : tuple of float
        Share of images classified correctly, one per seed.
    """

    derived: ClassVar[tuple[str, ...]] = ("mean", "standard_error", "interval")

    multiple: float
    sigma_ra: float
    sigma_tmr: float
    offset_sigma_v: float
    stuck_cells: float
    drifted_amplifiers: float
    images: int
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

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean on these images.

        What covers both Clopper and Pearson's, all classifications taken as trials of their own, and Student's over
        the fault maps, on which they hang together; the former alone for one map.
        """
        trials = self.images * len(self.accuracies)
        right = round(sum(self.accuracies) * self.images)
        low, high = clopper_pearson(right, trials)
        if len(self.accuracies) > 1:
            ends = student(np.array(self.accuracies))
            low, high = max(0.0, min(low, ends[0])), min(1.0, max(high, ends[1]))
        return low, high


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A program of an accelerator, and the placement of each layer.

    Parameters
    ----------
    machine : str
    program : str
        Digest, see `Program.digest`.
    descriptors : int
    layers : tuple of LayerFigures
    """

    machine: str
    program: str
    descriptors: int
    layers: tuple[LayerFigures, ...]


@dataclass(frozen=True, kw_only=True)
class AccuracyReport(Report):
    """Accuracy against variation.

    Parameters
    ----------
    network, machine, technology : str
    placement : Placement
        What ran: the accelerator's own program.
    images, seeds : int
    baseline : float
        Accuracy on these images without faults.
    points : tuple of AccuracyPoint
    picture : Path
    """

    network: str
    machine: str
    technology: str
    placement: Placement
    images: int
    seeds: int
    baseline: float
    points: tuple[AccuracyPoint, ...]
    picture: Path

    @property
    def heading(self) -> str:
        """One line: the network, the memory and the number of images."""
        return f"Accuracy of {self.network} on {self.machine}, {self.technology}: {self.images} images"

    def tables(self) -> tuple[Table, ...]:
        """A line for each point."""
        table = Table(
            title=self.heading,
            caption=f"{self.baseline:.1%} right without faults; {self.seeds} fault maps per line",
        )
        for heading in ("σ(RA)", "σ(TMR)", "offset σ", "drifted amplifiers", "stuck cells", "accuracy"):
            table.add_column(heading, justify="right")
        table.add_column("95 % interval", justify="right")
        for p in self.points:
            low, high = p.interval
            table.add_row(
                f"{p.sigma_ra:.1%}",
                f"{p.sigma_tmr:.1%}",
                f"{p.offset_sigma_v * 1e3:.1f} mV",
                f"{p.drifted_amplifiers:,.1f}",
                f"{p.stuck_cells:,.1f}",
                f"{p.mean:.1%}",
                f"{low:.1%} to {high:.1%}",
            )
        return (table,)

    def notes(self) -> tuple[str, ...]:
        """The plot's file."""
        what = self.placement
        return (
            f"as the accelerator runs it: program {what.program} of {what.descriptors} descriptors",
            f"plot  {self.picture}",
        )

    def drawings(self) -> tuple[Path, ...]:
        """The plot."""
        return (self.picture,)


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
    technology: Technology | str | Path = "sot-mram",
    machine: Machine | str | Path = "paper8",
    sigmas_ra: Sequence[float] | None = None,
    sigmas_tmr: Sequence[float] | None = None,
    offset_sigmas_v: Sequence[float] | None = None,
    multiples: Sequence[float] | None = None,
    weak_cells: float | None = None,
    images: int = 200,
    seeds: int = 10,
    folder: Path = Path("build") / "accuracy",
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> AccuracyReport:
    """Classify images in memories drawn from a technology: accuracy against variation, over fault maps.

    Parameters
    ----------
    model : str, Path or Graph
        See `open_model`.
    data : Path, optional
        See `load_images`.
    technology : Technology, str or Path
        See `spinplane.device.load_technology`.
    machine : Machine, str or Path
    sigmas_ra, sigmas_tmr : sequence of float, optional
        Standard deviations of each cell's resistance-area product and TMR over the nominal ones, a point for each;
        by default the technology's. One value goes with every point.
    offset_sigmas_v : sequence of float, optional
        Standard deviations of the amplifiers' offsets in V, in the same way.
    multiples : sequence of float, optional
        Factors of all three, a point for each; `MULTIPLES`, if nothing else has several values.
    weak_cells : float, optional
        Share of cells that no write changes; by default the technology's.
    images, seeds : int
        The first images of the data; fault maps of each point.
    folder : Path
        For the plot.
    advance : callable
        Is given the runs done and the runs in all.

    Raises
    ------
    SpinplaneError
        If model, data or technology cannot be read, a number is not allowed, or the technology does not allow what
        the machine does.

    Notes
    -----
    The program is that of `spinplane.run_network`, and with the same fault map its sums are the same. A seed draws the
    same cells at every point, with other deviations.
    """
    if images < 1 or seeds < 1:
        raise SpinplaneError(f"images = {images}, seeds = {seeds}: must be at least 1 each")
    machine, graph, chosen = load_machine(machine), open_model(model), load_technology(technology)
    check_machine(machine, chosen)
    pixels, labels = load_images(data)
    inputs, labels = graph.encode_input(pixels[:images]), labels[:images]
    given = {
        "sigma_ra": sigmas_ra or [chosen["variation.resistance_area"]],
        "sigma_tmr": sigmas_tmr or [chosen["variation.tmr"]],
        "offset_sigma": offset_sigmas_v or [chosen["sense_amplifier.offset_sigma"]],
    }
    factors, sweep = _sweep(given, multiples)
    rates = weak_cell_rates(chosen) if weak_cells is None else weak_cells
    program = compile_graph(graph, machine)
    codes = (inputs - program.input.offset) // program.input.scale
    right = _share(graph.decode_outputs(run_graph(graph, inputs))[0], labels)
    points = []
    for at, (factor, sigmas) in enumerate(zip(factors, sweep, strict=True)):
        stuck, drifted, shares = [], [], []
        for seed in range(seeds):
            faults = draw_fault_map(machine, chosen, seed, weak_cells=rates, **sigmas)
            outputs = _first_output(program, faults, codes)
            stuck.append(len(faults.stuck))
            drifted.append(sum(faults.faulty_columns.values()))
            shares.append(_share(outputs, labels))
            advance(at * seeds + seed + 1, len(sweep) * seeds)
        points.append(
            AccuracyPoint(
                multiple=factor,
                sigma_ra=sigmas["sigma_ra"],
                sigma_tmr=sigmas["sigma_tmr"],
                offset_sigma_v=sigmas["offset_sigma"],
                stuck_cells=float(np.mean(stuck)),
                drifted_amplifiers=float(np.mean(drifted)),
                images=len(labels),
                accuracies=tuple(shares),
            )
        )
    label, positions = _axis(given, factors, sweep)
    picture = draw_accuracy(
        folder / "accuracy.png",
        title=f"{graph.name} on {machine.name}, {chosen.name}: {len(labels)} images, {seeds} fault maps per point",
        label=label,
        positions=positions,
        means=[p.mean for p in points],
        lows=[p.interval[0] for p in points],
        highs=[p.interval[1] for p in points],
        baseline=right,
    )
    return AccuracyReport(
        network=graph.name,
        machine=machine.name,
        technology=chosen.name,
        placement=_placement(program),
        images=len(labels),
        seeds=seeds,
        baseline=right,
        points=tuple(points),
        picture=picture,
    )


def _first_output(program: CompiledProgram, faults: FaultMap, codes: np.ndarray) -> np.ndarray:
    """The network's first output in a faulty memory, in its own units and shape; a batch of images in front."""
    accelerator = Accelerator(program.machine, faults)
    accelerator.load(program)
    output = program.graph.outputs[0]
    found = accelerator.run_images(codes, layers=output.layers).maps
    values = [program.layers[number].output.values(found[number]) for number in output.layers]
    return output.decode(np.concatenate(values, axis=1))


def _placement(program: CompiledProgram) -> Placement:
    """What ran, and where it lies."""
    return Placement(
        machine=program.machine.name,
        program=program.digest,
        descriptors=len(program.descriptors),
        layers=tuple(layer.figures() for layer in compiled_layers(program)),
    )


def _sweep(
    given: dict[str, Sequence[float]], multiples: Sequence[float] | None
) -> tuple[list[float], list[dict[str, float]]]:
    """Factor and deviations of each point."""
    lengths = {len(values) for values in given.values()} - {1}
    if len(lengths) > 1:
        counts = ", ".join(f"{len(values)} of {key}" for key, values in given.items())
        raise SpinplaneError(f"deviations: {counts}: give one of each, or equally many")
    if lengths and multiples and len(multiples) > 1:
        raise SpinplaneError(
            "several deviations and several multiples: only one of the two may have several values"
        )
    factors = [float(f) for f in multiples or (MULTIPLES if not lengths else (1.0,))]
    if not min(factors) >= 0:
        raise SpinplaneError(f"multiple of the deviations = {min(factors)!r}: must be at least 0")
    count = max(len(factors), *(len(values) for values in given.values()))
    factors *= count // len(factors)
    return factors, [
        {key: factor * float(values[at % len(values)]) for key, values in given.items()}
        for at, factor in enumerate(factors)
    ]


def _axis(
    given: dict[str, Sequence[float]], factors: list[float], sweep: list[dict[str, float]]
) -> tuple[str, list[float]]:
    """What the plot shows the accuracy against: the first deviation that was given as a sweep, else the multiples."""
    names = {"sigma_ra": ("σ(RA), %", 1e2), "sigma_tmr": ("σ(TMR), %", 1e2)}
    names["offset_sigma"] = ("σ of the sense amplifiers' offset, mV", 1e3)
    for key, (name, scale) in names.items():
        if len(given[key]) > 1:
            return name, [scale * sigmas[key] for sigmas in sweep]
    ra, tmr, offset = (float(given[key][0]) for key in names)
    return f"multiple of σ(RA) = {ra:.3g}, σ(TMR) = {tmr:.3g}, σ(offset) = {offset * 1e3:.3g} mV", factors


def _share(outputs: np.ndarray, labels: np.ndarray) -> float:
    """Share of images whose greatest number of an output is that of their label."""
    return float((outputs.reshape(len(outputs), -1).argmax(axis=1) == labels).mean())
