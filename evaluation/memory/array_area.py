"""Area of a memory array: cells, what drives their rows and what drives and senses their columns."""

from dataclasses import dataclass
from math import sqrt

from spinplane.device import Technology
from spinplane.machine import SpinplaneError

from ..sources import Figure, Sources, Values
from .layout import Circuit, driver, gates, switch

#: What an amplifier may compare with a reference: the voltage of a bit line, or its current.
SENSINGS = ("voltage", "current")
#: References of a bit line: read, AND and OR, each behind a switch.
_REFERENCES = 3
_WRITES = ("write_0", "write_1")


@dataclass(frozen=True, kw_only=True)
class ArrayPart:
    """A part of an array.

    Parameters
    ----------
    name : str
    area : Figure
        In m².
    """

    name: str
    area: Figure


@dataclass(frozen=True, kw_only=True)
class ArrayArea:
    """Area of an array without its decoder, which is logic.

    Parameters
    ----------
    technology : str
    sensing : {"voltage", "current"}
    rows, columns : int
    parts : tuple of ArrayPart
    total : Figure
        The rectangle in m² that holds the parts.
    """

    technology: str
    sensing: str
    rows: int
    columns: int
    parts: tuple[ArrayPart, ...]
    total: Figure


def array_area(sources: Sources, rows: int, columns: int, sensing: str) -> ArrayArea:
    """Area of an array of cells of the technology of `sources`, see `area_sources`.

    A rectangle: the cells with their edges, taps and reference columns; beside them a strip of the drivers of all word
    lines; below them a strip of what each column has; and the corner between both strips.

    Parameters
    ----------
    sources : Sources
    rows, columns : int
    sensing : {"voltage", "current"}
    """

    def figure(name: str, source: str) -> Figure:
        return sources.figure(
            lambda values: array_parts(values, rows, columns, sensing)[name], unit="m²", source=source
        )

    parts = {
        "cells": "rows times columns times the cell",
        "edges, taps, references": "cells that hold nothing, contacts to the substrate, columns of references",
        "word-line drivers": "inverters of each line that gates a row's transistors, sized by its load",
        "sense amplifiers": "latch and its pair of inputs, sized by offset; switches of references, output",
        "read-current sources": "source, switch and discharge of each bit line that is read; with current sensing "
        "clamps and mirrors of an amplifier",
        "write drivers": "transistors of each bit line that is written, sized by the write current; their gates",
        "corner": "between both strips: bias, references and timing",
    }
    return ArrayArea(
        technology=sources.technology.name,
        sensing=sensing,
        rows=rows,
        columns=columns,
        parts=tuple(ArrayPart(name=name, area=figure(name, source)) for name, source in parts.items()),
        total=sources.figure(
            lambda values: rectangle(values, rows, columns, sensing),
            unit="m²",
            source="width times height, strips included",
        ),
    )


def array_parts(values: Values, rows: int, columns: int, sensing: str) -> dict[str, float]:
    """Area in m² of each part of an array."""
    pitch = _pitch(values)
    of_column = _column(values, sensing)
    height, width = _core(values, rows, columns)
    number = columns + values["array.reference_columns"]
    fill = values["layout.fill"]
    strip = number / fill
    side = _row(values, columns).area(values) / fill / pitch
    cells = rows * columns * pitch**2
    return {
        "cells": cells,
        "edges, taps, references": height * width - cells,
        # Along edges too, where a strip holds nothing.
        "word-line drivers": side * height,
        **{name: strip * circuit.area(values) for name, circuit in of_column.items()},
        "corner": side * (_below(values, columns, sensing, width)),
    }


def rectangle(values: Values, rows: int, columns: int, sensing: str) -> float:
    """Area in m² of the rectangle that holds an array."""
    height, width = _core(values, rows, columns)
    side = _row(values, columns).area(values) / values["layout.fill"] / _pitch(values)
    return (width + side) * (height + _below(values, columns, sensing, width))


def periphery_width(values: Values, rows: int, columns: int, sensing: str) -> float:
    """Width in m of all transistors around the cells of an array, its decoder's left out."""
    number = columns + values["array.reference_columns"]
    of_column = sum(circuit.width for circuit in _column(values, sensing).values())
    return rows * _row(values, columns).width + number * of_column


def _pitch(values: Values) -> float:
    """Side in m of a cell, a square."""
    return values["process.feature_size"] * sqrt(values["cell.area"])


def _core(values: Values, rows: int, columns: int) -> tuple[float, float]:
    """Height and width in m of all cells, those at the edges, taps and references among them."""
    pitch, edge = _pitch(values), values["array.edge"]
    taps = columns / values["array.tap_columns"]
    return pitch * (rows + edge), pitch * (columns + edge + taps + values["array.reference_columns"])


def _below(values: Values, columns: int, sensing: str, width: float) -> float:
    """Height in m of the strip below the cells."""
    area = sum(circuit.area(values) for circuit in _column(values, sensing).values())
    return (columns + values["array.reference_columns"]) * area / values["layout.fill"] / width


def _row(values: Values, columns: int) -> Circuit:
    """Drivers of all word lines of a row."""
    lines = {element.gate for element in values.technology.elements if element.gate}
    load = columns * values["word_line.capacitance_per_cell"]
    return driver(values, load, values["array.driver_transistors"]).times(len(lines))


def _column(values: Values, sensing: str) -> dict[str, Circuit]:
    """Circuits of a column."""
    technology = values.technology
    amplifiers = technology.sensing.amplifiers
    source = Circuit(width=values["read.current"] / values["sense.source_current"], transistors=1)
    small = Circuit(width=values["layout.gate_width"], transistors=1)
    amplifier = _latch(values) + gates(values, values["sense.output_transistors"])
    # By voltage a source and its switch; by current, for each amplifier, a clamp and a mirror of two transistors for
    # the bit line, and as much for the reference.
    sources = 2 if sensing == "voltage" else 6 * amplifiers
    return {
        "sense amplifiers": amplifier.times(amplifiers) + small.times(_REFERENCES),
        "read-current sources": source.times(sources) + small,
        "write drivers": sum((_write(values, drives) for drives in _written(technology)), Circuit()),
    }


def _latch(values: Values) -> Circuit:
    """A latch; its pair of inputs is large enough for the technology's offset."""
    sigma = values["sense_amplifier.offset_sigma"]
    if not sigma:
        raise SpinplaneError("sense_amplifier.offset_sigma = 0: no area makes an amplifier without an offset")
    gate_area = (values["sense.matching"] / sigma) ** 2
    return Circuit(
        width=values["sense.latch_width"],
        transistors=values["sense.latch_transistors"],
        extra=values["sense.pair"] * 2 * gate_area,
    )


def _written(technology: Technology) -> list[set[str]]:
    """What each column's line is tied to in writes, of those that write currents are driven through."""
    found = []
    for line, way in technology.lines.items():
        drives = {technology.operations[write].selected[line] for write in _WRITES}
        if way == "column" and drives & {"+write", "-write"}:
            found.append(drives | {"0"})
    return found


def _write(values: Values, drives: set[str]) -> Circuit:
    """The driver of a line: a switch to each voltage, and the gates before them."""
    current = max(values["write.current_0"], values["write.current_1"])
    n_width = current / values["write_driver.switch_current"]
    widths = [n_width * (values["layout.p_ratio"] if drive == "+write" else 1) for drive in sorted(drives)]
    switches = sum((switch(values, width) for width in widths), Circuit())
    return switches + gates(values, values["write_driver.transistors"])
