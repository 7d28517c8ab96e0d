"""spinplane45: the cells that come with the package, as Liberty text."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

_HEADER = """\
/* {name}: a small library of 45 nm cells, for estimates of area, time and energy. Not for sign-off.
   Areas in square micrometres: measured in FreePDK45's gscl45nm (OSU cells, Apache-2.0), rounded, or derived from them.
   All else: static CMOS gates of FreePDK45's VTG transistors (Apache-2.0; typical, 1.1 V, 27 C) in ngspice, without
   wires in the cells. Internal power: what the supply gives without leakage and the load's C V^2. */
library ({name}) {{
  delay_model : table_lookup;
  time_unit : "1ps";
  voltage_unit : "1V";
  current_unit : "1uA";
  pulling_resistance_unit : "1kohm";
  leakage_power_unit : "1nW";
  capacitive_load_unit (1, ff);
  nom_process : 1;
  nom_voltage : 1.1;
  nom_temperature : 27;
  slew_lower_threshold_pct_rise : 20;
  slew_upper_threshold_pct_rise : 80;
  slew_lower_threshold_pct_fall : 20;
  slew_upper_threshold_pct_fall : 80;
  input_threshold_pct_rise : 50;
  input_threshold_pct_fall : 50;
  output_threshold_pct_rise : 50;
  output_threshold_pct_fall : 50;
"""
#: Cells that store a bit: the Liberty group and its attributes, the output's function, the edge that data is due at.
_STORAGE = {
    "ff": ("ff", "clocked_on", "next_state", "{clock}", "IQ", "rising"),
    "latch": ("latch", "enable", "data_in", "{clock}", "IQ", "falling"),
    "clock_gate": ("latch", "enable", "data_in", "!{clock}", "IQ & {clock}", "rising"),
}


def library_cells() -> dict[str, Any]:
    """The table ``cells`` of ``cells45.toml``: for each cell its functions, area and netlist.

    Returns
    -------
    dict
        By cell: ``outputs`` (function of each output) or one of ``ff``, ``latch``, ``clock_gate`` (each with ``clock``,
        ``data``, ``output``); ``area_um2``; ``netlist``; and where they are not 1, false or measured ``drive``,
        ``dont_use``, ``derived``.
    """
    cells: dict[str, Any] = _table("cells45.toml")["cells"]
    return cells


def cell_figures() -> dict[str, Any]:
    """The tables of ``cells45-timing.toml``, whose head says what they are.

    Returns
    -------
    dict
        ``slews_ps`` and ``loads_ff`` (of a unit of drive), which the rows and columns of tables stand for;
        ``constraint_slews_ps``, those of the clock in the rows and of the data in the columns of setups and holds;
        ``cells``, for each cell its ``leakage_nw``, ``capacitance_ff`` by input, ``arcs`` by output and input, and
        where it stores a bit ``pins`` (energies of inputs), ``setup`` and ``hold``.
    """
    return _table("cells45-timing.toml")


def library_text() -> str:
    """Liberty text of the library, the same bytes every time."""
    figures = cell_figures()
    cells = (
        line
        for name, cell in library_cells().items()
        for line in _group(f"cell ({name})", _cell(cell, figures["cells"][name], figures))
    )
    body = [*_templates(figures), *cells]
    return (
        _HEADER.format(name=_table("cells45.toml")["name"]) + "".join(f"  {line}\n" for line in body) + "}\n"
    )


def _table(file: str) -> dict[str, Any]:
    return tomllib.loads((files(__package__) / file).read_text(encoding="utf-8"))


def _templates(figures: Mapping[str, Any]) -> Iterable[str]:
    slews, loads = _index(1, figures["slews_ps"]), _index(2, figures["loads_ff"])
    edges = figures["constraint_slews_ps"]
    load = "variable_2 : total_output_net_capacitance;"
    yield from _group("lu_table_template (delay)", ["variable_1 : input_net_transition;", load, slews, loads])
    yield from _group(
        "lu_table_template (constraint)",
        [
            "variable_1 : related_pin_transition;",
            "variable_2 : constrained_pin_transition;",
            _index(1, edges),
            _index(2, edges),
        ],
    )
    yield from _group(
        "power_lut_template (energy)", ["variable_1 : input_transition_time;", load, slews, loads]
    )
    yield from _group("power_lut_template (pin_energy)", ["variable_1 : input_transition_time;", slews])


def _cell(cell: Mapping[str, Any], figures: Mapping[str, Any], grid: Mapping[str, Any]) -> list[str]:
    lines = [f"area : {cell['area_um2']};", f"cell_leakage_power : {figures['leakage_nw']};"]
    if cell.get("dont_use"):
        lines.append("dont_use : true;")
    loads = [load * cell.get("drive", 1) for load in grid["loads_ff"]]
    if "outputs" in cell:
        functions = cell["outputs"]
        for pin in sorted(set(re.findall(r"\w+", " ".join(functions.values())))):
            lines += _input(pin, figures)
    else:
        (kind,) = (kind for kind in _STORAGE if kind in cell)
        group, enable, data_in, level, function, edge = _STORAGE[kind]
        clock, data, output = (cell[kind][key] for key in ("clock", "data", "output"))
        functions = {output: function.format(clock=clock)}
        if kind == "clock_gate":
            lines.append('clock_gating_integrated_cell : "latch_posedge";')
        stored = [f'{data_in} : "{data}";', f'{enable} : "{level.format(clock=clock)}";']
        lines += _group(f"{group} (IQ, IQN)", stored)
        lines += _input(clock, figures, "clock : true;", *_gate_pin(kind, "clock"))
        checks = [line for name in ("setup", "hold") for line in _check(name, edge, clock, figures[name])]
        lines += _input(data, figures, *_gate_pin(kind, "enable"), *checks)
    for pin, function in functions.items():
        inside = ["direction : output;", f"max_capacitance : {loads[-1]};", f'function : "{function}";']
        inside += _gate_pin("clock_gate" if "clock_gate" in cell else "", "out")
        for related, arc in figures["arcs"][pin].items():
            inside += _arc(related, arc, _index(2, loads))
        lines += _group(f"pin ({pin})", inside)
    return lines


def _gate_pin(kind: str, what: str) -> list[str]:
    return [f"clock_gate_{what}_pin : true;"] if kind == "clock_gate" else []


def _input(pin: str, figures: Mapping[str, Any], *more: str) -> list[str]:
    lines = ["direction : input;", f"capacitance : {figures['capacitance_ff'][pin]};", *more]
    if pin in figures.get("pins", {}):
        energies = figures["pins"][pin]
        lines += _group(
            "internal_power ()",
            [
                line
                for edge in ("rise", "fall")
                for line in _group(f"{edge}_power (pin_energy)", _values([energies[f"energy_{edge}_fj"]]))
            ],
        )
    return _group(f"pin ({pin})", lines)


def _check(name: str, edge: str, clock: str, tables: Mapping[str, Any]) -> list[str]:
    lines = [f'related_pin : "{clock}";', f"timing_type : {name}_{edge};"]
    for data in ("rise", "fall"):
        lines += _group(f"{data}_constraint (constraint)", _values(tables[f"{data}_ps"]))
    return _group("timing ()", lines)


def _arc(related: str, arc: Mapping[str, Any], loads: str) -> list[str]:
    pin = f'related_pin : "{related}";'
    attribute = "timing_type" if arc["sense"] == "rising_edge" else "timing_sense"
    timing, power = [pin, f"{attribute} : {arc['sense']};"], [pin]
    for edge in ("rise", "fall"):
        timing += _group(f"cell_{edge} (delay)", [loads, *_values(arc[f"delay_{edge}_ps"])])
        timing += _group(f"{edge}_transition (delay)", [loads, *_values(arc[f"slew_{edge}_ps"])])
        power += _group(f"{edge}_power (energy)", [loads, *_values(arc[f"energy_{edge}_fj"])])
    return [*_group("timing ()", timing), *_group("internal_power ()", power)]


def _index(number: int, values: Sequence[float]) -> str:
    return f'index_{number} ("{_row(values)}");'


def _values(rows: Sequence[Sequence[float]]) -> list[str]:
    quoted = ", ".join(f'"{_row(row)}"' for row in rows)
    return [f"values ({quoted});"]


def _row(values: Sequence[float]) -> str:
    return ", ".join(map(str, values))


def _group(head: str, lines: Iterable[str]) -> list[str]:
    return [f"{head} {{", *(f"  {line}" for line in lines), "}"]
