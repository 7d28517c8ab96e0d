"""What a command shows: tables, notes below them, pictures."""

from dataclasses import dataclass

from spinplane.machine.reporting.shown import Shown
from spinplane.machine.tables import table_text


@dataclass(frozen=True, kw_only=True, repr=False)
class Report(Shown):
    """Base class of the results of commands: tables with notes below them as text."""

    @property
    def failure(self) -> str:
        """Why the command that shows it fails; empty if it does not."""
        mismatches = getattr(self, "mismatches", 0)
        return f"{mismatches} mismatches between the RTL and its reference" if mismatches else ""

    def __str__(self) -> str:
        return "".join(map(table_text, self.tables())) + "\n".join(self.notes())
