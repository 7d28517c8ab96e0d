"""The network of bit cells: currents by hand, conservation, conflicts of lines."""

import re

import numpy as np
import pytest

from spinplane.device import load_technology
from spinplane.device.bit_cell import Access, LineConflict, bias
from spinplane.device.mtj import junction, voltage_at
from spinplane.device.sensing import bit_line_voltage
from spinplane.device.technology import Technology
from spinplane.device.wires import write_line_voltage

CELLS = np.array([[True, False], [False, True]])


def without_wires(name: str) -> Technology:
    technology = load_technology(name)
    groups = ("bit_line.resistance", "word_line.resistance", "mesh.")
    keys = [key for key in technology.parameters if key.startswith(groups) and key != "mesh.strap_columns"]
    return technology.with_values(dict.fromkeys(keys, 0))


@pytest.mark.parametrize(("name", "line"), [("sot-mram", "RBL"), ("stt-mram", "BL")])
@pytest.mark.parametrize("rows", [(0,), (0, 1)])
def test_a_sense_has_the_analytic_voltage(name: str, line: str, rows: tuple[int, ...]) -> None:
    """Without wire and leakage the network is `sensing`'s parallel circuit."""
    technology = without_wires(name).with_values({"access.off_resistance": 1e6})
    solved = bias(technology, (Access(operation="read", rows=rows, columns=(0, 1)),), CELLS)
    for column in (0, 1):
        expected = bit_line_voltage(technology, CELLS[list(rows), column])
        assert solved.voltages[line, column] == pytest.approx(float(expected), rel=1e-6)


def test_current_divides_by_resistance() -> None:
    technology = load_technology("sot-mram")
    solved = bias(technology, (Access(operation="read", rows=(0, 1), columns=(0,)),), CELLS)
    anti, parallel = solved.currents["junction"][:, 0]
    assert anti + parallel == pytest.approx(30e-6, rel=1e-4)
    assert 0 < anti < parallel


def test_write_voltages_by_hand() -> None:
    """Cell, 512 cells of bit line, 8½ columns in one strap: its via, half of its cells each way, the row to it."""
    mesh = 8.5 * (7 + 0.0187 * 128) + 0.336 * (1 + 2 + 3 + 4)
    expected = 120e-6 * (1000 + 4000 / 9 + 512 * 0.336 + mesh)
    assert write_line_voltage(load_technology("sot-mram"), 1) == pytest.approx(expected)
    stt = load_technology("stt-mram")
    expected = 80e-6 * (1500 + 512 * 0.364) + voltage_at(junction(stt), True, 80e-6)
    assert write_line_voltage(stt, 0) == pytest.approx(expected)


def test_the_other_row_and_an_idle_column_carry_nothing() -> None:
    technology = without_wires("sot-mram")
    solved = bias(technology, (Access(operation="write_1", rows=(0,), columns=(0,)),), ~CELLS)
    assert solved.currents["heavy metal, write side"][0, 0] == pytest.approx(120e-6, rel=1e-4)
    for current in solved.currents.values():
        current[0, 0] = 0
        assert np.abs(current).max() < 1e-9
    assert solved.drives["WWL", 1] == "-write"


def test_two_accesses_that_need_one_line() -> None:
    technology = load_technology("stt-mram")
    accesses = (
        Access(operation="write_1", rows=(0,), columns=(1,)),
        Access(operation="read", rows=(1,), columns=(1,)),
    )
    text = "BL of column 1 is driven to both '+write' and 'read'"
    with pytest.raises(LineConflict, match=f"^{re.escape(text)}$"):
        bias(technology, accesses, CELLS)


def test_one_row_cannot_be_written_and_sensed() -> None:
    technology = load_technology("sot-mram")
    accesses = (
        Access(operation="write_1", rows=(0,), columns=(0,)),
        Access(operation="read", rows=(0,), columns=(0,)),
    )
    solved = bias(technology, accesses, CELLS)
    # Electrically it is possible to drive: the read current then flows in a cell that is being written.
    assert solved.currents["junction"][0, 0] == pytest.approx(30e-6, rel=1e-3)
    assert solved.currents["heavy metal, source side"][0, 0] > 120e-6
