"""What a Liberty file says of the energy in its cells: internal energies, capacitances of pins, voltage."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

from spinplane.machine import DottedName, PinName, SpinplaneError
from spinplane.machine.errors import shown

from .liberty_groups import Group, Reader
from .library import Library

_TABLES = ("rise_power", "fall_power")
_KINDS: dict[str, type[PinName]] = {
    **dict.fromkeys(("library", "cell", "power_lut_template", *_TABLES), DottedName),
    **dict.fromkeys(("pin", "internal_power"), PinName),
}
_LOAD = "total_output_net_capacitance"
_SLEWS = ("input_transition_time", "input_net_transition")
_FARADS = {"ff": 1e-15, "pf": 1e-12}
_SECONDS = {"1ns": 1e-9, "100ps": 1e-10, "10ps": 1e-11, "1ps": 1e-12}


@dataclass(frozen=True, kw_only=True)
class EnergyTable:
    """Energy of an edge in J, by the load of the output in F and the duration of the input's edge in s.

    Parameters
    ----------
    loads, slews : tuple of float
        Rising; a table that does not depend on one of them has 0 alone.
    values : tuple of tuple of float
        A row for each load.
    """

    loads: tuple[float, ...]
    slews: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def at(self, load: float, slew: float) -> float:
        """Between points linear; beyond the ends the value at the end."""
        row, across = _place(self.loads, load)
        column, along = _place(self.slews, slew)
        ends = [
            self.values[r][column] * (1 - along) + (self.values[r][column + 1] * along if along else 0.0)
            for r in ((row, row + 1) if across else (row,))
        ]
        return ends[0] * (1 - across) + (ends[1] * across if across else 0.0)


@dataclass(frozen=True, kw_only=True)
class CellEnergy:
    """Energies of a cell.

    Parameters
    ----------
    capacitances : mapping of PinName to float
        Of the input pins, in F.
    tables : mapping of PinName to tuple of EnergyTable
        Of edges of each pin that has some: rising and falling, from each related pin and in each state.
    """

    capacitances: Mapping[PinName, float]
    tables: Mapping[PinName, tuple[EnergyTable, ...]]

    def of_edge(self, pin: PinName, load: float, slew: float) -> float:
        """Energy in J in the cell at an edge of a pin, without that of the load: the mean of its tables."""
        tables = self.tables.get(pin, ())
        return sum(table.at(load, slew) for table in tables) / len(tables) if tables else 0.0


@dataclass(frozen=True, kw_only=True)
class LibraryEnergy:
    """Energies of the cells of a library.

    Parameters
    ----------
    voltage : float
        In V.
    cells : mapping of str to CellEnergy
    """

    voltage: float
    cells: Mapping[str, CellEnergy]


def library_energy(library: Library) -> LibraryEnergy:
    """Read the energies of a library's cells.

    Raises
    ------
    SpinplaneError
        If the library has no internal energies, or one of its units, capacitances or tables cannot be read.
    """
    group = Reader(library.text, _KINDS, lists=True).library()
    try:
        units = _Units(group)
        cells = {cell.name: _cell(cell, units) for cell in group.groups if cell.kind == "cell"}
    except (ValueError, IndexError) as error:
        raise SpinplaneError(f"library {library.source}: {error}") from None
    if not any(cell.tables for cell in cells.values()):
        raise SpinplaneError(
            f"library {library.source}: has no internal energies; give a Liberty file with internal_power groups"
        )
    return LibraryEnergy(voltage=units.voltage, cells=cells)


class _Units:
    """Units and table templates of a library; energies are in its unit of capacitance times V²."""

    def __init__(self, group: Group) -> None:
        parts = group.attributes.get("capacitive_load_unit", "1, pf").split(", ")
        if len(parts) != 2 or parts[1].lower() not in _FARADS:
            raise ValueError(f"capacitive_load_unit {shown(', '.join(parts))}: must be in fF or pF")
        self.farad = _number(parts[0]) * _FARADS[parts[1].lower()]
        unit = group.attributes.get("time_unit", "1ns")
        if unit not in _SECONDS:
            raise ValueError(f"time_unit {shown(unit)}: must be one of {', '.join(_SECONDS)}")
        self.second = _SECONDS[unit]
        if group.attributes.get("voltage_unit", "1V") != "1V":
            raise ValueError(f"voltage_unit {shown(group.attributes['voltage_unit'])}: must be 1V")
        self.voltage = _number(group.attributes.get("nom_voltage", ""))
        self.templates = {
            one.name: one.attributes for one in group.groups if one.kind == "power_lut_template"
        }


def _cell(cell: Group, units: _Units) -> CellEnergy:
    capacitances, tables = {}, {}
    for pin in (group for group in cell.groups if group.kind == "pin"):
        name = PinName(pin.name, "pin")
        if pin.attributes.get("direction") == "input":
            capacitances[name] = _number(pin.attributes.get("capacitance", "0")) * units.farad
        if found := tuple(_tables(pin, units)):
            tables[name] = found
    return CellEnergy(capacitances=capacitances, tables=tables)


def _tables(pin: Group, units: _Units) -> Iterator[EnergyTable]:
    for power in (group for group in pin.groups if group.kind == "internal_power"):
        for table in (group for group in power.groups if group.kind in _TABLES):
            yield _table(table, units)


def _table(table: Group, units: _Units) -> EnergyTable:
    template = units.templates.get(table.name, {})
    axes: dict[str, tuple[float, ...]] = {"load": (0.0,), "slew": (0.0,)}
    order = []
    for number in (1, 2):
        variable = template.get(f"variable_{number}")
        if variable is None:
            continue
        if variable != _LOAD and variable not in _SLEWS:
            raise ValueError(f"template {table.name}: variable {shown(variable)} is not known")
        axis, unit = ("load", units.farad) if variable == _LOAD else ("slew", units.second)
        index = f"index_{number}"
        axes[axis] = tuple(
            point * unit for point in _numbers(table.attributes.get(index, template.get(index, "")))
        )
        if any(after <= before for before, after in pairwise(axes[axis])):
            raise ValueError(f"{table.kind} ({table.name}): {index} does not rise")
        order.append(axis)
    values = [value * units.farad for value in _numbers(table.attributes.get("values", ""))]
    rows, columns = len(axes["load"]), len(axes["slew"])
    if len(values) != rows * columns:
        raise ValueError(f"{table.kind} ({table.name}): {len(values)} values, not {rows * columns}")
    if order == ["slew", "load"]:
        by_load = tuple(
            tuple(values[column * rows + row] for column in range(columns)) for row in range(rows)
        )
    else:
        by_load = tuple(tuple(values[row * columns : (row + 1) * columns]) for row in range(rows))
    return EnergyTable(loads=axes["load"], slews=axes["slew"], values=by_load)


def _numbers(text: str) -> list[float]:
    return [_number(part) for part in text.replace(",", " ").split()]


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not isfinite(number):
        raise ValueError(f"{shown(text)} is not a number")
    return number


def _place(points: Sequence[float], value: float) -> tuple[int, float]:
    """The point below a value, and how far from it to the next one it lies: from 0, at an end, to 1."""
    if value <= points[0]:
        return 0, 0.0
    if value >= points[-1]:
        return len(points) - 1, 0.0
    below = bisect_right(points, value) - 1
    return below, (value - points[below]) / (points[below + 1] - points[below])
