"""The report of `check_gates`: what is known of each unit's gates."""

from dataclasses import dataclass

from rich.table import Table

from spinplane.machine import Name
from spinplane.machine.reporting.records import Record, record_of
from spinplane.machine.reporting.shown import Shown
from spinplane.machine.tables import table_text


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What is known of the gates of one module.

    Parameters
    ----------
    name : Name
    equivalence : str
        ``"proven"``, ``"unequal"`` or ``"open"``, see `spinplane.physical.equivalence.Equivalence`.
    points, open_points : int
    difference : str
        The first signal that differs, if one does.
    tests : int or None
        Tests of its bench that ran; None if it has no bench of its own.
    bench_failure : str
        What went wrong in them first; empty if nothing did.
    bench_in : str
        The unit whose bench it was, if it has none of its own.
    seconds, bench_seconds : float
        What the comparison and the bench took.
    """

    name: Name
    equivalence: str
    points: int
    open_points: int
    difference: str
    tests: int | None
    bench_failure: str
    seconds: float
    bench_seconds: float
    bench_in: str = ""

    @property
    def verdict(self) -> str:
        """``proven``, ``bench only``, ``unequal`` or ``unknown``."""
        if self.equivalence == "unequal" or self.bench_failure:
            return "unequal"
        if self.equivalence == "proven":
            return "proven"
        return "bench only" if self.tests else "unknown"

    @property
    def bench(self) -> str:
        """What its bench found, in words."""
        if self.tests is None:
            return "none"
        return self.bench_failure or f"{self.tests} passed" + (
            f" in {self.bench_in}" if self.bench_in else ""
        )

    @property
    def finding(self) -> str:
        """Verdict and bench in words."""
        return f"{self.verdict}, bench: {self.bench}"

    @property
    def reason(self) -> str:
        """Why it is not equal; empty if it is."""
        if self.difference:
            return f"{self.name} is unequal, first in {self.difference}"
        if self.verdict == "unequal":
            return f"{self.name} is unequal: {self.bench_failure or 'an output differs'}"
        return (
            f"{self.name} is unknown: not proven, and no bench exercises it"
            if self.verdict == "unknown"
            else ""
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class GateReport(Shown):
    """Whether a machine's gates equal its RTL, unit by unit.

    Parameters
    ----------
    machine : str
    library : str
    library_source : str
    yosys : str
    simulator : str
    units : tuple of Unit
    """

    machine: str
    library: str
    library_source: str
    yosys: str
    simulator: str
    units: tuple[Unit, ...]

    @property
    def heading(self) -> str:
        """One line that says what was compared."""
        return (
            f"Gates of {self.machine}: {self.library} ({self.library_source}), {self.yosys}, {self.simulator}"
        )

    @property
    def failure(self) -> str:
        """The first unit that is not known to be equal, and why; empty if there is none."""
        return next((unit.reason for unit in self.units if unit.reason), "")

    @property
    def main_figure(self) -> str:
        """How many units are proven."""
        proven = sum(unit.verdict == "proven" for unit in self.units)
        return f"{proven} of {len(self.units)} units proven"

    def records(self) -> tuple[Record, ...]:
        """A record for each unit."""
        return tuple(
            {"machine": self.machine, "verdict": unit.verdict} | record_of(unit) for unit in self.units
        )

    def tables(self) -> tuple[Table, ...]:
        """Each unit's verdict and what it rests on."""
        table = Table(
            title=self.heading,
            caption="proven: equal for ever from any state in which flip-flops of one name hold the same; what is "
            "placed is cut out, its ports are compared. Bench: on the netlist with all that it places, from a random "
            "power-up.",
        )
        table.add_column("unit")
        for heading in ("verdict", "points", "open", "s", "bench", "s"):
            table.add_column(heading, justify="left" if heading in ("verdict", "bench") else "right")
        for unit in self.units:
            table.add_row(
                unit.name,
                unit.verdict,
                f"{unit.points:,}" if unit.points else "",
                f"{unit.open_points:,}" if unit.open_points else "",
                f"{unit.seconds:.0f}",
                unit.bench,
                f"{unit.bench_seconds:.0f}" if unit.tests is not None else "",
            )
        return (table,)

    def notes(self) -> tuple[str, ...]:
        """How many units have each verdict."""
        verdicts = [unit.verdict for unit in self.units]
        return (", ".join(f"{verdicts.count(each)} {each}" for each in dict.fromkeys(verdicts)),)

    def __str__(self) -> str:
        return "".join(table_text(table, 140) for table in self.tables()) + "\n".join(self.notes())
