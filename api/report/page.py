"""A result as one HTML page: no script, nothing loaded from elsewhere, all text escaped."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Template

import spinplane
from spinplane.machine import Machine
from spinplane.machine.arguments import as_path
from spinplane.machine.files import write_whole
from spinplane.machine.reporting.body import body, environment, style
from spinplane.machine.reporting.shown import Shown

from .provenance import Provenance, provenance_of


def write_page(result: Shown, path: str | Path, provenance: Provenance | None = None) -> None:
    """Write a result as one HTML page: its tables, notes, pictures and origin.

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
        If the page cannot be written; a former one is still there then.
    """
    path, provenance = as_path("path", path), provenance or provenance_of(result)
    text = _template().render(
        version=spinplane.__version__,
        heading=str(result.heading),
        command=provenance.command,
        body=body(result),
        style=style(),
        origins=list(_origins(provenance)),
    )
    write_whole(path, text.encode())


@cache
def _template() -> Template:
    return environment().from_string((files(__package__) / "page.html").read_text(encoding="utf-8"))


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
