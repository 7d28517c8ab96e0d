"""Figures of a whole array of cells: retention, disturb, write errors, endurance, and the design at equal terms."""

from dataclasses import dataclass

import numpy as np
from scipy.constants import day, year

from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.predict import predict
from spinplane.compiler.wear import row_writes
from spinplane.device.bounds import bounds_of
from spinplane.device.comparison import at_equal_terms
from spinplane.device.electrical import electrical, with_lines_of
from spinplane.device.endurance import endurance
from spinplane.device.free_layer import free_layer, wall_energy
from spinplane.device.read_path import read_torques
from spinplane.device.retention import array_retention_s, needed_stability, sense_disturb
from spinplane.device.sensing import decisions
from spinplane.device.statistics import ErrorRate
from spinplane.device.technology import Technology
from spinplane.device.write import mean_error_rate
from spinplane.machine import Machine, MachineClock, SpinplaneError, clock_text

from .quantity import YES_NO, Quantity, derived

#: Terms at which designs are compared: write error rate of a cell, and years in which the array loses one bit.
EQUAL_ERROR_RATE = 1e-6
EQUAL_YEARS = 10


@dataclass(frozen=True, kw_only=True)
class _Writing:
    """How often the rows of a sub-array are written.

    Parameters
    ----------
    name : str
        What writes.
    row_writes : ndarray of shape (rows,), int
        In one run.
    runs_per_s : float
    """

    name: str
    row_writes: np.ndarray
    runs_per_s: float


def array_figures(
    technology: Technology,
    machine: Machine,
    clock: MachineClock,
    *,
    network: CompiledProgram | None,
    errors: tuple[ErrorRate, ErrorRate],
    writes: int,
    seed: int,
) -> list[Quantity]:
    """Figures of a machine's array.

    Parameters
    ----------
    technology : Technology
    machine : Machine
    clock : MachineClock
    network : CompiledProgram, optional
        Whose writes wear the cells; one row that is written without a pause if not given.
    errors : tuple of ErrorRate
        Of a nominal cell's writes of 0 and 1.
    writes, seed : int
        Of the simulated writes at equal terms.
    """
    return [
        *_clock(technology, machine, clock),
        *_retention(technology, machine),
        *_disturb(technology, machine),
        *_write_errors(technology, machine, errors),
        *_endurance(technology, _writing(machine, clock, network)),
        *_equal_terms(technology, _bits(machine), writes, seed),
    ]


def _bits(machine: Machine) -> int:
    return machine.sub_arrays * machine.rows * machine.columns


def _clock(technology: Technology, machine: Machine, clock: MachineClock) -> list[Quantity]:
    section, contract = f"clock of {machine.name}", electrical(with_lines_of(technology, machine))
    sense, write = contract.cycles_at(1 / clock.clock_hz)
    before = "flip-flop, row decoder, word line of the machine's columns"
    holds = f"cycles of a sense: {machine.sense_cycles}, of a write: {machine.write_cycles}"
    at = f"at {clock_text(clock.clock_hz)}, the word line's time included"
    return [
        derived(section, "time to the word line", contract.access_s * 1e12, "ps", before),
        derived(
            section,
            "sense time of the machine",
            contract.sense_s * 1e9,
            "ns",
            "bit lines of the machine's rows",
        ),
        derived(section, "fastest clock", clock.fastest_hz / 1e6, "MHz", holds),
        derived(section, "clock", clock.clock_hz / 1e6, "MHz", "as given, or the fastest"),
        derived(section, "needed sense cycles", float(sense), "", at),
        derived(section, "needed write cycles", float(write), "", at),
    ]


def _retention(technology: Technology, machine: Machine) -> list[Quantity]:
    section, bits = f"retention of {machine.name}", _bits(machine)
    alike = technology.with_values({"variation.stability": 0})
    keys = ("retention.attempt_time", "variation.stability")
    layer = free_layer(technology)
    wanted = f"for one lost bit in {EQUAL_YEARS} years, at {technology['process.temperature']:g} K"
    return [
        derived(section, "cells", float(bits), "", "sub-arrays × rows × columns"),
        derived(
            section, "retention, cells alike", array_retention_s(alike, bits), "s",
            "until the first bit is lost: τ0·exp(Δ)/cells",
        ),
        derived(
            section, "retention, cells differ", array_retention_s(technology, bits), "s",
            "Δ is normal: τ0·exp(Δ − σ²/2)/cells; bounds of attempt time and spread",
            bounds_of(technology, keys, lambda t: array_retention_s(t, bits)),
        ),
        derived(
            section, "needed stability, cells alike", needed_stability(alike, bits, EQUAL_YEARS * year), "", wanted
        ),
        derived(
            section, "needed stability, cells differ", needed_stability(technology, bits, EQUAL_YEARS * year), "",
            wanted,
        ),
        derived(
            section, "barrier over a domain wall", layer.barrier_j / wall_energy(technology, layer), "",
            "above 1 the layer would not turn as one; bounds of the exchange stiffness",
            bounds_of(technology, ("free_layer.exchange_stiffness",), _wall_share),
        ),
    ]  # fmt: skip


def _wall_share(technology: Technology) -> float:
    layer = free_layer(technology)
    return layer.barrier_j / wall_energy(technology, layer)


def _disturb(technology: Technology, machine: Machine) -> list[Quantity]:
    section, found = "disturb of a sense", []
    torques = read_torques(technology, technology["read.current"], antiparallel=False)
    for name, field in torques.items():
        share = field / free_layer(technology).onset_field
        found.append(
            derived(section, f"{name} of a read", share, "", "towards 1, over the onset of a parallel cell")
        )
    rates: dict[str, list[float]] = {}
    for decision in decisions():
        name = decision.operation.upper() if decision.cells > 1 else decision.operation
        rates[name] = [sense_disturb(technology, decision, ones) for ones in range(decision.cells + 1)]
        for ones, rate in enumerate(rates[name]):
            content = "∥".join(["P"] * (decision.cells - ones) + ["AP"] * ones)
            found.append(
                derived(
                    section, f"{name} of {content}: disturb", rate, "",
                    "a cell switches: Δ·(1 − I/Ic0)^n, for the time of the sense",
                )
            )  # fmt: skip
    mean = float(np.dot(rates["AND"], (0.25, 0.5, 0.25))) * machine.columns
    found.append(
        derived(
            section,
            "bits an AND of two rows disturbs",
            mean,
            "",
            f"{machine.columns} columns, random contents",
        )
    )
    return found


def _write_errors(
    technology: Technology, machine: Machine, errors: tuple[ErrorRate, ErrorRate]
) -> list[Quantity]:
    section, means, found = "write errors of a row", [], []
    for bit, error in enumerate(errors):
        mean = mean_error_rate(technology, bit, error.rate, technology["write.pulse"])
        means.append(mean)
        found.append(
            derived(
                section,
                f"write {bit}: mean error rate",
                mean,
                "",
                "critical currents differ: exp(s²/2) times the nominal cell's",
            )
        )
    wrong = machine.columns * sum(means) / 4
    source = f"{machine.columns} columns, of which a half change"
    return [*found, derived(section, "wrong bits a row write", wrong, "", source)]


def _writing(machine: Machine, clock: MachineClock, program: CompiledProgram | None) -> _Writing:
    period = 1 / clock.clock_hz
    if program is None:
        once = np.zeros(machine.rows, dtype=np.int64)
        once[0] = 1
        return _Writing(
            name="one row, written without a pause",
            row_writes=once,
            runs_per_s=1 / (machine.write_cycles * period),
        )
    cycles = predict(program, resident=True).total.cycles
    return _Writing(
        name=f"{program.name}, an image every {cycles:,} cycles of {period * 1e9:.3g} ns",
        row_writes=row_writes(program),
        runs_per_s=1 / (cycles * period),
    )


def _endurance(technology: Technology, writing: _Writing) -> list[Quantity]:
    section = "endurance"
    lasts = endurance(technology, writing.row_writes, writing.runs_per_s)
    counts, keys = writing.row_writes, ("endurance.cycles",)
    placed = bounds_of(technology, keys, lambda t: endurance(t, counts, writing.runs_per_s).as_placed_s / day)
    levelled = bounds_of(
        technology, keys, lambda t: endurance(t, counts, writing.runs_per_s).levelled_s / day
    )
    busy = f"of {int(counts.sum()):,} in {np.count_nonzero(counts)} rows of a sub-array"
    until = "until the busiest row has endurance.cycles"
    spread = f"the same writes over all {len(counts)} rows"
    return [
        derived(section, "runs", writing.runs_per_s, "1/s", writing.name),
        derived(section, "writes of the busiest row", float(counts.max()), "a run", busy),
        derived(section, "time without levelling", lasts.as_placed_s / day, "days", until, placed),
        derived(section, "time with levelling", lasts.levelled_s / day, "days", spread, levelled),
    ]


def _equal_terms(technology: Technology, bits: int, writes: int, seed: int) -> list[Quantity]:
    section = f"equal terms: error {EQUAL_ERROR_RATE:g}, {EQUAL_YEARS} years"
    try:
        design = at_equal_terms(
            technology, bits=bits, time_s=EQUAL_YEARS * year, rate=EQUAL_ERROR_RATE, count=writes, seed=seed
        )
    except SpinplaneError as error:
        return [derived(section, "equal terms: possible", 0.0, YES_NO, str(error))]
    changed = design.technology.parameters[design.key]
    value = float(np.ravel(changed.value)[0])
    found = [
        derived(
            section,
            "equal terms: possible",
            1.0,
            YES_NO,
            "write errors, years to one lost bit; own write currents",
        ),
        derived(section, "equal terms: thermal stability", design.stability, "", "cells differ"),
        derived(section, f"equal terms: {design.key}", value, changed.unit, "changed for that"),
    ]
    for bit, (pulse, energy) in enumerate(zip(design.pulses_s, design.energies, strict=True)):
        name = f"equal terms: write {bit}"
        cell, supply = "current × voltage over the pulse", "current × supply over the pulse"
        found += [
            derived(section, f"{name}: pulse", pulse * 1e9, "ns", "LLG with thermal field, exp(−2λt)"),
            derived(section, f"{name}: energy in the cell", energy.cell_j * 1e15, "fJ", cell),
            derived(section, f"{name}: energy from the supply", energy.supply_j * 1e15, "fJ", supply),
        ]
    return found
