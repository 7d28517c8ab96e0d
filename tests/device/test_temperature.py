"""What temperature does to magnetisation, anisotropy, resistance and margins."""

from itertools import pairwise

import pytest

from spinplane.device import decisions, load_technology, margin
from spinplane.device.free_layer import free_layer
from spinplane.device.mtj import junction, resistance, tmr
from spinplane.device.technology import Technology
from spinplane.device.temperature import anisotropy_share, magnetisation_share, tmr_share
from spinplane.machine import SpinplaneError

NAMES = ("sot-mram", "stt-mram")


def at(technology: Technology, kelvin: float) -> Technology:
    return technology.with_values({"process.temperature": kelvin})


@pytest.mark.parametrize("name", NAMES)
def test_at_the_reference_nothing_changes(name: str) -> None:
    technology = load_technology(name)
    assert magnetisation_share(technology) == anisotropy_share(technology) == 1
    assert tmr_share(technology, 1.7) == pytest.approx(1, abs=1e-12)
    assert float(tmr(junction(technology))) == pytest.approx(1.718, rel=1e-3)
    assert free_layer(technology).saturation_magnetisation == pytest.approx(
        technology["free_layer.saturation_magnetisation"]
    )


def test_by_hand_at_358_kelvin() -> None:
    stt = at(load_technology("stt-mram"), 358)
    share = (1 - (358 / 1120) ** 1.5) / (1 - (300 / 1120) ** 1.5)
    assert share == pytest.approx(0.9511, abs=1e-4)
    assert free_layer(stt).saturation_magnetisation == pytest.approx(share * 7e5)
    assert free_layer(stt).anisotropy == pytest.approx(share**2.18 * 392255)
    before = float(tmr(junction(load_technology("stt-mram"))))
    square = before / (2 + before) * ((1 - 2e-5 * 358**1.5) / (1 - 2e-5 * 300**1.5)) ** 2
    assert float(tmr(junction(stt))) == pytest.approx(2 * square / (1 - square))


@pytest.mark.parametrize("name", NAMES)
def test_heat_takes_magnetisation_barrier_and_resistance_of_a_1(name: str) -> None:
    technology = load_technology(name)
    hotter = [at(technology, kelvin) for kelvin in (250, 300, 358, 400)]
    for cold, hot in pairwise(hotter):
        assert free_layer(hot).saturation_magnetisation < free_layer(cold).saturation_magnetisation
        assert free_layer(hot).barrier_j < free_layer(cold).barrier_j
        for over in (0.0, 0.3):
            assert resistance(junction(hot), True, over) < resistance(junction(cold), True, over)
            assert resistance(junction(hot), False, over) == resistance(junction(cold), False, over)
        for decision in decisions():
            assert margin(hot, decision).margin_v < margin(cold, decision).margin_v


def test_what_is_given_as_resistance_and_tmr_falls_too() -> None:
    """Over the same share as the fit, whatever the voltage makes of it."""
    sot = load_technology("sot-mram")
    given = float(tmr(junction(sot)))
    assert tmr_share(at(sot, 400), given) < tmr_share(at(sot, 350), given) < 1
    assert tmr_share(at(sot, 400), 0.0) == 1


@pytest.mark.parametrize("kelvin", [249, 401])
def test_refuses_other_temperatures(kelvin: float) -> None:
    text = rf"^process.temperature: value = {kelvin}: must be from 250 to 400 K$"
    with pytest.raises(SpinplaneError, match=text):
        at(load_technology("sot-mram"), kelvin)
