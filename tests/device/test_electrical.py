"""What a technology promises to a machine."""

import pytest

from spinplane.device import decisions, load_technology, margin
from spinplane.device.electrical import check_machine, electrical, write_energy
from spinplane.machine import SpinplaneError, load_machine


def test_sot_mram() -> None:
    technology = load_technology("sot-mram")
    found = electrical(technology)
    assert (found.name, found.cell, found.rows) == ("sot-mram", "2T1R", 512)
    assert (found.write_overlap, found.ports) == ("same_array", ("read", "write"))
    assert found.sense_s == max(margin(technology, decision).time_s for decision in decisions())
    assert found.write_s == pytest.approx(4e-9)
    assert found.cycles_at(1e-9) == (1, 4)
    assert found.write_energy_j == pytest.approx(120e-6**2 * (1000 + 4000 / 9) * 4e-9)
    assert found.cell_area_um2 == pytest.approx(69 * 0.045**2)


def test_stt_mram_shares_its_port_and_writes_slower() -> None:
    technology = load_technology("stt-mram")
    found = electrical(technology)
    assert (found.write_overlap, found.ports) == ("none", ("shared",))
    assert found.cycles_at(1e-9) == (2, 10)
    energies = [write_energy(technology, bit) for bit in (0, 1)]
    assert found.write_energy_j == pytest.approx(sum(energies) / 2)
    assert found.write_energy_j > 5 * electrical(load_technology("sot-mram")).write_energy_j


def test_a_longer_bit_line_is_slower() -> None:
    sot = load_technology("sot-mram")
    assert electrical(sot.with_values({"bit_line.cells": 256})).sense_s < 0.6 * electrical(sot).sense_s


def test_a_machine_is_checked() -> None:
    found = electrical(load_technology("sot-mram"))
    found.check(load_machine("paper"), 2e-9)
    text = r"^machine paper: write_cycles = 2, sot-mram needs 4 at a clock period of 1 ns$"
    with pytest.raises(SpinplaneError, match=text):
        found.check(load_machine("paper"), 1e-9)


def test_a_machine_that_writes_beside_senses_needs_cells_that_bear_it() -> None:
    machine, stt = load_machine("paper-overlap"), load_technology("stt-mram")
    check_machine(machine, load_technology("sot-mram"), 2e-9)
    check_machine(load_machine("paper"), stt)
    text = "^machine paper-overlap: write_overlap = 'same_array', technology stt-mram allows 'none'$"
    with pytest.raises(SpinplaneError, match=text):
        check_machine(machine, stt)
    with pytest.raises(SpinplaneError, match=text):
        electrical(stt).check(machine, 1e-6)
    with pytest.raises(
        SpinplaneError, match=r"^machine paper: sense_cycles = 1, stt-mram needs 2 at a clock period of 1 ns$"
    ):
        check_machine(load_machine("paper"), stt, 1e-9)
