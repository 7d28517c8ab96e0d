"""spinplane45: the cells that come with the package, as Liberty text."""

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

_HEADER = """\
/* {name}: a small library of 45 nm cells for estimates of area and leakage.
   Source: areas, leakages and input capacitances measured in FreePDK45's gscl45nm (OSU cells, Apache-2.0;
   typical, 1.1 V, 27 C), rounded. Areas in square micrometres.
   Not here: timing, internal power, and capacitances of cells without a figure. Not for sign-off. */
library ({name}) {{
  time_unit : "1ns";
  voltage_unit : "1V";
  current_unit : "1uA";
  leakage_power_unit : "1nW";
  capacitive_load_unit (1, ff);
  nom_process : 1;
  nom_voltage : 1.1;
  nom_temperature : 27;
"""


def library_cells() -> dict[str, Any]:
    """The table ``cells`` of ``cells45.toml``: for each cell its functions and figures.

    Returns
    -------
    dict
        By cell: ``outputs`` (function of each output) or ``ff`` (``clock``, ``data``, ``output``),
        ``area_um2``, ``leakage_nw`` and, where it was measured, ``capacitance_ff``.
    """
    cells: dict[str, Any] = _table()["cells"]
    return cells


def library_text() -> str:
    """Liberty text of the library, the same bytes every time."""
    table = _table()
    cells = "".join(_cell(name, cell) for name, cell in table["cells"].items())
    return _HEADER.format(name=table["name"]) + cells + "}\n"


def _table() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "cells45.toml").read_text(encoding="utf-8"))


def _cell(name: str, cell: Mapping[str, Any]) -> str:
    lines = [f"area : {cell['area_um2']};", f"cell_leakage_power : {cell['leakage_nw']};"]
    capacitance = [f"capacitance : {cell['capacitance_ff']};"] if "capacitance_ff" in cell else []
    if "ff" in cell:
        clock, data, output = (cell["ff"][key] for key in ("clock", "data", "output"))
        lines += _group("ff (IQ, IQN)", [f'next_state : "{data}";', f'clocked_on : "{clock}";'])
        lines += _group(f"pin ({clock})", ["direction : input;", "clock : true;", *capacitance])
        # The figure is the clock's; the data input, which is smaller, has none.
        lines += _group(f"pin ({data})", ["direction : input;"])
        lines += _group(f"pin ({output})", ["direction : output;", 'function : "IQ";'])
    else:
        inputs = sorted(set(re.findall(r"\w+", " ".join(cell["outputs"].values()))))
        for pin in inputs:
            lines += _group(f"pin ({pin})", ["direction : input;", *capacitance])
        for pin, function in cell["outputs"].items():
            lines += _group(f"pin ({pin})", ["direction : output;", f'function : "{function}";'])
    return "".join(f"  {line}\n" for line in _group(f"cell ({name})", lines))


def _group(head: str, lines: list[str]) -> list[str]:
    return [f"{head} {{", *(f"  {line}" for line in lines), "}"]
