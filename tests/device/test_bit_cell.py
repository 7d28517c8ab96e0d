"""The network of bit cells: currents by hand, conservation, conflicts of lines."""

import re

import numpy as np
import pytest

from spinplane.device import load_technology
from spinplane.device.bit_cell import Access, LineConflict, bias, write_voltage
from spinplane.device.mtj import junction, voltage_at
from spinplane.device.sensing import bit_line_voltage

CELLS = np.array([[True, False], [False, True]])


@pytest.mark.parametrize(("name", "line"), [("sot-mram", "RBL"), ("stt-mram", "BL")])
@pytest.mark.parametrize("rows", [(0,), (0, 1)])
def test_a_sense_has_the_analytic_voltage(name: str, line: str, rows: tuple[int, ...]) -> None:
    """Without wire and leakage the network is `sensing`'s parallel circuit."""
    technology = load_technology(name).with_values(
        {"bit_line.resistance_per_cell": 0, "access.off_resistance": 1e6}
    )
    solved = bias(technology, (Access(operation="read", rows=rows, columns=(0, 1)),), CELLS)
    for column in (0, 1):
        expected = bit_line_voltage(technology, CELLS[list(rows), column])
        assert solved.voltages[line, column] == pytest.approx(float(expected), rel=1e-6)


def test_current_divides_by_resistance() -> None:
    technology = load_technology("sot-mram")
    solved = bias(technology, (Access(operation="read", rows=(0, 1), columns=(0,)),), CELLS)
    anti, parallel = (solved.currents["junction", row, 0] for row in (0, 1))
    assert anti + parallel == pytest.approx(30e-6, rel=1e-4)
    assert 0 < anti < parallel


def test_write_voltages_by_hand() -> None:
    assert write_voltage(load_technology("sot-mram"), 1) == pytest.approx(120e-6 * (1000 + 4000 / 9))
    stt = load_technology("stt-mram")
    expected = 80e-6 * 1500 + voltage_at(junction(stt), True, 80e-6)
    assert write_voltage(stt, 0) == pytest.approx(expected)


def test_the_other_row_and_an_idle_column_carry_nothing() -> None:
    technology = load_technology("sot-mram")
    solved = bias(technology, (Access(operation="write_1", rows=(0,), columns=(0,)),), ~CELLS)
    assert solved.currents["heavy metal, write side", 0, 0] == pytest.approx(120e-6, rel=1e-4)
    others = [abs(i) for (name, row, column), i in solved.currents.items() if (row, column) != (0, 0)]
    assert max(others) < 1e-9
    assert solved.drives["SL", 1] == "float"


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
    assert solved.currents["junction", 0, 0] == pytest.approx(30e-6, rel=1e-3)
    assert solved.currents["heavy metal, source side", 0, 0] > 120e-6
