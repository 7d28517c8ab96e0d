"""What limits a machine's clock, and with it its row operations a second: logic, sense, write or banks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.table import Table

from spinplane.machine import Machine

from .paths import Timing, TimingPath

_HERTZ_PER_MHZ = 1e6
_PER_NS = 1e9


@dataclass(frozen=True, kw_only=True)
class ClockLimit:
    """A path that takes one cycle or several.

    Parameters
    ----------
    name : {"logic", "sense", "write", "banks"}
    cycles : int
        That it may take.
    path : TimingPath
        The worst one, with all parameters at their values.
    low_ns, high_ns : float
        The worst path's delay with parameters of the memories at their bounds.
    """

    derived: ClassVar[tuple[str, ...]] = ("period_ns",)

    name: str
    cycles: int
    path: TimingPath
    low_ns: float
    high_ns: float

    @property
    def period_ns(self) -> float:
        """The shortest period of the clock that it allows."""
        return self.path.delay_ns / self.cycles


@dataclass(frozen=True, kw_only=True)
class ClockLimits:
    """Limits of a machine's clock.

    Parameters
    ----------
    technology : str
        Of the array; empty where memories take no time.
    sense_cycles : int
    write_cycles : int
    limits : tuple of ClockLimit
        Logic, sense, write and banks, those that the machine has.
    """

    derived: ClassVar[tuple[str, ...]] = ("limit", "period_ns", "clock_hz", "senses_per_s", "writes_per_s")

    technology: str
    sense_cycles: int
    write_cycles: int
    limits: tuple[ClockLimit, ...]

    @classmethod
    def of(cls, machine: Machine, technology: str, timings: Sequence[Timing]) -> "ClockLimits":
        """Limits of a machine from the paths of its top.

        Parameters
        ----------
        machine : Machine
        technology : str
        timings : sequence of Timing
            With parameters of the memories at their values, and at their bounds.
        """
        kinds = {"logic": 1, "sense": machine.sense_cycles, "write": machine.write_cycles, "banks": 1}
        limits = []
        for name, cycles in kinds.items():
            paths = [path for timing in timings if (path := _path(timing, name))]
            if paths:
                delays = [path.delay_ns for path in paths]
                limits.append(
                    ClockLimit(
                        name=name, cycles=cycles, path=paths[0], low_ns=min(delays), high_ns=max(delays)
                    )
                )
        return cls(
            technology=technology,
            sense_cycles=machine.sense_cycles,
            write_cycles=machine.write_cycles,
            limits=tuple(limits),
        )

    @property
    def limit(self) -> str:
        """Name of the limit that decides."""
        return max(self.limits, key=lambda limit: limit.period_ns).name

    @property
    def period_ns(self) -> float:
        """The shortest period that all of them allow."""
        return max(limit.period_ns for limit in self.limits)

    @property
    def clock_hz(self) -> float:
        """The fastest clock."""
        return _PER_NS / self.period_ns

    @property
    def senses_per_s(self) -> float:
        """Row pairs that a sub-array senses in a second."""
        return self.clock_hz / self.sense_cycles

    @property
    def writes_per_s(self) -> float:
        """Rows that a sub-array writes in a second."""
        return self.clock_hz / self.write_cycles

    def table(self) -> Table:
        """Each limit with its path and its bounds."""
        table = Table(
            title=f"Clock: up to {self.clock_hz / _HERTZ_PER_MHZ:,.1f} MHz, limited by {self.limit}; a sub-array then "
            f"senses {self.senses_per_s / _HERTZ_PER_MHZ:,.1f} and writes "
            f"{self.writes_per_s / _HERTZ_PER_MHZ:,.1f} million rows a second",
            caption=f"arrays of {self.technology}" if self.technology else "memories take no time",
        )
        table.add_column("limit")
        for heading in ("ns", "low", "high", "cycles", "period ns"):
            table.add_column(heading, justify="right")
        for heading in ("from", "to"):
            table.add_column(heading, overflow="fold")
        for limit in self.limits:
            path = limit.path
            delays = (path.delay_ns, limit.low_ns, limit.high_ns)
            numbers = [*(f"{delay:.2f}" for delay in delays), str(limit.cycles), f"{limit.period_ns:.2f}"]
            table.add_row(limit.name, *numbers, path.start, path.end)
        return table


def _path(timing: Timing, name: str) -> TimingPath | None:
    if name == "logic":
        return timing.between_registers or timing.with_ports
    path: TimingPath | None = getattr(timing, name)
    return path
