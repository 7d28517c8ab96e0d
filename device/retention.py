"""How long a cell retains its bit, alone and while it is read."""

import numpy as np
from scipy.constants import year

from spinplane.machine import SpinplaneError

from .free_layer import critical_current_density, free_layer, spin_transfer
from .mtj import junction_area
from .technology import Technology


def retention_s(technology: Technology) -> float:
    """Mean time in s until the thermal field switches a cell: τ0·exp(Δ); infinite where that is too large a number."""
    stability = free_layer(technology).stability(technology["process.temperature"])
    with np.errstate(over="ignore"):
        return float(technology["retention.attempt_time"] * np.exp(stability))


def retention_years(technology: Technology) -> float:
    """`retention_s` in years."""
    return retention_s(technology) / year


def disturb_current(technology: Technology) -> float:
    """Critical current in A of the read path by spin transfer: above it reading writes.

    The read current flows from the pinned to the free layer, or the other way if the table has it so, and
    endangers the parallel or the anti-parallel state.
    """
    density = critical_current_density(
        free_layer(technology), spin_transfer(technology), from_parallel=_reads_towards_1(technology)
    )
    return density * junction_area(technology)


def read_disturb(technology: Technology, time_s: float) -> float:
    """Probability that sensing one cell for a time switches it.

    1 − exp(−t/τ0·exp(−Δ·(1 − I/Ic0)^n)): the read current lowers the barrier.

    Parameters
    ----------
    technology : Technology
    time_s : float
        In s, 0 or more.

    Raises
    ------
    SpinplaneError
        If the time is below 0.
    """
    if not time_s >= 0:
        raise SpinplaneError(f"read time = {time_s!r} s: must be at least 0")
    share = technology["read.current"] / disturb_current(technology)
    stability = free_layer(technology).stability(technology["process.temperature"])
    barrier = stability * max(0.0, 1 - share) ** technology["retention.barrier_exponent"]
    return float(-np.expm1(-time_s / technology["retention.attempt_time"] * np.exp(-barrier)))


def _reads_towards_1(technology: Technology) -> bool:
    """Whether the read current enters the junction at the pinned layer, the first end of the element."""
    mtj = technology.element("mtj")
    selected = technology.operations["read"].selected
    source = next(line for line, drive in selected.items() if drive == "read")
    reached, elements = {source}, list(technology.elements)
    conducts = technology.operations["read"].conducts
    # Follow the conducting elements from the bit line until the junction is met.
    while mtj.between[0] not in reached and mtj.between[1] not in reached:
        ends = [
            set(element.between) for element in elements if element.name in conducts and element is not mtj
        ]
        grown = reached | {node for pair in ends if pair & reached for node in pair}
        if grown == reached:
            raise SpinplaneError(f"{technology.name}: the read current does not reach the junction")
        reached = grown
    return mtj.between[0] in reached
