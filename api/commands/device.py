"""The device report: the figures of a memory technology's cell, each with its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from spinplane.device.biasing import check_overlap
from spinplane.device.electrical import electrical, machine_clock
from spinplane.device.figures import draw_sense_levels, draw_switching, draw_write_errors
from spinplane.device.monte_carlo import MonteCarlo, monte_carlo
from spinplane.device.netlist import TransistorModel, sense_deck
from spinplane.device.technology import Technology, load_technology
from spinplane.device.write import WritePulse, write_error_rates, write_pulse
from spinplane.machine import Electrical, Machine, MachineClock, clock_hz, load_machine
from spinplane.machine.files import write_whole

from ..models import Model, open_model
from ..report.report import Report
from .device_array import array_figures
from .device_cell import cell_figures
from .device_tables import figure_table, figure_text, summary
from .quantity import Quantity

_CURRENTS = (0.6, 0.8, 1.0)
_PULSES = 25


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
    clock : MachineClock or None
        Of the machine.
    """

    technology: str
    description: str
    structure: str
    parameters: tuple[Quantity, ...]
    results: tuple[Quantity, ...]
    electrical: Electrical
    overlap_reason: str
    pictures: tuple[str, ...]
    clock: MachineClock | None = None

    def __getitem__(self, name: str) -> float:
        """Value of a result by its name."""
        return next(quantity.value for quantity in self.results if quantity.name == name)

    def __str__(self) -> str:
        """What an architect asks first, on one screen of 80 columns."""
        return summary(self)

    @property
    def every_figure(self) -> str:
        """Every figure as text, in a line of 100 columns each; sources are cut, the JSON has them whole."""
        return figure_text(self.tables()[0])

    def tables(self) -> tuple[Table, ...]:
        """Every figure with its unit, mark and source."""
        title = f"{self.technology}: {self.description}"
        return (figure_table(title, self._caption(), (*self.results, *self.parameters)),)

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
    machine: Machine | str | Path = "paper",
    clock: str | None = None,
    network: Model | None = None,
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
    machine : Machine, str or Path
        Whose cells are counted, see `load_machine`.
    clock : str, optional
        Of the machine, see `clock_hz`; by default the fastest at which its sense and write cycles hold.
    network : str, Path or Graph, optional
        Whose writes wear the cells; without it one row is written without a pause.
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
        For a bad technology, parameter, machine, network or transistor model, or a cell that cannot be sensed or
        written, or that the model does not cover.
    """
    chosen = load_technology(technology)
    if values:
        chosen = chosen.with_values(values)
    machine = load_machine(machine)
    graph = None if network is None else open_model(network)
    of_machine = machine_clock(machine, chosen, None if clock is None else clock_hz(clock))
    pulses = (write_pulse(chosen, 0), write_pulse(chosen, 1))
    run = monte_carlo(chosen, trials=trials, seed=seed)
    first, second = (write_error_rates(chosen, bit, count=writes, seed=seed).rates[0][0] for bit in (0, 1))
    errors = (first, second)
    results = cell_figures(chosen, pulses=pulses, errors=errors, run=run, model=model)
    results += array_figures(
        chosen, machine, of_machine, network=graph, errors=errors, writes=writes, seed=seed
    )
    return DeviceReport(
        technology=chosen.name,
        description=chosen.description,
        structure=chosen.structure,
        parameters=_parameters(chosen),
        results=tuple(results),
        electrical=electrical(chosen),
        overlap_reason=check_overlap(chosen).reason,
        pictures=_pictures(chosen, folder, run, pulses, model, writes, seed) if folder else (),
        clock=of_machine,
    )


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
                    interval=parameter.bounds,
                )
            )
    return tuple(quantities)


def _pictures(
    technology: Technology,
    folder: Path,
    run: MonteCarlo,
    pulses: tuple[WritePulse, WritePulse],
    model: TransistorModel | None,
    writes: int,
    seed: int,
) -> tuple[str, ...]:
    name = technology.name
    spread = tuple(technology["write.current_1"] * share for share in _CURRENTS)
    lengths = tuple(float(t) for t in np.linspace(0, technology["write.pulse"], _PULSES + 1)[1:])
    errors = write_error_rates(technology, 1, currents=spread, pulses=lengths, count=writes, seed=seed)
    files = [
        draw_sense_levels(folder / "sense_levels.png", run, name),
        draw_switching(folder / "switching.png", pulses, name, technology.easy_axis),
        draw_write_errors(folder / "write_errors.png", errors, name),
    ]
    if technology.sensing.quantity == "voltage":
        files.append(folder / "read_and.sp")
        write_whole(files[-1], sense_deck(technology, model=model).encode())
    return tuple(str(file) for file in files)
