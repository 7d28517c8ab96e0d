"""Accuracy of a network on a data set, and in faulty memories, over fault maps drawn from a technology.

The network is the accelerator's program, and its values are those of the functional machine: what ``spinplane run``
computes for one image and, with ``--faults``, one map, here over many images and maps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.device.technology import Technology
from spinplane.machine import Machine, MachineClock, SpinplaneError, load_machine
from spinplane.machine.arguments import as_optional_path, as_path
from spinplane.machine.drawing import Drawing, check_format
from spinplane.machine.reporting.records import Record

from ..defaults import ACCURACY_FOLDER, FAULT_SEEDS, NETWORK_MACHINE
from ..models import Model, open_network
from ..report.layer_figures import LayerFigures
from ..report.model_notes import ModelNotes
from ..report.report import Report
from ..tasks.engine import Engine
from .clock import chosen_technology, clock_line, clock_of
from .compiled_layer import compiled_layers
from .data_set import check_labels, classes_of, confusion_of, confusion_table, load_images
from .transient import TransientPoint, TransientStudy, transient_table
from .variation import AccuracyPoint, Study, point_record

#: Images of a study of variation, if no number is given.
_IMAGES = 200


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


@dataclass(frozen=True, kw_only=True, repr=False)
class AccuracyReport(Report):
    """Accuracy on a data set, and against variation if that was asked for.

    Parameters
    ----------
    network : str
    model : ModelNotes
    machine : str
    technology : str or None
        None without a study of variation.
    placement : Placement
        What ran: the accelerator's own program.
    images, seeds : int
        Fault maps of each point: 0 without a study.
    baseline : float
        Accuracy on these images without faults.
    confusion : tuple of tuple of int
        Without faults: images of each label (rows) that were taken for each class (columns).
    reference : str or None
        Where references of the amplifiers lie; None without a study of variation.
    points : tuple of AccuracyPoint
        Empty without a study of variation.
    transient : tuple of TransientPoint
        Empty without a study of transient faults.
    picture : Path or None
        The plot of the study.
    clock : MachineClock or None
        None without a technology.
    """

    network: str
    model: ModelNotes
    machine: str
    technology: str | None
    placement: Placement
    images: int
    seeds: int
    baseline: float
    confusion: tuple[tuple[int, ...], ...]
    reference: str | None
    points: tuple[AccuracyPoint, ...]
    transient: tuple[TransientPoint, ...]
    picture: Path | None
    clock: MachineClock | None = None

    @property
    def heading(self) -> str:
        """One line: the network, the memory and the number of images."""
        memory = f", {self.technology}" if self.technology else ""
        return f"Accuracy of {self.network} on {self.machine}{memory}: {self.images} images"

    def tables(self) -> tuple[Table, ...]:
        """What was taken for what, or a line for each point of a study."""
        if self.transient:
            caption = (
                f"{self.baseline:.1%} right without faults; {self.seeds} runs per line; bits of an image"
            )
            return (transient_table(self.heading, caption, self.transient),)
        if not self.points:
            return (confusion_table(self.confusion),)
        table = Table(
            title=self.heading,
            caption=f"{self.baseline:.1%} right without faults; {self.seeds} fault maps per line; "
            f"references at {(self.reference or '').replace('_', ' ')}",
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

    @property
    def main_figure(self) -> str:
        """Share of images that are right without faults."""
        return f"{self.baseline:.1%} right without faults"

    def records(self) -> tuple[Record, ...]:
        """A record for each point of a study; without one for each label and class, the images taken for it."""
        points = self.points or self.transient
        if points:
            study = {"network": self.network, "machine": self.machine, "technology": self.technology}
            return tuple({**study, **point_record(point)} for point in points)
        return tuple(
            {"network": self.network, "machine": self.machine, "label": label, "class": at, "images": images}
            for label, row in enumerate(self.confusion)
            for at, images in enumerate(row)
        )

    def notes(self) -> tuple[str, ...]:
        """What ran, the share of right classes, the plot's file, and what there is to know of the network."""
        what = self.placement
        right = sum(row[label] for label, row in enumerate(self.confusion))
        return (
            *(
                ()
                if self.points or self.transient
                else (f"{right:,} of {self.images:,} images right: {self.baseline:.2%}",)
            ),
            f"as the accelerator runs it: program {what.program} of {what.descriptors} descriptors",
            *((clock_line(self.clock),) if self.clock else ()),
            *((f"plot  {self.picture}",) if self.picture else ()),
            *self.model.lines(),
        )

    def drawings(self) -> tuple[Path, ...]:
        """The plot."""
        return (self.picture,) if self.picture else ()


def accuracy(
    model: Model,
    *,
    data: str | Path | None = None,
    technology: Technology | str | Path | None = None,
    machine: Machine | str | Path = NETWORK_MACHINE,
    clock: str | None = None,
    sigmas_ra: Sequence[float] | None = None,
    sigmas_tmr: Sequence[float] | None = None,
    offset_sigmas_v: Sequence[float] | None = None,
    multiples: Sequence[float] | None = None,
    weak_cells: float | None = None,
    reference: str | None = None,
    transient: bool = False,
    write_errors: Sequence[float] | None = None,
    disturbs: Sequence[float] | None = None,
    decays: Sequence[float] | None = None,
    images: int | None = None,
    seeds: int = FAULT_SEEDS,
    check: bool = True,
    folder: str | Path = ACCURACY_FOLDER,
    format: str = "png",
    jobs: int | None = None,
    dask: str | None = None,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> AccuracyReport:
    """Classify a data set on the functional machine; with a technology or a deviation, in memories drawn from it, too.

    With `transient`, or a rate, images are classified while writes fail, senses disturb cells and cells decay.

    Parameters
    ----------
    model : str, Path, ModelFile, ModelProto or Graph
        See `open_network`. The greatest number of its first output is the class.
    data : str or Path, optional
        See `load_images`.
    technology : Technology, str or Path, optional
        See `spinplane.device.load_technology`; ``sot-mram`` if a deviation is given without it.
    machine : Machine, str or Path
    clock : str, optional
        At which the machine's pulses must be long enough for the technology, see `clock_of`.
    sigmas_ra, sigmas_tmr : sequence of float, optional
        Standard deviations of each cell's resistance-area product and TMR over the nominal ones, a point for each;
        by default the technology's. One value goes with every point.
    offset_sigmas_v : sequence of float, optional
        Standard deviations of the amplifiers' offsets in V, in the same way.
    multiples : sequence of float, optional
        Factors of all three deviations, or of all three rates, a point for each; `MULTIPLES` of either study, if
        nothing else has several values.
    weak_cells : float, optional
        Share of cells that no write changes; by default the technology's.
    reference : {"midpoint", "equal_error"}, optional
        Where references of the amplifiers lie; midway between levels if not given.
    transient : bool
        Whether to draw transient faults, at the technology's rates where none are given.
    write_errors : sequence of float, optional
        Probabilities that a write of either bit fails, a point for each.
    disturbs : sequence of float, optional
        Probabilities that an AND turns over the most endangered cell, in the same way.
    decays : sequence of float, optional
        Probabilities that a cell turns over from one sense of its sub-array to the next, in the same way.
    images : int, optional
        The first images of the data; by default all of them, of a study of variation 200.
    seeds : int
        Fault maps, or runs with transient faults, of each point.
    check : bool
        Whether to compare the import with the file's own executor.
    folder : str or Path
        For the plot.
    format : {"png", "svg", "pdf"}
        Of the plot.
    jobs : int, optional
        Processes of one thread each among which fault maps, or runs with transient faults, are shared; by default one
        for each core.
    dask : str, optional
        Address of a Dask scheduler, whose workers do so instead.
    advance : callable
        Is given the images done and all of them; in a study, the fault maps done and all of them.

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
    check_format(format)
    engine = Engine(jobs=jobs, dask=dask)
    deviations = (sigmas_ra, sigmas_tmr, offset_sigmas_v, weak_cells, reference)
    rates = (write_errors, disturbs, decays)
    of_events = transient or any(given is not None for given in rates)
    of_cells = any(given is not None for given in deviations)
    if of_events and of_cells:
        raise SpinplaneError("both deviations of cells and rates of transient faults: study one of the two")
    study_asked = of_events or of_cells or technology is not None or multiples is not None
    if (images is not None and images < 1) or seeds < 1:
        raise SpinplaneError(f"images = {images}, seeds = {seeds}: must be at least 1 each")
    if clock is not None and not study_asked:
        raise SpinplaneError(
            f"clock {clock}: nothing is checked at it without a technology, a deviation or a rate"
        )
    if (jobs is not None or dask is not None) and not study_asked:
        raise SpinplaneError(
            "jobs, dask: only fault maps and runs with transient faults are shared among processes"
        )
    machine = load_machine(machine)
    data, folder = as_optional_path("data", data), as_path("folder", folder)
    used = chosen_technology(technology) if study_asked else None
    of_machine = clock_of(machine, used, clock) if used else None
    network = open_network(model, check=check)
    graph = network.graph
    count = _IMAGES if images is None and study_asked else images
    pixels, labels = (part[:count] for part in load_images(data))
    classes = check_labels(graph, labels)
    inputs, notes = network.encode(pixels)
    if len(inputs) != len(labels):
        raise SpinplaneError(f"data: {len(inputs)} images of {graph.name}'s size for {len(labels)} labels")
    chosen: Study | TransientStudy | None = None
    if used and of_events:
        chosen = TransientStudy(
            used,
            write_errors=write_errors,
            disturbs=disturbs,
            decays=decays,
            multiples=multiples,
            seeds=seeds,
        )
    elif used:
        chosen = Study(
            used,
            sigmas_ra=sigmas_ra,
            sigmas_tmr=sigmas_tmr,
            offset_sigmas_v=offset_sigmas_v,
            multiples=multiples,
            weak_cells=weak_cells,
            reference=reference or "midpoint",
            seeds=seeds,
        )
    program = compile_graph(graph, machine)
    codes = (inputs - program.input.offset) // program.input.scale
    found = classes_of(program, codes, advance=(lambda done, of: None) if chosen else advance)
    right = float((found == labels).mean())
    points: tuple[AccuracyPoint, ...] = ()
    transient_points: tuple[TransientPoint, ...] = ()
    drawn: tuple[Drawing, ...] = ()
    if chosen and used:
        each = "runs" if of_events else "fault maps"
        title = f"{graph.name} on {machine.name}, {used.name}: {len(labels)} images, {seeds} {each} per point"
        with engine:
            if isinstance(chosen, TransientStudy):
                transient_points = chosen.points(program, codes, labels, engine, advance)
                drawn = (chosen.drawing(transient_points, title=title, baseline=right),)
            else:
                points = chosen.points(program, codes, labels, engine, advance)
                drawn = (chosen.drawing(points, title=title, baseline=right),)
    return AccuracyReport(
        network=graph.name,
        model=notes,
        machine=machine.name,
        technology=used.name if used else None,
        placement=_placement(program),
        images=len(labels),
        seeds=seeds if chosen else 0,
        baseline=right,
        confusion=confusion_of(labels, found, classes),
        reference=(reference or "midpoint") if isinstance(chosen, Study) else None,
        points=points,
        transient=transient_points,
        picture=drawn[0].write(folder, format) if drawn else None,
        clock=of_machine,
        drawn=drawn,
    )


def _placement(program: CompiledProgram) -> Placement:
    """What ran, and where it lies."""
    return Placement(
        machine=program.machine.name,
        program=program.digest,
        descriptors=len(program.descriptors),
        layers=tuple(layer.figures() for layer in compiled_layers(program)),
    )
