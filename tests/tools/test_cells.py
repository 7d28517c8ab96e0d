"""Characterised cells: what is committed is what ngspice finds, and a chain of inverters is as fast as its tables."""

import tomllib
from bisect import bisect_right
from collections.abc import Sequence

import pytest

from spinplane.physical import cell_figures, library_cells
from tools.cells.__main__ import FILE, gate, storage, written
from tools.cells.combinational import edges, leakage, switchings
from tools.cells.constraints import constraints
from tools.cells.grid import CONSTRAINT_SLEWS_PS, LOADS_FF, MIDDLE, SLEWS_PS
from tools.cells.sequential import walk
from tools.cells.simulation import HALF, PICO, VOLTS, Point, crossing, simulate
from tools.cells.transistors import transistors

CELLS, FIGURES = library_cells(), cell_figures()["cells"]
POINTS = [(0, 0), MIDDLE, (4, 4)]


def test_series_transistors_are_wider() -> None:
    found = {(part.channel, part.gate): part.width for part in transistors(["Y = !((A & B) | C) x2"])}
    assert found == {
        ("n", "A"): 1.0, ("n", "B"): 1.0, ("n", "C"): 0.5,
        ("p", "A"): 2.0, ("p", "B"): 2.0, ("p", "C"): 2.0,
    }  # fmt: skip


def test_a_clocked_gate_has_its_clocks_next_to_the_output() -> None:
    found = [
        (part.channel, part.gate, part.ends, part.width) for part in transistors(["Y = !A while C not N"])
    ]
    assert found == [
        ("n", "C", ("Y", "inner0n1"), 0.5),
        ("n", "A", ("inner0n1", "0"), 0.5),
        ("p", "N", ("Y", "inner0p1"), 1.0),
        ("p", "A", ("inner0p1", "vdd"), 1.0),
    ]


def test_a_line_that_is_no_gate() -> None:
    with pytest.raises(ValueError, match=r"^'Y = A & B': no gate$"):
        transistors(["Y = A & B"])


def _near(found: float, committed: float, least: float = 0.02) -> bool:
    return found == pytest.approx(committed, rel=0.01, abs=least)


@pytest.mark.parametrize("name", ["INVX1", "NAND2X1", "AND2X2"])
def test_gates_are_found_again(name: str) -> None:
    cell, figures = gate(CELLS[name]), FIGURES[name]
    leakage_nw = leakage(cell)
    assert _near(leakage_nw, figures["leakage_nw"])
    case = switchings(cell)[0]
    arc = figures["arcs"]["Y"][case.pin]
    for (s, c), pair in zip(POINTS, edges(cell, case, POINTS, leakage_nw=leakage_nw), strict=True):
        for input_rises, edge in zip((True, False), pair, strict=True):
            output = "rise" if case.follow["Y"] == input_rises else "fall"
            assert _near(edge.delay, arc[f"delay_{output}_ps"][s][c])
            assert _near(edge.slew, arc[f"slew_{output}_ps"][s][c])
            assert _near(edge.energy, arc[f"energy_{output}_fj"][s][c])


def test_a_flip_flop_is_found_again() -> None:
    cell, figures = storage(CELLS["DFFPOSX1"]), FIGURES["DFFPOSX1"]
    (found,) = walk(cell, [MIDDLE], leakage_nw=figures["leakage_nw"])
    arc, (s, c) = figures["arcs"]["Q"]["CLK"], MIDDLE
    for word, output in (("C+Q+", "rise"), ("C+Q-", "fall")):
        assert _near(found[word][0].delay, arc[f"delay_{output}_ps"][s][c])
        assert _near(found[word][0].slew, arc[f"slew_{output}_ps"][s][c])
    assert _near(found["D+"][0].energy, figures["pins"]["D"]["energy_rise_fj"][s])
    assert _near(found["D-"][0].capacitance, figures["capacitance_ff"]["D"])
    at = CONSTRAINT_SLEWS_PS.index(40)
    for setup, name in ((True, "setup"), (False, "hold")):
        (rise,), (fall,) = constraints(cell, setup, [(40, 40)])
        assert (rise, fall) == (figures[name]["rise_ps"][at][at], figures[name]["fall_ps"][at][at])


def test_the_file_is_as_the_tool_writes_it() -> None:
    assert list(FIGURES) == list(CELLS)
    assert FILE.read_text(encoding="utf-8") == written(FIGURES)
    assert tomllib.loads(written(FIGURES))["cells"] == FIGURES


def _between(tables: Sequence[Sequence[float]], slew: float, load: float) -> float:
    """As static timing does it: linear in both."""
    s = min(bisect_right(SLEWS_PS, slew), len(SLEWS_PS) - 1)
    c = min(bisect_right(LOADS_FF, load), len(LOADS_FF) - 1)
    v = (slew - SLEWS_PS[s - 1]) / (SLEWS_PS[s] - SLEWS_PS[s - 1])
    w = (load - LOADS_FF[c - 1]) / (LOADS_FF[c] - LOADS_FF[c - 1])
    low, high = ((1 - w) * tables[row][c - 1] + w * tables[row][c] for row in (s - 1, s))
    return (1 - v) * low + v * high


def test_inverters_with_a_fan_out_of_four() -> None:
    """A chain in ngspice, whose slews settle, beside what the tables say of it."""
    netlist = []
    for stage in range(6):
        netlist += [
            f"n{stage + 1} = !n{stage}",
            *(f"load{stage}{other} = !n{stage + 1}" for other in range(3)),
        ]
    lines = [element.line(number) for number, element in enumerate(transistors(netlist))]
    lines.append(f"Vin n0 0 PULSE(0 {VOLTS} 50p 20p 20p 500p 1)")
    measures = {f"n{n}": crossing(f"n{n}", HALF, "fall" if n % 2 else "rise", 40 * PICO) for n in (2, 3, 4)}
    point = Point(parameters={"unused": 1}, end=300 * PICO, step=PICO / 2, measures=measures)
    ((found),) = simulate(lines, [point])
    fall, rise = ((found[f"n{n + 1}"] - found[f"n{n}"]) / PICO for n in (2, 3))
    arc, load = FIGURES["INVX1"]["arcs"]["Y"]["A"], 4 * FIGURES["INVX1"]["capacitance_ff"]["A"]
    rising = falling = 20.0
    for _ in range(10):
        rising, falling = (
            _between(arc["slew_rise_ps"], falling, load),
            _between(arc["slew_fall_ps"], rising, load),
        )
    tables = _between(arc["delay_fall_ps"], rising, load), _between(arc["delay_rise_ps"], falling, load)
    assert tables == pytest.approx((fall, rise), rel=0.1)
    assert sum(tables) == pytest.approx(fall + rise, rel=0.02)
