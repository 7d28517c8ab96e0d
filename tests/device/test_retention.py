"""Retention and read disturb."""

from dataclasses import replace

import numpy as np
import pytest

from spinplane.device import load_technology
from spinplane.device.free_layer import critical_current_density, free_layer, spin_transfer
from spinplane.device.mtj import junction_area
from spinplane.device.retention import disturb_current, read_disturb, retention_s, retention_years
from spinplane.machine import SpinplaneError


def test_retention_of_the_published_barrier() -> None:
    stt = load_technology("stt-mram")
    assert retention_s(stt) == pytest.approx(1e-9 * np.exp(56), rel=1e-2)
    assert retention_years(stt) == pytest.approx(1e-9 * np.exp(56) / 31_536_000, rel=1e-2)
    assert retention_s(stt.with_values({"process.temperature": 350})) < retention_s(stt) / 100


def test_the_read_current_endangers_the_parallel_state() -> None:
    """It enters at the pinned layer in both technologies; entering at the free layer it is the other state."""
    for name in ("sot-mram", "stt-mram"):
        technology = load_technology(name)
        layer, torque = free_layer(technology), spin_transfer(technology)
        currents = [
            critical_current_density(layer, torque, from_parallel=p) * junction_area(technology)
            for p in (True, False)
        ]
        assert disturb_current(technology) == pytest.approx(currents[0])
        turned = tuple(
            replace(element, between=element.between[::-1]) if element.kind == "mtj" else element
            for element in technology.elements
        )
        assert disturb_current(replace(technology, elements=turned)) == pytest.approx(currents[1])


def test_disturb_without_current_is_retention() -> None:
    stt = load_technology("stt-mram").with_values({"read.current": 0.001})
    seconds = 1e6
    assert read_disturb(stt, seconds) == pytest.approx(seconds / retention_s(stt), rel=0.02)


def test_disturb_by_hand() -> None:
    stt = load_technology("stt-mram")
    barrier = free_layer(stt).stability(300) * (1 - 10e-6 / disturb_current(stt)) ** 2
    assert read_disturb(stt, 1e-9) == pytest.approx(np.exp(-barrier), rel=1e-6)


def test_disturb_grows_with_current_and_time_to_certainty() -> None:
    stt = load_technology("stt-mram")
    rates = [read_disturb(stt.with_values({"read.current": i}), 1e-9) for i in (5, 10, 15, 20)]
    assert rates == sorted(rates)
    assert rates[0] < 1e-12
    assert read_disturb(stt.with_values({"read.current": 30}), 1e-6) == pytest.approx(1)
    assert read_disturb(stt, 0.0) == 0
    assert read_disturb(load_technology("sot-mram"), 1e-9) < read_disturb(stt, 1e-9)


def test_refuses_a_negative_time() -> None:
    with pytest.raises(SpinplaneError, match=r"^read time = -1.0 s: must be at least 0$"):
        read_disturb(load_technology("stt-mram"), -1.0)
