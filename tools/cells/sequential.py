"""Characterises flip-flops, latches and clock gates: each walks through the states that its clock and data bring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from .grid import GRID, LOADS_FF, MIDDLE, SLEWS_PS, table
from .simulation import (
    FEMTO,
    HALF,
    HIGH,
    LOW,
    NANO,
    PICO,
    RAMP,
    STEPS,
    VOLTS,
    Point,
    charge,
    crossing,
    current,
    simulate,
)
from .transistors import transistors

_EDGES = {"+": "rise", "-": "fall"}
_FIRST = 50 * PICO
#: After which nodes between transistors that are off have settled.
_REST = 50 * NANO
#: The first state; events that only make it known; and those that are measured. In each word the clock C or the data D
#: rises or falls, and so does the output if it follows.
_WALKS = {
    "ff": ({"C": 0, "D": 0}, "C+ C-", "D+ C+Q+ C- C+ C- D- C+Q- C- C+ C-"),
    "latch": ({"C": 1, "D": 0}, "", "D+Q+ D-Q- C- D+ C+Q+ C- C+ C- D- C+Q- C- C+"),
    "clock_gate": ({"C": 0, "D": 1}, "", "C+Q+ C-Q- D- C+ C- D+"),
}


@dataclass(frozen=True, kw_only=True)
class Storage:
    """A cell that stores a bit: its kind, its pins by what they are (C, D, Q), its netlist and its units of drive."""

    kind: str
    pins: Mapping[str, str]
    netlist: Sequence[str]
    drive: float


@dataclass(frozen=True, kw_only=True)
class Event:
    """What an event of the walk brings at one point, in ps, fJ, fF and nW; a delay where the output follows."""

    delay: float
    slew: float
    energy: float
    capacitance: float
    leakage: float


def walk(
    cell: Storage, points: Sequence[tuple[int, int]] = GRID, *, leakage_nw: float, rest: float = 200 * PICO
) -> list[dict[str, list[Event]]]:
    """Events at points of the grid, by their words; after each the cell rests.

    Energies have no load's C·V² and no leakage.
    """
    state, settling, measured = _WALKS[cell.kind]
    first = len(settling.split())
    events = [*settling.split(), *measured.split()]
    circuit = [element.line(number) for number, element in enumerate(transistors(cell.netlist))]
    for pin in "CD":
        changes = [f"0 {VOLTS * state[pin]}"]
        for number, word in enumerate(events):
            if word[0] == pin:
                high = word[1] == "+"
                changes.append(f"{{{_FIRST}+{number}*wide}} {VOLTS * (not high)}")
                changes.append(f"{{{_FIRST}+{number}*wide+ramp}} {VOLTS * high}")
        circuit.append(f"V{pin} {cell.pins[pin]} 0 PWL({' '.join(changes)})")
    output = cell.pins["Q"]
    circuit.append(f"Cload {output} 0 {{load}}")
    runs = []
    for s, c in points:
        ramp, load = SLEWS_PS[s] * PICO * RAMP, LOADS_FF[c] * cell.drive * FEMTO
        wide = ramp + rest + load / cell.drive * 8000
        measures = {}
        for number, word in enumerate(events):
            begin = _FIRST + number * wide
            measures |= {
                f"supply{number}": charge("Vdd", begin, begin + wide),
                f"pin{number}": charge(f"V{word[0]}", begin, begin + wide),
                f"after{number}": current("Vdd", begin + wide - PICO),
            }
            if word[2:]:
                edge = _EDGES[word[3]]
                near, far = (LOW, HIGH) if edge == "rise" else (HIGH, LOW)
                measures |= {
                    f"in{number}": crossing(cell.pins[word[0]], HALF, _EDGES[word[1]], begin),
                    f"out{number}": crossing(output, HALF, edge, begin),
                    f"begin{number}": crossing(output, near, edge, begin),
                    f"end{number}": crossing(output, far, edge, begin),
                }
        parameters = {"ramp": ramp, "wide": wide, "load": load}
        end = _FIRST + len(events) * wide
        runs.append(Point(parameters=parameters, end=end, step=wide / STEPS, measures=measures))
    results = []
    for run, values in zip(runs, simulate(circuit, runs), strict=True):
        found: dict[str, list[Event]] = {}
        for number, word in enumerate(events[first:], first):
            found.setdefault(word, []).append(_event(word, number, run.parameters, values, leakage_nw))
        results.append(found)
    return results


def leakage(cell: Storage) -> float:
    """Leakage in nW, the mean after all events of a walk with long rests."""
    (found,) = walk(cell, [(0, 0)], leakage_nw=0, rest=_REST)
    return fmean(event.leakage for events in found.values() for event in events)


def _event(
    word: str, number: int, parameters: Mapping[str, float], values: Mapping[str, float], leakage_nw: float
) -> Event:
    energy = -VOLTS * values[f"supply{number}"] - leakage_nw * NANO * parameters["wide"]
    if word.endswith("Q+"):
        energy -= parameters["load"] * VOLTS**2
    follows = bool(word[2:])
    return Event(
        delay=(values[f"out{number}"] - values[f"in{number}"]) / PICO if follows else 0,
        slew=(values[f"end{number}"] - values[f"begin{number}"]) / PICO if follows else 0,
        energy=energy / FEMTO,
        capacitance=abs(values[f"pin{number}"]) / VOLTS / FEMTO,
        leakage=-VOLTS * values[f"after{number}"] / NANO,
    )


def characterize(cell: Storage) -> dict[str, object]:
    """Figures of a cell as ``cells45-timing.toml`` has them, without constraints.

    Energies of the output are what it adds to those of the pin that it follows, which has them at each of its edges.
    """
    leakage_nw = leakage(cell)
    found = walk(cell, leakage_nw=leakage_nw)
    at_least = [found[GRID.index((s, 0))] for s in range(len(SLEWS_PS))]
    hidden = {
        word: [fmean(event.energy for event in events[word]) for events in at_least]
        for word in found[0]
        if not word[2:]
    }
    arcs: dict[str, object] = {}
    for pin in "DC":
        words = {word[3]: word for word in found[0] if word[0] == pin and word[2:]}
        if not words:
            continue
        edges = {word[1] for word in words.values()}
        arc: dict[str, object] = {"sense": "rising_edge" if edges == {"+"} else "positive_unate"}
        for sign, name in (("+", "rise"), ("-", "fall")):
            word = words[sign]
            events = [of[word][0] for of in found]
            added = [event.energy - hidden[word[:2]][s] for event, (s, _) in zip(events, GRID, strict=True)]
            arc[f"delay_{name}_ps"] = table([event.delay for event in events])
            arc[f"slew_{name}_ps"] = table([event.slew for event in events])
            arc[f"energy_{name}_fj"] = table(added)
        arcs[cell.pins[pin]] = arc
    middle = found[GRID.index(MIDDLE)]
    return {
        "leakage_nw": leakage_nw,
        "capacitance_ff": {
            cell.pins[pin]: fmean(
                event.capacitance for word, events in middle.items() for event in events if word[0] == pin
            )
            for pin in "CD"
        },
        "arcs": {cell.pins["Q"]: arcs},
        "pins": {
            cell.pins[pin]: {"energy_rise_fj": hidden[f"{pin}+"], "energy_fall_fj": hidden[f"{pin}-"]}
            for pin in "CD"
        },
    }
