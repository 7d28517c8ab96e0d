"""What a command shows: tables, notes below them, pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from rich.table import Table

from spinplane.report.text import table_text

#: Of a field that is too large for a file: it is None in a result that was read.
UNWRITTEN = {"written": False}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A PNG, and what stands below it."""

    name: str
    content: bytes

    @classmethod
    def of(cls, path: Path) -> "Picture":
        """The picture in a file."""
        return cls(name=path.name, content=path.read_bytes())


@dataclass(frozen=True, kw_only=True)
class MainFigure:
    """A figure that a reader wants first.

    Parameters
    ----------
    name, value : str
    bounds : str
        What stands below it, smaller.
    """

    name: str
    value: str
    bounds: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a page.

    Parameters
    ----------
    title : str
        Empty for the only one of a page.
    warnings : tuple of str
    tables : tuple of Table
    notes : tuple of str
        Lines below the tables.
    pictures : tuple of Picture
    details : tuple of (str, Table)
        Too long for most readers: folded behind a line until they are asked for.
    """

    title: str = ""
    warnings: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    details: tuple[tuple[str, Table], ...] = ()


class Shown(Protocol):
    """The parts of text and page."""

    @property
    def heading(self) -> str:
        """One line that says what was done, of what."""

    def main_figures(self) -> Sequence[MainFigure]:
        """What stands above everything else."""

    def sections(self) -> Sequence[Section]:
        """Everything, in parts."""


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

    def main_figures(self) -> tuple[MainFigure, ...]:
        """What stands above everything else on a page."""
        return ()

    def sections(self) -> tuple[Section, ...]:
        """Everything, in parts; by default one of tables, notes and drawings."""
        pictures = tuple(map(Picture.of, self.drawings()))
        return (Section(tables=self.tables(), notes=self.notes(), pictures=pictures),)

    @property
    def failure(self) -> str:
        """Why the command that shows it fails; empty if it does not."""
        mismatches = getattr(self, "mismatches", 0)
        return f"{mismatches} mismatches between the RTL and its reference" if mismatches else ""

    def __str__(self) -> str:
        return "".join(map(table_text, self.tables())) + "\n".join(self.notes())
