"""Totals of events: the bounds of the sum as one function, and no total without a source."""

import numpy as np
import pytest

from spinplane.device import load_technology
from spinplane.evaluation.event_totals import EventTotals, Interval
from spinplane.evaluation.events import energy_sources, machine_events
from spinplane.evaluation.sources import Values
from spinplane.machine import load_machine

TINY, SOT = load_machine("tiny"), load_technology("sot-mram")
SOURCES = energy_sources(TINY, SOT, clock_hz=1e8)
FUNCTIONS = [event.function for event in machine_events(TINY, SOT, SOURCES) if event.sources is SOURCES]


@pytest.mark.parametrize("seed", range(4))
def test_a_total_has_the_bounds_of_the_sum_as_one_function(seed: int) -> None:
    rng = np.random.default_rng(seed)
    happens = rng.random(len(FUNCTIONS)) < 0.5
    counts = [int(count) for count in happens * rng.integers(1, 10**6, len(FUNCTIONS))]

    def whole(values: Values) -> float:
        return sum(
            count * function(values) for count, function in zip(counts, FUNCTIONS, strict=True) if count
        )

    total = EventTotals(SOURCES, FUNCTIONS).of(counts)
    figure = SOURCES.figure(whole, unit="J", source="all at once")
    assert total.value == pytest.approx(figure.value, rel=1e-12)
    assert total.low == pytest.approx(figure.low, rel=1e-9)
    assert total.high == pytest.approx(figure.high, rel=1e-9)


def test_a_parameter_has_one_value_in_all_events() -> None:
    # Their difference does not move with what both read: bounds of the parts, added up, would.
    totals = EventTotals(SOURCES, [FUNCTIONS[0], lambda values: 1e-9 - FUNCTIONS[0](values)])
    both = totals.of([1, 1])
    assert (both.low, both.high) == (pytest.approx(1e-9, rel=1e-12), pytest.approx(1e-9, rel=1e-12))


def test_a_total_is_null_if_an_event_that_happens_lacks_a_source() -> None:
    totals = EventTotals(SOURCES.without(["write.pulse"]), [event.function for event in _two()])
    assert totals.of([1, 0]).value is not None
    assert totals.of([1, 1]) == Interval(value=None, low=None, high=None, missing="write.pulse")
    assert totals.of([0, 0]) == Interval(value=0, low=0, high=0)


def _two():
    found = {event.name: event for event in machine_events(TINY, SOT, SOURCES)}
    return found["ands"], found["row_writes"]


def test_intervals_are_scaled_and_divided() -> None:
    interval, none = (
        Interval(value=2.0, low=1.0, high=4.0),
        Interval(value=None, low=None, high=None, missing="x"),
    )
    assert interval.scaled(2) == Interval(value=4.0, low=2.0, high=8.0)
    assert interval.under(8) == Interval(value=4.0, low=2.0, high=8.0)
    assert none.scaled(2) == none.under(2) == none
