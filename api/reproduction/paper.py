"""Every number of the paper beside ours."""

from collections.abc import Callable, Mapping
from pathlib import Path

from spinplane.device import load_technology
from spinplane.device.technology import Technology
from spinplane.machine import Machine, load_machine
from spinplane.machine.drawing import check_format

from ..commands.clock import DEFAULT_TECHNOLOGY
from .evidence import NETWORKS, Evidence
from .paper_report import PaperReport
from .pictures import drawings_of
from .rows import all_rows
from .trained import trained_errors


def paper(
    *,
    machine: Machine | str | Path = "paper",
    technology: Technology | str | Path = DEFAULT_TECHNOLOGY,
    networks: Mapping[str, str] = NETWORKS,
    study: str | Path | None = None,
    folder: Path | None = None,
    format: str = "png",
    tell: Callable[[str], None] = lambda line: None,
) -> PaperReport:
    """Compute every number of the paper, and judge its claims.

    Parameters
    ----------
    machine : Machine, str or Path
        See `load_machine`.
    technology : Technology, str or Path
        Of the arrays, see `load_technology`.
    networks : mapping of str to str
        A network of the literature for each data set: ``imagenet``, ``svhn``, ``mnist``.
    study : str or Path, optional
        Trainings of Fig. 7, as ``spinplane train --bits all --json`` writes them.
    folder : Path, optional
        Where pictures are written to; none are if not given.
    format : {"png", "svg", "pdf"}
        Of the pictures.
    tell : callable
        Is given a line before what takes long.

    Raises
    ------
    SpinplaneError
        For a bad machine, technology, network or study, or a network that the machine cannot run.
    """
    check_format(format)
    evidence = Evidence(
        load_machine(machine),
        load_technology(technology),
        networks=networks,
        errors=trained_errors(study) if study else {},
        tell=tell,
    )
    rows = tuple(all_rows(evidence))
    drawn = drawings_of(rows, evidence)
    return PaperReport(
        machine=evidence.machine,
        technology=evidence.technology.name,
        rows=rows,
        pictures=tuple(str(drawing.write(folder, format)) for drawing in drawn) if folder else (),
        drawn=drawn,
    )
