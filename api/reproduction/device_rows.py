"""Rows of the device: resistance, write current, levels of the bit line, standby."""

from collections.abc import Iterator

from spinplane.device.mtj import junction, tmr, voltage_at
from spinplane.device.write import needed_current
from spinplane.evaluation import Interval

from .evidence import TRIALS, Evidence, Level
from .printed import printed
from .row import FAILS, HOLDS, UNJUDGED, Row, at_least, quotient


def device_rows(evidence: Evidence) -> Iterator[Row]:
    """Rows of the cell and of Fig. 4b."""
    yield from _resistance(evidence)
    yield from _write(evidence)
    yield from _fan_in(evidence)
    yield from _standby(evidence)
    for operation, cells in (("read", 1), ("and", 2), ("or", 2)):
        yield from _level(evidence.levels[operation, cells])


def _resistance(evidence: Evidence) -> Iterator[Row]:
    item, mtj = printed("device.tmr"), junction(evidence.technology)
    read = voltage_at(mtj, False, evidence.technology["read.current"])
    for of, what, voltage in (("zero", "at 0 V", 0.0), ("read", f"at the {read:.3f} V of a read", read)):
        yield item.row(
            Interval.exact(100 * float(tmr(mtj, voltage))),
            "junction of the technology",
            of=of,
            what=what,
            why="the paper does not say at which voltage",
        )


def _write(evidence: Evidence) -> Iterator[Row]:
    item = printed("device.write-current")
    needed = max(needed_current(evidence.technology, bit) for bit in (0, 1)) * 1e6
    yield item.row(
        Interval.exact(needed),
        "least current that switches the cell from its thermal angle within the technology's pulse, at 0 K",
        why="the claim is that the paper's current writes, so ours has to be smaller; pulse and sizes are assumed",
        verdict=HOLDS if needed <= item.number else FAILS,
    )


def _fan_in(evidence: Evidence) -> Iterator[Row]:
    item = printed("device.fan-in")
    for operation in ("and", "or"):
        two, three = (evidence.levels[operation, cells] for cells in (2, 3))
        more = quotient(_rate(three), _rate(two))
        yield item.row(
            more,
            f"wrong decisions of {operation.upper()} of three cells ÷ of two, {TRIALS:,} trials, worst content",
            of=operation,
            what=operation.upper(),
            why=f"the margin is {_margin(two)} with two and {_margin(three)} with three; how often is too often is not "
            "said, that three are worse is what can be judged",
            verdict=at_least(more, 1),
        )


def _standby(evidence: Evidence) -> Iterator[Row]:
    item, cost = printed("device.standby"), evidence.cost("svhn")
    leakage = next(one.energy for one in cost.categories if one.category == "leakage")
    power = leakage.scaled(1e3 / cost.latency_s)
    yield item.row(
        Interval.without("model of it"),
        "cells without a voltage",
        of="cells",
        what="of the cells",
        why="that a cell between two lines at 0 V takes nothing is assumed, not computed",
        verdict=UNJUDGED,
    )
    yield item.row(
        power,
        f"banks, logic, and what stands around the cells of {evidence.machine.name}",
        of="chip",
        what="of the chip",
        why="static cells and transistors leak all the time",
        verdict=FAILS if power.low else HOLDS,
    )


def _level(level: Level) -> Iterator[Row]:
    name = level.operation.upper() if level.cells > 1 else "read"
    yield printed("fig4b.margin").row(
        Interval.without("margin") if level.margin_v is None else Interval.exact(1e3 * level.margin_v),
        "nominal cells at the worse end of the bit line, reference midway",
        of=level.operation,
        what=name,
    )
    yield printed("fig4b.error").row(
        _rate(level),
        f"Monte Carlo, {TRIALS:,} trials, 95 % interval; without a failure the tail of a normal distribution",
        of=level.operation,
        what=name,
    )


def _rate(level: Level) -> Interval:
    return Interval(value=level.error.rate, low=level.error.low, high=level.error.high)


def _margin(level: Level) -> str:
    return "none" if level.margin_v is None else f"{1e3 * level.margin_v:.1f} mV"
