"""The command about many designs: sweep."""

from typing import Annotated

from cyclopts import Parameter

import spinplane
from spinplane.defaults import BEST_SHOWN, SWEEP_FOLDER

from .answer import Answer
from .options import REPORT, Dask, Jobs, OutputFolder, PictureFormat, ReportOptions, SpaceFile, folder_for
from .speech import telling


def sweep(
    space: SpaceFile,
    *,
    jobs: Jobs = None,
    dask: Dask = None,
    top: int = BEST_SHOWN,
    output: Annotated[OutputFolder, Parameter(alias="-o")] = None,
    format: PictureFormat = "png",
    files: ReportOptions = REPORT,
) -> Answer:
    """Look at many machines, technologies and networks, and tell which designs nothing beats.

    An interrupted sweep goes on where it was when it is called again.

    Parameters
    ----------
    space
        A TOML file with axes, constraints and objectives; docs/design-space.md tells its keys.
    top
        Best designs that are shown; of the first two, where their cycles go.
    output
        Folder for figures as CSV, picture and what is kept; by default build/sweep/NAME.
    """
    from spinplane.exploration.space import read_space

    read = read_space(space)
    folder = output or folder_for(SWEEP_FOLDER / read.name)
    with telling("looking at designs") as (_, advance):
        result = spinplane.sweep(
            read, folder=folder, format=format, jobs=jobs, dask=dask, top=top, advance=advance
        )
    return Answer(result=result, files=files, seed=None if read.search == "grid" else read.seed)
