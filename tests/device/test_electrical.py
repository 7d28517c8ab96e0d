"""What a technology promises to a machine."""

from dataclasses import replace

import pytest

from spinplane.device import Sensing, decisions, load_technology, margin, technology_names
from spinplane.device.electrical import electrical, machine_clock
from spinplane.device.energy import write_energy
from spinplane.machine import SpinplaneError, load_machine, machine_names


def test_sot_mram() -> None:
    technology = load_technology("sot-mram")
    found = electrical(technology)
    assert (found.name, found.cell, found.rows) == ("sot-mram", "2T1R", 512)
    assert (found.write_overlap, found.ports) == ("same_array", ("read", "write"))
    assert found.sense_s == max(margin(technology, decision).time_s for decision in decisions())
    assert found.write_s == pytest.approx(4e-9)
    assert found.cycles_at(1e-9) == (4, 5)
    sense, write = found.peak_currents_a(load_machine("paper"))
    assert (sense, write) == pytest.approx((0.2458, 0.983), rel=1e-3)
    assert found.write_energy_j == pytest.approx(120e-6 * 1.1 * 4e-9)
    assert found.cell_area_um2 == pytest.approx(69 * 0.045**2)


def test_stt_mram_shares_its_port_and_writes_slower() -> None:
    technology = load_technology("stt-mram")
    found = electrical(technology)
    assert (found.write_overlap, found.ports) == ("none", ("shared",))
    assert found.cycles_at(1e-9) == (4, 11)
    energies = [write_energy(technology, bit) for bit in (0, 1)]
    assert found.write_energy_j == pytest.approx(sum(energy.supply_j for energy in energies) / 2)
    # In the cell it is more than five times, from the supply only as much more as 80 µA for 10 ns are.
    spin_hall = load_technology("sot-mram")
    assert sum(energy.cell_j for energy in energies) / 2 > 5 * write_energy(spin_hall, 1).cell_j
    assert found.write_energy_j == pytest.approx(800 / 480 * electrical(spin_hall).write_energy_j)


def test_a_longer_bit_line_is_slower() -> None:
    sot = load_technology("sot-mram")
    assert electrical(sot.with_values({"bit_line.cells": 256})).sense_s < 0.6 * electrical(sot).sense_s


def test_a_machine_is_checked() -> None:
    paper, sot = load_machine("paper"), load_technology("sot-mram")
    assert electrical(sot).clock(paper, 3e8) == machine_clock(paper, sot, 3e8)
    text = (
        r"^machine paper at 500 MHz: a sense of sot-mram takes 3\.24 ns and a write 4\.51 ns, 0\.51 ns of each to the "
        r"word line; needs sense_cycles = 2 and write_cycles = 3, the machine has 1 and 2, which hold up to 308\.9 MHz$"
    )
    with pytest.raises(SpinplaneError, match=text):
        machine_clock(paper, sot, 5e8)
    machine_clock(replace(paper, sense_cycles=2, write_cycles=3), sot, 5e8)


def test_the_way_to_the_word_line_is_in_sense_and_write() -> None:
    """Flip-flop, decoder, 0.38·R·C of 256 cells; each makes the clock slower, by as much as it takes."""
    sot, paper = load_technology("sot-mram"), load_machine("paper")
    line = 0.38 * (256 * 0.8) * (256 * 0.494e-15)
    assert electrical(sot).access_s == pytest.approx(100e-12 + 400e-12 + line)
    period = 1 / machine_clock(paper, sot).clock_hz
    for key in ("decoder.clock_to_q", "decoder.delay"):
        slower = sot.with_values({key: sot.parameters[key].value + 1000})
        assert 1 / machine_clock(paper, slower).clock_hz == pytest.approx(period + 1e-9)
    writes = sot.with_values({"write.pulse": 20})
    assert 1 / machine_clock(paper, writes).clock_hz == pytest.approx((20e-9 + electrical(sot).access_s) / 2)


def test_the_clock_is_that_of_the_machines_own_lines() -> None:
    sot, paper = load_technology("sot-mram"), load_machine("paper")
    rows = [machine_clock(replace(paper, rows=rows), sot).clock_hz for rows in (64, 128, 256, 512, 1024)]
    assert rows == sorted(rows, reverse=True)
    columns = [machine_clock(replace(paper, columns=n), sot).clock_hz for n in (256, 512, 1024, 2048)]
    assert columns == sorted(columns, reverse=True)
    assert rows[3] == columns[0] == electrical(sot).clock(paper).clock_hz


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("bit_line.capacitance_per_cell", (0.16, 0.378, 0.42)),
        ("word_line.capacitance_per_cell", (0.2, 0.494, 5.0)),
        ("word_line.resistance_per_cell", (0.1, 0.8, 8.0)),
        ("sense_amplifier.differential", (1, 5, 8)),
    ],
)
def test_slopes(key: str, values: tuple[float, ...]) -> None:
    sot, paper = load_technology("sot-mram"), load_machine("paper")
    clocks = [machine_clock(paper, sot.with_values({key: value})).clock_hz for value in values]
    assert clocks == sorted(clocks, reverse=True)
    assert len(set(clocks)) == len(clocks)


@pytest.mark.parametrize("name", technology_names())
@pytest.mark.parametrize("machine", machine_names())
def test_every_machine_fits_at_the_cycles_that_are_told(name: str, machine: str) -> None:
    own, technology = load_machine(machine), load_technology(name)
    contract = electrical(
        technology.with_values({"bit_line.cells": own.rows, "word_line.cells": own.columns})
    )
    if own.overlaps_writes and contract.write_overlap == "none":
        with pytest.raises(SpinplaneError, match="write_overlap = 'same_array'"):
            machine_clock(own, technology)
        return
    for hertz in (2e8, 5e8, 1e9):
        sense, write = contract.cycles_at(1 / hertz)
        fits = replace(own, sense_cycles=sense, write_cycles=write)
        assert machine_clock(fits, technology, hertz).fastest_hz >= hertz
        if write > 1:
            with pytest.raises(
                SpinplaneError, match=f"write_cycles = {write}, the machine has {sense} and {write - 1}"
            ):
                machine_clock(replace(fits, write_cycles=write - 1), technology, hertz)


def test_a_machine_that_xors_in_one_sense_needs_two_amplifiers() -> None:
    sot = load_technology("sot-mram")
    both = replace(sot, sensing=Sensing(quantity="voltage", amplifiers=2))
    machine = replace(load_machine("paper"), xor_sensing=True)
    machine_clock(machine, both)
    text = r"^machine paper: xor_sensing = True, technology sot-mram has 1 amplifier a bit line \(sensing.amplifiers\)$"
    with pytest.raises(SpinplaneError, match=text):
        machine_clock(machine, sot)
    one, two = electrical(sot), electrical(both)
    assert one.xor_energy_j is None
    # The current flows once, and two amplifiers decide.
    assert two.xor_energy_j == pytest.approx(two.and_energy_j + sot["sense_amplifier.energy"])
    assert two == replace(one, xor_energy_j=two.xor_energy_j)


def test_a_machine_that_writes_beside_senses_needs_cells_that_bear_it() -> None:
    machine, stt = load_machine("paper-overlap"), load_technology("stt-mram")
    machine_clock(machine, load_technology("sot-mram"))
    machine_clock(load_machine("paper"), stt)
    text = "^machine paper-overlap: write_overlap = 'same_array', technology stt-mram allows 'none'$"
    with pytest.raises(SpinplaneError, match=text):
        machine_clock(machine, stt, 1e6)
