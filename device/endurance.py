"""How long an array lasts whose cells bear a number of writes."""

from dataclasses import dataclass

import numpy as np

from spinplane.machine import SpinplaneError

from .technology import Technology


@dataclass(frozen=True, kw_only=True)
class Endurance:
    """Times in s after which cells have been written as often as ``endurance.cycles`` says.

    Parameters
    ----------
    as_placed_s : float
        Of the row that is written most.
    levelled_s : float
        Were the writes spread evenly over all rows of the array.
    """

    as_placed_s: float
    levelled_s: float


def endurance(technology: Technology, row_writes: np.ndarray, runs_per_s: float) -> Endurance:
    """How long an array lasts.

    Parameters
    ----------
    technology : Technology
    row_writes : ndarray of shape (rows,), int
        Writes of each row in one run.
    runs_per_s : float
        Above 0.

    Raises
    ------
    SpinplaneError
        If nothing is written.
    """
    if not (row_writes.sum() > 0 and runs_per_s > 0):
        raise SpinplaneError("endurance: no row is written")
    busiest, mean = (float(writes) * runs_per_s for writes in (row_writes.max(), row_writes.mean()))
    cycles = technology["endurance.cycles"]
    return Endurance(as_placed_s=cycles / busiest, levelled_s=cycles / mean)
