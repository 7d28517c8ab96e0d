"""Write pulses, the currents they need, and error rates that fall as theory says."""

import re
from itertools import pairwise

import numpy as np
import pytest

from spinplane.device import load_technology, write_error_rates, write_pulse
from spinplane.device.free_layer import free_layer, write_section, write_torque
from spinplane.device.mtj import junction, resistance
from spinplane.device.technology import Technology
from spinplane.device.write import critical_current, needed_current, thermal_angle, write_path_voltage
from spinplane.machine import SpinplaneError


@pytest.fixture(params=["sot-mram", "stt-mram"])
def technology(request: pytest.FixtureRequest) -> Technology:
    return load_technology(request.param)


@pytest.mark.parametrize("bit", [0, 1])
def test_the_technologys_pulse_writes_either_bit(technology: Technology, bit: int) -> None:
    pulse = write_pulse(technology, bit)
    assert pulse.switched
    assert pulse.time_s is not None
    assert 0 < pulse.time_s < technology["write.pulse"]
    assert 0 < pulse.voltage_v < technology["process.supply_voltage"]


@pytest.mark.parametrize("bit", [0, 1])
def test_below_the_critical_current_nothing_happens(technology: Technology, bit: int) -> None:
    pulse = write_pulse(technology, bit, current=0.95 * critical_current(technology, bit))
    assert not pulse.switched
    assert pulse.time_s is None


def test_time_falls_and_energy_of_a_fixed_pulse_rises_with_the_current(technology: Technology) -> None:
    critical = critical_current(technology, 1)
    pulses = [write_pulse(technology, 1, current=ratio * critical) for ratio in (2.5, 3, 4, 6)]
    times = [pulse.time_s for pulse in pulses if pulse.time_s is not None]
    assert len(times) == 4
    assert times == sorted(times, reverse=True)
    energies = [pulse.energy_j for pulse in pulses]
    assert energies == sorted(energies)


def test_energy_of_the_spin_hall_write_is_i_squared_r_t() -> None:
    pulse = write_pulse(load_technology("sot-mram"), 1)
    assert pulse.energy_j == pytest.approx(120e-6**2 * (1000 + 4000 / 9) * 4e-9)


def test_energy_of_the_spin_transfer_write_follows_the_resistance() -> None:
    stt = load_technology("stt-mram")
    pulse = write_pulse(stt, 1)
    assert pulse.time_s is not None
    before, after = (write_path_voltage(stt, state, 80e-6) for state in (False, True))
    assert before < after
    assert pulse.voltage_v == pytest.approx(before)
    assert pulse.energy_j == pytest.approx(80e-6 * (before * pulse.time_s + after * (10e-9 - pulse.time_s)))
    over = before - 80e-6 * 1500
    assert over / float(resistance(junction(stt), False, over)) == pytest.approx(80e-6)


def test_the_needed_current_is_just_enough(technology: Technology) -> None:
    needed = needed_current(technology, 0)
    assert needed > critical_current(technology, 0)
    assert write_pulse(technology, 0, current=needed).time_s is not None
    assert write_pulse(technology, 0, current=0.998 * needed).time_s is None


def test_a_longer_pulse_needs_less_current() -> None:
    sot = load_technology("sot-mram")
    assert needed_current(sot.with_values({"write.pulse": 8}), 1) < needed_current(sot, 1)


def test_solvers_agree() -> None:
    times = [write_pulse(load_technology("sot-mram"), 1, solver=s).time_s for s in ("scipy", "cmtj")]
    assert times[1] == pytest.approx(times[0], rel=1e-2)


def test_the_thermal_angle_is_that_of_the_stability(technology: Technology) -> None:
    layer = free_layer(technology)
    assert thermal_angle(layer, 300.0) == pytest.approx(np.sqrt(1 / (2 * layer.stability(300.0))))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"current": 0.0}, "write current = 0.0: must be above 0"),
        ({"pulse": -1e-9}, "write pulse = -1e-09: must be above 0"),
    ],
)
def test_refuses_no_pulse(values: dict[str, float], text: str) -> None:
    with pytest.raises(SpinplaneError, match=f"^{re.escape(text)}$"):
        write_pulse(load_technology("sot-mram"), 1, **values)


def test_error_rates_fall_with_pulse_and_current() -> None:
    sot = load_technology("sot-mram")
    errors = write_error_rates(
        sot, 1, currents=(80e-6, 120e-6), pulses=(0.8e-9, 1.2e-9, 1.6e-9), count=1000, seed=1
    )
    failures = [[rate.failures for rate in row] for row in errors.rates]
    assert all(first > second > 0 for row in failures for first, second in pairwise(row))
    assert all(weak > strong for weak, strong in zip(*failures, strict=True))
    assert all(rate.low <= rate.failures / 1000 <= rate.high for row in errors.rates for rate in row)


def test_without_current_every_write_fails() -> None:
    sot = load_technology("sot-mram")
    errors = write_error_rates(sot, 0, currents=(1e-9,), pulses=(1e-9,), count=50)
    assert errors.rates[0][0].failures == 50
    assert errors.rates[0][0].tail == 1.0


def test_the_tail_has_the_slope_of_the_linear_theory_and_predicts_more_trials() -> None:
    sot = load_technology("sot-mram")
    layer, density = free_layer(sot), 120e-6 / write_section(sot)
    growth = layer.growth_rate(float(write_torque(sot).field(layer, density, 1.0)))
    pulses = (1.35e-9, 1.75e-9, 1.9e-9)
    few, many = (
        write_error_rates(sot, 1, pulses=pulses, count=count, seed=count).rates[0] for count in (1500, 12_000)
    )
    ratio = many[1].failures / many[0].failures
    deviation = np.sqrt(1 / many[0].failures + 1 / many[1].failures)
    assert abs(np.log(ratio) + 2 * growth * (pulses[1] - pulses[0])) < 4 * deviation + 0.1
    assert many[2].low / 2 < few[2].tail < 2 * many[2].high


def test_a_hotter_cell_starts_further_out() -> None:
    sot = load_technology("sot-mram")
    cold, hot = (
        write_error_rates(sot.with_values({"process.temperature": t}), 1, pulses=(0.9e-9,), count=1000).rates[
            0
        ][0]
        for t in (250, 400)
    )
    assert hot.high < cold.low


def test_refuses_no_writes() -> None:
    with pytest.raises(SpinplaneError, match=r"^writes = 0: must be a whole number of at least 1$"):
        write_error_rates(load_technology("sot-mram"), 1, count=0)
