"""The command about many designs: sweep."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import spinplane

from .answer import Answer
from .options import REPORT, OutputFolder, ReportOptions
from .speech import telling


def sweep(
    space: Path,
    *,
    jobs: int | None = None,
    dask: str | None = None,
    top: int = 1,
    output: Annotated[OutputFolder, Parameter(alias="-o")] = None,
    files: ReportOptions = REPORT,
) -> Answer:
    """Look at many machines, technologies and networks, and tell which designs nothing beats.

    An interrupted sweep goes on where it was when it is called again.

    Parameters
    ----------
    space
        A TOML file with axes, constraints and objectives; docs/design-space.md tells its keys.
    jobs
        Processes of one thread each; by default one for each core.
    dask
        Address of a Dask scheduler, such as tcp://host:8786, whose workers do the work instead.
    top
        Best designs that are shown; of the first two, where their cycles go.
    output
        Folder for figures as CSV, picture and what is kept; by default build/sweep/NAME.
    """
    with telling("looking at designs") as (_, advance):
        result = spinplane.sweep(space, folder=output, jobs=jobs, dask=dask, top=top, advance=advance)
    return Answer(
        result=result, files=files, seed=result.space.seed if result.space.search != "grid" else None
    )
