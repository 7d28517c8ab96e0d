"""The library that comes with the package."""

import re
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise

import pytest

from spinplane.physical.boolean import truth_table
from spinplane.physical.liberty import cell_figures, library_cells, library_text
from spinplane.physical.library import read_library

# What the names of the cells promise, without their drive.
PROMISED = {
    "INV": {"Y": lambda A: not A},
    "BUF": {"Y": lambda A: A},
    "NAND2": {"Y": lambda A, B: not (A and B)},
    "NAND3": {"Y": lambda A, B, C: not (A and B and C)},
    "NOR2": {"Y": lambda A, B: not (A or B)},
    "NOR3": {"Y": lambda A, B, C: not (A or B or C)},
    "AND2": {"Y": lambda A, B: A and B},
    "OR2": {"Y": lambda A, B: A or B},
    "XOR2": {"Y": lambda A, B: A != B},
    "XNOR2": {"Y": lambda A, B: A == B},
    "AOI21": {"Y": lambda A, B, C: not ((A and B) or C)},
    "AOI22": {"Y": lambda A, B, C, D: not ((A and B) or (C and D))},
    "OAI21": {"Y": lambda A, B, C: not ((A or B) and C)},
    "OAI22": {"Y": lambda A, B, C, D: not ((A or B) and (C or D))},
    "MUX2": {"Y": lambda A, B, S: not (A if S else B)},
    "HA": {"YS": lambda A, B: (A + B) % 2, "YC": lambda A, B: (A + B) // 2},
    "FA": {"YS": lambda A, B, C: (A + B + C) % 2, "YC": lambda A, B, C: (A + B + C) // 2},
}
GATES = [name for name, cell in library_cells().items() if "outputs" in cell]


def test_text_is_the_table() -> None:
    library = read_library()
    assert library.name == library.source == "spinplane45"
    assert list(library.cells) == list(library_cells())
    for name, cell in library_cells().items():
        assert library.cells[name].area == Decimal(str(cell["area_um2"]))
        assert library.cells[name].leakage_nw == Decimal(str(cell_figures()["cells"][name]["leakage_nw"]))
        if "outputs" in cell:
            assert library.cells[name].functions == cell["outputs"]
    library.require_timing()
    assert library.dont_use == ["LATCH", "CLKGATEX2"]
    assert [cell.name for cell in library.cells.values() if cell.is_flip_flop] == ["DFFPOSX1"]


@pytest.mark.parametrize("name", GATES)
def test_functions_are_those_of_the_names(name: str) -> None:
    cell = read_library().cells[name]
    promised = PROMISED[re.sub(r"X\d$", "", name)]
    assert set(cell.functions) == set(promised)
    for output, expected in promised.items():
        table = truth_table(cell.functions[output], cell.inputs)
        for index in range(1 << len(cell.inputs)):
            inputs = {pin: bool(index >> bit & 1) for bit, pin in enumerate(cell.inputs)}
            assert bool(table >> index & 1) == bool(expected(**inputs))


def test_every_cell_is_checked() -> None:
    assert list(library_cells()) == [*GATES, "DFFPOSX1", "LATCH", "CLKGATEX2"]


def _bits(netlist: list[str], inputs: Mapping[str, int]) -> dict[str, int]:
    """Nodes of a netlist without clocked gates."""
    bits = dict(inputs)
    for line in netlist:
        output, expression = line.split(" = !")
        bits[output] = 1 - eval(re.sub(r" x\d$", "", expression), {}, bits)
    return bits


@pytest.mark.parametrize("name", GATES)
def test_netlists_have_the_functions(name: str) -> None:
    cell, inputs = library_cells()[name], read_library().cells[name].inputs
    for index in range(1 << len(inputs)):
        state = {pin: index >> bit & 1 for bit, pin in enumerate(inputs)}
        bits = _bits(cell["netlist"], state)
        for output, function in cell["outputs"].items():
            assert bits[output] == truth_table(function, inputs) >> index & 1


def test_areas_that_are_derived() -> None:
    """gscl45nm's cells are all as high: INVX2 has one gate more than INVX1."""
    cells = library_cells()
    area = {name: cell["area_um2"] for name, cell in cells.items()}
    gate = area["INVX2"] - area["INVX1"]
    assert {name for name, cell in cells.items() if "derived" in cell} == {
        "NAND2X2", "NOR2X2", "OAI22X1", "CLKGATEX2"
    }  # fmt: skip
    assert area["NAND2X2"] == pytest.approx(area["NAND2X1"] + 2 * gate, abs=0.002)
    assert area["NOR2X2"] == pytest.approx(area["NOR2X1"] + 2 * gate, abs=0.002)
    assert area["OAI22X1"] == area["AOI22X1"]
    assert area["CLKGATEX2"] == pytest.approx(area["LATCH"] + area["AND2X2"], abs=0.0001)


ARCS = [
    (name, output, pin)
    for name, cell in cell_figures()["cells"].items()
    for output, arcs in cell["arcs"].items()
    for pin in arcs
]


@pytest.mark.parametrize(("name", "output", "pin"), ARCS)
def test_tables_grow_with_the_load(name: str, output: str, pin: str) -> None:
    arc = cell_figures()["cells"][name]["arcs"][output][pin]
    for key, rows in arc.items():
        if key.startswith(("delay", "slew")):
            assert all(low < high for row in rows for low, high in pairwise(row)), key
            assert all(value > 0 for row in rows for value in row), key
    # A slow slew at a light load can shorten the delay: the output begins before the input is half way.
    for edge in ("rise", "fall"):
        heavy = [row[3] for row in arc[f"delay_{edge}_ps"]]
        assert all(low < high + 0.1 for low, high in pairwise(heavy)), edge


def test_twice_the_drive_drives_twice_the_load() -> None:
    figures = cell_figures()["cells"]
    for small, large in (("INVX1", "INVX2"), ("NAND2X1", "NAND2X2"), ("NOR2X1", "NOR2X2")):
        for pin, capacitance in figures[small]["capacitance_ff"].items():
            assert figures[large]["capacitance_ff"][pin] == pytest.approx(2 * capacitance, rel=0.05)
            arcs = (figures[name]["arcs"]["Y"][pin]["delay_fall_ps"][2] for name in (small, large))
            for one, two in zip(*arcs, strict=True):
                assert two == pytest.approx(one, rel=0.05)


def test_an_inverter_takes_the_charge_of_its_own_capacitances() -> None:
    """Beside the load's C·V²: at a fast slew about once its input's, for its drains and between input and output."""
    inverter = cell_figures()["cells"]["INVX1"]
    arc = inverter["arcs"]["Y"]["A"]
    toggle = arc["energy_rise_fj"][0][2] + arc["energy_fall_fj"][0][2]
    assert 0.5 < toggle / (inverter["capacitance_ff"]["A"] * 1.1**2) < 2


def test_input_capacitances_are_those_of_gscl45nm() -> None:
    """Of inverters from one drive to the next, which leaves out the wires in a cell: X1 has 1.55 fF there, X8 10.1."""
    figures = cell_figures()["cells"]
    slope = figures["INVX4"]["capacitance_ff"]["A"] - figures["INVX1"]["capacitance_ff"]["A"]
    assert slope / 3 == pytest.approx((10.1 - 1.55) / 7, rel=0.05)


def test_header_says_what_it_is() -> None:
    text = library_text()
    assert text == library_text()
    header = text[: text.index("*/")]
    for words in ("spinplane45", "FreePDK45's gscl45nm", "Apache-2.0", "Not for sign-off", "ngspice"):
        assert words in header
