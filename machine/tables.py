"""The look of all tables as text: of one width in results, and of the terminal's in the command."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, replace
from io import StringIO

from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import TextType

_WIDTH, _UNBOUNDED = 120, 10**6
#: Characters of a word that are never parted; all numbers have fewer.
_WHOLE_WORD = 20
_terminal: ContextVar[int | None] = ContextVar("columns of the terminal", default=None)


@contextmanager
def fitting(columns: int | None) -> Iterator[None]:
    """Let tables fit so many columns; with None they have the width that their result chooses."""
    before = _terminal.set(columns)
    try:
        yield
    finally:
        _terminal.reset(before)


def table_text(table: Table, width: int = _WIDTH) -> str:
    """A rich table as plain text, its texts as they are.

    The same on every terminal, but within `fitting`: there a table that is too wide has folded texts, and where numbers
    would be cut it is told in several tables below each other, each with the first column.

    Parameters
    ----------
    table : Table
    width : int
        Columns of the text, where nothing is to be fitted.
    """
    columns = _terminal.get()
    if columns is None:
        return _printed([table], width)
    wide = _console(_UNBOUNDED)
    if Measurement.get(wide, wide.options, table).maximum <= columns:
        return _printed([table], columns)
    return _printed(list(_panels(table, columns)), columns)


def _console(width: int) -> Console:
    return Console(
        file=StringIO(), width=width, color_system=None, markup=False, emoji=False, force_jupyter=False
    )


def _printed(tables: Sequence[Table], width: int) -> str:
    console = _console(width)
    for table in tables:
        console.print(table)
    assert isinstance(console.file, StringIO)
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


@dataclass(frozen=True, kw_only=True)
class _Folding:
    """A column that folds its texts, the fewest columns of text that keep its words whole, and the most it needs."""

    column: Column
    least: int
    most: int


def _panels(table: Table, width: int) -> Iterator[Table]:
    """The table's columns in as few tables as have the width, each with the first column."""
    first, *others = map(_folding, table.columns)
    title, shown = table.title, [first]
    for column in others:
        if len(shown) > 1 and _least(table, [*shown, column]) > width:
            yield _fitted(table, shown, width, title=title)
            title, shown = None, [first]
        shown.append(column)
    yield _fitted(table, shown, width, title=title, caption=table.caption)


def _folding(column: Column) -> _Folding:
    console = _console(_UNBOUNDED)
    cells = (column.header, *column.cells, column.footer)
    measures = [Measurement.get(console, console.options, cell) for cell in cells]
    return _Folding(
        column=replace(
            column, width=None, min_width=None, max_width=None, ratio=None, no_wrap=False, overflow="fold"
        ),
        least=max(1, *(min(measure.minimum, _WHOLE_WORD) for measure in measures)),
        most=max(1, *(measure.maximum for measure in measures)),
    )


def _least(table: Table, columns: Sequence[_Folding]) -> int:
    return _around(table, columns) + sum(column.least for column in columns)


def _around(table: Table, columns: Sequence[_Folding]) -> int:
    """Columns of text that lines and padding take."""
    console = _console(_UNBOUNDED)
    part = _of_widths(table, columns, [1] * len(columns))
    return Measurement.get(console, console.options, part).maximum - len(columns)


def _of_widths(table: Table, columns: Sequence[_Folding], widths: Sequence[int]) -> Table:
    """The table with these of its columns alone."""
    part = copy(table)
    part.width = None
    part.columns = [
        replace(each.column, width=width, _index=index)
        for index, (each, width) in enumerate(zip(columns, widths, strict=True))
    ]
    return part


def _fitted(
    table: Table,
    columns: Sequence[_Folding],
    width: int,
    *,
    title: TextType | None = None,
    caption: TextType | None = None,
) -> Table:
    """The table with these of its columns in the width: the widest are folded, none to less than its words need."""
    room = width - _around(table, columns)
    widths = [column.most for column in columns]
    for level in range(max(widths), 0, -1):
        widths = [max(column.least, min(column.most, level)) for column in columns]
        if sum(widths) <= room:
            break
    part = _of_widths(table, columns, widths)
    part.title, part.caption = title, caption
    return part
