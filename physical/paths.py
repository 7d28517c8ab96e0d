"""Worst paths of logic."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True, kw_only=True)
class TimingPath:
    """A path of signals.

    Parameters
    ----------
    delay_ns : float
        From clock edge to clock edge: a first flip-flop's delay and a last one's set-up time are in it.
    start : str
        Flip-flop's pin or input port.
    end : str
        Flip-flop's pin or output port.
    """

    delay_ns: float
    start: str
    end: str

    @classmethod
    def worst(cls, paths: "Iterable[TimingPath | None]") -> "TimingPath | None":
        """The slowest of some paths; None if there is none."""
        return max(filter(None, paths), key=lambda path: path.delay_ns, default=None)


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Worst paths of some logic; None where it has none of the kind.

    Parameters
    ----------
    between_registers : TimingPath or None
        From flip-flop to flip-flop; an array's output counts as one.
    with_ports : TimingPath or None
        Of these and of those from inputs and to outputs.
    sense, write : TimingPath, optional
        To the lines of an array that are held through a sense, and through a write: the time that it takes is in it.
    banks : TimingPath, optional
        From a bank, its access in it, or to a bank.
    """

    between_registers: TimingPath | None
    with_ports: TimingPath | None
    sense: TimingPath | None = None
    write: TimingPath | None = None
    banks: TimingPath | None = None

    @classmethod
    def worst(cls, timings: "Collection[Timing]") -> "Timing":
        """The slowest path of each kind."""
        kinds = [field.name for field in fields(cls)]
        return cls(**{kind: TimingPath.worst(getattr(timing, kind) for timing in timings) for kind in kinds})
