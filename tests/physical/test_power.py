"""Toggles and energies of gates: counted by hand on small netlists, and beside OpenSTA's."""

import re
from pathlib import Path
from typing import Any

import pytest

from spinplane.machine import Name, PinName, SpinplaneError
from spinplane.machine.external.process import run
from spinplane.physical.activity import activity
from spinplane.physical.flat_netlist import ONE, FlatNetlist, flat_netlist
from spinplane.physical.internal_power import EnergyTable, library_energy
from spinplane.physical.library import Library, read_library
from spinplane.physical.power import module_energies
from spinplane.physical.timing import find_sta
from spinplane.physical.waveform import Waveform, widths

FLIP_FLOP = """
  cell (DFF) { area : 3;
    ff (IQ, IQN) { next_state : "D"; clocked_on : "C"; }
    pin (C) { direction : input; clock : true; capacitance : 4;
      internal_power () { rise_power (scalar) { values ("1"); } fall_power (scalar) { values ("3"); } } }
    pin (D) { direction : input; capacitance : 2; }
    pin (Q) { direction : output; function : "IQ";
      internal_power () { related_pin : "C";
        rise_power (scalar) { values ("2"); } fall_power (scalar) { values ("2"); } } }
  }
"""
GATE = """
  cell ({name}) {{ area : 1;
    {inputs}
    pin (Y) {{ direction : output; function : "{function}";
      internal_power () {{ related_pin : "A";
        rise_power (by_load) {{ values ("1, 2, 4", "3, 4, 6"); }}
        fall_power (by_load) {{ values ("1, 2, 4", "3, 4, 6"); }} }} }}
  }}
"""
THRESHOLDS = " ".join(
    f"{kind}_threshold_pct_{edge} : {percent};"
    for kind, percent in (("slew_lower", 20), ("slew_upper", 80), ("input", 50), ("output", 50))
    for edge in ("rise", "fall")
)
HEAD = """
library (small) { nom_voltage : 2; time_unit : "1ns"; voltage_unit : "1V"; capacitive_load_unit (1, ff);
  power_lut_template (by_load) {
    variable_1 : total_output_net_capacitance; variable_2 : input_transition_time;
    index_1 ("2, 4"); index_2 ("0.1, 0.2, 0.4"); }
"""


def gate(name: str, function: str) -> str:
    pins = sorted({letter for letter in function if letter in "AB"})
    inputs = "\n".join(f"pin ({pin}) {{ direction : input; capacitance : 1; }}" for pin in pins)
    return GATE.format(name=name, inputs=inputs, function=function)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    gates = "".join(
        gate(name, function)
        for name, function in {"INV": "!A", "BUF": "A", "NAND": "!(A B)", "XOR": "A ^ B"}.items()
    )
    path = tmp_path / "small.lib"
    path.write_text(f"{HEAD}{FLIP_FLOP}{gates}}}\n")
    return read_library(path)


def placed(kind: str, **pins: int) -> dict[str, Any]:
    return {"type": kind, "connections": {pin: [net] for pin, net in pins.items()}, "port_directions": {}}


def port(direction: str, *bits: int) -> dict[str, Any]:
    return {"direction": direction, "bits": list(bits)}


# y = q ^ !q, with q toggling every cycle: settled it never changes, and it glitches at each edge.
GLITCH = {
    Name("top"): {
        "ports": {"clk": port("input", 2), "y": port("output", 3)},
        "netnames": {"q": {"hide_name": 0, "bits": [4]}},
        "cells": {
            "state": placed("DFF", C=2, D=5, Q=4),
            "inverse": placed("INV", A=4, Y=5),
            "both": placed("XOR", A=4, B=5, Y=3),
        },
    }
}
EDGES = 4


def dump(tmp_path: Path, q: str) -> Path:
    """A waveform in which `q` has these values, cycle by cycle."""
    lines = ["$scope module top $end", "$var wire 1 ! clk $end", "$var wire 1 # q $end", "$upscope $end"]
    lines += ["$enddefinitions $end", "#0", "0!", f"{q[0]}#"]
    for cycle, value in enumerate([*q[1:], q[-1]]):
        lines += [f"#{10 * cycle + 5}", "1!", f"{value}#", f"#{10 * cycle + 10}", "0!"]
    path = tmp_path / "dump.vcd"
    path.write_text("\n".join(lines) + "\n")
    return path


def glitching(tmp_path: Path, library: Library, q: str) -> tuple[FlatNetlist, Waveform]:
    netlist = flat_netlist(Name("top"), GLITCH, library)
    return netlist, Waveform(dump(tmp_path, q), "top", "clk", list(widths(netlist.sources.values())))


def test_a_glitch_is_seen_with_delays_alone(tmp_path: Path, library: Library) -> None:
    netlist, waveform = glitching(tmp_path, library, "01010")
    found = activity(netlist, waveform, range(EDGES + 1))
    of = {
        placed.cell.name: (found.settled[placed.nets["Y"]], found.unit_delay[placed.nets["Y"]])
        for placed in netlist.cells
        if "Y" in placed.nets
    }
    assert of == {"INV": (EDGES, EDGES), "XOR": (0, 2 * EDGES)}


def test_another_run_than_the_rtl_s_is_refused(tmp_path: Path, library: Library) -> None:
    netlist, waveform = glitching(tmp_path, library, "01101")
    with pytest.raises(SpinplaneError, match=r"does not run as the RTL: q\[0\] differs$"):
        activity(netlist, waveform, range(EDGES + 1))


def test_energies_by_hand(tmp_path: Path, library: Library) -> None:
    netlist, waveform = glitching(tmp_path, library, "01010")
    energy = library_energy(library)
    of_module = module_energies(netlist, activity(netlist, waveform, range(5)), energy, slew_s=0.2e-9)[
        Name("top")
    ]
    half = 2.0**2 / 2
    # Q: 2 fF of the inverter and the XOR; the inverter: D and the XOR, 3 fF, midway between the table's loads.
    flip_flop, inverter = 2 + half * 2, 3 + half * 3
    assert of_module.settled.cells_j == pytest.approx(EDGES * (flip_flop + inverter) * 1e-15)
    assert of_module.settled.wires == EDGES * (2 + 2)
    # The XOR drives nothing: below the table's least load.
    assert of_module.glitches.cells_j == pytest.approx(2 * EDGES * 2e-15)
    assert of_module.clock.cells_j == pytest.approx((1 + 3 + 4 * 2**2) * 1e-15)


def test_outputs_that_are_one_net_or_a_constant_join_the_nets_around(library: Library) -> None:
    inner = {
        "ports": {"a": port("input", 2), "x": port("output", 3), "y": port("output", 3)}
        | {"same": port("output", 2), "one": {"direction": "output", "bits": ["1"]}},
        "netnames": {},
        "cells": {"inverse": placed("INV", A=2, Y=3)},
    }
    outer = {
        "ports": {"i": port("input", 2), "o": port("output", 7), "p": port("output", 8)},
        "netnames": {},
        "cells": {
            "inner": placed("inner", a=2, x=3, y=4, same=5, one=6),
            "first": placed("NAND", A=3, B=4, Y=7),
            "second": placed("NAND", A=5, B=6, Y=8),
        },
    }
    netlist = flat_netlist(Name("outer"), {Name("inner"): inner, Name("outer"): outer}, library)
    (source,) = netlist.sources
    inverse, first, second = (
        gate.inputs for gate in sorted(netlist.gates, key=lambda gate: gate.inputs[-1] == ONE)
    )
    assert inverse == (source,)
    assert len(set(first)) == 1
    assert second == (source, ONE)


def test_a_table_is_linear_between_points_and_held_beyond() -> None:
    table = EnergyTable(loads=(1.0, 2.0), slews=(0.0, 1.0), values=((1.0, 3.0), (5.0, 7.0)))
    assert [table.at(1.5, 0.5), table.at(0.0, -1.0), table.at(9.0, 9.0), table.at(1.0, 0.25)] == [
        4,
        1,
        7,
        1.5,
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('index_1 ("2, 4")', 'index_1 ("4, 2")', "index_1 does not rise"),
        ('"3, 4, 6"); }', '"3, 4"); }', "5 values, not 6"),
        ("(1, ff)", "(1, zf)", "must be in fF or pF"),
        ("nom_voltage : 2", "nom_voltage : two", "'two' is not a number"),
        ("internal_power", "other_power", "has no internal energies"),
    ],
)
def test_damaged_energies_are_refused(
    library: Library, tmp_path: Path, old: str, new: str, message: str
) -> None:
    path = tmp_path / "damaged.lib"
    path.write_text(library.text.replace(old, new))
    with pytest.raises(SpinplaneError, match=message):
        library_energy(read_library(path))


GATES = """\
module top (clk, p, q, x, y);
  input clk, p, q;
  output x, y;
  BUF one (.A(p), .Y(x));
  INV two (.A(q), .Y(y));
endmodule
"""
SCRIPT = """\
read_liberty ./gates.lib
read_verilog ./gates.v
link_design top
create_clock -name clock -period 1 [get_ports clk]
set_input_delay 0 -clock clock [get_ports {p q}]
set_input_transition 0.2 [get_ports {p q}]
set_output_delay 0 -clock clock [get_ports {x y}]
set_load 1 [get_ports {x y}]
set_power_activity -input -activity 0.8 -duty 0.5
report_power -instances [get_cells {one two}] -digits 8
"""


def test_beside_opensta(library: Library, tmp_path: Path) -> None:
    """Charging the loads takes the same; inside of cells OpenSTA adds both edges at each one, and so doubles it."""
    timing = "".join(
        f'{kind} (scalar) {{ values ("0.2"); }} '
        for kind in ("cell_rise", "cell_fall", "rise_transition", "fall_transition")
    )
    conditions = "operating_conditions (one) { process : 1; voltage : 2; temperature : 25; }"
    text = library.text.replace("nom_voltage : 2;", f"{THRESHOLDS} nom_voltage : 2; {conditions}")
    text = text.replace("(1, ff);", "(1, ff); default_operating_conditions : one;")
    text = text.replace("pin (Y) {", f'pin (Y) {{ timing () {{ related_pin : "A"; {timing}}}').replace(
        'index_1 ("2, 4")', 'index_1 ("0.5, 1.5")'
    )
    (tmp_path / "gates.lib").write_text(text)
    (tmp_path / "gates.v").write_text(GATES)
    (tmp_path / "gates.tcl").write_text(SCRIPT)
    told = run(
        [find_sta().program, "-no_init", "-no_splash", "-exit", "gates.tcl"], folder=tmp_path, together=True
    )
    rows = re.findall(r"^ *(\S+) +(\S+) +\S+ +\S+ (one|two)$", told.output, re.MULTILINE)
    assert len(rows) == 2, told.output
    energy = library_energy(read_library(tmp_path / "gates.lib"))
    changes = 0.8e9
    for internal, switching, name in rows:
        cell = energy.cells["BUF" if name == "one" else "INV"]
        load = 1e-15
        assert float(switching) == pytest.approx(changes * load * energy.voltage**2 / 2, rel=1e-4), name
        inside = changes * cell.of_edge(PinName("Y"), load, 0.2e-9)
        assert float(internal) == pytest.approx(2 * inside, rel=1e-4), name


def test_gates_in_a_circle_are_refused(library: Library) -> None:
    module = {
        "ports": {"y": port("output", 3)},
        "netnames": {},
        "cells": {"one": placed("INV", A=3, Y=4), "two": placed("INV", A=4, Y=3)},
    }
    with pytest.raises(SpinplaneError, match=r"in a circle$"):
        flat_netlist(Name("top"), {Name("top"): module}, library)
