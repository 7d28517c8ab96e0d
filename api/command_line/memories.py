"""Commands about the memory's cells: the physics of one, and the accuracy of networks in many."""

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from cyclopts import Parameter

import spinplane
from spinplane.defaults import (
    ACCURACY_FOLDER,
    DEVICE_FOLDER,
    FAULT_SEEDS,
    NETWORK_MACHINE,
    PAPER_MACHINE,
    SEED,
    SENSE_TRIALS,
    TECHNOLOGY,
)
from spinplane.machine import SpinplaneError, load_machine
from spinplane.models import drawn_seed
from spinplane.report.provenance import UsedTechnology

from .answer import Answer
from .options import (
    AS_FILE,
    REPORT,
    Check,
    Clock,
    Dask,
    InputOptions,
    Jobs,
    MachineName,
    ModelName,
    PictureFormat,
    ReportOptions,
    ResultFolder,
    Switch,
    TechnologyName,
    folder_for,
)
from .speech import telling, working


def accuracy(
    model: ModelName,
    *,
    data: Path | None = None,
    technology: TechnologyName | None = None,
    machine: MachineName = NETWORK_MACHINE,
    clock: Clock = None,
    sigma_ra: list[float] | None = None,
    sigma_tmr: list[float] | None = None,
    offset_sigma: list[float] | None = None,
    multiple: list[float] | None = None,
    weak_cells: float | None = None,
    reference: Literal["midpoint", "equal_error"] | None = None,
    transient: Switch = False,
    write_error: list[float] | None = None,
    disturb: list[float] | None = None,
    decay: list[float] | None = None,
    images: int | None = None,
    seeds: int = FAULT_SEEDS,
    check: Check = True,
    output: ResultFolder = ACCURACY_FOLDER,
    format: PictureFormat = "png",
    jobs: Jobs = None,
    dask: Dask = None,
    given: InputOptions = AS_FILE,
    files: ReportOptions = REPORT,
) -> Answer:
    """Classify a data set on the functional machine, and tell which labels are taken for which classes.

    With a technology or a deviation, measure accuracy against the variation of memory cells instead, over fault maps
    drawn from the technology. With --transient or a rate, measure it against writes that fail, senses that disturb
    cells, and decay: all together, and each alone.

    Parameters
    ----------
    data
        An .npz with images x and labels y (or images and labels); by default 200 digits of the MNIST test set.
    sigma_ra
        Relative standard deviation of a cell's resistance-area product, such as 0.05; repeat it for further points.
        By default the technology's.
    sigma_tmr
        The same for a cell's TMR.
    offset_sigma
        The same for a sense amplifier's offset, in V.
    multiple
        Factor of all three deviations, or of all three rates; repeat it for further points. By default 1, 1.5, 2 and
        3, of rates 1, 1e2, 1e4 and 1e6, unless a deviation or a rate has several values.
    weak_cells
        Share of cells that no write changes; by default the technology's.
    reference
        Where references of the sense amplifiers lie: midway between levels, or where a 0 is taken for a 1 as often as
        a 1 for a 0.
    transient
        Draw transient faults, at the technology's rates where none are given.
    write_error
        Probability that a write of either bit fails; repeat it for further points.
    disturb
        Probability that an AND turns over the most endangered cell; repeat it for further points.
    decay
        Probability that a cell turns over from one sense of its sub-array to the next; repeat it for further points.
    images
        Number of images to classify; by default all, against faults 200.
    seeds
        Fault maps, or runs with transient faults, per point.
    output
        Folder for the plot.
    """
    from spinplane.device import load_technology

    with telling("classifying") as (_, advance):
        result = spinplane.accuracy(
            given.of(model),
            data=data,
            technology=technology,
            machine=machine,
            clock=clock,
            sigmas_ra=sigma_ra,
            sigmas_tmr=sigma_tmr,
            offset_sigmas_v=offset_sigma,
            multiples=multiple,
            weak_cells=weak_cells,
            reference=reference,
            transient=transient,
            write_errors=write_error,
            disturbs=disturb,
            decays=decay,
            images=images,
            seeds=seeds,
            check=check,
            folder=folder_for(output),
            format=format,
            jobs=jobs,
            dask=dask,
            advance=advance,
        )
    return Answer(
        result=result,
        files=files,
        machine=load_machine(machine),
        technology=UsedTechnology.of(load_technology(technology or result.technology))
        if result.technology
        else None,
        seed=SEED if result.technology else drawn_seed(model),
    )


def device(
    *,
    technology: TechnologyName = TECHNOLOGY,
    machine: MachineName = PAPER_MACHINE,
    clock: Clock = None,
    network: ModelName | None = None,
    set: Annotated[list[str] | None, Parameter(name="--set", negative=())] = None,
    all: Switch = False,
    sweep: str | None = None,
    trials: int = SENSE_TRIALS,
    output: ResultFolder = DEVICE_FOLDER,
    format: PictureFormat = "png",
    jobs: Jobs = None,
    dask: Dask = None,
    files: ReportOptions = REPORT,
) -> Answer:
    """Compute the figures of a memory cell and of a machine's array of them, with sources.

    Parameters
    ----------
    network
        Network whose writes wear the cells; without it one row is written without a pause.
    set
        Change a parameter, in the unit of the technology's file, such as oxide.thickness=1.25 (nm); repeat it for
        further ones.
    all
        Print every figure with its source, instead of those that fit a screen of 80 columns and 24 lines.
    sweep
        Compute margins, error rates, times, energies and retention over a parameter instead: temperature, voltage (the
        supply's), or any key of the technology's file, with KEY=FIRST:LAST:POINTS in its unit. Without numbers 250 to
        400 K, 0.9 to 1.3 V, or the bounds of the parameter.
    trials
        Bit lines that are drawn to count wrong senses; each 100 000 of them are a process's work.
    output
        Folder for the pictures.
    """
    from spinplane.device import load_technology

    chosen = load_technology(technology).with_values(dict(_assignment(text) for text in set or []))
    with working("device"):
        if sweep is not None:
            if all or clock or network or trials != SENSE_TRIALS:
                raise SpinplaneError("--sweep goes without --all, --clock, --network and --trials")
            key, points = _swept(sweep)
            result: Any = spinplane.sweep_device(
                chosen,
                key,
                points,
                machine=machine,
                folder=folder_for(output),
                format=format,
                seed=SEED,
                jobs=jobs,
                dask=dask,
            )
        else:
            result = spinplane.report_device(
                chosen,
                machine=machine,
                clock=clock,
                network=network,
                folder=folder_for(output),
                format=format,
                trials=trials,
                seed=SEED,
                jobs=jobs,
                dask=dask,
            )
    return Answer(
        result=result,
        files=files,
        machine=load_machine(machine),
        technology=UsedTechnology.of(chosen),
        seed=SEED,
        text=result.every_figure if all else None,
    )


def energy(
    *,
    machine: MachineName = PAPER_MACHINE,
    technology: TechnologyName = TECHNOLOGY,
    clock: Clock = None,
    files: ReportOptions = REPORT,
) -> Answer:
    """Tell what each event of a machine takes: row operations, logic, banks, clock and leakage, with bounds."""
    from spinplane.device import load_technology

    result = spinplane.event_energies(machine, technology, clock=clock)
    return Answer(
        result=result,
        files=files,
        machine=load_machine(machine),
        technology=UsedTechnology.of(load_technology(technology)),
    )


def _assignment(text: str) -> tuple[str, float]:
    key, _, value = text.partition("=")
    try:
        return key.strip(), float(value)
    except ValueError:
        raise SpinplaneError(f"--set {text!r}: expected key=value with a number") from None


def _swept(text: str) -> tuple[str, list[float] | None]:
    """Key and points of a sweep."""
    key, given, numbers = text.partition("=")
    if not given:
        return key.strip(), None
    try:
        first, last, count = numbers.split(":")
        return key.strip(), np.linspace(float(first), float(last), int(count)).tolist()
    except ValueError:
        raise SpinplaneError(
            f"--sweep {text!r}: expected KEY or KEY=FIRST:LAST:POINTS with numbers"
        ) from None
