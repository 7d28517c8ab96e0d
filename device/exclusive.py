"""XOR in one access: two sense amplifiers that compare with the references of AND and OR at once."""

from dataclasses import dataclass

from spinplane.machine import SpinplaneError

from .sensing import decisions, margin
from .technology import Technology


@dataclass(frozen=True, kw_only=True)
class ExclusiveSense:
    """An XOR of two cells, OR ∧ ¬AND.

    Parameters
    ----------
    margin_v : float
        The smaller of those of AND and OR, in V.
    time_s : float
        Until both amplifiers have decided.
    energy_j : float
        Of one bit line: its current over that time, once, and both amplifiers.
    """

    margin_v: float
    time_s: float
    energy_j: float


def exclusive_sense(technology: Technology) -> ExclusiveSense:
    """Margin, time and energy of an XOR in one access.

    Raises
    ------
    SpinplaneError
        If the technology has one amplifier a bit line, or AND or OR cannot be sensed.
    """
    if technology.sensing.amplifiers < 2:
        raise SpinplaneError(
            f"{technology.name}: sensing.amplifiers = {technology.sensing.amplifiers}: an XOR in one access takes 2"
        )
    both = [margin(technology, decision) for decision in decisions()[1:]]
    slower = max(both, key=lambda found: found.time_s)
    return ExclusiveSense(
        margin_v=min(found.margin_v for found in both),
        time_s=slower.time_s,
        energy_j=slower.energy_j + technology["sense_amplifier.energy"],
    )
