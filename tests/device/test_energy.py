"""Energies in the cell and from the supply."""

import numpy as np
import pytest

from spinplane.device import decisions, load_technology, margin
from spinplane.device.energy import sense_energy, write_energy
from spinplane.device.sensing import read_voltage
from spinplane.device.write import write_path_voltage
from spinplane.machine import SpinplaneError


def test_a_write_in_the_cell_and_from_the_supply() -> None:
    """0.173 V of 1.1 V: the supply gives six times of what the cell takes."""
    found = write_energy(load_technology("sot-mram"), 1)
    assert found.cell_j == pytest.approx(120e-6**2 * (1000 + 4000 / 9) * 4e-9)
    assert found.supply_j == pytest.approx(120e-6 * 1.1 * 4e-9)
    stt = load_technology("stt-mram")
    for bit in (0, 1):
        found = write_energy(stt, bit, pulse=2e-9)
        assert found.cell_j == pytest.approx(80e-6 * write_path_voltage(stt, bit == 0, 80e-6) * 2e-9)
        assert found.supply_j == pytest.approx(80e-6 * 1.1 * 2e-9)


@pytest.mark.parametrize("name", ["sot-mram", "stt-mram"])
def test_a_sense_charges_the_bit_line_through_its_cells(name: str) -> None:
    technology = load_technology(name)
    for decision in decisions():
        found, levels = sense_energy(technology, decision), margin(technology, decision)
        assert found.supply_j == levels.energy_j
        times = np.linspace(0, levels.time_s, 20_001)
        line = technology["bit_line.cells"] * technology["bit_line.capacitance_per_cell"]
        rising = -np.expm1(-times * technology["read.current"] / (levels.high_v * line))
        power = technology["read.current"] * levels.high_v * rising
        assert found.cell_j == pytest.approx(np.trapezoid(power, times), rel=1e-6)
        assert found.cell_j < found.supply_j


def test_a_clamped_bit_line_takes_the_current_of_all_its_cells() -> None:
    technology = load_technology("stt-aggressive")
    for decision in decisions():
        found, time_s = sense_energy(technology, decision), margin(technology, decision).time_s
        power = read_voltage(technology) * 10e-6 * decision.cells
        assert found.cell_j == pytest.approx(power * time_s)
        assert found.cell_j < found.supply_j


def test_the_order_of_two_designs_turns_between_cell_and_supply() -> None:
    """At the pulses of a write error rate of 1e-6."""
    sot, stt = (load_technology(name) for name in ("sot-mram", "stt-mram"))
    spin_hall = write_energy(sot, 0, pulse=3.44e-9)
    spin_transfer = write_energy(stt, 0, pulse=2.15e-9)
    assert spin_hall.cell_j < 0.6 * spin_transfer.cell_j
    assert spin_hall.supply_j > 2 * spin_transfer.supply_j


def test_a_supply_that_cannot_drive_the_write_is_refused() -> None:
    low = load_technology("stt-mram").with_values({"process.supply_voltage": 0.5})
    text = r"^stt-mram: write.current_0 = 80 µA: the cell needs 0.85 V, the supply has 0.5 V$"
    with pytest.raises(SpinplaneError, match=text):
        write_energy(low, 0)
