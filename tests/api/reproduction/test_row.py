"""Quotients and verdicts of intervals."""

import pytest

from spinplane.evaluation import Interval
from spinplane.reproduction.row import (
    FAILS,
    HOLDS,
    UNJUDGED,
    Row,
    at_least,
    largest,
    quotient,
)

BETWEEN = Interval(value=3.0, low=2.0, high=5.0)


def test_a_quotient_has_the_bounds_of_both() -> None:
    assert quotient(BETWEEN, Interval(value=2.0, low=1.0, high=4.0)) == Interval(value=1.5, low=0.5, high=5.0)
    assert quotient(BETWEEN, Interval(value=2.0, low=0.0, high=4.0)) == Interval(
        value=1.5, low=0.5, high=None
    )
    assert quotient(BETWEEN, Interval.without("write.pulse")).missing == "write.pulse"
    assert quotient(Interval.without("write.pulse"), BETWEEN).missing == "write.pulse"


@pytest.mark.parametrize(
    ("claim", "verdict"), [(1.9, HOLDS), (2.0, HOLDS), (2.1, UNJUDGED), (5.0, UNJUDGED), (5.1, FAILS)]
)
def test_at_least(claim: float, verdict: str) -> None:
    assert at_least(BETWEEN, claim) == verdict
    assert at_least(Interval.without("x"), claim) == UNJUDGED
    assert at_least(Interval(value=3.0, low=2.5, high=None), 9) == UNJUDGED


def test_the_largest_is_above_all_others_whatever_the_bounds() -> None:
    assert largest(Interval.exact(6), [BETWEEN, Interval.exact(1)]) == HOLDS
    assert largest(Interval.exact(4), [BETWEEN, Interval.exact(1)]) == UNJUDGED
    assert largest(Interval.exact(1), [BETWEEN, Interval.exact(1)]) == FAILS
    assert largest(Interval.exact(6), [Interval.without("x")]) == UNJUDGED


def test_a_ratio_needs_both() -> None:
    def row(paper: float | None, ours: float | None) -> Row:
        return Row(
            id="a", item="a", printed=None, paper=paper, ours=ours, low=None, high=None, unit="1", verdict=None,
            how="", why="",
        )  # fmt: skip

    assert row(2.0, 3.0).ratio == 1.5
    assert row(None, 3.0).ratio is None
    assert row(2.0, None).ratio is None
