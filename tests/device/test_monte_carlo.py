"""The Monte Carlo run: distributions by hand, rates by theory."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from spinplane.device import load_technology, monte_carlo
from spinplane.device.monte_carlo import Block, count_block
from spinplane.device.sensing import level
from spinplane.device.technology import Technology
from spinplane.machine import SpinplaneError

QUIET = {
    "variation.resistance_area": 0,
    "variation.tmr": 0,
    "sense_amplifier.offset_sigma": 0,
    "bit_line.resistance_per_cell": 0,
}


@pytest.fixture
def sot() -> Technology:
    return load_technology("sot-mram")


def test_every_content_is_sensed(sot: Technology) -> None:
    run = monte_carlo(sot)
    assert all(voltages.shape == (100_000,) for voltages in run.voltages.values())
    assert set(run.voltages) == {(1, 0), (1, 1), (2, 0), (2, 1), (2, 2)}


def test_without_variation_every_trial_is_nominal(sot: Technology) -> None:
    quiet = sot.with_values(QUIET)
    run = monte_carlo(quiet, trials=10)
    for (cells, ones), voltages in run.voltages.items():
        assert voltages == pytest.approx(level(quiet, cells, ones))
    assert all(rate.rate == 0 for errors in run.errors.values() for rate in errors.levels)


def test_spread_of_one_parallel_cell_is_that_of_its_resistance(sot: Technology) -> None:
    run = monte_carlo(sot.with_values(QUIET | {"variation.resistance_area": 5}), seed=1)
    junction_voltage = run.voltages[1, 0] - 30e-6 * (1000 + 2000 / 9)
    # The parallel state hardly depends on its voltage: 5 % of resistance are 5 % of voltage.
    assert np.std(junction_voltage) / np.mean(junction_voltage) == pytest.approx(0.05, rel=0.02)


def test_offsets_alone_fail_as_a_normal_distribution(sot: Technology) -> None:
    noisy = sot.with_values(QUIET | {"sense_amplifier.offset_sigma": 20})
    run = monte_carlo(noisy, seed=2)
    for operation, low, high in (("and", 1, 2), ("or", 0, 1)):
        distance = (level(noisy, 2, high) - level(noisy, 2, low)) / 2
        expected = norm.sf(distance / 20e-3)
        for ones in (low, high):
            rate = run.errors[operation].levels[ones]
            assert rate.low <= expected <= rate.high
            assert rate.tail == pytest.approx(expected, rel=0.05)


def test_the_tail_stands_in_for_what_no_trial_shows(sot: Technology) -> None:
    rate = monte_carlo(sot, trials=1000).errors["read"].levels[0]
    assert rate.failures == 0
    assert 0 < rate.rate == rate.tail < rate.high
    assert rate.high == pytest.approx(3.68e-3, rel=0.01)


@pytest.mark.parametrize(
    ("values", "worse"),
    [
        ({"variation.tmr": 15}, True),
        ({"variation.resistance_area": 8}, True),
        ({"sense_amplifier.offset_sigma": 6}, True),
        ({"bit_line.resistance_per_cell": 1}, True),
        ({"read.current": 40}, False),
    ],
)
def test_error_rates_move_the_right_way(values: dict[str, float], worse: bool, sot: Technology) -> None:
    nominal, changed = (
        monte_carlo(technology, seed=3).errors for technology in (sot, sot.with_values(values))
    )
    for operation in ("and", "or"):
        assert (changed[operation].worst.rate > nominal[operation].worst.rate) == worse


def test_more_cells_fail_more_often(sot: Technology) -> None:
    runs = [monte_carlo(sot, fan_in=fan_in, seed=4).errors for fan_in in (2, 3, 4)]
    for operation in ("and", "or"):
        rates = [run[operation].worst for run in runs]
        assert rates[0].high < rates[1].low
        assert rates[1].high < rates[2].low


def test_the_same_seed_gives_the_same_trials(sot: Technology) -> None:
    runs = [monte_carlo(sot, trials=100, seed=seed).voltages[2, 1] for seed in (5, 5, 6)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_blocks_count_as_one_run(sot: Technology, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block draws other trials; a rate is that of all, its tail that of their mean and deviation."""
    monkeypatch.setattr(import_module("spinplane.device.monte_carlo"), "BLOCK", 4000)
    asked: list[int] = []

    def share(function: Any, blocks: Any) -> Any:
        asked.extend(block.trials for block in blocks)
        return map(function, blocks)

    whole = monte_carlo(sot, trials=10_001, seed=7, share=share)
    assert asked == [4000, 2001]
    first = monte_carlo(sot, trials=4000, seed=7)
    assert all(np.array_equal(whole.voltages[key], first.voltages[key]) for key in first.voltages)
    blocks = [
        Block(technology=sot, fan_in=2, seed=7, reference="midpoint", number=n, trials=t)
        for n, t in enumerate((4000, 4000, 2001))
    ]
    found = [count_block(block) for block in blocks]
    assert found[0]["margins"] != found[1]["margins"]
    for operation, errors in whole.errors.items():
        for ones, rate in enumerate(errors.levels):
            assert rate.trials == 10_001
            assert rate.failures == sum(one["wrong"][operation][ones] for one in found)
            assert rate.tail == pytest.approx(first.errors[operation].levels[ones].tail, rel=0.5)


@pytest.mark.parametrize("trials", [1, 2.0, True])
def test_refuses_other_numbers_of_trials(trials: Any, sot: Technology) -> None:
    with pytest.raises(SpinplaneError, match=rf"^trials = {trials!r}: must be a whole number of at least 2$"):
        monte_carlo(sot, trials=trials)
