"""What limits a clock, of paths that are given."""

from dataclasses import replace

import pytest

from spinplane.machine import load_machine
from spinplane.physical import ClockLimits, Timing, TimingPath

MACHINE = replace(load_machine("tiny"), sense_cycles=2, write_cycles=4)


def path(delay_ns: float) -> TimingPath:
    return TimingPath(delay_ns=delay_ns, start="a/Q", end="b/D")


def timing(logic: float, sense: float, write: float, banks: float) -> Timing:
    return Timing(
        between_registers=path(logic),
        with_ports=path(99),
        sense=path(sense),
        write=path(write),
        banks=path(banks),
    )


@pytest.mark.parametrize(
    ("delays", "limit", "period"),
    [
        ((3.0, 4.0, 8.0, 1.0), "logic", 3.0),
        ((1.0, 5.0, 8.0, 1.0), "sense", 2.5),
        ((1.0, 4.0, 9.0, 1.0), "write", 2.25),
        ((1.0, 4.0, 8.0, 6.0), "banks", 6.0),
    ],
)
def test_the_longest_share_of_a_cycle_decides(
    delays: tuple[float, float, float, float], limit: str, period: float
) -> None:
    limits = ClockLimits.of(MACHINE, "sot-mram", [timing(*delays)])
    assert (limits.limit, limits.period_ns) == (limit, period)
    assert limits.clock_hz == pytest.approx(1e9 / period)
    assert limits.senses_per_s == pytest.approx(1e9 / period / 2)
    assert limits.writes_per_s == pytest.approx(1e9 / period / 4)


def test_bounds_are_those_of_the_same_limit() -> None:
    limits = ClockLimits.of(MACHINE, "", [timing(1, 5, 8, 2), timing(1, 4, 8, 2), timing(1, 7, 9, 3)])
    found = {limit.name: (limit.low_ns, limit.path.delay_ns, limit.high_ns) for limit in limits.limits}
    assert found == {"logic": (1, 1, 1), "sense": (4, 5, 7), "write": (8, 8, 9), "banks": (2, 2, 3)}


def test_what_a_machine_does_not_have_limits_nothing() -> None:
    limits = ClockLimits.of(MACHINE, "", [replace(timing(1, 2, 3, 4), banks=None, between_registers=None)])
    assert [limit.name for limit in limits.limits] == ["logic", "sense", "write"]
    assert limits.limits[0].path == path(99)
