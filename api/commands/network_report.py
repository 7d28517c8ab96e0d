"""A network on a machine, whole: what it is, where it lies, how it ran, what an image costs, and the cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.table import Table

from spinplane.evaluation import Interval
from spinplane.machine import Machine
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.reporting.records import Record
from spinplane.machine.reporting.shown import Section, TopFigure

from ..report.report import Report
from .compile import Compilation
from .device import DeviceReport
from .device_tables import LEGEND, summary_tables
from .estimate_result import Estimate, TechnologyEstimate
from .estimate_tables import bytes_text, interval_parts, layer_energies
from .run_result import NetworkRun, RunCounters

_NO_CLOCK = "no energy, area, power and device: name a technology that the arrays of this machine can have"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NetworkReport(Report):
    """A network on a machine, with what every command tells of it.

    Parameters
    ----------
    input : str
        Where the image is from.
    run : NetworkRun
        Of that image; without the RTL, if it was left out.
    compilation : Compilation
    estimate : Estimate or None
    device : DeviceReport or None
        None, as the estimate, where nothing is said of the technology, and the default one cannot be the machine's.
    """

    derived: ClassVar[tuple[str, ...]] = ("mismatches",)

    input: str
    run: NetworkRun
    compilation: Compilation
    estimate: Estimate | None
    device: DeviceReport | None

    @property
    def machine(self) -> Machine:
        """That of all figures."""
        return self.run.machine

    @property
    def simulator(self) -> str | None:
        """Of the run."""
        return self.run.simulator

    @property
    def mismatches(self) -> int:
        """Of the run."""
        return self.run.mismatches

    @property
    def failure(self) -> str:
        """That of the run."""
        return self.run.failure

    @property
    def heading(self) -> str:
        """Network and machine."""
        return f"{self.run.network} on {self.machine.name}"

    @property
    def main_figure(self) -> str:
        """That of the run."""
        return self.run.main_figure

    def records(self) -> Sequence[Record]:
        """Those of the run."""
        return self.run.records()

    def __str__(self) -> str:
        """The main figures, a line each."""
        lines = [
            f"{one.name:18}{one.value}" + (f" ({one.bounds})" if one.bounds else "")
            for one in self.top_figures()
        ]
        told = [f"warning           {warning}" for warning in self.run.model.warnings]
        return "\n".join((self.heading, f"{'input':18}{self.input}", *lines, *told))

    def top_figures(self) -> tuple[TopFigure, ...]:
        """Class, cycles, time, energy, area and mismatches."""
        run, costs = self.run, self._costs
        found = [
            TopFigure(
                name="greatest output", value=", ".join(map(str, run.classes)), bounds="its index: the class"
            ),
            TopFigure(name="cycles", value=f"{run.cycles:,}", bounds=f"{run.cycles_cold:,} in the first run"),
        ]
        if run.time_us is not None and run.clock is not None:
            found.append(TopFigure(name="time", value=f"{run.time_us:,.1f} µs", bounds=f"at {run.clock}"))
        if costs is not None:
            found += [
                _bounded("energy", costs.energy, 1e6, "µJ"),
                _bounded("power", costs.power_w, 1e3, "mW"),
                _bounded("area", costs.area.total, 1e6, "mm²"),
            ]
        among = (
            "RTL, functional machine, prediction and oracle"
            if run.simulator
            else "functional machine, prediction and oracle"
        )
        return (*found, TopFigure(name="mismatches", value=f"{run.mismatches:,}", bounds=among))

    def sections(self) -> tuple[Section, ...]:
        """Network, map, run, costs, device."""
        compilation, run = self.compilation, self.run
        found = [
            Section(
                title="The network",
                warnings=run.model.warnings,
                tables=(self._network_table(),),
                notes=run.model.told,
            ),
            Section(title="Feature maps of the image", drawn=run.drawn),
            Section(
                title="Where it lies in the arrays",
                tables=compilation.tables(),
                notes=compilation.program_notes(),
                drawn=compilation.drawn,
            ),
            Section(title="The run", tables=run.tables(), notes=run.run_notes()),
            Section(
                title="Cycles and events",
                tables=(
                    self._counter_table("a steady run: kernels in place", run.counters),
                    self._counter_table("the first run, which loads all kernels", run.counters_cold),
                ),
            ),
        ]
        if self.estimate is not None and self._costs is not None:
            totals, *others = self.estimate.tables()
            found.append(
                Section(
                    title="What an image costs",
                    tables=(totals, layer_energies(self._costs), *others),
                    notes=self.estimate.cost_notes(),
                )
            )
        if self.device is not None:
            found.append(
                Section(
                    title=f"The cells: {self.device.technology}",
                    tables=summary_tables(self.device),
                    notes=(self.device.description, LEGEND),
                    details=tuple(
                        ("All figures, with their sources", table) for table in self.device.tables()
                    ),
                )
            )
        else:
            found.append(Section(title="What an image costs", notes=(_NO_CLOCK,)))
        return tuple(section for section in found if section != Section(title=section.title))

    @property
    def _costs(self) -> TechnologyEstimate | None:
        return self.estimate.technologies[0] if self.estimate else None

    def _network_table(self) -> Table:
        model, layers = self.run.model, self.compilation.layers
        table = Table(title="")
        table.add_column("")
        table.add_column("")
        table.add_row("network", self.run.network)
        table.add_row("input", self.input)
        table.add_row("expected input", str(model.expects))
        table.add_row("layers", f"{len(layers)}: {', '.join(layer.layer for layer in layers)}")
        table.add_row("multiply-accumulates", f"{sum(layer.macs for layer in layers):,} an image")
        table.add_row("single-bit products", f"{sum(layer.binary_operations for layer in layers):,} an image")
        if self.estimate:
            weights, maps = self.estimate.weight_bits, self.estimate.map_bits
            table.add_row("weights, maps", f"{bytes_text(weights)}, {bytes_text(maps)}")
        table.add_row("check", model.check or "no file: a network of the literature, or a graph")
        return table

    def _counter_table(self, title: str, counters: RunCounters) -> Table:
        """Every counter by the two or three that have it; those that are 0 everywhere are left out."""
        table = Table(title=title, caption="what differs is a mismatch")
        told = {
            "RTL": counters.rtl,
            "functional machine": counters.functional,
            "prediction": counters.predicted,
        }
        known = {name: one.as_dict() for name, one in told.items() if one is not None}
        table.add_column("counter")
        for name in known:
            table.add_column(name, justify="right")
        for counter in ACCELERATOR_COUNTER_NAMES:
            row = [one[counter] for one in known.values()]
            if any(row):
                table.add_row(counter.replace("_", " "), *(f"{count:,}" for count in row))
        return table


def _bounded(name: str, interval: Interval, factor: float, unit: str) -> TopFigure:
    value, bounds = interval_parts(interval, factor)
    return TopFigure(name=name, value=f"{value} {unit}", bounds=bounds)
