"""The tables of docs/device.md that follow from the technologies: `python tests/device_tables.py` prints them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.constants import day, year

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.predict import predict
from spinplane.compiler.wear import row_writes
from spinplane.device import (
    decisions,
    electrical,
    load_technology,
    machine_clock,
    margin,
    monte_carlo,
    technology_names,
    write_error_rates,
    write_pulse,
)
from spinplane.device.biasing import check_overlap
from spinplane.device.comparison import at_equal_terms
from spinplane.device.endurance import endurance
from spinplane.device.energy import write_energy
from spinplane.device.exclusive import exclusive_sense
from spinplane.device.mtj import junction, resistance
from spinplane.device.retention import array_retention_s, needed_stability, sense_disturb, stability
from spinplane.device.sensing import Decision
from spinplane.device.statistics import ErrorRate
from spinplane.device.technology import Sensing, Technology
from spinplane.device.write import critical_current, needed_current
from spinplane.machine import Machine, SpinplaneError, clock_text, load_machine, machine_names
from spinplane.models import open_network

PAPER = load_machine("paper")
BITS = PAPER.sub_arrays * PAPER.rows * PAPER.columns
READ, AND, _ = decisions()


def array_table() -> str:
    """Retention, disturb and endurance of the array of `paper`."""
    rows: dict[str, Callable[[Technology], str]] = {}
    for kelvin in (300, 358):
        rows[f"Δ at {kelvin} K"] = lambda t, k=kelvin: f"{stability(at(t, k)):.1f}"
        rows[f"first bit lost at {kelvin} K, cells alike"] = lambda t, k=kelvin: span(
            array_retention_s(at(t, k).with_values({"variation.stability": 0}), BITS)
        )
        rows[f"the same, Δ differs by 5 % at {kelvin} K"] = lambda t, k=kelvin: span(
            array_retention_s(at(t, k), BITS)
        )
    rows["a read of P switches it"] = lambda t: f"{sense_disturb(t, READ, 0):.1e}"
    rows["an AND of P∥P, P∥AP switches one"] = lambda t: (
        f"{sense_disturb(t, AND, 0):.1e}, {sense_disturb(t, AND, 1):.1e}"
    )
    program = compile_graph(open_network("svhn:1:1").graph, PAPER)
    cycles, writes = predict(program, resident=True).total.cycles, row_writes(program)

    def lasts(technology: Technology) -> str:
        clock = machine_clock(PAPER, technology).clock_hz
        found = endurance(technology, writes, clock / cycles)
        return f"{span(found.as_placed_s)}, {span(found.levelled_s)}"

    rows["SVHN at the fastest clock until the cycles are used up, without, with levelling"] = lasts
    return table(rows)


def equal_table() -> str:
    """Designs at a write error rate of 1e-6, whose array loses one bit in ten years."""
    found = {
        name: at_equal_terms(load_technology(name), bits=BITS, time_s=10 * year, rate=1e-6)
        for name in technology_names()
    }
    rows: dict[str, Callable[[Technology], str]] = {
        "Δ": lambda t: f"{found[t.name].stability:.1f}",
        "changed for it": lambda t: changed(t, found[t.name].technology, found[t.name].key),
        "write current": lambda t: f"{t['write.current_1'] * 1e6:g} µA",
        "pulse (0, 1)": lambda t: ", ".join(f"{p * 1e9:.2f}" for p in found[t.name].pulses_s) + " ns",
        "energy in the cell (0, 1)": lambda t: (
            ", ".join(f"{e.cell_j * 1e15:.0f}" for e in found[t.name].energies) + " fJ"
        ),
        "**energy from the supply (0, 1)**": lambda t: (
            "**" + ", ".join(f"{e.supply_j * 1e15:.0f}" for e in found[t.name].energies) + " fJ**"
        ),
    }
    return table(rows)


def clock_table() -> str:
    """The fastest clock of each machine, and the cycles that arrays of 512×256 need at others."""
    rows: dict[str, Callable[[Technology], str]] = {
        "to the word line": lambda t: f"{electrical(t).access_s * 1e9:.2f} ns",
        "then a sense, a write": lambda t: (
            f"{electrical(t).sense_s * 1e9:.2f}, {electrical(t).write_s * 1e9:.2f} ns"
        ),
    }
    for name in machine_names():
        machine = load_machine(name)
        size = f"{machine.rows}×{machine.columns}, {machine.sense_cycles} and {machine.write_cycles} cycles"
        rows[f"fastest clock of `{name}`: {size}"] = lambda t, machine=machine: fastest(machine, t)
    for hertz in (2.5e8, 5e8, 1e9):
        rows[f"cycles of `paper` at {clock_text(hertz)}"] = lambda t, hertz=hertz: "{} and {}".format(
            *electrical(t).cycles_at(1 / hertz)
        )
    return table(rows)


def fastest(machine: Machine, technology: Technology) -> str:
    """The fastest clock of a machine; a dash where a technology's arrays cannot be it."""
    try:
        return clock_text(machine_clock(machine, technology).clock_hz)
    except SpinplaneError:
        return "–"


def cell_table() -> str:
    """One cell and its bit line."""
    senses = decisions()

    def each(figure: Callable[[Technology, Decision], str]) -> Callable[[Technology], str]:
        return lambda t: ", ".join(figure(t, decision) for decision in senses)

    def rates(fan_in: int, *operations: str) -> Callable[[Technology], str]:
        return lambda t: ", ".join(
            rate(monte_carlo(t, fan_in=fan_in).errors[operation].worst.rate) for operation in operations
        )

    def both(figure: Callable[[Technology, int], float], unit: str) -> Callable[[Technology], str]:
        return lambda t: ", ".join(f"{figure(t, bit):.0f}" for bit in (0, 1)) + f" {unit}"

    rows: dict[str, Callable[[Technology], str]] = {
        "R_P, R_AP": lambda t: (
            ", ".join(f"{float(resistance(junction(t), state)) / 1e3:.2f}" for state in (False, True)) + " kΩ"
        ),
        "margin of read, AND, OR": lambda t: (
            each(lambda t, d: f"{margin(t, d).margin_v * 1e3:.1f}")(t) + " mV"
        ),
        "error rate of read, AND, OR": rates(2, "read", "and", "or"),
        "the same, AND and OR of 3": rates(3, "and", "or"),
        "AND and OR of 4": rates(4, "and", "or"),
        "sense time of read, AND, OR": lambda t: (
            each(lambda t, d: f"{margin(t, d).time_s * 1e9:.2f}")(t) + " ns"
        ),
        "onset, needed, write current (1)": lambda t: (
            f"{critical_current(t, 1) * 1e6:.1f}, {needed_current(t, 1) * 1e6:.1f}, "
            f"{t['write.current_1'] * 1e6:.4g} µA"
        ),
        "write pulse, error rate (1)": lambda t: (
            f"{t['write.pulse'] * 1e9:g} ns, {write_rate(write_error_rates(t, 1).rates[0][0].rate)}"
        ),
        "write energy in the cell (0, 1)": both(lambda t, bit: write_pulse(t, bit).energy_j * 1e15, "fJ"),
        "write energy from the supply (0, 1)": both(
            lambda t, bit: write_energy(t, bit).supply_j * 1e15, "fJ"
        ),
        "write beside a sense": lambda t: "yes" if check_overlap(t).legal else "no",
    }
    return table(rows)


def designs_table() -> str:
    """Designs by their sensing, with two amplifiers a bit line."""
    sensed = [("sot-mram", "voltage"), ("sot-mram", "current"), ("stt-mram", "voltage"), ("stt-mram", "current"),
              ("stt-aggressive", "current")]  # fmt: skip
    designs = [
        replace(load_technology(name), sensing=Sensing(quantity=quantity, amplifiers=2))
        for name, quantity in sensed
    ]
    runs, exclusive = [monte_carlo(t) for t in designs], [exclusive_sense(t) for t in designs]
    rows = {
        "": [f"`{name}`" for name, _ in sensed],
        "sensed": [quantity for _, quantity in sensed],
        "margin of read, AND, OR, mV": [
            ", ".join(f"{margin(t, decision).margin_v * 1e3:.1f}" for decision in decisions())
            for t in designs
        ],
        "error rate of AND": [counted(run.errors["and"].worst) for run in runs],
        "of OR": [counted(run.errors["or"].worst) for run in runs],
        "**of XOR in one access**": [f"**{counted(run.worst_xor)}**" for run in runs],
        "time of an XOR, ns": [f"{found.time_s * 1e9:.2f}" for found in exclusive],
        "energy of an XOR, one bit line, fJ": [f"{found.energy_j * 1e15:.0f}" for found in exclusive],
    }
    lines = [f"| {heading} | " + " | ".join(cells) + " |" for heading, cells in rows.items()]
    return "\n".join([lines[0].replace("|  |", "| |"), "|---|" + "---|" * len(sensed), *lines[1:]]) + "\n"


def counted(found: ErrorRate) -> str:
    """A counted rate; one that no trial has shown is marked."""
    return rate(found.rate) + ("" if found.failures else " ³")


def rate(value: float) -> str:
    """A rate with two digits."""
    return f"{value:.1e}".replace("e-0", "e-")


def write_rate(value: float) -> str:
    """A write error rate, of a single spin down to 1e-12."""
    return f"{value:.0e}".replace("e-0", "e-") if value > 1e-12 else "below 1e-12"


def needed() -> tuple[float, float]:
    """Δ of one bit lost in ten years: cells alike, and cells that differ."""
    sot = load_technology("sot-mram")
    alike = sot.with_values({"variation.stability": 0})
    return needed_stability(alike, BITS, 10 * year), needed_stability(sot, BITS, 10 * year)


def at(technology: Technology, kelvin: float) -> Technology:
    """The technology at another temperature."""
    return technology.with_values({"process.temperature": kelvin})


def changed(before: Technology, after: Technology, key: str) -> str:
    """A parameter's old and new value."""
    old, new = (float(np.ravel(t.parameters[key].value)[0]) for t in (before, after))
    return f"{key.split('.')[1]} {old:.4g} → {new:.4g} {before.parameters[key].unit}"


def span(seconds: float) -> str:
    """A time in the unit that reads best."""
    for unit, size in (("years", year), ("days", day), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return (
                f"{seconds / size:,.0f} {unit}" if seconds >= 100 * size else f"{seconds / size:.2g} {unit}"
            )
    return f"{seconds:.1e} s"


def table(rows: dict[str, Callable[[Technology], str]]) -> str:
    """A Markdown table of all technologies."""
    chosen = [load_technology(name) for name in technology_names()]
    lines = ["| | " + " | ".join(f"`{t.name}`" for t in chosen) + " |", "|---|" + "---|" * len(chosen)]
    lines += [f"| {name} | " + " | ".join(figure(t) for t in chosen) + " |" for name, figure in rows.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(cell_table())
    print(designs_table())
    print(clock_table())
    print(array_table())
    print(equal_table())
