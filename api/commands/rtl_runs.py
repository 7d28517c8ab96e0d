"""Runs of a program on the RTL of the accelerator: one after the other, or shared among processes."""

import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from spinplane.machine.counters import AcceleratorCounters
from spinplane.machine.faults import FaultMap
from spinplane.machine.files import making_folders, note_written, scratch_folder, temporary_folder
from spinplane.machine.program import Program
from spinplane.machine.registers import Error
from spinplane.sim import BenchFailure
from spinplane.sim.accelerator import ImageRun, RtlAcceleratorRun, run_accelerator
from spinplane.sim.host_script import RunRecord
from spinplane.sim.wave_views import write_views

from ..tasks.engine import Engine

_WAVES = "waves.vcd"
#: Of an image: its codes, or its run.
_Image = TypeVar("_Image", np.ndarray, ImageRun)


@dataclass(frozen=True, kw_only=True, eq=False)
class RtlTask:
    """Images that run one after the other on one accelerator, by value: another process may simulate it.

    Parameters
    ----------
    program : Program
    images : sequence of ndarray
        Codes, `Program.batch` images for each run.
    simulator : str
    faults : FaultMap or None
    limit : int
        Cycles that a run may take.
    """

    program: Program
    images: Sequence[np.ndarray]
    simulator: str
    faults: FaultMap | None
    limit: int


def simulate(
    task: RtlTask, *, waves: Path | None = None, tell: Callable[[int], None] = lambda descriptor: None
) -> RtlAcceleratorRun:
    """Simulate run after run; waveform and views come into the folder `waves`, nothing else in which is touched.

    Parameters
    ----------
    task : RtlTask
    waves : Path, optional
    tell : callable
        Is given the number of the descriptor at work.

    Raises
    ------
    BenchFailure
        If the array refuses an operation, the accelerator ends with an error, or a simulator writes no waveform.
    """
    with _scratch(waves) as scratch:
        rtl = run_accelerator(
            task.program,
            task.images,
            simulator=task.simulator,
            limit=task.limit,
            waves=waves is not None,
            run_folder=scratch / "run",
            faults=task.faults,
            tell=tell,
        )
        for image in rtl.images:
            if image.record.error is not Error.NONE:
                raise BenchFailure(
                    f"the accelerator ended with {image.record.error.name} at descriptor {image.record.descriptor}, "
                    f"word {image.record.word}"
                )
        if waves is None:
            return rtl
        if rtl.waves is None:
            raise BenchFailure(f"{task.simulator} wrote no waveform")
        os.replace(rtl.waves, waves / _WAVES)
        note_written(waves / _WAVES)
        write_views(waves / _WAVES)
    return replace(rtl, waves=waves / _WAVES)


def simulate_shared(
    tasks: Sequence[RtlTask], engine: Engine, advance: Callable[[int, int], None]
) -> RtlAcceleratorRun:
    """Simulate all tasks, each on an accelerator of its own, in other processes.

    Parameters
    ----------
    tasks : sequence of RtlTask
        Of one program and simulator.
    engine : Engine
    advance : callable
        Is given the number of tasks that are done, and of all.

    Returns
    -------
    RtlAcceleratorRun
        The images of all tasks; the seconds are those of the task that took longest.

    Raises
    ------
    BenchFailure
        See `simulate`.
    """
    found = engine.share(simulate_plainly, tasks, advance)
    return RtlAcceleratorRun(
        images=tuple(
            ImageRun(record=record, maps=tuple(map(_array, maps)))
            for one in found
            for record, of_run in zip(map(_record, one["records"]), one["maps"], strict=True)
            for maps in of_run
        ),
        simulator=tasks[0].simulator,
        cached=all(one["cached"] for one in found),
        build_seconds=max(one["build_seconds"] for one in found),
        run_seconds=max(one["run_seconds"] for one in found),
        waves=None,
    )


def simulate_plainly(task: RtlTask) -> dict[str, Any]:
    """What `simulate` finds, as plain data: a record and the maps of all images for each run."""
    rtl = simulate(task)
    runs = batches(rtl.images, task.program.batch)
    return {
        "records": [_plain_record(images[0].record) for images in runs],
        "maps": [[[_plain(values) for values in image.maps] for image in images] for images in runs],
        "cached": rtl.cached,
        "build_seconds": rtl.build_seconds,
        "run_seconds": rtl.run_seconds,
    }


def batches(images: Sequence[_Image], size: int) -> list[Sequence[_Image]]:
    """The images of one run after the other.

    Parameters
    ----------
    images : sequence of ndarray or ImageRun
    size : int
        Images of a run.
    """
    return [images[begin : begin + size] for begin in range(0, len(images), size)]


def _plain_record(record: RunRecord) -> dict[str, Any]:
    """Of a run without an error."""
    return {
        "counters": record.counters.as_dict(),
        "layers": [counters.as_dict() for counters in record.layers],
        "descriptor": record.descriptor,
        "word": record.word,
    }


def _record(plain: dict[str, Any]) -> RunRecord:
    return RunRecord(
        counters=AcceleratorCounters(**plain["counters"]),
        layers=tuple(AcceleratorCounters(**counters) for counters in plain["layers"]),
        error=Error.NONE,
        descriptor=plain["descriptor"],
        word=plain["word"],
    )


def _plain(values: np.ndarray | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {
        "shape": values.shape,
        "dtype": values.dtype.str,
        "base64": b64encode(values.tobytes()).decode(),
    }


def _array(plain: dict[str, Any] | None) -> np.ndarray | None:
    if plain is None:
        return None
    return np.frombuffer(b64decode(plain["base64"]), np.dtype(plain["dtype"])).reshape(plain["shape"])


@contextmanager
def _scratch(waves: Path | None) -> Iterator[Path]:
    """A folder for the simulation, from which its waveform can be moved."""
    if waves is None:
        with temporary_folder() as folder:
            yield folder
    else:
        with making_folders(waves), scratch_folder(waves) as scratch:
            yield scratch
