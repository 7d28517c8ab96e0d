"""Rates of transient faults: what a technology says, and which way they go."""

import pytest

from spinplane.device import load_technology, transient_faults
from spinplane.device.retention import retention_s, sense_disturb
from spinplane.device.sensing import decisions, margin
from spinplane.device.transient import disturb_rates
from spinplane.machine import SpinplaneError


def test_a_sense_endangers_the_state_that_it_acts_against() -> None:
    """A cell beside an anti-parallel one takes more of the current, and a read all of it."""
    for name in ("sot-mram", "stt-mram"):
        read, both, either = (disturb_rates(load_technology(name))[at : at + 4] for at in (0, 4, 8))
        for rates in (read, both, either):
            assert rates[2:] == (0.0, 0.0)
        assert read[0] == read[1] > both[1] > both[0] > 0
        assert either[1] > either[0] > 0


def test_an_and_disturbs_as_often_as_its_cells_say() -> None:
    """Beside an anti-parallel cell, the parallel one alone is in danger."""
    for name in ("sot-mram", "stt-mram"):
        technology = load_technology(name)
        both = decisions()[1]
        assert disturb_rates(technology)[5] == pytest.approx(sense_disturb(technology, both, 1), rel=1e-3)
        assert 2 * disturb_rates(technology)[4] == pytest.approx(sense_disturb(technology, both, 0), rel=1e-3)


def test_a_cell_decays_as_often_as_its_retention_says() -> None:
    sot = load_technology("sot-mram")
    faults = transient_faults(sot, 3, write_error=1e-3)
    assert (faults.seed, faults.write) == (3, (1e-3, 1e-3))
    assert faults.decay == pytest.approx(margin(sot, decisions()[1]).time_s / retention_s(sot))


def test_rates_can_be_given() -> None:
    sot = load_technology("sot-mram")
    given, own = transient_faults(sot, write_error=0.0, disturb=1e-6, decay=1e-9), disturb_rates(sot)
    assert given.disturb[5] == pytest.approx(1e-6)
    assert [rate / 1e-6 for rate in given.disturb] == pytest.approx([rate / own[5] for rate in own])
    assert given.decay == 1e-9
    assert max(transient_faults(sot, write_error=0.0, disturb=1.0).disturb) == 1.0
    with pytest.raises(SpinplaneError, match="transient faults: decay = 2"):
        transient_faults(sot, write_error=0.0, decay=2.0)


def test_write_error_rates_are_those_of_the_ensemble() -> None:
    assert transient_faults(load_technology("sot-mram")).write == pytest.approx((6e-8, 6e-8), rel=0.3)
