"""A result as one HTML page: no script, nothing loaded from elsewhere, all text escaped."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from rich.table import Table
from rich.text import Text

import spinplane
from spinplane.machine import Machine
from spinplane.machine.arguments import as_path
from spinplane.machine.files import write_whole

from .provenance import Provenance, provenance_of
from .report import Section, Shown


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
class _Section:
    """A section, whose `pictures` are pairs of a name and base64 text."""

    title: str
    warnings: tuple[str, ...]
    tables: tuple[_PlainTable, ...]
    notes: tuple[str, ...]
    pictures: tuple[tuple[str, str], ...]
    details: tuple[tuple[str, _PlainTable], ...]


def write_page(result: Shown, path: str | Path, provenance: Provenance | None = None) -> None:
    """Write a result as one HTML page: its main figures, tables, notes, pictures and origin.

    Parameters
    ----------
    result : Shown
        A result that has tables, such as `spinplane.NetworkRun`.
    path : str or Path
    provenance : Provenance, optional
        By default the origin that the result itself tells.

    Raises
    ------
    OSError
        If a picture cannot be read or the page cannot be written; a former one is still there then.
    """
    path, provenance = as_path("path", path), provenance or provenance_of(result)
    text = _template().render(
        version=spinplane.__version__,
        heading=str(result.heading),
        command=provenance.command,
        figures=result.main_figures(),
        sections=[_plain_section(section) for section in result.sections()],
        origins=list(_origins(provenance)),
    )
    write_whole(path, text.encode())


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string((files(__package__) / "page.html").read_text(encoding="utf-8"))


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


def _plain_section(section: Section) -> _Section:
    return _Section(
        title=section.title,
        warnings=section.warnings,
        tables=tuple(map(_plain_table, section.tables)),
        notes=tuple(" ".join(note.split()) for note in section.notes),
        pictures=tuple((one.name, b64encode(one.content).decode()) for one in section.pictures),
        details=tuple((told, _plain_table(table)) for told, table in section.details),
    )


def _origins(provenance: Provenance) -> Iterator[tuple[str, str]]:
    """Name and text of each thing that the figures rest on."""
    if machine := provenance.machine:
        yield "machine", machine.name + (f": {machine.description}" if machine.description else "")
        yield "its sizes", _sizes(machine)
    if technology := provenance.technology:
        yield "technology", f"{technology.name}, digest {technology.digest}"
    if provenance.seed is not None:
        yield "seed", str(provenance.seed)
    yield "spinplane", spinplane.__version__
    yield from provenance.versions.items()


def _sizes(machine: Machine) -> str:
    told = [field.name for field in fields(machine) if field.name not in ("name", "description")]
    return ", ".join(f"{name} {getattr(machine, name)}" for name in told)
