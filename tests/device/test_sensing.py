"""Levels, references, margins and times of the sense, with their signs and slopes."""

import re
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq

from spinplane.device import decisions, load_technology, margin
from spinplane.device.mtj import junction, voltage_at
from spinplane.device.sensing import (
    bit_line_resistance,
    bit_line_voltage,
    contents,
    level,
    reference_voltage,
    series_resistance,
)
from spinplane.device.technology import Technology
from spinplane.machine import SpinplaneError


@pytest.fixture(params=["sot-mram", "stt-mram"])
def technology(request: pytest.FixtureRequest) -> Technology:
    return load_technology(request.param)


def test_series_resistance_by_hand() -> None:
    assert series_resistance(load_technology("sot-mram")) == pytest.approx(1000 + 2000 / 9)
    assert series_resistance(load_technology("stt-mram")) == pytest.approx(1500)


@pytest.mark.parametrize("state", [0, 1])
def test_one_cell_is_ohms_law(technology: Technology, state: int) -> None:
    current = technology["read.current"]
    wire = bit_line_resistance(technology) / 2
    expected = voltage_at(junction(technology), bool(state), current)
    expected += current * (series_resistance(technology) + wire)
    assert level(technology, 1, state) == pytest.approx(expected, rel=1e-8)


def test_two_equal_cells_halve_the_current(technology: Technology) -> None:
    half = technology["read.current"] / 2
    expected = voltage_at(junction(technology), True, half) + half * series_resistance(technology)
    expected += 2 * half * bit_line_resistance(technology) / 2
    assert level(technology, 2, 2) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("fan_in", [2, 3, 4])
def test_levels_rise_with_anti_parallel_cells_and_references_lie_midway(
    technology: Technology, fan_in: int
) -> None:
    read, both, either = decisions(fan_in)
    levels = [level(technology, fan_in, ones) for ones in range(fan_in + 1)]
    assert levels == sorted(levels)
    low, high = (level(technology, 1, ones) for ones in (0, 1))
    assert low < reference_voltage(technology, read) < high
    assert reference_voltage(technology, read) == pytest.approx((low + high) / 2)
    assert reference_voltage(technology, both) == pytest.approx((levels[-2] + levels[-1]) / 2)
    assert reference_voltage(technology, either) == pytest.approx((levels[0] + levels[1]) / 2)


def test_more_cells_leave_less_margin(technology: Technology) -> None:
    """Why two: the levels of AND and OR move together as 1/n and faster."""
    for operation in (1, 2):
        distances = []
        for fan_in in (2, 3, 4):
            decision = decisions(fan_in)[operation]
            upper, lower = (level(technology, fan_in, decision.threshold - i) for i in (0, 1))
            distances.append(upper - lower)
        assert all(first > 1.5 * second for first, second in pairwise(distances))


def test_nominal_margins_are_those_of_the_levels(technology: Technology) -> None:
    for decision in decisions():
        found = margin(technology, decision)
        assert found.low_v < found.reference_v < found.high_v
        assert 0 < found.margin_v < (found.high_v - found.low_v) / 2
        assert found.reference_v == pytest.approx((found.high_v + found.low_v) / 2)


def test_the_wire_costs_margin_and_none_costs_nothing(technology: Technology) -> None:
    none, some, more = (
        margin(technology.with_values({"bit_line.resistance_per_cell": ohms}), decisions()[1])
        for ohms in (0.0, 0.2, 0.4)
    )
    assert none.margin_v == pytest.approx((none.high_v - none.low_v) / 2)
    lost = technology["read.current"] * bit_line_resistance(technology)
    assert none.margin_v > some.margin_v > more.margin_v > none.margin_v - lost


def test_signs_and_slopes() -> None:
    sot = load_technology("sot-mram")

    def found(**values: float) -> float:
        keys = {key.replace("__", "."): value for key, value in values.items()}
        return margin(sot.with_values(keys), decisions()[1]).margin_v

    assert found(read__current=36) > found(read__current=30) > found(read__current=24)
    assert found(oxide__thickness=1.25) > found(oxide__thickness=1.2)
    assert found(mtj__width=50) < found(mtj__width=45)


def test_time_and_energy(technology: Technology) -> None:
    decision = decisions()[1]
    nominal = margin(technology, decision)
    doubled = 2 * technology["bit_line.capacitance_per_cell"] * 1e15
    slow = margin(technology.with_values({"bit_line.capacitance_per_cell": doubled}), decision)
    delay = technology["sense_amplifier.delay"]
    assert slow.time_s - delay == pytest.approx(2 * (nominal.time_s - delay))
    supply = technology["read.current"] * technology["process.supply_voltage"]
    assert nominal.energy_j == pytest.approx(supply * nominal.time_s + technology["sense_amplifier.energy"])


def test_the_time_is_when_the_charging_line_passes_the_reference(technology: Technology) -> None:
    """The RC equation, stepped."""
    decision = decisions()[1]
    found = margin(technology, decision)
    high = level(technology, 2, 2, 0.0)
    capacitance = technology["bit_line.cells"] * technology["bit_line.capacitance_per_cell"]
    ohms, voltage, step, time_s = high / technology["read.current"], 0.0, 1e-14, 0.0
    while voltage < found.reference_v + technology["sense_amplifier.differential"]:
        voltage += step * (technology["read.current"] - voltage / ohms) / capacitance
        time_s += step
    assert found.time_s == pytest.approx(time_s + technology["sense_amplifier.delay"], rel=1e-3)


def test_what_cannot_be_sensed_is_refused() -> None:
    faint = load_technology("stt-mram").with_values({"read.current": 2})
    text = (
        "stt-mram: EN_AND with 2 cells cannot be sensed: the lowest 1 is 16.1 mV, reference and differential of "
        "the amplifier are 18.1 mV; raise read.current or oxide.thickness, or lower sense_amplifier.differential"
    )
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        margin(faint, decisions()[1])
    with pytest.raises(SpinplaneError, match=r"^fan-in = 1: must be a whole number from 2 to 8$"):
        decisions(1)


def test_cells_along_the_bit_line() -> None:
    """Two cells: the nearer one's wire is shared, the rest is in series with the farther cell."""
    sot = load_technology("sot-mram").with_values({"bit_line.resistance_per_cell": 5})
    together = bit_line_voltage(sot, contents(2, 1), position=np.array([0.2, 0.2]))
    apart = bit_line_voltage(sot, contents(2, 1), position=np.array([0.2, 0.9]))
    far = bit_line_voltage(sot, contents(2, 1), position=np.array([0.9, 0.9]))
    assert together < apart < far
    assert far - together == pytest.approx(30e-6 * 0.7 * 512 * 5)


@pytest.mark.parametrize("antiparallel", [[True], [True, False], [True, True, False, False]])
@pytest.mark.parametrize("values", [{"oxide.thickness": 1.5}, {"oxide.thickness": 3}, {"read.current": 1000}])
def test_thick_oxides_and_large_currents_have_an_operating_point(
    antiparallel: list[bool], values: dict[str, float]
) -> None:
    sot = load_technology("sot-mram").with_values(values | {"bit_line.resistance_per_cell": 0})
    total = float(bit_line_voltage(sot, np.array(antiparallel)))
    mtj, series = junction(sot), series_resistance(sot)

    def voltage(state: bool, current: float) -> float:
        return voltage_at(mtj, state, current) + current * series

    def current(state: bool) -> float:
        return float(brentq(lambda amperes: voltage(state, amperes) - total, 0, sot["read.current"] * 1.001))

    assert sum(current(state) for state in antiparallel) == pytest.approx(sot["read.current"], rel=1e-6)


@pytest.mark.parametrize("values", [{"oxide.thickness": 1.8}, {"read.current": 1000}])
def test_levels_above_the_supply_are_refused(values: dict[str, float]) -> None:
    sot = load_technology("sot-mram").with_values(values)
    current = sot["read.current"]
    highest = voltage_at(junction(sot), True, current)
    highest += current * (series_resistance(sot) + bit_line_resistance(sot) / 2)
    assert highest > 1.1
    message = (
        f"sot-mram: EN_M with 1 cells cannot be sensed: the lowest 1 is {highest:.2f} V, the supply 1.1 V; "
        "lower read.current or oxide.thickness"
    )
    with pytest.raises(SpinplaneError, match=f"^{re.escape(message)}$"):
        margin(sot, decisions()[0])
