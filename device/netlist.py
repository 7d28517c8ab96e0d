"""A circuit deck of read and AND, for ngspice and the user's transistor models."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spinplane.machine import DottedName, Name, SpinplaneError
from spinplane.machine.external import spice
from spinplane.machine.external.process import run
from spinplane.machine.external.remedies import MissingToolError, remedy_of_program
from spinplane.machine.external.spice_models import check_models
from spinplane.machine.external.text import Text, fill, number, quoted_path
from spinplane.machine.files import temporary_folder, write_file

from .mtj import NegfJunction, heavy_metal_resistance, junction, tmr
from .sensing import bit_line_resistance, contents
from .technology import Element, Technology

_SECONDS = 300
_MODELS = "transistor models"
_BIT_LINE, _NEAR, _INNER = Name("bl"), Name("near"), Name("inner")
_VOLTAGE = re.compile(r"^\s*v\((\w+)\)\s*=\s*(\S+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class TransistorModel:
    """The user's n-channel transistor.

    Parameters
    ----------
    path : Path
        File with the model, included in the deck; it and what it includes hold models, elements and parameters alone.
    name : DottedName
        Of the ``.model``; with `subcircuit` of the ``.subckt``, whose pins are drain, gate, source, bulk.
    width_m, length_m : float
        In m.
    subcircuit : bool

    Raises
    ------
    SpinplaneError
        If there is no such file, it has other lines, or a deck cannot say its path; if `name` is more than letters,
        digits, ``-``, ``_`` and ``.``, or a size is not above 0.
    """

    path: Path
    name: DottedName
    width_m: float
    length_m: float
    subcircuit: bool = False

    def __post_init__(self) -> None:
        if not self.path.is_file():
            raise SpinplaneError(f"transistor models {self.path}: no such file")
        quoted_path(self.path, _MODELS)
        check_models(self.path)
        object.__setattr__(self, "name", DottedName(self.name, "transistor"))
        if not (self.width_m > 0 and self.length_m > 0):
            raise SpinplaneError(
                f"transistor {self.name}: {self.width_m!r} m by {self.length_m!r} m: both must be above 0"
            )


def sense_deck(technology: Technology, *, model: TransistorModel | None = None, fan_in: int = 2) -> Text:
    """The deck: one bit line for each content of one cell and of `fan_in` cells, at the operating point.

    Without a model a transistor that is on is the technology's resistance, and the deck has to agree with the
    analytic levels; with one, it says what the user's transistor makes of them.

    Parameters
    ----------
    technology : Technology
    model : TransistorModel, optional
    fan_in : int

    Returns
    -------
    Text
        Bit lines are the nodes ``bl_CELLS_ONES``.

    Raises
    ------
    SpinplaneError
        If the technology senses the current: the deck drives it.
    """
    if technology.sensing.quantity == "current":
        raise SpinplaneError(
            f"{technology.name}: sensing.quantity = 'current': the deck drives the read current into the bit line"
        )
    lines, shown = deck_head(technology, model), []
    for cells in sorted({1, fan_in}):
        for ones in range(cells + 1):
            bit_line, near = spice.node(_BIT_LINE, cells, ones), spice.node(_NEAR, cells, ones)
            shown.append(bit_line)
            lines.append(
                spice.current_source(
                    spice.node(Name("read"), cells, ones), bit_line, technology["read.current"]
                )
            )
            wire = spice.node(Name("wire"), cells, ones)
            lines.append(spice.resistor(wire, (bit_line, near), bit_line_resistance(technology) / 2))
            nodes = operation_nodes(technology, "read", near)
            for cell, state in enumerate(contents(cells, ones)):
                own = (cells, ones, cell)
                lines += cell_lines(technology, "read", own, nodes, bool(state), model)
    title = fill("@name@: bit lines of a read and of @cells@ cells", name=technology.name, cells=fan_in)
    return spice.operating_point(title, lines, shown)


def deck_head(technology: Technology, model: TransistorModel | None) -> list[Text]:
    """The supply, and the user's models if there are any."""
    lines = [spice.supply(technology["process.supply_voltage"])]
    return lines if model is None else [*lines, spice.included(model.path, _MODELS)]


def run_deck(deck: Text) -> Mapping[tuple[int, int], float]:
    """Levels in V by number of cells and of anti-parallel ones, from ngspice; see `run_nodes`."""
    found = ((name.split("_"), volts) for name, volts in run_nodes(deck).items())
    return {(int(cells), int(ones)): volts for (_, cells, ones), volts in found}


def run_nodes(deck: Text) -> Mapping[str, float]:
    """Voltages in V of the nodes that a deck prints, from ngspice.

    Raises
    ------
    SpinplaneError
        If ngspice is not installed, or its output lacks a node.
    """
    return printed(deck, _VOLTAGE, deck.count("print v("))


def printed(deck: Text, pattern: re.Pattern[str], count: int) -> dict[str, float]:
    """Values by name that `pattern` finds in what ngspice prints of a deck, run without its start-up files.

    Raises
    ------
    SpinplaneError
        If ngspice is not installed, or there are not `count` values.
    """
    program = shutil.which("ngspice")
    if program is None:
        raise MissingToolError(f"ngspice is not installed: {remedy_of_program('ngspice')}")
    with temporary_folder() as folder:
        write_file(folder / "deck.sp", deck.encode())
        ended = run([program, "-n", "-b", "deck.sp"], folder=folder, seconds=_SECONDS)
    if ended.status is None:
        raise SpinplaneError(f"ngspice: no operating point after {_SECONDS} s")
    values = {name: float(value) for name, value in pattern.findall(ended.output)}
    if len(values) != count:
        said = [line for line in (ended.errors + "\n" + ended.output).splitlines() if "rror" in line]
        raise SpinplaneError(
            f"ngspice gave no operating point: {' '.join((said or ['no message'])[0].split())}"
        )
    return values


def margins_of(levels: Mapping[tuple[int, int], float]) -> dict[str, float]:
    """Half of the distance between the two levels that read, AND and OR tell apart, in V."""
    fan_in = max(cells for cells, _ in levels)
    pairs = {"read": (1, 0), "and": (fan_in, fan_in - 1), "or": (fan_in, 0)}
    return {
        operation: (levels[cells, low + 1] - levels[cells, low]) / 2
        for operation, (cells, low) in pairs.items()
    }


def operation_nodes(technology: Technology, operation: str, driven: Text) -> dict[str, Text]:
    """Nodes of the lines of a cell that takes part, without their wires; `driven` is the line that has the current."""
    nodes = {"0": spice.GROUND, "vdd": spice.SUPPLY, "read": driven}
    selected = technology.operations[operation].selected
    return {line: nodes[drive] for line, drive in selected.items() if drive in nodes}


def cell_lines(
    technology: Technology,
    operation: str,
    own: tuple[int, ...],
    nodes: Mapping[str, Text],
    antiparallel: bool,
    model: TransistorModel | None,
) -> list[Text]:
    """The conducting elements of the cell whose numbers are `own`, between the nodes of its lines."""
    mtj = junction(technology)
    # Nodes within the cell are numbered: what a file calls them could be anything, and SPICE knows no case.
    inner: dict[str, Text] = {}
    lines = []
    for index, element in enumerate(technology.elements):
        if element.name not in technology.operations[operation].conducts:
            continue
        first, second = (
            nodes.get(end) or inner.setdefault(end, spice.node(_INNER, len(inner), *own))
            for end in element.between
        )
        lines.append(_line(technology, mtj, element, (*own, index), (first, second), antiparallel, model))
    return lines


def _line(
    technology: Technology,
    mtj: object,
    element: Element,
    own: tuple[int, ...],
    ends: tuple[Text, Text],
    antiparallel: bool,
    model: TransistorModel | None,
) -> Text:
    if element.kind == "half_heavy_metal":
        return spice.resistor(spice.node(Name("metal"), *own), ends, heavy_metal_resistance(technology) / 2)
    if element.kind == "mtj":
        current = _current(technology, mtj, spice.voltage(ends), antiparallel)
        return spice.conductor(spice.node(Name("mtj"), *own), ends, current)
    if model is None:
        return spice.resistor(spice.node(Name("on"), *own), ends, technology[element.resistance])
    return spice.transistor(
        spice.node(Name("on"), *own),
        ends,
        model=model.name,
        subcircuit=model.subcircuit,
        width_m=model.width_m,
        length_m=model.length_m,
    )


def _current(technology: Technology, mtj: object, voltage: Text, antiparallel: bool) -> Text:
    if isinstance(mtj, NegfJunction):
        g2, g0 = (number(value, 15) for value in mtj.coefficients(antiparallel))
        return fill("@v@*(@g2@*@v@*@v@+@g0@)", v=voltage, g2=g2, g0=g0)
    parallel = number(float(junction(technology).conductance_p(0.0)), 15)
    if not antiparallel:
        return fill("@v@*@g@", v=voltage, g=parallel)
    share = number(float(tmr(junction(technology))), 15)
    half = number(technology["mtj.tmr_half_voltage"] ** 2, 15)
    return fill("@v@*@g@/(1+@tmr@/(1+@v@*@v@/@half@))", v=voltage, g=parallel, tmr=share, half=half)
