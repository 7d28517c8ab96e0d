"""Retention of a cell and of an array, and what a sense does to the cells."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.constants import year

from spinplane.device import decisions, load_technology
from spinplane.device.bounds import bounds_of
from spinplane.device.free_layer import critical_current_density, free_layer, spin_transfer
from spinplane.device.mtj import junction_area
from spinplane.device.read_path import cell_currents, read_directions, read_torques
from spinplane.device.retention import (
    array_retention_s,
    disturb_current,
    needed_stability,
    onset_share,
    read_disturb,
    retention_s,
    retention_years,
    sense_disturb,
    stability,
)
from spinplane.device.sensing import contents
from spinplane.device.technology import Technology
from spinplane.device.write import critical_current
from spinplane.machine import SpinplaneError

#: Cells of the machine `paper`.
BITS = 32 * 512 * 256
READ, AND, OR = decisions()


def alike(technology: Technology, **values: float) -> Technology:
    """Cells without a spread of their barriers."""
    return technology.with_values({"variation.stability": 0} | values)


def without_spin_hall(technology: Technology) -> Technology:
    """The least angle that a technology may have: what is left is spin transfer."""
    return technology.with_values({"heavy_metal.spin_hall_angle": 1e-4})


def turned(technology: Technology, kind: str) -> Technology:
    """With the elements of a kind the other way round."""
    elements = tuple(
        replace(element, between=element.between[::-1]) if element.kind == kind else element
        for element in technology.elements
    )
    return replace(technology, elements=elements)


def test_retention_of_the_published_barrier() -> None:
    stt = load_technology("stt-mram")
    assert retention_s(stt) == pytest.approx(1e-9 * np.exp(56), rel=1e-2)
    assert retention_years(stt) == pytest.approx(1e-9 * np.exp(56) / 31_536_000, rel=1e-2)
    assert retention_s(stt.with_values({"process.temperature": 350})) < retention_s(stt) / 100


def test_an_array_loses_a_bit_long_before_a_cell_does() -> None:
    """6.9 years of a cell are 52 s of the 4.19 million of `paper`, and less where the cells differ."""
    sot = load_technology("sot-mram")
    assert retention_years(sot) == pytest.approx(6.94, rel=1e-2)
    assert array_retention_s(alike(sot), BITS) == pytest.approx(52.2, rel=1e-2)
    assert array_retention_s(alike(sot), 1) == retention_s(sot)
    sigma = 0.05 * stability(sot)
    assert array_retention_s(sot, BITS) == pytest.approx(52.2 * np.exp(-(sigma**2) / 2), rel=1e-2)
    hot = alike(sot, **{"process.temperature": 358})
    # With Δ ~ 1/T alone 0.08 s; the magnetisation falls too.
    assert array_retention_s(hot, BITS) < 0.01


def test_the_mean_rate_of_cells_that_differ_by_drawing_them() -> None:
    sot = load_technology("sot-mram").with_values({"variation.stability": 3})
    random = np.random.default_rng(1)
    barriers = stability(sot) * (1 + 0.03 * random.standard_normal(1_000_000))
    assert array_retention_s(sot, 1) == pytest.approx(1e-9 / np.mean(np.exp(-barriers)), rel=2e-2)


def test_cells_without_a_barrier_fail_once_in_the_attempt_time() -> None:
    """Where the spread is wide the formula Δ − σ²/2 alone would let them fail more often than that."""
    wide = load_technology("sot-mram").with_values({"variation.stability": 20})
    random = np.random.default_rng(1)
    barriers = stability(wide) * (1 + 0.2 * random.standard_normal(1_000_000))
    rate = np.mean(np.exp(-np.maximum(barriers, 0)))
    assert array_retention_s(wide, 1) == pytest.approx(1e-9 / rate, rel=0.5)


def test_the_stability_that_ten_years_need() -> None:
    sot = load_technology("sot-mram")
    assert needed_stability(alike(sot), BITS, 10 * year) == pytest.approx(55.5, abs=0.05)
    needed = needed_stability(sot, BITS, 10 * year)
    assert needed - (0.05 * needed) ** 2 / 2 == pytest.approx(55.54, abs=0.05)
    text = (
        r"^sot-mram: variation.stability = 0.1: no barrier retains 4194304 bits for 10 years; at most 0.0949 is "
        r"possible$"
    )
    with pytest.raises(SpinplaneError, match=text):
        needed_stability(sot.with_values({"variation.stability": 10}), BITS, 10 * year)


def test_bounds_of_parameters_bound_the_retention() -> None:
    sot = load_technology("sot-mram")
    keys = ("retention.attempt_time", "variation.stability")
    low, high = bounds_of(sot, keys, lambda t: array_retention_s(t, BITS)) or (0.0, 0.0)
    assert 0 < low < array_retention_s(sot, BITS) < high == pytest.approx(522, rel=1e-2)
    assert bounds_of(sot, ("free_layer.damping",), stability) is None


def test_the_read_current_pulls_by_spin_transfer_and_in_the_heavy_metal() -> None:
    """It enters at the pinned layer, and passes half of the metal in the direction that writes 1."""
    sot, stt = load_technology("sot-mram"), load_technology("stt-mram")
    assert read_directions(sot) == {"read transistor": 1, "junction": 1, "heavy metal, source side": 1}
    shares = {
        name: field / free_layer(sot).onset_field
        for name, field in read_torques(sot, 30e-6, antiparallel=False).items()
    }
    # Evenly entering current flows in the metal below at half of its strength, on average.
    assert shares["spin Hall"] == pytest.approx(15e-6 / critical_current(sot, 1))
    assert shares["spin transfer"] == pytest.approx(30e-6 / disturb_current(without_spin_hall(sot)), rel=1e-3)
    assert onset_share(sot, 30e-6, antiparallel=False) == pytest.approx(sum(shares.values()))
    assert onset_share(sot, 30e-6, antiparallel=True) == 0
    assert set(read_torques(stt, 10e-6, antiparallel=True)) == {"spin transfer"}


def test_the_state_that_the_read_current_endangers() -> None:
    """It enters at the pinned layer in both technologies; entering at the free layer it is the other state."""
    for name in ("sot-mram", "stt-mram"):
        technology = load_technology(name)
        if technology.torque == "spin_hall":
            technology = without_spin_hall(technology)
        layer, torque = free_layer(technology), spin_transfer(technology)
        currents = [
            critical_current_density(layer, torque, from_parallel=p) * junction_area(technology)
            for p in (True, False)
        ]
        assert disturb_current(technology) == pytest.approx(currents[0], rel=1e-3)
        assert disturb_current(turned(technology, "mtj")) == pytest.approx(currents[1], rel=1e-3)


def test_a_pinned_layer_the_other_way_sets_the_two_torques_against_each_other() -> None:
    sot = load_technology("sot-mram")
    opposed = turned(sot, "half_heavy_metal")
    assert disturb_current(opposed) > 10 * disturb_current(sot)
    assert sense_disturb(opposed, AND, 1) < 1e-15 < 1e-9 < sense_disturb(sot, AND, 1)


def test_disturb_of_operation_and_content() -> None:
    """Of an AND of P∥AP by spin transfer alone 3.5e-14 and 1.7e-13, where the full read current gave 3e-12, 1.5e-9."""
    sot, stt = load_technology("sot-mram"), load_technology("stt-mram")
    assert sense_disturb(without_spin_hall(sot), AND, 1, time_s=0.65e-9) == pytest.approx(3.5e-14, rel=0.1)
    assert sense_disturb(stt, AND, 1, time_s=1.05e-9) == pytest.approx(1.75e-13, rel=0.02)
    for technology in (sot, stt):
        rates = [sense_disturb(technology, AND, ones) for ones in range(3)]
        # The parallel cell beside an anti-parallel one takes most of the current; two anti-parallel ones are held.
        assert rates[2] < rates[0] < rates[1] < sense_disturb(technology, READ, 0)
        assert sense_disturb(technology, OR, 1, time_s=1e-9) == sense_disturb(technology, AND, 1, time_s=1e-9)


def test_the_read_current_divides_over_the_cells() -> None:
    sot = load_technology("sot-mram")
    for ones in range(3):
        currents = cell_currents(sot, contents(2, ones))
        assert currents.sum() == pytest.approx(30e-6)
    parallel, antiparallel = sorted(cell_currents(sot, contents(2, 1)), reverse=True)
    assert parallel > 2 * antiparallel


def test_disturb_without_current_is_retention() -> None:
    stt = load_technology("stt-mram")
    seconds = 1e6
    for state in (False, True):
        rate = read_disturb(stt, 0.0, seconds, antiparallel=state)
        assert rate == pytest.approx(seconds / retention_s(stt), rel=1e-6)


def test_disturb_by_hand() -> None:
    stt = load_technology("stt-mram")
    barrier = free_layer(stt).stability(300) * (1 - 10e-6 / disturb_current(stt)) ** 2
    found = read_disturb(stt, 10e-6, 1e-9, antiparallel=False)
    assert found == pytest.approx(np.exp(-barrier), rel=1e-6)


def test_disturb_grows_with_current_and_time_to_certainty() -> None:
    stt = load_technology("stt-mram")
    rates = [read_disturb(stt, i, 1e-9, antiparallel=False) for i in (5e-6, 10e-6, 15e-6, 20e-6)]
    assert rates == sorted(rates)
    assert rates[0] < 1e-12
    assert read_disturb(stt, 30e-6, 1e-6, antiparallel=False) == pytest.approx(1)
    assert read_disturb(stt, 10e-6, 0.0, antiparallel=False) == 0


def test_refuses_what_is_no_time_and_no_number_of_bits() -> None:
    stt = load_technology("stt-mram")
    with pytest.raises(SpinplaneError, match=r"^read time = -1.0 s: must be at least 0$"):
        read_disturb(stt, 1e-6, -1.0, antiparallel=False)
    with pytest.raises(SpinplaneError, match=r"^bits = 0: must be a whole number of at least 1$"):
        array_retention_s(stt, 0)


def test_refuses_a_read_path_that_is_none() -> None:
    sot = load_technology("sot-mram")
    read = replace(sot.operations["read"], conducts=("junction", "read transistor", "write transistor"))
    broken = replace(sot, operations={**sot.operations, "read": read})
    with pytest.raises(
        SpinplaneError, match=r"^sot-mram: operations.read.conducts: write transistor: not one path "
    ):
        read_directions(broken)
