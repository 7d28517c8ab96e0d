"""Times of the memories of a machine, as static timing takes them."""

from collections.abc import Callable
from dataclasses import dataclass


def _instant(bits: int) -> float:
    return 0.0


@dataclass(frozen=True, kw_only=True)
class MemoryTimes:
    """Times of an array and of banks in s; memories that take no time if nothing is given.

    Parameters
    ----------
    technology : str
        Of the array; empty for memories that take no time.
    sense_s : float
        From a step at the pin of a read line to the edge at which its sense is decided.
    write_s : float
        From a step at the pin of a write line to the edge at which its pulse is long enough.
    output_s : float
        From that edge to the array's output.
    setup_s : float
        Of all other inputs: before the edge that takes them.
    bank_access_s : callable
        From the edge that takes an address to the data, of a bank of so many bits.
    pin_capacitance_f : float
        Of each input, in F.
    slew_s : float
        Of each output, from 20 to 80 % of its step.
    """

    technology: str = ""
    sense_s: float = 0.0
    write_s: float = 0.0
    output_s: float = 0.0
    setup_s: float = 0.0
    bank_access_s: Callable[[int], float] = _instant
    pin_capacitance_f: float = 0.0
    slew_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TimesWithBounds:
    """Times with all parameters at their values, and the least and the largest with these at their bounds."""

    middle: MemoryTimes
    low: MemoryTimes
    high: MemoryTimes

    @classmethod
    def instant(cls) -> "TimesWithBounds":
        """Of memories that take no time."""
        return cls(middle=MemoryTimes(), low=MemoryTimes(), high=MemoryTimes())
