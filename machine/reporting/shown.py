"""What every result can show of itself: one line, tables, notes, pictures, a fragment of HTML, records."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ..drawing import Drawing
from .brief import brief
from .records import Record, csv_text

if TYPE_CHECKING:
    from rich.table import Table

#: Of a field that is too large for a file: it is None, or empty, in a result that was read.
UNWRITTEN = {"written": False}
#: Most characters of a heading before the main figure.
_HEADING = 100


@dataclass(frozen=True, kw_only=True)
class TopFigure:
    """A figure that stands above everything else.

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
    """A part of a result that has several.

    Parameters
    ----------
    title : str
    warnings : tuple of str
    tables : tuple of Table
    notes : tuple of str
        Lines below the tables.
    drawn : tuple of Drawing
    details : tuple of (str, Table)
        Too long for most readers: folded behind a line until they are asked for.
    """

    title: str
    warnings: tuple[str, ...] = ()
    tables: "tuple[Table, ...]" = ()
    notes: tuple[str, ...] = ()
    drawn: tuple[Drawing, ...] = ()
    details: "tuple[tuple[str, Table], ...]" = ()


@dataclass(frozen=True, kw_only=True, repr=False)
class Shown:
    """Base class of results. A subclass overrides what it needs, and is a dataclass with ``repr=False``.

    `derived` names properties that a file holds besides the fields, for readers of the file; `spinplane.read_result`
    computes them anew.

    Parameters
    ----------
    drawn : tuple of Drawing
        Pictures of what was computed; empty in a result that was read from a file.
    """

    derived: ClassVar[tuple[str, ...]] = ()

    drawn: tuple[Drawing, ...] = field(default=(), compare=False, metadata=UNWRITTEN)

    @property
    def heading(self) -> str:
        """One line that says what was done, of what; by default the title of the first table."""
        return str(self.tables()[0].title)

    @property
    def main_figure(self) -> str:
        """What one asks first, in a few words; by default the first note."""
        return next(iter(self.notes()), "")

    def tables(self) -> "Sequence[Table]":
        """The figures."""
        return ()

    def notes(self) -> Sequence[str]:
        """Lines below the tables."""
        return ()

    def drawings(self) -> Sequence[Path]:
        """Files of pictures that were drawn."""
        return ()

    def top_figures(self) -> Sequence[TopFigure]:
        """What stands above everything else in HTML."""
        return ()

    def sections(self) -> Sequence[Section]:
        """The parts of HTML, in place of tables, notes and pictures; none if it needs none."""
        return ()

    def records(self) -> Sequence[Record]:
        """The main table as numbers: names of figures, with their units, and values, of each thing."""
        return ()

    def csv(self) -> str:
        """The main table as comma-separated values of RFC 4180, see `csv_text`."""
        return csv_text(self.records())

    def __repr__(self) -> str:
        # What is asked first is at the end, and not to be cut.
        heading, figure = self.heading, self.main_figure
        return brief(self, f"{heading if len(heading) <= _HEADING else f'{heading[:_HEADING]}…'}: {figure}")

    def _repr_html_(self) -> str:
        """What a notebook shows: a fragment with tables, notes and pictures, and no request to elsewhere."""
        from .body import fragment  # a template engine, which a command's first answer need not wait for

        return fragment(self)
