"""Characterises gates: each input switches, up and down, in each state of the others in which an output follows."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from statistics import fmean

from spinplane.physical.boolean import truth_table

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

_FIRST = 50 * PICO


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A gate: the functions of its outputs, its netlist and its units of drive."""

    outputs: Mapping[str, str]
    netlist: Sequence[str]
    drive: float
    inputs: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        words = {word for function in self.outputs.values() for word in function if word.isalpha()}
        object.__setattr__(self, "inputs", tuple(sorted(words)))

    def value(self, output: str, state: Mapping[str, int]) -> int:
        """An output's bit."""
        index = sum(state[pin] << bit for bit, pin in enumerate(self.inputs))
        return truth_table(self.outputs[output], self.inputs) >> index & 1


@dataclass(frozen=True, kw_only=True)
class Switching:
    """An input that switches in a state of the others, which outputs follow it, and the one that is loaded."""

    pin: str
    others: Mapping[str, int]
    follow: Mapping[str, bool]  # whether it rises as the input does
    loaded: str


@dataclass(frozen=True, kw_only=True)
class Edge:
    """What an edge of an input brings at one point, in ps, fJ and fF."""

    delay: float
    slew: float
    energy: float
    capacitance: float


def switchings(gate: Gate) -> list[Switching]:
    """All that switches an output."""
    found = []
    for pin in gate.inputs:
        others = [other for other in gate.inputs if other != pin]
        for bits in product((0, 1), repeat=len(others)):
            state = dict(zip(others, bits, strict=True))
            values = {
                output: [gate.value(output, {**state, pin: bit}) for bit in (0, 1)] for output in gate.outputs
            }
            follow = {output: low < high for output, (low, high) in values.items() if low != high}
            found += [Switching(pin=pin, others=state, follow=follow, loaded=output) for output in follow]
    return found


def edges(
    gate: Gate, switching: Switching, points: Sequence[tuple[int, int]] = GRID, *, leakage_nw: float
) -> list[tuple[Edge, Edge]]:
    """What the rising and the falling edge of an input bring, at points of the grid."""
    pin, output = switching.pin, switching.loaded
    circuit = [element.line(number) for number, element in enumerate(transistors(gate.netlist))]
    circuit += [f"V{other} {other} 0 {VOLTS * bit}" for other, bit in switching.others.items()]
    circuit += [f"V{pin} {pin} 0 PULSE(0 {VOLTS} {_FIRST} {{ramp}} {{ramp}} {{wide-ramp}} 1)"]
    circuit += [f"C{name} {name} 0 {{{'load' if name == output else 'least'}}}" for name in gate.outputs]
    loads = [LOADS_FF[c] * gate.drive * FEMTO for _, c in points]
    least = LOADS_FF[0] * gate.drive * FEMTO
    runs = []
    for (s, _), load in zip(points, loads, strict=True):
        ramp = SLEWS_PS[s] * PICO * RAMP
        wide = ramp + 150 * PICO + load / gate.drive * 8000
        measures = {}
        for edge, begin in enumerate((_FIRST, _FIRST + wide)):
            rises = switching.follow[output] != bool(edge)
            directions = ("rise", LOW, HIGH) if rises else ("fall", HIGH, LOW)
            measures |= {
                f"in{edge}": crossing(pin, HALF, "fall" if edge else "rise", begin),
                f"out{edge}": crossing(output, HALF, directions[0], begin),
                f"begin{edge}": crossing(output, directions[1], directions[0], begin),
                f"end{edge}": crossing(output, directions[2], directions[0], begin),
                f"supply{edge}": charge("Vdd", begin, begin + wide),
                f"pin{edge}": charge(f"V{pin}", begin, begin + wide),
            }
        parameters = {"ramp": ramp, "wide": wide, "load": load, "least": least}
        runs.append(Point(parameters=parameters, end=_FIRST + 2 * wide, step=wide / STEPS, measures=measures))
    found = simulate(circuit, runs)
    return [
        (_edge(switching, run, values, leakage_nw, 0), _edge(switching, run, values, leakage_nw, 1))
        for run, values in zip(runs, found, strict=True)
    ]


def _edge(
    switching: Switching, run: Point, values: Mapping[str, float], leakage_nw: float, edge: int
) -> Edge:
    energy = -VOLTS * values[f"supply{edge}"] - leakage_nw * NANO * run.parameters["wide"]
    for name, follows in switching.follow.items():
        if follows != bool(edge):
            load = run.parameters["load" if name == switching.loaded else "least"]
            energy -= load * VOLTS**2
    return Edge(
        delay=(values[f"out{edge}"] - values[f"in{edge}"]) / PICO,
        slew=(values[f"end{edge}"] - values[f"begin{edge}"]) / PICO,
        energy=energy / FEMTO,
        capacitance=abs(values[f"pin{edge}"]) / VOLTS / FEMTO,
    )


def leakage(gate: Gate) -> float:
    """Leakage in nW, the mean over all states of the inputs."""
    circuit = [element.line(number) for number, element in enumerate(transistors(gate.netlist))]
    circuit += [f"V{pin} {pin} 0 {{{VOLTS}*v{pin}}}" for pin in gate.inputs]
    measures = {"static": current("Vdd", 50 * PICO)}
    points = [
        Point(parameters={f"v{pin}": bit for pin, bit in zip(gate.inputs, bits, strict=True)},
              end=100 * PICO, step=PICO, measures=measures)
        for bits in product((0, 1), repeat=len(gate.inputs))
    ]  # fmt: skip
    return -VOLTS * fmean(values["static"] for values in simulate(circuit, points)) / NANO


def characterize(gate: Gate) -> dict[str, object]:
    """Figures of a gate as ``cells45-timing.toml`` has them.

    Delays and slews are the longest of all states. Energies are their mean, without the loads' C·V² and without what
    another output that follows the same input takes when it follows alone: of an adder's two outputs, the carry has
    what it adds to the sum's.
    """
    leakage_nw = leakage(gate)
    measured = [(case, edges(gate, case, leakage_nw=leakage_nw)) for case in switchings(gate)]
    alone = _energies_alone(measured)
    arcs: dict[str, dict[str, object]] = {}
    for output, pin in product(gate.outputs, gate.inputs):
        picked = [(case, found) for case, found in measured if (case.loaded, case.pin) == (output, pin)]
        if picked:
            arcs.setdefault(output, {})[pin] = _arc(picked, alone)
    capacitances = {
        pin: fmean(
            edge.capacitance
            for case, found in measured
            if case.pin == pin
            for edge in found[GRID.index(MIDDLE)]
        )
        for pin in gate.inputs
    }
    return {"leakage_nw": leakage_nw, "capacitance_ff": capacitances, "arcs": arcs}


_Measured = list[tuple[Switching, list[tuple[Edge, Edge]]]]
_Alone = dict[tuple[str, bool], list[float]]


def _energies_alone(measured: _Measured) -> _Alone:
    """By output, and whether it rises: energy where no other follows, for each slew, at the least load."""
    found: dict[tuple[str, bool], list[list[float]]] = defaultdict(list)
    for case, pairs in measured:
        if len(case.follow) == 1:
            for rises in (False, True):
                at_least = [pairs[GRID.index((s, 0))] for s in range(len(SLEWS_PS))]
                energies = [_of_output(case, pair, rises).energy for pair in at_least]
                found[case.loaded, rises].append(energies)
    return {key: [fmean(column) for column in zip(*rows, strict=True)] for key, rows in found.items()}


def _arc(picked: _Measured, alone: _Alone) -> dict[str, object]:
    senses = {case.follow[case.loaded] for case, _ in picked}
    arc: dict[str, object] = {
        "sense": "non_unate" if len(senses) == 2 else "positive_unate" if True in senses else "negative_unate"
    }
    without_company = [(case, pairs) for case, pairs in picked if len(case.follow) == 1] or picked
    for rises, name in ((True, "rise"), (False, "fall")):
        columns = list(
            zip(*([_of_output(case, pair, rises) for pair in pairs] for case, pairs in picked), strict=True)
        )
        own = (
            [
                _of_output(case, pair, rises).energy - _of_company(case, rises, s, alone)
                for pair, (s, _) in zip(pairs, GRID, strict=True)
            ]
            for case, pairs in without_company
        )
        arc[f"delay_{name}_ps"] = table([max(edge.delay for edge in edges) for edges in columns])
        arc[f"slew_{name}_ps"] = table([max(edge.slew for edge in edges) for edges in columns])
        arc[f"energy_{name}_fj"] = table([fmean(energies) for energies in zip(*own, strict=True)])
    return arc


def _of_output(case: Switching, pair: tuple[Edge, Edge], rises: bool) -> Edge:
    """The edge at which the loaded output rises, or falls."""
    return pair[0] if case.follow[case.loaded] == rises else pair[1]


def _of_company(case: Switching, rises: bool, slew: int, alone: _Alone) -> float:
    input_rises = rises == case.follow[case.loaded]
    company = ((name, follows == input_rises) for name, follows in case.follow.items() if name != case.loaded)
    return sum(alone[key][slew] for key in company)
