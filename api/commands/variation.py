"""Accuracy against the variation of memory cells, over fault maps drawn from a technology."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.device import draw_fault_map
from spinplane.device.faults import weak_cell_rates
from spinplane.device.statistics import clopper_pearson, student
from spinplane.device.technology import Technology
from spinplane.machine import SpinplaneError
from spinplane.machine.drawing import Drawing
from spinplane.machine.reporting.records import Record, record_of

from ..report.drawing import draw_accuracy
from ..tasks.engine import Engine
from ..tasks.workers import Function
from .data_set import classes_of

if TYPE_CHECKING:
    from .transient import TransientPoint

#: Of all deviations, where neither they nor multiples are given as a sweep.
MULTIPLES = (1.0, 1.5, 2.0, 3.0)
#: Name of the plot of a study.
PICTURE = "accuracy"


class Accuracies:
    """Shares of images that were classified correctly, one for each seed."""

    images: int
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean accuracy over the seeds."""
        return float(np.mean(self.accuracies))

    @property
    def standard_error(self) -> float:
        """Of the mean over the seeds: how much they differ, on these images."""
        count = len(self.accuracies)
        return float(np.std(self.accuracies, ddof=1) / np.sqrt(count)) if count > 1 else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the mean on these images.

        What covers both Clopper and Pearson's, all classifications taken as trials of their own, and Student's over
        the seeds, on which they hang together; the former alone for one seed.
        """
        trials = self.images * len(self.accuracies)
        right = round(sum(self.accuracies) * self.images)
        low, high = clopper_pearson(right, trials)
        if len(self.accuracies) > 1:
            ends = student(np.array(self.accuracies))
            low, high = max(0.0, min(low, ends[0])), min(1.0, max(high, ends[1]))
        return low, high


@dataclass(frozen=True, kw_only=True)
class AccuracyPoint(Accuracies):
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


@dataclass(frozen=True, kw_only=True, eq=False)
class FaultMapTask:
    """Images to classify in a memory that a seed draws, by value: another process may do it.

    Parameters
    ----------
    program : CompiledProgram
    codes : ndarray of shape (images, channels, height, width), int64
    labels : ndarray of shape (images,), int64
    technology : Technology
    seed : int
    weak_cells, reference
        See `draw_fault_map`.
    sigmas : mapping of str to float
        Deviations, by the names of `draw_fault_map`.
    """

    program: CompiledProgram
    codes: np.ndarray
    labels: np.ndarray
    technology: Technology
    seed: int
    weak_cells: float | tuple[float, float]
    reference: str
    sigmas: Mapping[str, float]


def in_faulty_memory(task: FaultMapTask) -> dict[str, float]:
    """Stuck cells and drifted amplifiers of a fault map, and the share of images that are right with it.

    Parameters
    ----------
    task : FaultMapTask
    """
    faults = draw_fault_map(
        task.program.machine,
        task.technology,
        task.seed,
        weak_cells=task.weak_cells,
        reference=task.reference,
        **task.sigmas,
    )
    right = classes_of(task.program, task.codes, faults) == task.labels
    return {
        "stuck": len(faults.stuck),
        "drifted": sum(faults.faulty_columns.values()),
        "accuracy": float(right.mean()),
    }


class Study:
    """Points of variation, each with several fault maps.

    Parameters
    ----------
    technology : Technology
    sigmas_ra, sigmas_tmr, offset_sigmas_v, multiples, weak_cells, reference
        See `spinplane.accuracy`.
    seeds : int
        Fault maps of each point.

    Raises
    ------
    SpinplaneError
        If the deviations are not equally many, or a multiple is negative.
    """

    def __init__(
        self,
        technology: Technology,
        *,
        sigmas_ra: Sequence[float] | None,
        sigmas_tmr: Sequence[float] | None,
        offset_sigmas_v: Sequence[float] | None,
        multiples: Sequence[float] | None,
        weak_cells: float | None,
        reference: str,
        seeds: int,
    ) -> None:
        self.technology, self._seeds, self._reference = technology, seeds, reference
        self._given = {
            "sigma_ra": sigmas_ra or [technology["variation.resistance_area"]],
            "sigma_tmr": sigmas_tmr or [technology["variation.tmr"]],
            "offset_sigma": offset_sigmas_v or [technology["sense_amplifier.offset_sigma"]],
        }
        self._factors, self._sweep = sweep(self._given, multiples, "deviations", MULTIPLES)
        self._rates = weak_cell_rates(technology) if weak_cells is None else weak_cells

    def points(
        self,
        program: CompiledProgram,
        codes: np.ndarray,
        labels: np.ndarray,
        engine: Engine,
        advance: Callable[[int, int], None] = lambda done, of: None,
    ) -> tuple[AccuracyPoint, ...]:
        """Classify images, see `classes_of`, in the memories of all points."""
        tasks = [
            [
                FaultMapTask(
                    program=program,
                    codes=codes,
                    labels=labels,
                    technology=self.technology,
                    seed=seed,
                    weak_cells=self._rates,
                    reference=self._reference,
                    sigmas=sigmas,
                )
                for seed in range(self._seeds)
            ]
            for sigmas in self._sweep
        ]
        found = share_points(engine, in_faulty_memory, tasks, advance)
        points = []
        for factor, sigmas, of_maps in zip(self._factors, self._sweep, found, strict=True):
            points.append(
                AccuracyPoint(
                    multiple=factor,
                    sigma_ra=sigmas["sigma_ra"],
                    sigma_tmr=sigmas["sigma_tmr"],
                    offset_sigma_v=sigmas["offset_sigma"],
                    stuck_cells=float(np.mean([one["stuck"] for one in of_maps])),
                    drifted_amplifiers=float(np.mean([one["drifted"] for one in of_maps])),
                    images=len(labels),
                    accuracies=tuple(one["accuracy"] for one in of_maps),
                )
            )
        return tuple(points)

    def drawing(self, points: Sequence[AccuracyPoint], *, title: str, baseline: float) -> Drawing:
        """The plot of the points."""
        label, positions = _axis(self._given, self._factors, self._sweep)
        draw = partial(
            draw_accuracy,
            title=title,
            label=label,
            positions=positions,
            means=[p.mean for p in points],
            intervals=[p.interval for p in points],
            baseline=baseline,
        )
        return Drawing(name=PICTURE, draw=draw)


def share_points(
    engine: Engine,
    function: Function,
    tasks: Sequence[Sequence[Any]],
    advance: Callable[[int, int], None],
) -> list[list[Any]]:
    """Results of the tasks of each point, one for each seed.

    Parameters
    ----------
    engine : Engine
    function : callable
        From a task to plain data, see `Engine.map`.
    tasks : sequence of sequence
        Of all points.
    advance : callable
        Is given the number of tasks that are done, and of all.
    """
    found = iter(engine.share(function, [task for of_point in tasks for task in of_point], advance))
    return [[next(found) for _ in of_point] for of_point in tasks]


def point_record(point: "AccuracyPoint | TransientPoint") -> Record:
    """A point of a study, its accuracy as the mean with the 95 % interval in place of those of all seeds."""
    low, high = point.interval
    accuracy = {"accuracy": point.mean, "accuracy_low": low, "accuracy_high": high}
    return record_of(point, without=("accuracies",)) | accuracy


def sweep(
    given: Mapping[str, Sequence[float]],
    multiples: Sequence[float] | None,
    noun: str,
    usual: Sequence[float],
) -> tuple[list[float], list[dict[str, float]]]:
    """Factor and values of each point of a sweep.

    Parameters
    ----------
    given : mapping of str to sequence of float
        Values by their names: one of each, or equally many.
    multiples : sequence of float, optional
        Factors of all values.
    noun : str
        What the values are called in an error.
    usual : sequence of float
        The factors where no value is a sweep and no multiples are given.

    Raises
    ------
    SpinplaneError
        If the values are not equally many, a multiple is negative, or both have several values.
    """
    lengths = {len(values) for values in given.values()} - {1}
    if len(lengths) > 1:
        counts = ", ".join(f"{len(values)} of {key}" for key, values in given.items())
        raise SpinplaneError(f"{noun}: {counts}: give one of each, or equally many")
    if lengths and multiples and len(multiples) > 1:
        raise SpinplaneError(
            f"several {noun} and several multiples: only one of the two may have several values"
        )
    factors = [float(f) for f in multiples or (usual if not lengths else (1.0,))]
    if not min(factors) >= 0:
        raise SpinplaneError(f"multiple of the {noun} = {min(factors)!r}: must be at least 0")
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
