"""The device report: the figures of a memory technology's cell, each with its source."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import which

import numpy as np
from rich.table import Table
from rich.text import Text

from spinplane.device.biasing import check_biasing, check_overlap
from spinplane.device.electrical import electrical
from spinplane.device.figures import draw_sense_levels, draw_switching, draw_write_errors
from spinplane.device.free_layer import free_layer
from spinplane.device.monte_carlo import MonteCarlo, monte_carlo
from spinplane.device.mtj import heavy_metal_resistance, junction, resistance, tmr, voltage_at
from spinplane.device.netlist import TransistorModel, margins_of, run_deck, sense_deck
from spinplane.device.retention import disturb_current, read_disturb, retention_years
from spinplane.device.sensing import Margin, decisions, margin
from spinplane.device.statistics import ErrorRate
from spinplane.device.technology import Technology, load_technology
from spinplane.device.write import (
    WritePulse,
    critical_current,
    needed_current,
    thermal_angle,
    write_error_rates,
    write_pulse,
)
from spinplane.machine import Electrical
from spinplane.machine.files import write_whole

from ..report.report import Report

_FAN_INS = (3, 4)
_CURRENTS = (0.6, 0.8, 1.0)
_PULSES = 25


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One figure of the report.

    Parameters
    ----------
    section, name : str
    value : float
        Infinite for what never ends, such as the time of a failed write; null in a file.
    unit : str
    mark : {"measured", "published", "derived", "assumed"}
    source : str
        Publication, formula or computation.
    interval : tuple of float, optional
        95 % confidence interval of a counted rate.
    """

    section: str
    name: str
    value: float
    unit: str
    mark: str
    source: str
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class DeviceReport(Report):
    """Figures of a technology's cell.

    Parameters
    ----------
    technology, description, structure : str
    parameters : tuple of Quantity
        What went in.
    results : tuple of Quantity
        What came out.
    electrical : Electrical
        What is promised to a machine.
    overlap_reason : str
        Why a write may not overlap a sense; empty if it may.
    pictures : tuple of str
        Files that were drawn.
    """

    technology: str
    description: str
    structure: str
    parameters: tuple[Quantity, ...]
    results: tuple[Quantity, ...]
    electrical: Electrical
    overlap_reason: str
    pictures: tuple[str, ...]

    def __getitem__(self, name: str) -> float:
        """Value of a result by its name."""
        return next(quantity.value for quantity in self.results if quantity.name == name)

    def tables(self) -> tuple[Table, ...]:
        """Every figure with its unit, mark and source."""
        table = Table(title=f"{self.technology}: {self.description}", caption=self._caption())
        for heading, justify in (("figure", "left"), ("value", "right"), ("unit", "left")):
            table.add_column(heading, justify=justify)  # type: ignore[arg-type]
        table.add_column("mark")
        table.add_column("source", overflow="fold")
        section = ""
        for quantity in (*self.results, *self.parameters):
            if quantity.section != section:
                section = quantity.section
                table.add_section()
                table.add_row(Text(section, style="bold"))
            value = _text(quantity.value)
            table.add_row(quantity.name, value, quantity.unit, quantity.mark, quantity.source)
        return (table,)

    def drawings(self) -> tuple[Path, ...]:
        """Sense levels, switching, write errors."""
        return tuple(path for path in map(Path, self.pictures) if path.suffix == ".png")

    def _caption(self) -> str:
        if self.overlap_reason:
            return f"No row can be sensed while another is written: {self.overlap_reason}."
        return "Rows of an array can be sensed while another row is written."


def report_device(
    technology: Technology | str | Path,
    *,
    values: Mapping[str, float] | None = None,
    folder: Path | None = None,
    model: TransistorModel | None = None,
    trials: int = 100_000,
    writes: int = 2000,
    seed: int = 0,
) -> DeviceReport:
    """Compute resistances, margins, error rates, write time and energy of a technology.

    Parameters
    ----------
    technology : Technology, str or Path
        See `spinplane.device.load_technology`.
    values : mapping of str to float, optional
        Parameters to change, in the units of the technology's file.
    folder : Path, optional
        Where pictures and the circuit deck are written to; none are if not given.
    model : TransistorModel, optional
        Transistors of the circuit deck.
    trials : int
        Of the Monte Carlo run of the sense margin.
    writes : int
        Simulated writes of each bit, at temperature.
    seed : int

    Returns
    -------
    DeviceReport

    Raises
    ------
    SpinplaneError
        For a bad technology, parameter or transistor model, or a cell that cannot be sensed.
    """
    chosen = load_technology(technology)
    if values:
        chosen = chosen.with_values(values)
    margins = [margin(chosen, decision) for decision in decisions()]
    pulses = [write_pulse(chosen, bit) for bit in (0, 1)]
    run = monte_carlo(chosen, trials=trials, seed=seed)
    results = [
        *_resistances(chosen),
        *_biasing(chosen),
        *_magnetisation(chosen),
        *_writes(chosen, pulses, writes, seed),
        *_sensing(chosen, margins),
        *_sense_errors(run),
    ]
    for fan_in in _FAN_INS:
        results += _sense_errors(monte_carlo(chosen, trials=trials, seed=seed, fan_in=fan_in))
    results += _circuit(chosen, model)
    return DeviceReport(
        technology=chosen.name,
        description=chosen.description,
        structure=chosen.structure,
        parameters=_parameters(chosen),
        results=tuple(results),
        electrical=electrical(chosen),
        overlap_reason=check_overlap(chosen).reason,
        pictures=_pictures(chosen, folder, run, pulses, model, writes, seed) if folder else (),
    )


def _quantity(section: str, name: str, value: float, unit: str, source: str) -> Quantity:
    return Quantity(section=section, name=name, value=value, unit=unit, mark="derived", source=source)


def _text(value: float) -> str:
    if value == 0 or 1e-2 <= abs(value) < 1e6:
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:.2e}"


def _parameters(technology: Technology) -> tuple[Quantity, ...]:
    quantities = []
    for key, parameter in technology.parameters.items():
        values = parameter.value if isinstance(parameter.value, tuple) else (parameter.value,)
        for index, value in enumerate(values):
            name = key if len(values) == 1 else f"{key}[{index}]"
            quantities.append(
                Quantity(
                    section="parameters",
                    name=name,
                    value=value,
                    unit=parameter.unit,
                    mark=parameter.mark,
                    source=parameter.source,
                )
            )
    return tuple(quantities)


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
        _quantity(section, "R_P", parallel, "Ω", model),
        _quantity(section, "R_AP", antiparallel, "Ω", model),
        _quantity(section, "TMR", float(tmr(mtj)) * 100, "%", model),
        _quantity(section, "TMR at the read voltage", float(tmr(mtj, over)) * 100, "%", f"at {over:.3f} V"),
    ]
    if technology.torque == "spin_hall":
        metal = heavy_metal_resistance(technology)
        found.append(_quantity(section, "R_SHM", metal, "Ω", "resistivity and size of the heavy metal"))
    return found


def _biasing(technology: Technology) -> list[Quantity]:
    section, found = "biasing", []
    for check in (*check_biasing(technology), check_overlap(technology)):
        verdict = "conducts only where the table says" if check.legal else check.reason
        found.append(_quantity(section, f"{check.name}: legal", float(check.legal), "", verdict))
        if check.legal:
            found.append(
                _quantity(
                    section, f"{check.name}: current", check.current_a * 1e6, "µA", "network of 4×4 cells"
                )
            )
    return found


def _magnetisation(technology: Technology) -> list[Quantity]:
    section, layer = "magnetisation", free_layer(technology)
    temperature = technology["process.temperature"]
    sense_s = max(margin(technology, decision).time_s for decision in decisions())
    angle = float(np.degrees(thermal_angle(layer, temperature)))
    return [
        _quantity(section, "thermal stability", layer.stability(temperature), "", "µ0·Ms·V·H/2 over k_B·T"),
        _quantity(section, "retention", retention_years(technology), "years", "τ0·exp(Δ)"),
        _quantity(section, "thermal angle", angle, "°", "root mean square, √(1/(2Δ))"),
        _quantity(
            section, "critical current of a read", disturb_current(technology) * 1e6, "µA",
            "spin transfer in the junction, α·(H1 + H2)/2",
        ),
        _quantity(
            section, "read disturb", read_disturb(technology, sense_s), "per sense",
            "one cell, one sense: the read current lowers the barrier",
        ),
    ]  # fmt: skip


def _writes(technology: Technology, pulses: list[WritePulse], writes: int, seed: int) -> list[Quantity]:
    section, found = "write", []
    torque = "spin Hall torque" if technology.torque == "spin_hall" else "two-sided spin transfer"
    for bit, pulse in enumerate(pulses):
        rate = write_error_rates(technology, bit, count=writes, seed=seed).rates[0][0]
        critical, needed = critical_current(technology, bit), needed_current(technology, bit)
        time_ns = float("inf") if pulse.time_s is None else pulse.time_s * 1e9
        name = f"write {bit}"
        found += [
            _quantity(section, f"{name}: critical current", critical * 1e6, "µA", f"{torque}, α·(H1 + H2)/2"),
            _quantity(
                section, f"{name}: needed current", needed * 1e6, "µA", "LLG, switches within the pulse"
            ),
            _quantity(
                section, f"{name}: switched", float(pulse.switched), "", "LLG at 0 K, at the pulse's end"
            ),
            _quantity(section, f"{name}: time", time_ns, "ns", "LLG at 0 K from the thermal angle"),
            _quantity(
                section, f"{name}: voltage", pulse.voltage_v, "V", "over the cell, transistor included"
            ),
            _quantity(
                section, f"{name}: energy", pulse.energy_j * 1e15, "fJ", "current × voltage over the pulse"
            ),
            _rate(section, f"{name}: error rate", rate, "LLG with thermal field", "exp(−2λt)"),
        ]
    return found


def _sensing(technology: Technology, margins: list[Margin]) -> list[Quantity]:
    section, found = "sense", []
    for levels in margins:
        name = levels.decision.operation.upper() if levels.decision.cells > 1 else "read"
        reference = levels.decision.reference
        found += [
            _quantity(section, f"{name}: highest 0", levels.low_v * 1e3, "mV", "middle of the bit line"),
            _quantity(section, f"{name}: {reference}", levels.reference_v * 1e3, "mV", "midway"),
            _quantity(section, f"{name}: lowest 1", levels.high_v * 1e3, "mV", "middle of the bit line"),
            _quantity(
                section, f"{name}: margin", levels.margin_v * 1e3, "mV", "at the worse end of the bit line"
            ),
            _quantity(
                section, f"{name}: time", levels.time_s * 1e9, "ns", "RC of the bit line and amplifier"
            ),
            _quantity(section, f"{name}: energy", levels.energy_j * 1e15, "fJ", "of one bit line"),
        ]
    return found


def _sense_errors(run: MonteCarlo) -> list[Quantity]:
    section, found = f"sense errors, fan-in {run.fan_in}", []
    source = f"Monte Carlo, {run.trials:,} trials, worst content"
    for operation, errors in run.errors.items():
        if run.fan_in == 2 or operation != "read":
            name = operation.upper() if operation != "read" else operation
            label = f"{name}: error rate" if run.fan_in == 2 else f"{name} of {run.fan_in}: error rate"
            found.append(_rate(section, label, errors.worst, source, "normal"))
    return found


def _rate(section: str, name: str, rate: ErrorRate, source: str, tail: str) -> Quantity:
    counted = f"{rate.failures} of {rate.trials:,} failed"
    bounds = f"95 %: {rate.low:.2g} to {rate.high:.2g}"
    if not rate.failures:
        counted += f", so estimated from the tail ({tail})"
    return replace(
        _quantity(section, name, rate.rate, "", f"{source}: {counted}; {bounds}"),
        interval=(rate.low, rate.high),
    )


def _circuit(technology: Technology, model: TransistorModel | None) -> list[Quantity]:
    if which("ngspice") is None and model is None:
        return []
    transistor = "transistors as resistances" if model is None else f"transistor {model.name}"
    found = margins_of(run_deck(sense_deck(technology, model=model)))
    return [
        _quantity(
            "circuit",
            f"{operation}: half the distance of the levels",
            value * 1e3,
            "mV",
            f"ngspice, {transistor}",
        )
        for operation, value in found.items()
    ]


def _pictures(
    technology: Technology,
    folder: Path,
    run: MonteCarlo,
    pulses: list[WritePulse],
    model: TransistorModel | None,
    writes: int,
    seed: int,
) -> tuple[str, ...]:
    name = technology.name
    spread = tuple(technology["write.current_1"] * share for share in _CURRENTS)
    lengths = tuple(float(t) for t in np.linspace(0, technology["write.pulse"], _PULSES + 1)[1:])
    errors = write_error_rates(technology, 1, currents=spread, pulses=lengths, count=writes, seed=seed)
    deck = folder / "read_and.sp"
    write_whole(deck, sense_deck(technology, model=model).encode())
    files = [
        draw_sense_levels(folder / "sense_levels.png", run, name),
        draw_switching(folder / "switching.png", pulses, name, technology.easy_axis),
        draw_write_errors(folder / "write_errors.png", errors, name),
        deck,
    ]
    return tuple(str(file) for file in files)
