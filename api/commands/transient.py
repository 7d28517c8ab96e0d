"""Accuracy against transient faults of memory cells, all of them together and each cause alone."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from rich.table import Table

from spinplane.behavioral import Accelerator
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.device import transient_faults
from spinplane.device.technology import Technology
from spinplane.machine import Cause, FaultMap, SpinplaneError, TransientFaults
from spinplane.machine.drawing import Drawing
from spinplane.machine.transient import Stream

from ..report.drawing import draw_accuracy
from ..tasks.engine import Engine
from .data_set import classes_on
from .variation import PICTURE, Accuracies, share_points, sweep

#: Of all rates, where neither they nor multiples are given as a sweep.
MULTIPLES = (1.0, 1e2, 1e4, 1e6)
#: What is drawn where no single cause is.
ALL = "all"


@dataclass(frozen=True, kw_only=True)
class TransientPoint(Accuracies):
    """Accuracy with transient faults of some rates.

    Parameters
    ----------
    cause : {"all", "write", "disturb", "decay"}
        What is drawn; rates of what is not are 0.
    write_error, disturb, decay : float
        Probability that a write fails, the greater of both bits; that an AND turns a cell over, the greatest of
        all contents; and that a cell turns over from one sense of its sub-array to the next.
    failed_writes, disturbed, decayed : float
        Bits that each cause has made wrong, for each image, mean over the seeds; of decay, those that were sensed.
    images : int
    accuracies : tuple of float
        Share of images classified correctly, one per seed.
    """

    derived: ClassVar[tuple[str, ...]] = ("mean", "standard_error", "interval")

    cause: str
    write_error: float
    disturb: float
    decay: float
    failed_writes: float
    disturbed: float
    decayed: float
    images: int
    accuracies: tuple[float, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class TransientTask:
    """A run with transient faults, and the images it is to classify.

    Parameters
    ----------
    program : CompiledProgram
    codes : ndarray of shape (images, channels, height, width), int64
    labels : ndarray of shape (images,), int64
    faults : TransientFaults
        With the seed of the run.
    """

    program: CompiledProgram
    codes: np.ndarray
    labels: np.ndarray
    faults: TransientFaults


def with_transient_faults(task: TransientTask) -> dict[str, Any]:
    """Share of images that are right, and the bits that each cause has made wrong, in the order of `Cause`.

    Images run one after the other on one machine, see `classes_on`.

    Parameters
    ----------
    task : TransientTask
    """
    machine = task.program.machine
    accelerator = Accelerator(machine, replace(FaultMap.none(machine), transient=task.faults))
    right = classes_on(accelerator, task.program, task.codes) == task.labels
    return {
        "accuracy": float(right.mean()),
        "wrong_bits": [int(accelerator.state.wrong_bits[cause]) for cause in Cause],
    }


class TransientStudy:
    """Points of rates, each with several seeds of draws.

    Parameters
    ----------
    technology : Technology
    write_errors, disturbs, decays, multiples
        See `spinplane.accuracy`.
    seeds : int
        Runs of each point.

    Raises
    ------
    SpinplaneError
        If the rates are not equally many, or one is no probability.
    """

    def __init__(
        self,
        technology: Technology,
        *,
        write_errors: Sequence[float] | None,
        disturbs: Sequence[float] | None,
        decays: Sequence[float] | None,
        multiples: Sequence[float] | None,
        seeds: int,
    ) -> None:
        self._seeds = seeds
        own = transient_faults(technology, write_error=write_errors[0] if write_errors else None)
        given = {
            "write_error": write_errors or [max(own.write)],
            "disturb": disturbs or [max(own.rates(Stream.AND, rows=1))],
            "decay": decays or [own.decay],
        }
        for key, values in given.items():
            if not all(0 <= value <= 1 for value in values):
                raise SpinplaneError(f"{key} = {', '.join(map(repr, values))}: must be from 0 to 1")
        self._factors, rates = sweep(given, multiples, "rates", MULTIPLES)
        self._sweep = [
            transient_faults(
                technology,
                write_error=min(1.0, of_point["write_error"]),
                disturb=min(1.0, of_point["disturb"]),
                decay=min(1.0, of_point["decay"]),
            )
            for of_point in rates
        ]
        self._given = given

    def points(
        self,
        program: CompiledProgram,
        codes: np.ndarray,
        labels: np.ndarray,
        engine: Engine,
        advance: Callable[[int, int], None] = lambda done, of: None,
    ) -> tuple[TransientPoint, ...]:
        """Classify images, see `with_transient_faults`, with the faults of all points."""
        runs = [(cause, drawn) for faults in self._sweep for cause, drawn in _by_cause(faults)]
        tasks = [
            [
                TransientTask(program=program, codes=codes, labels=labels, faults=replace(faults, seed=seed))
                for seed in range(self._seeds)
            ]
            for _, faults in runs
        ]
        found = share_points(engine, with_transient_faults, tasks, advance)
        points = []
        for (cause, faults), of_seeds in zip(runs, found, strict=True):
            failed, disturbed, decayed = (
                float(np.mean(counts)) / len(labels)
                for counts in zip(*(one["wrong_bits"] for one in of_seeds), strict=True)
            )
            points.append(
                TransientPoint(
                    cause=cause,
                    write_error=max(faults.write),
                    disturb=max(faults.rates(Stream.AND, program.machine.rows)),
                    decay=faults.decay,
                    failed_writes=failed,
                    disturbed=disturbed,
                    decayed=decayed,
                    images=len(labels),
                    accuracies=tuple(one["accuracy"] for one in of_seeds),
                )
            )
        return tuple(points)

    def drawing(self, points: Sequence[TransientPoint], *, title: str, baseline: float) -> Drawing:
        """The plot of the points with all causes."""
        names = {
            "write_error": "write error rate",
            "disturb": "disturb rate of an AND",
            "decay": "decay rate between senses",
        }
        swept = next((key for key in names if len(self._given[key]) > 1), None)
        drawn = [p for p in points if p.cause == ALL]
        draw = partial(
            draw_accuracy,
            title=title,
            label=names[swept] if swept else "multiple of all rates",
            positions=[getattr(p, swept) for p in drawn] if swept else self._factors,
            means=[p.mean for p in drawn],
            intervals=[p.interval for p in drawn],
            baseline=baseline,
            logarithmic=True,
        )
        return Drawing(name=PICTURE, draw=draw)


def transient_table(title: str, caption: str, points: Sequence[TransientPoint]) -> Table:
    """A line for each point."""
    table = Table(title=title, caption=caption)
    table.add_column("cause")
    for heading in ("write error", "disturb", "decay", "failed writes", "disturbed", "decayed", "accuracy"):
        table.add_column(heading, justify="right")
    table.add_column("95 % interval", justify="right")
    for p in points:
        low, high = p.interval
        rates = (f"{rate:.2g}" if rate else "–" for rate in (p.write_error, p.disturb, p.decay))
        bits = (f"{bits:,.3g}" if bits else "–" for bits in (p.failed_writes, p.disturbed, p.decayed))
        table.add_row(p.cause, *rates, *bits, f"{p.mean:.1%}", f"{low:.1%} to {high:.1%}")
    return table


def _by_cause(faults: TransientFaults) -> list[tuple[str, TransientFaults]]:
    """All faults, then those of each cause alone if several have some."""
    none = TransientFaults(seed=faults.seed)
    alone = [(cause.name.lower(), faults.only(cause)) for cause in Cause if faults.only(cause) != none]
    return [(ALL, faults), *(alone if len(alone) > 1 else [])]
