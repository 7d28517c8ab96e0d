"""The library that comes with the package."""

from decimal import Decimal

import pytest

from spinplane.physical.boolean import truth_table
from spinplane.physical.liberty import library_cells, library_text
from spinplane.physical.library import read_library

# What the names of the cells promise.
FUNCTIONS = {
    "INVX1": {"Y": lambda A: not A},
    "BUFX1": {"Y": lambda A: A},
    "NAND2X1": {"Y": lambda A, B: not (A and B)},
    "NOR2X1": {"Y": lambda A, B: not (A or B)},
    "AND2X1": {"Y": lambda A, B: A and B},
    "OR2X1": {"Y": lambda A, B: A or B},
    "XOR2X1": {"Y": lambda A, B: A != B},
    "XNOR2X1": {"Y": lambda A, B: A == B},
    "AOI21X1": {"Y": lambda A, B, C: not ((A and B) or C)},
    "OAI21X1": {"Y": lambda A, B, C: not ((A or B) and C)},
    "MUX2X1": {"Y": lambda A, B, S: not (A if S else B)},
    "HAX1": {"YS": lambda A, B: (A + B) % 2, "YC": lambda A, B: (A + B) // 2},
    "FAX1": {"YS": lambda A, B, C: (A + B + C) % 2, "YC": lambda A, B, C: (A + B + C) // 2},
}


def test_text_is_the_table() -> None:
    library = read_library()
    assert library.name == library.source == "spinplane45"
    assert list(library.cells) == list(library_cells())
    for name, cell in library_cells().items():
        assert library.cells[name].area == Decimal(str(cell["area_um2"]))
        assert library.cells[name].leakage_nw == Decimal(str(cell["leakage_nw"]))
        assert library.cells[name].functions == cell.get("outputs", {"Q": "IQ"})
    assert [cell.name for cell in library.cells.values() if cell.is_flip_flop] == ["DFFPOSX1"]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_are_those_of_the_names(name: str) -> None:
    cell = read_library().cells[name]
    assert set(cell.functions) == set(FUNCTIONS[name])
    for output, expected in FUNCTIONS[name].items():
        table = truth_table(cell.functions[output], cell.inputs)
        for index in range(1 << len(cell.inputs)):
            inputs = {pin: bool(index >> bit & 1) for bit, pin in enumerate(cell.inputs)}
            assert bool(table >> index & 1) == bool(expected(**inputs))


def test_every_cell_is_checked() -> None:
    assert set(library_cells()) == {*FUNCTIONS, "DFFPOSX1"}


def test_derived_buffer_is_two_inverters() -> None:
    cells = library_cells()
    assert cells["BUFX1"]["area_um2"] == 2 * cells["INVX1"]["area_um2"]
    assert cells["BUFX1"]["leakage_nw"] == 2 * cells["INVX1"]["leakage_nw"]


def test_header_says_what_it_is() -> None:
    text = library_text()
    assert text == library_text()
    header = text[: text.index("*/")]
    for words in ("spinplane45", "FreePDK45's gscl45nm", "Apache-2.0", "Not here: timing"):
        assert words in header
