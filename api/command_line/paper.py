"""The command about the paper."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import spinplane
from spinplane.defaults import PAPER_MACHINE, TECHNOLOGY

from .answer import Answer, used_technology
from .options import REPORT, MachineName, OutputFolder, PictureFormat, ReportOptions, Switch, TechnologyName
from .speech import telling


def paper(
    *,
    machine: MachineName = PAPER_MACHINE,
    technology: TechnologyName = TECHNOLOGY,
    study: Path | None = None,
    all: Switch = False,
    output: Annotated[OutputFolder, Parameter(alias="-o")] = None,
    format: PictureFormat = "png",
    files: ReportOptions = REPORT,
) -> Answer:
    """Put every number of the paper beside ours, and judge its claims: figures, Table II, words, contradictions.

    The first run maps the machine's logic to cells, which takes minutes; the cells are kept.

    Parameters
    ----------
    study
        Trainings for Fig. 7: the file of `spinplane train --bits all --json FILE`.
    all
        Print all rows, and not only how many claims hold.
    output
        Folder for files of the pictures; by default only a page has them.
    """
    with telling() as (tell, _):
        result = spinplane.paper(
            machine=machine, technology=technology, study=study, folder=output, format=format, tell=tell
        )
    return Answer(
        result=result,
        files=files,
        technology=used_technology(technology),
        text=result.every_row if all else None,
    )
