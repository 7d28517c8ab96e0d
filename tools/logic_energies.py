"""Writes ``evaluation/logic45.toml``: energies of the logic's events, measured on netlists of small machines.

    .venv/bin/python -m tools.logic_energies LIBERTY

The network is two layers of the shipped ``digits-1-1`` and a residual one of its kernels, on a part of an image of
MNIST. Values are those of the machine and the library that are given; bounds are those of both this library and
``spinplane45``, and of a machine of twice the sizes beside the rule that carries the values there.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spinplane.compiler.graph import Graph, InputCoding, Residual, unscaled_output
from spinplane.compiler.oracle import run_graph
from spinplane.evaluation.logic_energy import EVENTS, cells
from spinplane.evaluation.logic_measurement import SLEWS, LogicMeasurement, measure_logic
from spinplane.machine import Machine, load_machine
from spinplane.models import open_network
from spinplane.samples import sample_digit

TARGET = Path(__file__).parents[1] / "evaluation" / "logic45.toml"
#: Of a code of 1 beside a sum of products: that of a few of them.
_RESIDUAL_SCALE = 32
#: Of `SLEWS`, the usual one.
_MIDDLE = len(SLEWS) // 2
_GATES = ("settled", "glitches")
_UNITS = {"settled": "fJ", "glitches": "fJ", "settled_wires": "1", "glitch_wires": "1"}


def network(size: int = 6) -> tuple[Graph, np.ndarray]:
    """The two binary layers of ``digits-1-1``, a residual one, and codes for them, of the middle of a digit's maps.

    The residual layer adds what the first gives to sums of it with half of the second one's kernels.

    Parameters
    ----------
    size : int
        Height and width.
    """
    digits = open_network("digits-1-1", check=False).graph
    codes = run_graph(digits, digits.encode_input(sample_digit(3)[np.newaxis, np.newaxis]))[0][0]
    first = (codes.shape[1] - size) // 2
    middle = codes[:, first : first + size, first : first + size]
    first_layer, second = digits.layers[1:3]
    kernels = len(first_layer.weights)
    residual = replace(
        second,
        name="residual",
        weights=second.weights[:kernels],
        bias=second.bias[:kernels],
        pool=None,
        inputs=(0,),
        residual=Residual(source=0, scale=1, residual_scale=_RESIDUAL_SCALE),
        steps=None,
    )
    layers = (first_layer, second, residual)
    graph = Graph(
        name="digits-1-1, two layers and a residual one",
        input_shape=middle.shape,
        input_coding=InputCoding(low=0, high=1),
        layers=layers,
        outputs=(
            unscaled_output(1, (1, len(second.weights), size // 4, size // 4)),
            replace(unscaled_output(2, (1, kernels, size // 2, size // 2)), name="residual"),
        ),
    )
    return graph, middle


def doubled(machine: Machine) -> Machine:
    """A machine of twice the rows, columns and sub-arrays, and of all that follows from them."""
    return replace(
        machine,
        name=f"{machine.name}-doubled",
        **{size: 2 * getattr(machine, size) for size in ("rows", "columns", "sub_arrays", "segments")},
        **dict.fromkeys(("row_buses", "results_per_cycle", "multipliers", "bus_bits"), 0),
    )


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The network on a machine and on one of twice its sizes, with the cells of one library.

    Parameters
    ----------
    library : str
    machine, larger : Machine
    one, two : LogicMeasurement
        Of `machine`, and of `larger`.
    """

    library: str
    machine: Machine
    larger: Machine
    one: LogicMeasurement
    two: LogicMeasurement

    def coefficients(self) -> dict[str, dict[str, tuple[float, ...]]]:
        """By event and part, for each of `SLEWS`, what `machine` takes."""
        return self.one.parameters(self.machine)

    def ratios(self) -> dict[str, tuple[float, float]]:
        """By event what `larger` takes ÷ what follows for it from `machine`: without glitches and with all of them."""
        found = {}
        ones, twos = self.coefficients(), self.two.parameters(self.larger)
        for event in EVENTS:
            one, two = (
                {part: values[_MIDDLE] for part, values in both[event.name].items() if part in _GATES}
                for both in (ones, twos)
            )
            found[event.name] = two["settled"] / one["settled"], sum(two.values()) / sum(one.values())
        return found


def measure(machine: Machine, liberty: Path | None, *, simulator: str) -> Measured:
    """Run the network on a machine and on one of twice its sizes.

    Parameters
    ----------
    machine : Machine
    liberty, simulator
        As of `measure_logic`.
    """
    larger = doubled(machine)
    graph, codes = network()
    one, two = (
        measure_logic(of, graph, codes, liberty=liberty, simulator=simulator) for of in (machine, larger)
    )
    library = liberty.stem if liberty else "spinplane45"
    return Measured(library=library, machine=machine, larger=larger, one=one, two=two)


def text(measured: Measured, other: Measured) -> str:
    """The file: values of a measurement, and bounds of it and of one with another library's cells."""
    machine = measured.machine
    source = (
        f"{measured.library}, machine {machine.name}, {measured.one.cycles} cycles of {network()[0].name}; "
        f"bounds: and with {other.library}"
    )
    ratio = (
        f"the rule; bounds: what {measured.two.cycles} cycles on {machine.name} of twice its rows, columns and "
        f"sub-arrays take ÷ what follows from {machine.name}, with {measured.library} and {other.library}"
    )
    lines = [
        "# Written by tools/logic_energies.py: energies of the logic's events for one unit of their size, without",
        "# wires, changes of wires from an output to one input, and how far a machine of twice the sizes is from",
        "# what these say. docs/energy.md says how they are made.",
        "",
        "[measured]",
        _entry(
            "cells",
            cells(machine),
            "1",
            f"rows · columns · sub-arrays of {machine.name}, whose figures follow",
        ),
    ]
    others, ratios, other_ratios = other.coefficients(), measured.ratios(), other.ratios()
    for event, parts in measured.coefficients().items():
        lines += ["", f"[{event}]"]
        for part, values in parts.items():
            found = *values, *others[event][part]
            lines.append(_entry(part, values[_MIDDLE if len(values) > 1 else 0], _UNITS[part], source, found))
        lines.append(_entry("doubled", 1, "1", ratio, (*ratios[event], *other_ratios[event])))
    clock = f"{measured.library}: clock pin, both edges; bounds: and with {other.library}"
    of_clock = measured.one.clock_fj()
    lines += [
        "",
        "[flip_flop]",
        _entry("clock", of_clock[_MIDDLE], "fJ", clock, (*of_clock, *other.one.clock_fj())),
        "",
    ]
    return "\n".join(lines)


def _entry(name: str, value: float, unit: str, source: str, found: Sequence[float] = ()) -> str:
    """An entry, with bounds that hold its value and all that was found."""
    middle, *others = (float(f"{number:.5g}") for number in (value, *found))
    low, high = min([middle, *others]), max([middle, *others])
    bounds = f", bounds = [{low}, {high}]" if low < high else ""
    return f'{name} = {{ value = {middle}, unit = "{unit}", mark = "measured", source = "{source}"{bounds} }}'


def main() -> None:
    """Measure, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("liberty", type=Path)
    parser.add_argument("--machine", default="tiny")
    parser.add_argument("--simulator", default="verilator")
    arguments = parser.parse_args()
    machine = load_machine(arguments.machine)
    measured, other = (
        measure(machine, liberty, simulator=arguments.simulator) for liberty in (arguments.liberty, None)
    )
    TARGET.write_text(text(measured, other), encoding="utf-8")
    for event in EVENTS:
        print(event.name, measured.one.counts[event.per], measured.one.energies[_MIDDLE][event.name])


if __name__ == "__main__":
    main()
