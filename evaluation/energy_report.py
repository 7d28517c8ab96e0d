"""The table of energies: each event with its bounds, its source, and what others publish for the like."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from spinplane.machine import MachineClock
from spinplane.machine.reporting.records import Record
from spinplane.machine.reporting.shown import Shown
from spinplane.machine.tables import table_text

from .sources import Figure
from .technology_bounds import CutBound

_UNITS = {"J": ((1e-9, "nJ"), (1e-12, "pJ"), (1e-15, "fJ")), "W": ((1e-3, "mW"), (1e-6, "µW"), (1e-9, "nW"))}


@dataclass(frozen=True, kw_only=True)
class Published:
    """What others publish for an event.

    Parameters
    ----------
    value : float
        In the unit of the event.
    ratio : float or None
        The event's own figure ÷ it.
    source : str
    reason : str
        Why the two differ.
    """

    value: float
    ratio: float | None
    source: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class EventEnergy:
    """Energy of one event, or power of what leaks.

    Parameters
    ----------
    group : {"array", "logic", "banks", "clock", "leakage", "beside"}
        The last are of no machine.
    name : str
    counter : str
        Counter, or sum or number of results, that says how often it happens; empty where none does.
    energy : Figure
        Of the array: with currents that stop when a cell is sensed or written.
    held : Figure, optional
        Of the array: with currents that flow for all cycles of the operation.
    published : tuple of Published
    """

    group: str
    name: str
    energy: Figure
    counter: str = ""
    held: Figure | None = None
    published: tuple[Published, ...] = ()


@dataclass(frozen=True, kw_only=True, repr=False)
class EnergyReport(Shown):
    """Energies of a machine's events.

    Parameters
    ----------
    machine, technology : str
        Names.
    clock : MachineClock
    cuts : tuple of CutBound
        Ends of bounds at which its arrays would not work.
    period : Figure
        Of the clock, in s.
    events : tuple of EventEnergy
    """

    machine: str
    technology: str
    clock: MachineClock
    cuts: tuple[CutBound, ...]
    period: Figure
    events: tuple[EventEnergy, ...]

    @property
    def heading(self) -> str:
        """One line that says what it is of."""
        return f"Energy of events of {self.machine}, {self.clock}"

    def event(self, name: str) -> EventEnergy:
        """The event of a name."""
        return next(event for event in self.events if event.name == name)

    def tables(self) -> tuple[Table, ...]:
        """The events, and beside those for which others publish a figure, these."""
        table = Table(title=self.heading)
        for heading in ("", "event", "counter"):
            table.add_column(heading)
        for heading in ("low", "middle", "high", "held"):
            table.add_column(heading, justify="right")
        table.add_column("mark")
        group = ""
        for event in self.events:
            if group and event.group != group:
                table.add_section()
            figure = event.energy
            ends = (figure.low, figure.value, figure.high, event.held.value if event.held else None)
            texts = [_text(value, figure.unit) for value in ends]
            if figure.value is None:
                texts[1] = f"no {figure.missing}"
            table.add_row(
                event.group if event.group != group else "", event.name, event.counter, *texts, figure.mark
            )
            group = event.group
        return (table, self._beside()) if any(event.published for event in self.events) else (table,)

    def _beside(self) -> Table:
        table = Table(title="Beside published figures")
        for heading in ("event", "ours", "published", "ratio", "by", "why"):
            table.add_column(
                heading, justify="right" if heading in ("ours", "published", "ratio") else "left"
            )
        for event in self.events:
            for other in event.published:
                table.add_row(
                    event.name,
                    _text(event.energy.value, event.energy.unit),
                    _text(other.value, event.energy.unit),
                    "" if other.ratio is None else f"{other.ratio:.2g}",
                    other.source,
                    other.reason,
                )
        return table

    @property
    def main_figure(self) -> str:
        """How many events there are."""
        return f"{len(self.events)} events"

    def records(self) -> tuple[Record, ...]:
        """A record for each event, in J or W."""
        return tuple(
            {
                **{"group": event.group, "name": event.name, "counter": event.counter},
                **{"energy": event.energy.value, "low": event.energy.low, "high": event.energy.high},
                **{"unit": event.energy.unit, "held": event.held.value if event.held else None},
                **{"mark": event.energy.mark, "source": event.energy.source, "missing": event.energy.missing},
            }
            for event in self.events
        )

    def notes(self) -> Sequence[str]:
        """What the columns mean."""
        return (
            "held: read and write currents flow for all cycles of an operation, and not only while they are needed",
            *map(str, self.cuts),
        )

    def __str__(self) -> str:
        return "".join(table_text(table, 140) for table in self.tables()) + "\n".join(self.notes())


def _text(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    scale, name = next(
        ((scale, name) for scale, name in _UNITS[unit] if abs(value) >= scale), _UNITS[unit][-1]
    )
    return f"{value / scale:.3g} {name}"
