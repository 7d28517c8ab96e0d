"""Operands that are fetched: bits by hand, energies of their memories; published figures with a source each."""

import pytest
from hand_counted_layers import layer

from spinplane.evaluation import Interval
from spinplane.evaluation.baselines import published_silicon, von_neumann, von_neumann_sources

PORTS = Interval(value=1e-9, low=1e-9, high=1e-9)


def test_bits_by_hand() -> None:
    works = [layer(w=2, i=4, out=3), layer(w=8, i=8, out=32)]
    found = von_neumann(works, 10**5, PORTS)
    macs = 16 * 200 * 10
    assert found.fetched_bits == macs * (2 + 4) + 160 * 3 + macs * 16 + 160 * 32
    assert found.reused_bits == 3200 * 2 + 4000 + 160 * 3 + 3200 * 8 + 8000 + 160 * 32
    assert found.reduction == pytest.approx(found.fetched_bits / 10**5)
    assert found.reduction_reused == pytest.approx(found.reused_bits / 10**5)
    assert found.energy_fetched.value == pytest.approx(found.fetched_bits * 1.56e-12)
    assert found.energy_reused_dram.high == pytest.approx(found.reused_bits * 40.6e-12)
    assert found.energy_ports == PORTS


@pytest.mark.parametrize("key", ["access.cache", "access.dram"])
def test_without_a_source_its_energies_are_null(key: str) -> None:
    found = von_neumann([layer()], 1, PORTS, sources=von_neumann_sources().without([key]))
    null = Interval(value=None, low=None, high=None, missing=key)
    lost = (found.energy_fetched, found.energy_reused)
    kept = (found.energy_fetched_dram, found.energy_reused_dram)
    if key == "access.dram":
        lost, kept = kept, lost
    assert lost == (null, null)
    assert all(one.value for one in kept)


def test_published_figures_have_what_they_are_of() -> None:
    figures = published_silicon()
    assert len(figures) >= 8
    assert len({(one.name, one.figure) for one in figures}) == len(figures)
    for one in figures:
        assert one.value > 0
        assert one.process_nm > 0
        assert all((one.what, one.unit, one.source))
