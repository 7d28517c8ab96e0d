"""Setups and holds: how near to the clock's edge data may change, found by bisection."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil

from .grid import CONSTRAINT_SLEWS_PS, LOADS_FF, MIDDLE
from .sequential import Storage
from .simulation import FEMTO, HALF, PICO, RAMP, STEPS, VOLTS, Point, crossing, simulate
from .transistors import transistors

#: Edge of the clock, and end, in s; the data changes at most so far from the edge, in ps.
_EDGE, _END = 1200 * PICO, 2000 * PICO
_FARTHEST = (-300, 400)
_ROUNDS = 10
#: A capture passes with an output that is so much later than without haste; what must stay, with so much of a glitch.
_LATER, _GLITCH = 1.1, 0.1 * VOLTS


@dataclass(frozen=True, kw_only=True)
class Check:
    """A setup or hold: the data's last level, the clock's levels from the start, and what the output has to do.

    `output` is the bit at which it has to be in the end; `since` the pin from which its delay counts, or empty if it
    has to stay.
    """

    rises: bool
    clock: str
    first: bool
    output: bool
    since: str


def checks(kind: str, setup: bool) -> list[Check]:
    """The two checks, of data that rises and of data that falls."""
    found = []
    for rises in (True, False):
        captured = rises == setup
        if kind == "ff":  # a pulse before stores the other bit
            check = Check(rises=rises, clock="pulse, rise", first=not captured, output=captured, since="C")
        elif kind == "latch":
            check = Check(
                rises=rises, clock="fall", first=not rises, output=captured, since="D" if setup else ""
            )
        else:
            since = "C" if captured else ""
            check = Check(rises=rises, clock="rise", first=not rises, output=captured, since=since)
        found.append(check)
    return found


def constraints(
    cell: Storage, setup: bool, slews: Sequence[tuple[float, float]] | None = None
) -> list[list[int]]:
    """Setups or holds in ps, rounded up: rows of data that rises and of data that falls.

    Parameters
    ----------
    cell : Storage
    setup : bool
        Setups; otherwise holds.
    slews : sequence of tuple of float, optional
        Of the clock and the data, in ps; all pairs of ``CONSTRAINT_SLEWS_PS`` if not given.

    Raises
    ------
    RuntimeError
        If the capture fails however early the data, or passes however late.
    """
    pairs = list(product(CONSTRAINT_SLEWS_PS, repeat=2)) if slews is None else list(slews)
    return [[ceil(ps) for ps in _search(cell, check, setup, pairs)] for check in checks(cell.kind, setup)]


def _search(cell: Storage, check: Check, setup: bool, pairs: Sequence[tuple[float, float]]) -> list[float]:
    passing = [float(_FARTHEST[1])] * len(pairs)
    failing = [float(_FARTHEST[0])] * len(pairs)
    unhurried = _delays(cell, check, setup, pairs, passing)
    if None in unhurried or any(
        _passes(delay, free)
        for delay, free in zip(_delays(cell, check, setup, pairs, failing), unhurried, strict=True)
    ):
        raise RuntimeError(f"{cell.kind}: no limit between {_FARTHEST[0]} and {_FARTHEST[1]} ps")
    for _ in range(_ROUNDS):
        middle = [(low + high) / 2 for low, high in zip(failing, passing, strict=True)]
        for number, delay in enumerate(_delays(cell, check, setup, pairs, middle)):
            (passing if _passes(delay, unhurried[number]) else failing)[number] = middle[number]
    return passing


def _passes(delay: float | None, unhurried: float | None) -> bool:
    return delay is not None and unhurried is not None and delay <= _LATER * unhurried


def _delays(
    cell: Storage, check: Check, setup: bool, pairs: Sequence[tuple[float, float]], distances: Sequence[float]
) -> list[float | None]:
    """Delay of the output in s for each pair of slews, 0 if it had to stay and does; None if it does something else."""
    circuit = [element.line(number) for number, element in enumerate(transistors(cell.netlist))]
    output = cell.pins["Q"]
    circuit += [f"Cload {output} 0 {LOADS_FF[MIDDLE[1]] * cell.drive * FEMTO:.6g}", *_sources(cell, check)]
    runs = []
    for (clock, data), distance in zip(pairs, distances, strict=True):
        changes = _EDGE + (-distance if setup else distance) * PICO
        parameters = {"clock": clock * PICO * RAMP, "data": data * PICO * RAMP, "changes": changes}
        since = {"C": _EDGE, "D": changes, "": _EDGE}[check.since]
        begin = min(_EDGE - parameters["clock"], changes - parameters["data"])
        measures = {
            "end": f"find v({output}) at={_END:.6g}",
            "least": f"min v({output}) from={begin:.6g} to={_END:.6g}",
            "most": f"max v({output}) from={begin:.6g} to={_END:.6g}",
            "out": crossing(output, HALF, "rise" if check.output else "fall", begin),
        }
        runs.append(
            (Point(parameters=parameters, end=_END, step=_END / (4 * STEPS), measures=measures), since)
        )
    found = []
    for (_, since), values in zip(runs, simulate(circuit, [run for run, _ in runs]), strict=True):
        stays = values["most"] < _GLITCH if not check.output else values["least"] > VOLTS - _GLITCH
        ends = (values["end"] > HALF) == check.output
        if not check.since:
            found.append(0.0 if stays else None)
        else:
            found.append(values["out"] - since if ends and "out" in values else None)
    return found


def _sources(cell: Storage, check: Check) -> list[str]:
    """The clock and the data; ramps have their middle at the edge and where the data changes."""
    low, high = f"{{{_EDGE}-clock/2}}", f"{{{_EDGE}+clock/2}}"
    bits = [0, VOLTS] if check.clock != "fall" else [VOLTS, 0]
    pulse = (
        f"100p 0 {{100p+clock}} {VOLTS} 500p {VOLTS} {{500p+clock}} 0 "
        if check.clock == "pulse, rise"
        else ""
    )
    clock = f"VC {cell.pins['C']} 0 PWL(0 {bits[0]} {pulse}{low} {bits[0]} {high} {bits[1]})"
    before, after = VOLTS * (not check.rises), VOLTS * check.rises
    first = f"0 {VOLTS * check.first} "
    if check.first == check.rises:  # what the pulse stores is what the data has in the end
        first += f"540p {VOLTS * check.first} 560p {before} "
    data = f"VD {cell.pins['D']} 0 PWL({first}{{changes-data/2}} {before} {{changes+data/2}} {after})"
    return [clock, data]
