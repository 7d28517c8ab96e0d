"""Commands about the memory's cells: the physics of one, and the accuracy of networks in many."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

import spinplane
from spinplane.machine import SpinplaneError, load_machine
from spinplane.models import SEED, drawn_seed
from spinplane.report.provenance import UsedTechnology

from .answer import Answer, telling
from .options import (
    AS_FILE,
    REPORT,
    Check,
    InputOptions,
    MachineName,
    ModelName,
    ReportOptions,
    ResultFolder,
    TechnologyName,
)


def accuracy(
    model: ModelName,
    *,
    data: Path | None = None,
    technology: TechnologyName | None = None,
    machine: MachineName = "paper8",
    sigma_ra: list[float] | None = None,
    sigma_tmr: list[float] | None = None,
    offset_sigma: list[float] | None = None,
    multiple: list[float] | None = None,
    weak_cells: float | None = None,
    images: int | None = None,
    seeds: int = 10,
    check: Check = True,
    output: ResultFolder = Path("build") / "accuracy",
    given: InputOptions = AS_FILE,
    files: ReportOptions = REPORT,
) -> Answer:
    """Classify a data set on the functional machine, and tell which labels are taken for which classes.

    With a technology or a deviation, measure accuracy against the variation of memory cells instead, over fault maps
    drawn from the technology.

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
        Factor of all three deviations; repeat it for further points. By default 1, 1.5, 2 and 3, unless a deviation
        has several values.
    weak_cells
        Share of cells that no write changes; by default the technology's.
    images
        Number of images to classify; by default all, against variation 200.
    seeds
        Fault maps per point.
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
            sigmas_ra=sigma_ra,
            sigmas_tmr=sigma_tmr,
            offset_sigmas_v=offset_sigma,
            multiples=multiple,
            weak_cells=weak_cells,
            images=images,
            seeds=seeds,
            check=check,
            folder=output,
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
    technology: TechnologyName = "sot-mram",
    set: Annotated[list[str] | None, Parameter(name="--set", negative=())] = None,
    output: ResultFolder = Path("build") / "device",
    files: ReportOptions = REPORT,
) -> Answer:
    """Compute a memory cell's resistances, margins, error rates, write time and energy, with sources.

    Parameters
    ----------
    set
        Change a parameter, in the unit of the technology's file, such as oxide.thickness=1.25 (nm); repeat it for
        further ones.
    output
        Folder for the pictures.
    """
    from spinplane.device import load_technology

    chosen = load_technology(technology).with_values(dict(_assignment(text) for text in set or []))
    with Console(stderr=True).status("device"):
        result = spinplane.report_device(chosen, folder=output, seed=SEED)
    return Answer(result=result, files=files, technology=UsedTechnology.of(chosen), seed=SEED)


def _assignment(text: str) -> tuple[str, float]:
    key, _, value = text.partition("=")
    try:
        return key.strip(), float(value)
    except ValueError:
        raise SpinplaneError(f"--set {text!r}: expected key=value with a number") from None
