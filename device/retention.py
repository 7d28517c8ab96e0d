"""How long cells retain their bits: one, a whole array of cells that differ, and while they are sensed."""

import numpy as np
from scipy.constants import year
from scipy.special import log_ndtr

from spinplane.machine import SpinplaneError

from .free_layer import free_layer
from .read_path import cell_currents, read_torques
from .sensing import Decision, contents, margin
from .technology import Technology


def stability(technology: Technology) -> float:
    """Thermal stability Δ of a nominal cell at the technology's temperature."""
    return free_layer(technology).stability(technology["process.temperature"])


def retention_s(technology: Technology) -> float:
    """Mean time in s until the thermal field switches a nominal cell: τ0·exp(Δ)."""
    return float(technology["retention.attempt_time"] * np.exp(stability(technology)))


def retention_years(technology: Technology) -> float:
    """`retention_s` in years."""
    return retention_s(technology) / year


def array_retention_s(technology: Technology, bits: int) -> float:
    """Mean time in s until the first of many cells loses its bit.

    Cells differ in Δ, normally with ``variation.stability``, and the weak ones lose theirs: the mean rate is that of
    one cell with Δ − σ²/2 (Thomas et al., IEDM 2015). A cell fails once in τ0 at most.

    Parameters
    ----------
    technology : Technology
    bits : int
        Cells that hold a bit.

    Raises
    ------
    SpinplaneError
        If the number is not a whole one from 1.
    """
    _check_bits(bits)
    mean = stability(technology)
    sigma = technology["variation.stability"] * mean
    if sigma == 0:
        return retention_s(technology) / bits
    # E[min(1, exp(−Δ))]: cells without a barrier, and all the others.
    logs = log_ndtr(-mean / sigma), sigma**2 / 2 - mean + log_ndtr((mean - sigma**2) / sigma)
    return float(technology["retention.attempt_time"] * np.exp(-np.logaddexp(*logs)) / bits)


def needed_stability(technology: Technology, bits: int, time_s: float) -> float:
    """Nominal Δ with which one of many cells loses its bit in a time, on average.

    ln(bits·t/τ0) for cells that are alike; with their spread s the Δ whose Δ − (s·Δ)²/2 is that.

    Raises
    ------
    SpinplaneError
        If the number of bits is not a whole one from 1, or no barrier is enough for such a spread.
    """
    _check_bits(bits)
    alike = float(np.log(bits * time_s / technology["retention.attempt_time"]))
    spread = technology["variation.stability"]
    if spread == 0:
        return alike
    if 2 * spread**2 * alike > 1:
        raise SpinplaneError(
            f"{technology.name}: variation.stability = {spread:.3g}: no barrier retains {bits} bits for "
            f"{time_s / year:.3g} years; at most {1 / np.sqrt(2 * alike):.3g} is possible"
        )
    return float((1 - np.sqrt(1 - 2 * spread**2 * alike)) / spread**2)


def onset_share(technology: Technology, current: float, *, antiparallel: bool) -> float:
    """Torque of a read current on one cell over that at which it begins to switch; 0 where it holds the cell.

    Parameters
    ----------
    technology : Technology
    current : float
        Through the junction, in A.
    antiparallel : bool
        State of the cell.
    """
    towards_1 = sum(read_torques(technology, current, antiparallel=antiparallel).values())
    return max(0.0, -towards_1 if antiparallel else towards_1) / free_layer(technology).onset_field


def disturb_current(technology: Technology) -> float:
    """Current in A of the read path at which the more endangered state begins to switch; infinite if none does."""
    share = max(onset_share(technology, 1.0, antiparallel=state) for state in (False, True))
    return 1 / share if share else float("inf")


def read_disturb(technology: Technology, current: float, time_s: float, *, antiparallel: bool) -> float:
    """Probability that a read current switches one cell in a time.

    1 − exp(−t/τ0·exp(−Δ·(1 − I/Ic0)^n)): the current lowers the barrier.

    Parameters
    ----------
    technology : Technology
    current : float
        Through the junction, in A.
    time_s : float
        In s, 0 or more.
    antiparallel : bool
        State of the cell.

    Raises
    ------
    SpinplaneError
        If the time is below 0.
    """
    if not time_s >= 0:
        raise SpinplaneError(f"read time = {time_s!r} s: must be at least 0")
    rest = max(0.0, 1 - onset_share(technology, current, antiparallel=antiparallel))
    barrier = stability(technology) * rest ** technology["retention.barrier_exponent"]
    return float(-np.expm1(-time_s / technology["retention.attempt_time"] * np.exp(-barrier)))


def sense_disturb(
    technology: Technology, decision: Decision, ones: int, *, time_s: float | None = None
) -> float:
    """Probability that a sense switches one of its cells.

    Parameters
    ----------
    technology : Technology
    decision : Decision
        What is sensed.
    ones : int
        Anti-parallel cells among it.
    time_s : float, optional
        How long the current flows; `margin` of the decision if not given.

    Raises
    ------
    SpinplaneError
        If the decision cannot be sensed.
    """
    states = contents(decision.cells, ones)
    duration = margin(technology, decision).time_s if time_s is None else time_s
    switched = [
        read_disturb(technology, float(current), duration, antiparallel=bool(state))
        for current, state in zip(cell_currents(technology, states), states, strict=True)
    ]
    return float(-np.expm1(np.log1p(-np.array(switched)).sum()))


def _check_bits(bits: int) -> None:
    if type(bits) is not int or bits < 1:
        raise SpinplaneError(f"bits = {bits!r}: must be a whole number of at least 1")
