"""A result's tables, notes and pictures as HTML: no script, nothing loaded from elsewhere, all text escaped."""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from ..drawing import Drawing
    from .shown import Section, Shown

_MEDIA = {".png": "image/png", ".svg": "image/svg+xml"}


@dataclass(frozen=True, kw_only=True)
class _Column:
    heading: str
    right: bool


@dataclass(frozen=True, kw_only=True)
class _Row:
    """Cells of a row; a `group` heads the rows that follow it, a `first` one is below a line, a total `after` one."""

    cells: tuple[str, ...]
    group: bool
    first: bool
    after: bool


@dataclass(frozen=True, kw_only=True)
class _PlainTable:
    title: str
    caption: str
    columns: tuple[_Column, ...]
    rows: tuple[_Row, ...]


@dataclass(frozen=True, kw_only=True)
class _Picture:
    """A picture; its source is a data URI, or empty."""

    name: str
    source: str


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A section, or all of a result."""

    title: str = ""
    warnings: tuple[str, ...] = ()
    tables: tuple[_PlainTable, ...] = ()
    text: str = ""
    notes: tuple[str, ...] = ()
    pictures: tuple[_Picture, ...] = ()
    details: tuple[tuple[str, _PlainTable], ...] = ()


def fragment(result: "Shown") -> str:
    """A result as a part of any page: its heading and `body`, with a style that holds for nothing else.

    Colours are those around it, so that it is legible on light and on dark pages.

    Parameters
    ----------
    result : Shown
    """
    heading = Markup('<p class="heading">{}</p>\n').format(result.heading)
    return Markup('<div class="spinplane">\n<style>\n{}</style>\n{}{}</div>\n').format(
        style(), heading, _content(result)
    )


def body(result: "Shown") -> Markup:
    """Tables, notes and pictures of a result, for a page that has its heading and the `style`.

    Parameters
    ----------
    result : Shown
        Drawn pictures are embedded, those of a result that was read from their files; one that is no longer there, or
        is a PDF, is named.
    """
    return Markup('<div class="spinplane">\n{}</div>').format(_content(result, contents=True))


@cache
def style() -> Markup:
    """The style of `body`. It takes its colours from ``--spinplane-…`` where the page around has these."""
    return Markup((files(__package__) / "body.css").read_text(encoding="utf-8"))


def environment() -> Environment:
    """For templates: all text is escaped, and nothing may be missing."""
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _template() -> Template:
    return environment().from_string((files(__package__) / "body.html").read_text(encoding="utf-8"))


def _content(result: "Shown", *, contents: bool = False) -> Markup:
    sections = [_part_of(section) for section in result.sections()]
    return Markup(
        _template().render(
            heading=result.heading,
            figures=result.top_figures(),
            sections=sections,
            whole=None if sections else _whole(result),
            contents=contents,
        )
    )


def _part_of(section: "Section") -> _Part:
    return _Part(
        title=section.title,
        warnings=section.warnings,
        tables=tuple(map(_plain_table, section.tables)),
        notes=_lines(section.notes),
        pictures=tuple(map(_drawn, section.drawn)),
        details=tuple((told, _plain_table(table)) for told, table in section.details),
    )


def _whole(result: "Shown") -> _Part:
    tables = result.tables()
    return _Part(
        tables=tuple(map(_plain_table, tables)),
        text="" if tables else str(result),
        notes=_lines(result.notes()),
        pictures=tuple(_pictures(result)),
    )


def _lines(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(" ".join(note.split()) for note in notes)


def _drawn(drawing: "Drawing") -> _Picture:
    return _Picture(name=drawing.name, source=_data(".png", drawing.png()))


def _pictures(result: "Shown") -> Iterator[_Picture]:
    yield from map(_drawn, result.drawn)
    if not result.drawn:
        yield from map(_picture, result.drawings())


def _picture(path: Path) -> _Picture:
    if path.suffix not in _MEDIA:
        return _Picture(name=str(path), source="")
    if not path.is_file():
        return _Picture(name=f"{path}: no longer there", source="")
    return _Picture(name=path.name, source=_data(path.suffix, path.read_bytes()))


def _data(suffix: str, content: bytes) -> str:
    return f"data:{_MEDIA[suffix]};base64,{b64encode(content).decode()}"


def _text(cell: Any) -> Text:
    """A cell as it is: names from files may look like markup."""
    return cell if isinstance(cell, Text) else Text(str(cell))


def _plain_table(table: Table) -> _PlainTable:
    cells = zip(*(column.cells for column in table.columns), strict=True)
    # A row after the end of a section, if it is the last one, is the total of those before.
    ends = [row.end_section for row in table.rows]
    last = len(ends) - 1
    rows = []
    for at, row in enumerate(cells):
        first, *others = map(_text, row)
        rows.append(
            _Row(
                cells=(first.plain, *(text.plain for text in others)),
                group=bool(first.style) and not any(others),
                first=at > 0 and ends[at - 1],
                after=at == last and at > 0 and ends[at - 1],
            )
        )
    return _PlainTable(
        title=str(table.title or ""),
        caption=str(table.caption or ""),
        columns=tuple(
            _Column(heading=str(column.header), right=column.justify == "right") for column in table.columns
        ),
        rows=tuple(rows),
    )
