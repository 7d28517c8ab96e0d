"""The device report: the figures of a memory technology's cell, each with its source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.table import Table

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.device.biasing import check_overlap
from spinplane.device.electrical import electrical, machine_clock
from spinplane.device.figures import draw_sense_levels, draw_switching, draw_write_errors
from spinplane.device.monte_carlo import MonteCarlo, monte_carlo
from spinplane.device.netlist import TransistorModel, sense_deck
from spinplane.device.technology import Technology, load_technology
from spinplane.device.write import WritePulse, write_error_rates, write_pulse
from spinplane.machine import Electrical, Machine, MachineClock, clock_hz, load_machine
from spinplane.machine.arguments import as_optional_path
from spinplane.machine.drawing import Drawing, check_format
from spinplane.machine.files import write_whole
from spinplane.machine.reporting.records import Record, record_of

from ..defaults import PAPER_MACHINE, SEED, SENSE_TRIALS, TECHNOLOGY
from ..models import Model, open_model
from ..report.report import Report
from ..tasks.engine import Engine
from .device_array import array_figures
from .device_cell import FAN_INS, cell_figures
from .device_tables import figure_table, figure_text, summary
from .quantity import Quantity

_CURRENTS = (0.6, 0.8, 1.0)
_PULSES = 25
_DECK = ".sp"


@dataclass(frozen=True, kw_only=True, repr=False)
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

    @property
    def main_figure(self) -> str:
        """Resistance and margin of an AND, where it can sense one."""
        found = {one.name: one for one in self.results}
        names = ("TMR", "AND: margin", "fastest clock")
        return ", ".join(
            f"{name} {found[name].shown} {found[name].shown_unit}".strip() for name in names if name in found
        )

    def records(self) -> tuple[Record, ...]:
        """A record for each figure and each parameter, with its bounds, mark and source."""
        return tuple(
            record_of(one, without=("interval",))
            | dict(zip(("low", "high"), one.interval or (None, None), strict=True))
            for one in (*self.results, *self.parameters)
        )

    def drawings(self) -> tuple[Path, ...]:
        """Sense levels, switching, write errors."""
        return tuple(path for path in map(Path, self.pictures) if path.suffix != _DECK)

    def _caption(self) -> str:
        if self.overlap_reason:
            return f"No row can be sensed while another is written: {self.overlap_reason}."
        return "Rows of an array can be sensed while another row is written."


def report_device(
    technology: Technology | str | Path = TECHNOLOGY,
    *,
    values: Mapping[str, float] | None = None,
    machine: Machine | str | Path = PAPER_MACHINE,
    clock: str | None = None,
    network: Model | CompiledProgram | None = None,
    folder: str | Path | None = None,
    format: str = "png",
    model: TransistorModel | None = None,
    trials: int = SENSE_TRIALS,
    writes: int = 2000,
    seed: int = SEED,
    jobs: int | None = None,
    dask: str | None = None,
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
    network : str, Path, ModelFile, ModelProto, Graph or CompiledProgram, optional
        Whose writes wear the cells; without it one row is written without a pause.
    folder : str or Path, optional
        Where pictures and the circuit deck are written to; none are if not given.
    format : {"png", "svg", "pdf"}
        Of the pictures.
    model : TransistorModel, optional
        Transistors of the circuit deck.
    trials : int
        Of the Monte Carlo run of the sense margin.
    writes : int
        Simulated writes of each bit, at temperature.
    seed : int
    jobs : int, optional
        Processes of one thread each among which blocks of trials are shared; by default one for each core.
    dask : str, optional
        Address of a Dask scheduler, whose workers do so instead.

    Returns
    -------
    DeviceReport

    Raises
    ------
    SpinplaneError
        For a bad technology, parameter, machine, network or transistor model, or a cell that cannot be sensed or
        written, or that the model does not cover.
    """
    check_format(format)
    chosen = load_technology(technology)
    if values:
        chosen = chosen.with_values(values)
    machine, folder = load_machine(machine), as_optional_path("folder", folder)
    worn_by = (
        network
        if isinstance(network, CompiledProgram | None)
        else compile_graph(open_model(network), machine)
    )
    of_machine = machine_clock(machine, chosen, None if clock is None else clock_hz(clock))
    pulses = (write_pulse(chosen, 0), write_pulse(chosen, 1))
    with Engine(jobs=jobs, dask=dask) as engine:
        sensed = {
            fan_in: monte_carlo(chosen, trials=trials, seed=seed, fan_in=fan_in, share=engine.share)
            for fan_in in FAN_INS
        }
    first, second = (write_error_rates(chosen, bit, count=writes, seed=seed).rates[0][0] for bit in (0, 1))
    errors = (first, second)
    results = cell_figures(chosen, pulses=pulses, errors=errors, sensed=sensed, model=model)
    results += array_figures(
        chosen, machine, of_machine, network=worn_by, errors=errors, writes=writes, seed=seed
    )
    drawn = _drawn(chosen, sensed[2], pulses)
    if folder:
        drawn += (_write_errors(chosen, writes, seed),)
    return DeviceReport(
        technology=chosen.name,
        description=chosen.description,
        structure=chosen.structure,
        parameters=_parameters(chosen),
        results=tuple(results),
        electrical=electrical(chosen),
        overlap_reason=check_overlap(chosen).reason,
        pictures=_written(drawn, folder, format, chosen, model) if folder else (),
        clock=of_machine,
        drawn=drawn,
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


def _drawn(
    technology: Technology, run: MonteCarlo, pulses: tuple[WritePulse, WritePulse]
) -> tuple[Drawing, ...]:
    """Pictures of what the figures rest on."""
    name = technology.name
    switching = partial(draw_switching, pulses=pulses, name=name, axis_name=technology.easy_axis)
    return (
        Drawing(name="sense_levels", draw=partial(draw_sense_levels, run=run, name=name)),
        Drawing(name="switching", draw=switching),
    )


def _write_errors(technology: Technology, writes: int, seed: int) -> Drawing:
    """A picture of writes at several currents and lengths, which take longer to simulate than all figures."""
    spread = tuple(technology["write.current_1"] * share for share in _CURRENTS)
    lengths = tuple(float(t) for t in np.linspace(0, technology["write.pulse"], _PULSES + 1)[1:])
    errors = write_error_rates(technology, 1, currents=spread, pulses=lengths, count=writes, seed=seed)
    return Drawing(name="write_errors", draw=partial(draw_write_errors, errors=errors, name=technology.name))


def _written(
    drawn: Sequence[Drawing],
    folder: Path,
    format: str,
    technology: Technology,
    model: TransistorModel | None,
) -> tuple[str, ...]:
    files = [drawing.write(folder, format) for drawing in drawn]
    if technology.sensing.quantity == "voltage":
        files.append(folder / f"read_and{_DECK}")
        write_whole(files[-1], sense_deck(technology, model=model).encode())
    return tuple(str(file) for file in files)
