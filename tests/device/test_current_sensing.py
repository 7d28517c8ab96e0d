"""Sensing a bit line's current, and two amplifiers at once: by hand, by theory, and with the signs of physics."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from spinplane.device import (
    Sensing,
    decisions,
    draw_fault_map,
    exclusive_sense,
    load_technology,
    margin,
    monte_carlo,
)
from spinplane.device.faults import cell_conductance, reference_conductance
from spinplane.device.mtj import junction, resistance, voltage_at
from spinplane.device.sensing import (
    bit_line_voltage,
    contents,
    level,
    read_voltage,
    reference_voltage,
    sense_voltage,
    series_resistance,
    shifted_reference,
)
from spinplane.device.technology import Technology
from spinplane.machine import Machine, SpinplaneError

QUIET = {
    "variation.resistance_area": 0,
    "variation.tmr": 0,
    "sense_amplifier.offset_sigma": 0,
    "bit_line.resistance_per_cell": 0,
}


def sensed_by(name: str, quantity: str, amplifiers: int = 1) -> Technology:
    return replace(load_technology(name), sensing=Sensing(quantity=quantity, amplifiers=amplifiers))


@pytest.fixture(params=["sot-mram", "stt-mram"])
def technology(request: pytest.FixtureRequest) -> Technology:
    return sensed_by(request.param, "current")


def current_of(technology: Technology, antiparallel: bool, held: float) -> float:
    """Of one cell at a voltage over it and its access."""
    mtj, series = junction(technology), series_resistance(technology)
    return float(
        brentq(lambda amperes: voltage_at(mtj, antiparallel, amperes) + amperes * series - held, 0, 1e-3)
    )


def test_the_clamp_holds_a_parallel_cell_at_the_read_current(technology: Technology) -> None:
    held = read_voltage(technology)
    assert current_of(technology, False, held) == pytest.approx(technology["read.current"], rel=1e-9)
    quiet = technology.with_values(QUIET)
    assert bit_line_voltage(quiet, contents(2, 1)) == pytest.approx(held, rel=1e-12)
    assert level(quiet, 1, 0) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("cells", [1, 2, 3])
def test_levels_are_the_currents_that_are_missing(technology: Technology, cells: int) -> None:
    quiet = technology.with_values(QUIET)
    held, unit = read_voltage(quiet), quiet["read.current"]
    missing = 1 - current_of(quiet, True, held) / unit
    for ones in range(cells + 1):
        assert level(quiet, cells, ones) == pytest.approx(ones * held * missing, rel=1e-6, abs=1e-9)


def test_wires_take_current_away(technology: Technology) -> None:
    """The same as a resistance in front of cells at one place."""
    ohms = 512 * technology["bit_line.resistance_per_cell"] * 0.8
    held, position = read_voltage(technology), np.array([0.8, 0.8])

    def excess(node: float) -> float:
        currents = sum(current_of(technology, state, node) for state in (True, False))
        return node + ohms * currents - held

    node = float(brentq(excess, 0.1 * held, held))
    expected = held * (2 - (held - node) / ohms / technology["read.current"])
    assert float(sense_voltage(technology, contents(2, 1), position=position)) == pytest.approx(
        expected, rel=1e-6
    )


def test_and_and_or_have_equal_margins_without_wires(technology: Technology) -> None:
    """Currents add, so that each anti-parallel cell takes the same away; voltages of parallel cells do not."""
    quiet = technology.with_values(QUIET)
    read, both, either = (margin(quiet, decision).margin_v for decision in decisions())
    assert both == pytest.approx(either, rel=1e-6)
    assert both == pytest.approx(read, rel=1e-6)
    voltage = replace(quiet, sensing=Sensing(quantity="voltage", amplifiers=1))
    _, both, either = (margin(voltage, decision).margin_v for decision in decisions())
    assert either < 0.5 * both


def test_signs_and_slopes(technology: Technology) -> None:
    decision = decisions()[1]

    def found(**values: float) -> float:
        keys = {key.replace("__", "."): value for key, value in values.items()}
        return margin(technology.with_values(keys), decision).margin_v

    current = technology.parameters["read.current"].value
    assert found(read__current=1.2 * current) > found() > found(read__current=0.8 * current)
    assert found(oxide__thickness=1.25) > found() > found(oxide__thickness=1.15)
    assert found(bit_line__resistance_per_cell=0) > found() > found(bit_line__resistance_per_cell=0.4)
    reads, ands = (margin(technology, one) for one in decisions()[:2])
    assert ands.energy_j > reads.energy_j, "two cells take the current of two"


def test_the_time_is_when_the_charging_line_passes_the_reference(technology: Technology) -> None:
    """The RC equation, stepped, with the line charged through the cells alone."""
    decision = decisions()[2]
    found = margin(technology, decision)
    held, unit = read_voltage(technology), technology["read.current"]
    full = unit * (2 - level(technology, 2, 0, 1.0) / held)
    least = unit * (2 - (found.reference_v - technology["sense_amplifier.differential"]) / held)
    capacitance = technology["bit_line.cells"] * technology["bit_line.capacitance_per_cell"]
    ohms, voltage, step, time_s = held / full, 0.0, 1e-14, 0.0
    while voltage / ohms < least:
        voltage += step * (held - voltage) / ohms / capacitance
        time_s += step
    assert found.time_s == pytest.approx(time_s + technology["sense_amplifier.delay"], rel=1e-3)


def test_an_offset_of_the_clamp_moves_the_current_at_which_it_decides(technology: Technology) -> None:
    held, decision = read_voltage(technology), decisions()[1]
    reference = reference_voltage(technology, decision)
    nominal = 2 - reference / held
    for offset in (-0.01, 0.0, 0.01):
        shifted = 2 - float(shifted_reference(technology, decision, reference, np.array(offset))) / held
        # In units of the read current: what the cells take at the offset voltage is the nominal reference.
        assert shifted * (held + offset) / held == pytest.approx(nominal, rel=1e-12)


def test_what_cannot_be_sensed_is_refused() -> None:
    faint = sensed_by("stt-mram", "current").with_values({"read.current": 2})
    text = "stt-mram: EN_M with 1 cells cannot be sensed: the highest 0 is "
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}"):
        margin(faint, decisions()[0])
    strong = sensed_by("sot-mram", "current").with_values({"read.current": 1000})
    text = (
        r"^sot-mram: EN_M with 1 cells cannot be sensed: the bit line is \d\.\d\d V, the supply 1.1 V; lower "
    )
    with pytest.raises(SpinplaneError, match=text):
        margin(strong, decisions()[0])


def test_offsets_alone_fail_as_a_normal_distribution(technology: Technology) -> None:
    noisy = technology.with_values(QUIET | {"sense_amplifier.offset_sigma": 15})
    run, held = monte_carlo(noisy, seed=2), read_voltage(noisy)
    for decision in decisions()[1:]:
        low, high = decision.threshold - 1, decision.threshold
        reference = 2 - reference_voltage(noisy, decision) / held
        for ones, sign in ((low, -1), (high, 1)):
            share = reference / (2 - level(noisy, 2, ones) / held)
            # The cells' own current times (V + offset)/V is on the wrong side of the reference's.
            expected = norm.sf(sign * (share - 1) * held / 15e-3)
            rate = run.errors[decision.operation].levels[ones]
            assert rate.low <= expected <= rate.high


@pytest.mark.parametrize("quantity", ["voltage", "current"])
def test_an_xor_fails_if_an_amplifier_that_decides_it_does(quantity: str) -> None:
    """Two offsets, independent: with two unequal cells either one can be wrong, with equal cells one is held at 0."""
    noisy = sensed_by("sot-mram", quantity, 2).with_values(QUIET | {"sense_amplifier.offset_sigma": 15})
    run = monte_carlo(noisy, seed=4)
    and_rates, or_rates = (
        [level.failures / level.trials for level in run.errors[name].levels] for name in ("and", "or")
    )
    xor = run.xor
    assert len(xor) == 3
    expected = [
        or_rates[0] * (1 - and_rates[0]),
        and_rates[1] + or_rates[1] - and_rates[1] * or_rates[1],
        and_rates[2] * (1 - or_rates[2]),
    ]
    for rate, wanted in zip(xor, expected, strict=True):
        assert rate.low <= wanted <= rate.high
    assert run.worst_xor.rate == max(rate.rate for rate in xor)


def test_one_amplifier_draws_what_it_drew_and_has_no_xor() -> None:
    one, two = (monte_carlo(sensed_by("sot-mram", "voltage", n), trials=1000, seed=5) for n in (1, 2))
    assert one.xor == ()
    assert np.array_equal(one.offsets[0], two.offsets[0])
    assert all(np.array_equal(one.voltages[key], two.voltages[key]) for key in one.voltages)
    assert one.errors["and"] == two.errors["and"]
    assert monte_carlo(sensed_by("sot-mram", "voltage", 2), trials=100, fan_in=3).xor == ()


def test_the_sense_of_an_xor() -> None:
    sot = sensed_by("sot-mram", "voltage", 2)
    both, either = (margin(sot, decision) for decision in decisions()[1:])
    found = exclusive_sense(sot)
    assert found.margin_v == min(both.margin_v, either.margin_v)
    assert found.time_s == max(both.time_s, either.time_s)
    text = r"^sot-mram: sensing.amplifiers = 1: an XOR in one access takes 2$"
    with pytest.raises(SpinplaneError, match=text):
        exclusive_sense(load_technology("sot-mram"))


def test_conductances_and_references_decide_as_the_current_does(technology: Technology) -> None:
    """The sums of conductances of the levels are those at which references at the levels begin to show 1."""
    state = [float(cell_conductance(technology, antiparallel)) for antiparallel in (False, True)]
    ratio = float(resistance(junction(technology), True, 0.0) / resistance(junction(technology), False, 0.0))
    assert 1 < state[0] / state[1] < ratio
    for decision in decisions():
        sums = [(decision.cells - ones) * state[0] + ones * state[1] for ones in range(decision.cells + 1)]
        for ones in (decision.threshold - 1, decision.threshold):
            volts = np.array(level(technology, decision.cells, ones))
            assert reference_conductance(technology, decision, volts) == pytest.approx(sums[ones], abs=1)
        middle = reference_conductance(technology, decision, reference_voltage(technology, decision))
        assert middle == pytest.approx(sum(sums[decision.threshold - 1 : decision.threshold + 1]) / 2, abs=1)


@pytest.mark.parametrize("quantity", ["voltage", "current"])
def test_a_fault_map_of_two_amplifiers(quantity: str) -> None:
    machine = Machine(name="m", sub_arrays=2, rows=16, columns=64, segments=2)
    one, two = (
        draw_fault_map(machine, sensed_by("stt-mram", quantity, n), 3, offset_sigma=0.02, weak_cells=0)
        for n in (1, 2)
    )
    assert np.array_equal(one.and_thresholds, two.and_thresholds)
    assert not np.array_equal(one.or_thresholds, two.or_thresholds)
    # One amplifier's offset moves both references the same way; those of two do so by chance.
    shifts = [
        np.sign(m.and_thresholds.astype(int) - 2) * np.sign(m.or_thresholds.astype(int) - 1)
        for m in (one, two)
    ]
    assert shifts[0].min() >= 0 > shifts[1].min()
