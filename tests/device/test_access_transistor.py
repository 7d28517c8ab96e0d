"""The access transistor that the technologies' capacitances and leakages are those of."""

from math import sqrt

import pytest

from spinplane.device import load_technology
from spinplane.device.access_transistor import access_transistor, transistor_deck
from spinplane.device.technology import Technology
from spinplane.machine.external.text import Text

#: Of FreePDK45's LEF: sheet resistance in Ω and least spacing in µm of metals 4 to 6, and of metal 3.
INTERMEDIATE, LOW = (0.21, 0.14), (0.25, 0.07)
WIRE = 0.2e-15


def pitch_um(technology: Technology) -> float:
    """Side of a square cell."""
    return sqrt(technology["cell.area"]) * technology["process.feature_size"] * 1e6


@pytest.mark.parametrize(
    ("name", "key"), [("sot-mram", "access.read_resistance"), ("stt-mram", "access.resistance")]
)
def test_capacitances_and_leakage_are_those_of_the_transistor(name: str, key: str) -> None:
    technology = load_technology(name)
    found = access_transistor(technology[key], technology["process.supply_voltage"])
    wire = WIRE * pitch_um(technology)
    assert technology["bit_line.capacitance_per_cell"] == pytest.approx(found.drain_f + wire, rel=0.01)
    assert technology["word_line.capacitance_per_cell"] == pytest.approx(found.gate_f + wire, rel=0.01)
    assert technology["access.off_resistance"] == pytest.approx(found.off_ohm, rel=0.01)
    assert technology["access.source_swing"] == pytest.approx(found.source_swing_v, rel=0.01)


def test_a_smaller_resistance_takes_a_wider_transistor_with_more_capacitance_and_leakage() -> None:
    narrow, wide = access_transistor(2000, 1.1), access_transistor(1000, 1.1)
    assert 1.9 < wide.width_m / narrow.width_m < 2
    # The sides of the drain beside the gate do not grow.
    assert 1.6 < wide.drain_f / narrow.drain_f < 1.8
    assert wide.gate_f > 1.9 * narrow.gate_f
    assert wide.off_ohm < narrow.off_ohm
    # A lower word line wants a wider transistor.
    assert access_transistor(1000, 0.9).width_m > wide.width_m
    # Below ground with its gate it leaks a few times more than at ground, not hundreds of times.
    assert 1 < wide.held_a / (0.2 / wide.off_ohm) < 10 < 10 ** (0.2 / wide.source_swing_v) / 50


def test_the_deck_says_all_that_it_is_made_of() -> None:
    deck = transistor_deck(0.3e-6, 1.1)
    assert isinstance(deck, Text)
    assert "W=3e-07 L=50n AD=2.025e-14 PD=4.35e-07" in deck


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
def test_wires_are_as_wide_as_a_cell_lets_them_be(name: str) -> None:
    """Sheet resistance times length over width, of the metals that the technology names."""
    technology = load_technology(name)
    pitch = pitch_um(technology)
    sheet, spacing = INTERMEDIATE
    line = sheet * pitch / (pitch - spacing)
    assert technology["bit_line.resistance_per_cell"] == pytest.approx(line, rel=5e-3)
    word_lines = sum(way == "row" for way in technology.lines.values())
    sheet, spacing = LOW if word_lines == 2 else (LOW[0], INTERMEDIATE[1])
    assert technology["word_line.resistance_per_cell"] == pytest.approx(
        sheet * pitch / (pitch / word_lines - spacing), rel=1e-2
    )
    if name == "sot-mram":
        assert technology["mesh.resistance_per_cell"] == pytest.approx(line, rel=5e-3)
        assert technology["mesh.strap_resistance_per_cell"] == pytest.approx(0.075 * pitch / 1.5, rel=5e-3)
        # Half of the metal.
        assert technology["mesh.strap_columns"] * pitch == pytest.approx(2 * 1.5, rel=0.01)
