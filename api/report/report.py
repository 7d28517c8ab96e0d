"""What a command shows: tables, notes below them, pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from rich.table import Table

from spinplane.machine.tables import table_text

#: Of a field that is too large for a file: it is None in a result that was read.
UNWRITTEN = {"written": False}


class Shown(Protocol):
    """The parts of text and page."""

    @property
    def heading(self) -> str:
        """One line that says what was done, of what."""

    def tables(self) -> Sequence[Table]:
        """The figures."""

    def notes(self) -> Sequence[str]:
        """Lines below the tables."""

    def drawings(self) -> Sequence[Path]:
        """PNG files that were drawn."""


class Report:
    """Base class of results: dataclasses that are shown as text, as a page, and kept in a file.

    A subclass overrides what it needs. `derived` names properties that a file holds besides the fields, for readers of
    the file; `spinplane.read_result` computes them anew.
    """

    derived: ClassVar[tuple[str, ...]] = ()

    @property
    def heading(self) -> str:
        """One line that says what was done; by default the title of the first table."""
        return str(self.tables()[0].title)

    def tables(self) -> tuple[Table, ...]:
        """The figures."""
        return ()

    def notes(self) -> tuple[str, ...]:
        """Lines below the tables."""
        return ()

    def drawings(self) -> tuple[Path, ...]:
        """PNG files that were drawn."""
        return ()

    @property
    def failure(self) -> str:
        """Why the command that shows it fails; empty if it does not."""
        mismatches = getattr(self, "mismatches", 0)
        return f"{mismatches} mismatches between the RTL and its reference" if mismatches else ""

    def __str__(self) -> str:
        return "".join(map(table_text, self.tables())) + "\n".join(self.notes())
