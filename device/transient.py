"""Rates of transient faults from a technology: writes that fail, senses that disturb, cells that lose their bit."""

import numpy as np

from spinplane.machine import SpinplaneError
from spinplane.machine.transient import TransientFaults

from .read_path import cell_currents
from .retention import read_disturb, retention_s
from .sensing import Decision, decisions, margin
from .technology import Technology
from .write import mean_error_rate, write_error_rates

#: Simulated writes, whose tail gives the rate: to about a tenth of it.
_WRITES = 1000


def transient_faults(
    technology: Technology,
    seed: int = 0,
    *,
    write_error: float | None = None,
    disturb: float | None = None,
    decay: float | None = None,
) -> TransientFaults:
    """Rates of a technology, with the seed of their draws.

    Parameters
    ----------
    technology : Technology
    seed : int
    write_error : float, optional
        Probability that a write of either bit fails; `write_error_rates` of each if not given.
    disturb : float, optional
        Probability that an AND turns over the most endangered cell; reads and ORs keep their ratio to it, at most 1.
    decay : float, optional
        Probability that a cell turns over from one sense of its sub-array to the next; if not given, that of senses
        that follow each other, an AND's time over `retention_s`.

    Raises
    ------
    SpinplaneError
        If the technology cannot be sensed, or a rate is not a probability.

    Notes
    -----
    All cells have the same rates, and the wire's resistance does not lower a cell's current. A sense endangers the
    state that its current acts against; the other one it holds.
    """
    rates = disturb_rates(technology)
    if disturb is not None:
        most = max(rates[4:8])
        if disturb > 0 and not most > 0:
            raise SpinplaneError(f"{technology.name}: no AND disturbs a cell: its rate cannot be scaled")
        rates = tuple(min(1.0, disturb * (rate / most)) if disturb else 0.0 for rate in rates)
    if decay is None:
        decay = min(1.0, margin(technology, decisions()[1]).time_s / retention_s(technology))
    write = write_rates(technology) if write_error is None else (write_error, write_error)
    return TransientFaults(seed=seed, write=write, disturb=rates, decay=decay)


def write_rates(technology: Technology) -> tuple[float, float]:
    """Probabilities that a write of 0 and of 1 fails, the mean of cells whose critical currents differ."""
    pulse = technology["write.pulse"]
    low, high = (
        mean_error_rate(technology, bit, of_bit.rates[0][0].rate, pulse)
        for bit, of_bit in ((bit, write_error_rates(technology, bit, count=_WRITES)) for bit in (0, 1))
    )
    return low, high


def disturb_rates(technology: Technology) -> tuple[float, ...]:
    """Probabilities that a sense turns a cell over, in the order of `TransientFaults.disturb`."""
    return tuple(
        _disturb(technology, decision, own, beside)
        for decision in decisions()
        for own in (False, True)
        for beside in (False, True)
    )


def _disturb(technology: Technology, decision: Decision, own: bool, beside: bool) -> float:
    """Of a cell in a state, beside one in another that a read does not have: what decay alone would not do."""
    states = np.array([own, beside][: decision.cells])
    current, time_s = float(cell_currents(technology, states)[0]), margin(technology, decision).time_s
    sensed, idle = (read_disturb(technology, i, time_s, antiparallel=own) for i in (current, 0.0))
    return max(0.0, sensed - idle)
