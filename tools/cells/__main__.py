"""Write physical/cells45-timing.toml: ``python -m tools.cells``, or with names of cells, those alone."""

import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import combinational, sequential
from .constraints import constraints
from .grid import CONSTRAINT_SLEWS_PS, LOADS_FF, SLEWS_PS

PHYSICAL = Path(__file__).parents[2] / "physical"
FILE = PHYSICAL / "cells45-timing.toml"
_STORAGE = ("ff", "latch", "clock_gate")
_HEAD = """\
# Written by `python -m tools.cells`: figures of the cells of cells45.toml, measured with ngspice in FreePDK45's VTG
# transistors (device/freepdk45-vtg.sp, Apache-2.0; typical, 1.1 V, 27 °C), without wires in the cells.
# Tables have a row for each slew of an input, from 20 to 80 %, and a column for each load of a unit of drive. Delays
# and slews are the longest of all states of the other inputs; capacitances, energies and leakages are the mean. An
# energy is what the supply gives without leakage and the load's C·V²; inputs of a cell that stores have their own.

"""


def gate(cell: Mapping[str, Any]) -> combinational.Gate:
    """A cell of ``cells45.toml`` that stores nothing."""
    return combinational.Gate(outputs=cell["outputs"], netlist=cell["netlist"], drive=cell.get("drive", 1))


def storage(cell: Mapping[str, Any]) -> sequential.Storage:
    """A cell of ``cells45.toml`` that stores a bit."""
    (kind,) = (kind for kind in _STORAGE if kind in cell)
    pins = {letter: cell[kind][key] for letter, key in (("C", "clock"), ("D", "data"), ("Q", "output"))}
    return sequential.Storage(kind=kind, pins=pins, netlist=cell["netlist"], drive=cell.get("drive", 1))


def characterize(cell: Mapping[str, Any]) -> dict[str, Any]:
    """All figures of a cell."""
    if "outputs" in cell:
        return combinational.characterize(gate(cell))
    figures = sequential.characterize(storage(cell))
    for setup, name in ((True, "setup"), (False, "hold")):
        rise, fall = constraints(storage(cell), setup)
        width = len(CONSTRAINT_SLEWS_PS)
        rows = [[edge[i : i + width] for i in range(0, len(edge), width)] for edge in (rise, fall)]
        figures[name] = {"rise_ps": rows[0], "fall_ps": rows[1]}
    return figures


def written(cells: Mapping[str, Any]) -> str:
    """Text of the file."""
    grid = {"slews_ps": SLEWS_PS, "loads_ff": LOADS_FF, "constraint_slews_ps": CONSTRAINT_SLEWS_PS}
    lines = [f"{name} = {list(values)}" for name, values in grid.items()]
    return _HEAD + "\n".join([*lines, *_table("cells", cells)]) + "\n"


def _table(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    if plain:
        yield f"\n[{name}]"
    for key, value in plain.items():
        if isinstance(value, list) and isinstance(value[0], list):
            yield f"{key} = ["
            yield from (f"  {_value(row)}," for row in value)
            yield "]"
        else:
            yield f"{key} = {_value(value)}"
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _table(f"{name}.{key}", value)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        return f'"{value}"'
    # Four digits, and no more than two behind the point of a femtojoule or picosecond.
    return f"{round(float(f'{value:.4g}'), 3):g}"


def main(names: list[str]) -> None:
    """Characterise cells and write the file after each of them."""
    cells = tomllib.loads((PHYSICAL / "cells45.toml").read_text(encoding="utf-8"))["cells"]
    known = tomllib.loads(FILE.read_text(encoding="utf-8"))["cells"] if FILE.exists() else {}
    for name in names or cells:
        known[name] = characterize(cells[name])
        kept = {name: known[name] for name in cells if name in known}
        FILE.write_text(written(kept), encoding="utf-8")
        print(name, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
