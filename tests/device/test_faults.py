"""Fault maps drawn from a technology's variations."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from spinplane.device import decisions, draw_fault_map, load_technology
from spinplane.device.faults import drifted_thresholds, weak_cell_rates
from spinplane.device.sensing import level, reference_voltage
from spinplane.device.technology import Technology
from spinplane.device.write import needed_current
from spinplane.machine import FaultMap, SpinplaneError, load_machine

MACHINE = load_machine("paper8")


@pytest.fixture
def sot() -> Technology:
    return load_technology("sot-mram")


def test_without_variation_there_are_no_faults(sot: Technology) -> None:
    drawn = draw_fault_map(MACHINE, sot, 1, offset_sigma=0.0, weak_cells=0.0, sigma_ra=0.0, sigma_tmr=0.0)
    none = FaultMap.none(MACHINE)
    assert replace(drawn, seed=none.seed, origin=none.origin) == none


def test_the_same_seed_draws_the_same_map(sot: Technology) -> None:
    maps = [draw_fault_map(MACHINE, sot, seed, offset_sigma=0.02, weak_cells=1e-4) for seed in (1, 1, 2)]
    assert maps[0] == maps[1]
    assert not np.array_equal(maps[0].and_thresholds, maps[2].and_thresholds)
    assert not np.array_equal(maps[0].stuck, maps[2].stuck)
    assert maps[0].origin == (
        "sot-mram on paper8: offset sigma 20 mV, cells stuck at 0 and 1 with rates 5e-05 and 5e-05, "
        "sigma of RA 0.05 and of TMR 0.1"
    )


def test_thresholds_follow_the_levels(sot: Technology) -> None:
    for decision in decisions():
        reference = reference_voltage(sot, decision)
        between = [level(sot, decision.cells, ones) for ones in range(decision.cells + 1)]
        middles = [between[0] - 0.01, *np.convolve(between, [0.5, 0.5], "valid"), between[-1] + 0.01]
        offsets = np.array(middles) - reference
        assert drifted_thresholds(sot, decision, offsets).tolist() == list(range(decision.cells + 2))
        assert drifted_thresholds(sot, decision, np.zeros(1)) == decision.threshold


def test_shares_of_drifted_columns_are_those_of_the_offset(sot: Technology) -> None:
    sigma = 0.02
    drawn = draw_fault_map(
        load_machine("paper"), sot, 3, offset_sigma=sigma, weak_cells=0.0, sigma_ra=0.0, sigma_tmr=0.0
    )
    for decision in decisions()[1:]:
        reference = reference_voltage(sot, decision)
        above, below = (
            level(sot, 2, decision.threshold) - reference,
            reference - level(sot, 2, decision.threshold - 1),
        )
        expected = norm.sf(above / sigma) + norm.sf(below / sigma)
        share = drawn.faulty_columns[decision.operation] / (32 * 256)
        assert share == pytest.approx(expected, abs=4 * np.sqrt(expected / (32 * 256)))
    assert drawn.faulty_columns["or"] > drawn.faulty_columns["and"] > drawn.faulty_columns["read"]


def test_weak_cells_are_stuck_at_either_value(sot: Technology) -> None:
    drawn = draw_fault_map(MACHINE, sot, 4, offset_sigma=0.0, weak_cells=1e-2)
    cells = 8 * 512 * 256
    assert len(drawn.stuck) == pytest.approx(cells * 1e-2, rel=0.05)
    assert drawn.stuck[:, 3].mean() == pytest.approx(0.5, abs=0.03)


def test_weak_cells_are_those_that_need_more_than_the_write_current(sot: Technology) -> None:
    assert max(weak_cell_rates(sot)) < 1e-9
    needed = needed_current(sot, 1)
    tight = sot.with_values({"write.current_1": needed * 1e6 * 1.05})
    rates = weak_cell_rates(tight)
    assert rates[0] == pytest.approx(norm.sf(1), rel=0.03)
    assert rates[1] < 1e-9
    drawn = draw_fault_map(load_machine("tiny"), tight, 5, offset_sigma=0.0)
    assert len(drawn.stuck) == pytest.approx(2 * 64 * 64 * norm.sf(1), rel=0.1)
    assert not drawn.stuck[:, 3].any()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"offset_sigma": -1.0}, r"^offset sigma = -1.0 V: must be at least 0$"),
        ({"sigma_ra": -0.05}, r"^sigma of RA = -0.05: must be at least 0 and below 1$"),
        ({"sigma_tmr": 1.0}, r"^sigma of TMR = 1.0: must be at least 0 and below 1$"),
        (
            {"weak_cells": (0.6, 0.5)},
            r"^share of weak cells = \(0.6, 0.5\): must be from 0 to 1$",
        ),
        ({"weak_cells": 1.5}, r"^share of weak cells = 1.5: must be from 0 to 1$"),
    ],
)
def test_refuses_other_values(values: dict[str, float], text: str, sot: Technology) -> None:
    with pytest.raises(SpinplaneError, match=text):
        draw_fault_map(MACHINE, sot, 1, **values)
