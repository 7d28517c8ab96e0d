"""Confidence bounds and tails."""

import numpy as np
import pytest
from scipy.stats import binom

from spinplane.device.statistics import Moments, clopper_pearson, counted, normal_tail, student


@pytest.mark.parametrize(
    ("failures", "trials", "low", "high"),
    # Clopper and Pearson, Biometrika 26, 404 (1934): the classic table's values, and the rule of three.
    [(0, 10, 0.0, 0.3085), (1, 10, 0.0025, 0.4450), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0)],
)
def test_known_intervals(failures: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(failures, trials) == pytest.approx((low, high), abs=1e-4)


def test_it_is_exact() -> None:
    low, high = clopper_pearson(7, 200)
    assert binom.sf(6, 200, low) == pytest.approx(0.025)
    assert binom.cdf(7, 200, high) == pytest.approx(0.025)


def test_student_s_interval_of_a_mean() -> None:
    # t of 95 % with 9 degrees of freedom is 2.262.
    values = np.arange(10.0)
    reach = 2.262 * np.std(values, ddof=1) / np.sqrt(10)
    assert student(values) == pytest.approx((4.5 - reach, 4.5 + reach), rel=1e-4)
    assert student(np.array([3.0, 3.0])) == (3.0, 3.0)
    assert student(np.array([3.0])) == (-np.inf, np.inf)


def test_the_tail_stands_in_where_nothing_failed() -> None:
    assert counted(0, 1000, 1e-9).rate == 1e-9
    assert counted(5, 1000, 1e-9).rate == 0.005
    assert counted(0, 1000, 1e-9).high == pytest.approx(3.7e-3, rel=0.01)


def test_normal_tail() -> None:
    margins = np.random.default_rng(1).normal(4.0, 1.0, 200_000)
    assert normal_tail(Moments.of(margins)) == pytest.approx(3.167e-5, rel=0.1)
    assert normal_tail(Moments.of(np.ones(5))) == 0.0
    assert normal_tail(Moments.of(-np.ones(5))) == 1.0


def test_moments_of_parts_are_those_of_the_whole() -> None:
    values = np.random.default_rng(2).normal(3e-3, 2e-4, 1001)
    parts = [Moments.of(values[begin:end]) for begin, end in ((0, 1), (1, 400), (400, 1001))]
    whole, added = Moments.of(values), parts[0] + parts[1] + parts[2]
    assert added.count == whole.count
    assert (added.mean, added.deviation) == pytest.approx((whole.mean, whole.deviation), rel=1e-12)
