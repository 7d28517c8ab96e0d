"""Figures of a technology's cell and bit lines: resistance, biasing, rows, magnetisation, writing, sensing."""

from collections.abc import Mapping
from dataclasses import replace
from shutil import which

import numpy as np

from spinplane.device.biasing import check_biasing, check_overlap
from spinplane.device.energy import sense_energy, write_energy
from spinplane.device.exclusive import exclusive_sense
from spinplane.device.free_layer import free_layer
from spinplane.device.monte_carlo import MonteCarlo
from spinplane.device.mtj import heavy_metal_resistance, junction, resistance, tmr, voltage_at
from spinplane.device.netlist import TransistorModel, margins_of, run_deck, sense_deck
from spinplane.device.retention import disturb_current, retention_years
from spinplane.device.sensing import decisions, margin
from spinplane.device.statistics import ErrorRate
from spinplane.device.technology import Technology
from spinplane.device.wires import mesh_rise, word_line_delay, write_line_voltage
from spinplane.device.write import WritePulse, critical_current, needed_current, thermal_angle

from .quantity import YES_NO, Quantity, derived

#: Cells that are sensed at once.
FAN_INS = (2, 3, 4)


def cell_figures(
    technology: Technology,
    *,
    pulses: tuple[WritePulse, WritePulse],
    errors: tuple[ErrorRate, ErrorRate],
    sensed: Mapping[int, MonteCarlo],
    model: TransistorModel | None,
) -> list[Quantity]:
    """Figures of a cell.

    Parameters
    ----------
    technology : Technology
    pulses : tuple of WritePulse
        Writes of 0 and 1.
    errors : tuple of ErrorRate
        Of these writes, at temperature.
    sensed : mapping of int to MonteCarlo
        Of the sense margin, by the number of cells that are sensed at once.
    model : TransistorModel or None
        Transistors of the circuit deck.
    """
    return [
        *_resistances(technology),
        *_biasing(technology),
        *_row(technology),
        *_magnetisation(technology),
        *_writes(technology, pulses, errors),
        *_sensing(technology),
        *_exclusive(technology),
        *(quantity for run in sensed.values() for quantity in _sense_errors(run)),
        *_circuit(technology, model),
    ]


def _resistances(technology: Technology) -> list[Quantity]:
    section, mtj = "resistance", junction(technology)
    over = voltage_at(mtj, False, technology["read.current"])
    parallel, antiparallel = (float(resistance(mtj, state)) for state in (False, True))
    model = (
        "NEGF fit at 0 V"
        if technology.resistance == "negf"
        else "resistance-area product and TMR as given, at 0 V"
    )
    found = [
        derived(section, "R_P", parallel, "Ω", model),
        derived(section, "R_AP", antiparallel, "Ω", model),
        derived(section, "TMR", float(tmr(mtj)) * 100, "%", model),
        derived(section, "TMR at the read voltage", float(tmr(mtj, over)) * 100, "%", f"at {over:.3f} V"),
    ]
    if technology.torque == "spin_hall":
        metal = heavy_metal_resistance(technology)
        found.append(derived(section, "R_SHM", metal, "Ω", "resistivity and size of the heavy metal"))
    return found


def _biasing(technology: Technology) -> list[Quantity]:
    section, found = "biasing", []
    for check in (*check_biasing(technology), check_overlap(technology)):
        verdict = "conducts only where the table says" if check.legal else check.reason
        found.append(derived(section, f"{check.name}: legal", float(check.legal), YES_NO, verdict))
        if check.legal:
            found.append(
                derived(
                    section,
                    f"{check.name}: current",
                    check.current_a * 1e6,
                    "µA",
                    "whole columns with their wires",
                )
            )
    return found


def _row(technology: Technology) -> list[Quantity]:
    section, columns = "whole rows", int(technology["word_line.cells"])
    written = max(technology[f"write.current_{bit}"] for bit in (0, 1))
    sensed, rails = technology["read.current"], [write_line_voltage(technology, bit) for bit in (0, 1)]
    found = [
        derived(section, "current of a sense", sensed * columns * 1e3, "mA", f"{columns} columns"),
        derived(section, "current of a write", written * columns * 1e3, "mA", f"{columns} columns"),
        derived(section, "write voltage", max(rails) * 1e3, "mV", "of the line, for the farthest cell"),
        derived(
            section, "word line delay", word_line_delay(technology) * 1e12, "ps", "distributed RC, to a half"
        ),
    ]
    if any("-write" in operation.selected.values() for operation in technology.operations.values()):
        found.append(
            derived(
                section, "negative rail", -rails[0] * 1e3, "mV", "write bit lines of a 0, word lines at rest"
            )
        )
    if "mesh" in technology.lines.values():
        for name, current in (("sense", sensed), ("write", written)):
            rise = mesh_rise(technology, current)
            found.append(
                derived(section, f"rise of the mesh in a {name}", rise * 1e3, "mV", "a bound, every column")
            )
    return found


def _magnetisation(technology: Technology) -> list[Quantity]:
    section, layer = "magnetisation", free_layer(technology)
    temperature = technology["process.temperature"]
    angle = float(np.degrees(thermal_angle(layer, temperature)))
    return [
        derived(section, "thermal stability", layer.stability(temperature), "", "µ0·Ms·V·H/2 over k_B·T"),
        derived(section, "retention", retention_years(technology), "years", "τ0·exp(Δ)"),
        derived(section, "thermal angle", angle, "°", "root mean square, √(1/(2Δ))"),
        derived(
            section, "critical current of a read", disturb_current(technology) * 1e6, "µA",
            "spin transfer, and spin Hall of what flows in the heavy metal, at α·(H1 + H2)/2",
        ),
    ]  # fmt: skip


def _writes(
    technology: Technology, pulses: tuple[WritePulse, WritePulse], errors: tuple[ErrorRate, ErrorRate]
) -> list[Quantity]:
    section, found = "write", []
    torque = "spin Hall torque" if technology.torque == "spin_hall" else "two-sided spin transfer"
    for bit, pulse in enumerate(pulses):
        supply = write_energy(technology, bit).supply_j
        critical, needed = critical_current(technology, bit), needed_current(technology, bit)
        time_ns = float("inf") if pulse.time_s is None else pulse.time_s * 1e9
        name = f"write {bit}"
        found += [
            derived(section, f"{name}: critical current", critical * 1e6, "µA", f"{torque}, α·(H1 + H2)/2"),
            derived(section, f"{name}: needed current", needed * 1e6, "µA", "LLG, switches within the pulse"),
            derived(
                section, f"{name}: switched", float(pulse.switched), YES_NO, "LLG at 0 K, at the pulse's end"
            ),
            derived(section, f"{name}: time", time_ns, "ns", "LLG at 0 K from the thermal angle"),
            derived(section, f"{name}: voltage", pulse.voltage_v, "V", "over the cell, transistor included"),
            derived(
                section,
                f"{name}: energy in the cell",
                pulse.energy_j * 1e15,
                "fJ",
                "current × voltage over the pulse",
            ),
            derived(
                section,
                f"{name}: energy from the supply",
                supply * 1e15,
                "fJ",
                "current × supply over the pulse",
            ),
            _rate(section, f"{name}: error rate", errors[bit], "LLG with thermal field", "exp(−2λt)"),
        ]
    return found


def _sensing(technology: Technology) -> list[Quantity]:
    section, found = "sense", []
    for levels in (margin(technology, decision) for decision in decisions()):
        name = levels.decision.operation.upper() if levels.decision.cells > 1 else "read"
        reference, energy = levels.decision.reference, sense_energy(technology, levels.decision)
        found += [
            derived(section, f"{name}: highest 0", levels.low_v * 1e3, "mV", "middle of the bit line"),
            derived(section, f"{name}: {reference}", levels.reference_v * 1e3, "mV", "midway"),
            derived(section, f"{name}: lowest 1", levels.high_v * 1e3, "mV", "middle of the bit line"),
            derived(
                section, f"{name}: margin", levels.margin_v * 1e3, "mV", "at the worse end of the bit line"
            ),
            derived(section, f"{name}: time", levels.time_s * 1e9, "ns", "RC of the bit line and amplifier"),
            derived(
                section,
                f"{name}: energy in the cell",
                energy.cell_j * 1e15,
                "fJ",
                "of one bit line, from 0 V on",
            ),
            derived(
                section,
                f"{name}: energy from the supply",
                energy.supply_j * 1e15,
                "fJ",
                "of one bit line: current × supply over the time, and the amplifier",
            ),
        ]
    return found


def _exclusive(technology: Technology) -> list[Quantity]:
    if technology.sensing.amplifiers < 2:
        return []
    section, found = "sense", exclusive_sense(technology)
    return [
        derived(section, "XOR: margin", found.margin_v * 1e3, "mV", "the smaller of AND and OR"),
        derived(section, "XOR: time", found.time_s * 1e9, "ns", "the longer of AND and OR"),
        derived(
            section,
            "XOR: energy from the supply",
            found.energy_j * 1e15,
            "fJ",
            "of one bit line with both amplifiers",
        ),
    ]


def _sense_errors(run: MonteCarlo) -> list[Quantity]:
    section, found = f"sense errors, fan-in {run.fan_in}", []
    source = f"Monte Carlo, {run.trials:,} trials, worst content"
    for operation, errors in run.errors.items():
        if run.fan_in == 2 or operation != "read":
            name = operation.upper() if operation != "read" else operation
            label = f"{name}: error rate" if run.fan_in == 2 else f"{name} of {run.fan_in}: error rate"
            found.append(_rate(section, label, errors.worst, source, "normal"))
    if run.xor:
        found.append(_rate(section, "XOR: error rate", run.worst_xor, source, "normal, of both amplifiers"))
    return found


def _rate(section: str, name: str, rate: ErrorRate, source: str, tail: str) -> Quantity:
    counted = f"{rate.failures} of {rate.trials:,} failed"
    bounds = f"95 %: {rate.low:.2g} to {rate.high:.2g}"
    if not rate.failures:
        counted += f", so estimated from the tail ({tail})"
    return replace(
        derived(section, name, rate.rate, "", f"{source}: {counted}; {bounds}"),
        interval=(rate.low, rate.high),
    )


def _circuit(technology: Technology, model: TransistorModel | None) -> list[Quantity]:
    if model is None and (which("ngspice") is None or technology.sensing.quantity == "current"):
        return []
    transistor = "transistors as resistances" if model is None else f"transistor {model.name}"
    found = margins_of(run_deck(sense_deck(technology, model=model)))
    return [
        derived(
            "circuit",
            f"{operation}: half the distance of the levels",
            value * 1e3,
            "mV",
            f"ngspice, {transistor}",
        )
        for operation, value in found.items()
    ]
