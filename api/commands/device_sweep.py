"""A parameter of a technology swept: margins, error rates, times, energies and retention over temperature or supply."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from rich import box
from rich.table import Table

from spinplane.device.energy import sense_energy, write_energy
from spinplane.device.references import reference_errors
from spinplane.device.retention import array_retention_s, retention_s
from spinplane.device.sensing import decisions, margin
from spinplane.device.technology import Technology, load_technology
from spinplane.device.write import write_error_rates, write_pulse
from spinplane.machine import Machine, SpinplaneError, load_machine
from spinplane.machine.arguments import as_optional_path
from spinplane.machine.drawing import Drawing, Target, check_format
from spinplane.machine.reporting.records import Record

from ..defaults import PAPER_MACHINE, SEED
from ..report.drawing import Panel, draw_sweep
from ..report.report import Report
from ..tasks.engine import Engine
from .quantity import number_text

#: Short names of what is swept most, with first and last value and the number of points.
USUAL = {
    "temperature": ("process.temperature", (250.0, 400.0, 6)),
    "voltage": ("process.supply_voltage", (0.9, 1.3, 5)),
}
#: Points over the bounds of any other parameter, the most points, and those in one table.
_POINTS, _MOST_POINTS, _TABLE_POINTS = 5, 64, 9
_SENSES = ("read", "AND", "OR")
_WRITES = ("write 0", "write 1")
#: Each kind of figure: unit, whether its axis is logarithmic, what has one.
_KINDS: dict[str, tuple[str, bool, tuple[str, ...]]] = {
    "margin": ("mV", False, _SENSES),
    "sense error rate": ("", True, _SENSES),
    "sense time": ("ns", False, _SENSES),
    "switching time": ("ns", False, _WRITES),
    "write error rate": ("", True, _WRITES),
    "energy in the cell": ("fJ", False, (*_SENSES, *_WRITES)),
    "energy from the supply": ("fJ", False, (*_SENSES, *_WRITES)),
    "retention": ("s", True, ("cell", "array")),
}
_Found = TypeVar("_Found")


@dataclass(frozen=True, kw_only=True)
class SweptFigure:
    """One figure at all points.

    Parameters
    ----------
    kind : str
        ``"margin"``, ``"sense error rate"``, ``"sense time"``, ``"switching time"``, ``"write error rate"``,
        ``"energy in the cell"``, ``"energy from the supply"`` or ``"retention"``.
    of : str
        The operation; of a retention ``"cell"`` or ``"array"``.
    unit : str
    values : tuple of float or None
        None where the cell cannot do it.
    """

    kind: str
    of: str
    unit: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class DeviceSweep(Report):
    """A technology's figures over one of its parameters.

    Parameters
    ----------
    technology, machine : str
    key, unit : str
        The parameter, and the unit of its values.
    points : tuple of float
    figures : tuple of SweptFigure
        Sense errors are the more frequent of both, with normal levels. An array retains until its first bit is lost,
        its cells differ.
    reasons : tuple of str
        Why a figure is missing at a point.
    picture : str
        File that was drawn; empty if none was.
    """

    technology: str
    machine: str
    key: str
    unit: str
    points: tuple[float, ...]
    figures: tuple[SweptFigure, ...]
    reasons: tuple[str, ...]
    picture: str

    def __getitem__(self, name: tuple[str, str]) -> tuple[float | None, ...]:
        """Values of a kind of figure and an operation, such as ``sweep["margin", "AND"]``."""
        return next(figure.values for figure in self.figures if (figure.kind, figure.of) == name)

    @property
    def heading(self) -> str:
        """Technology and parameter."""
        return f"{self.technology}: {self.key} from {self.points[0]:g} to {self.points[-1]:g} {self.unit}"

    def tables(self) -> tuple[Table, ...]:
        """A column for each point, a line for each figure."""
        return tuple(
            self._table(range(start, min(start + _TABLE_POINTS, len(self.points))))
            for start in range(0, len(self.points), _TABLE_POINTS)
        )

    def _table(self, shown: range) -> Table:
        table = Table(title=self.heading, box=box.SIMPLE_HEAD, padding=0)
        table.add_column("figure", no_wrap=True)
        table.add_column("unit", no_wrap=True)
        for at in shown:
            table.add_column(f"{self.points[at]:.4g}", justify="right", no_wrap=True, min_width=8)
        kind = ""
        for figure in self.figures:
            if kind and figure.kind != kind:
                table.add_section()
            kind = figure.kind
            values = [figure.values[at] for at in shown]
            texts = ["–" if value is None else number_text(value) for value in values]
            table.add_row(f"{figure.kind}, {figure.of}", figure.unit, *texts)
        return table

    @property
    def main_figure(self) -> str:
        """How many figures at how many points."""
        return f"{len(self.figures)} figures at {len(self.points)} points"

    def records(self) -> tuple[Record, ...]:
        """A record for each figure at each point."""
        return tuple(
            {
                **{"technology": self.technology, "machine": self.machine},
                **{"parameter": self.key, "point": point, "parameter_unit": self.unit},
                **{"figure": figure.kind, "operation": figure.of, "value": value, "unit": figure.unit},
            }
            for figure in self.figures
            for point, value in zip(self.points, figure.values, strict=True)
        )

    def notes(self) -> tuple[str, ...]:
        """What is missing and why, and the picture."""
        drawn = (f"picture  {self.picture}",) if self.picture else ()
        return (*(f"missing: {reason}" for reason in self.reasons), *drawn)

    def drawings(self) -> tuple[Path, ...]:
        """The picture."""
        return (Path(self.picture),) if self.picture else ()


def sweep_device(
    technology: Technology | str | Path,
    key: str,
    points: Sequence[float] | None = None,
    *,
    machine: Machine | str | Path = PAPER_MACHINE,
    folder: str | Path | None = None,
    format: str = "png",
    writes: int = 1000,
    seed: int = SEED,
    jobs: int | None = None,
    dask: str | None = None,
) -> DeviceSweep:
    """Compute a technology's figures over one of its parameters, all others as they are.

    Parameters
    ----------
    technology : Technology, str or Path
        See `spinplane.device.load_technology`.
    key : str
        A parameter, such as ``"oxide.thickness"``; ``"temperature"`` and ``"voltage"`` are those of the process.
    points : sequence of float, optional
        In the unit of the technology's file, 2 to 64. By default 250 to 400 K, 0.9 to 1.3 V, or five over the bounds of
        the parameter.
    machine : Machine, str or Path
        Whose cells retain, see `load_machine`.
    folder : str or Path, optional
        Where ``sweep.png`` is drawn.
    format : {"png", "svg", "pdf"}
        Of the picture.
    writes : int
        Simulated writes of each bit at each point.
    seed : int
        The same at all points, so that what differs is the parameter's doing.
    jobs : int, optional
        Processes of one thread each among which the points are shared; by default one for each core.
    dask : str, optional
        Address of a Dask scheduler, whose workers do so instead.

    Returns
    -------
    DeviceSweep

    Raises
    ------
    SpinplaneError
        For a bad technology, machine, parameter or number of points, and a value out of the parameter's range.
    """
    check_format(format)
    chosen, of_machine = load_technology(technology), load_machine(machine)
    folder = as_optional_path("folder", folder)
    key, values = _points(chosen, key, points)
    at_points = [chosen.with_values({key: value}) for value in values]
    bits = of_machine.sub_arrays * of_machine.rows * of_machine.columns
    tasks = [PointTask(technology=one, bits=bits, writes=writes, seed=seed) for one in at_points]
    columns, reasons = [], []
    with Engine(jobs=jobs, dask=dask) as engine:
        for value, found in zip(values, engine.share(figures_at, tasks), strict=True):
            columns.append({(kind, of): figure for kind, of, figure in found["figures"]})
            unit = chosen.parameters[key].unit
            reasons += [f"at {value:.4g} {unit}: {reason}" for reason in found["missing"]]
    figures = tuple(
        SweptFigure(kind=kind, of=of, unit=unit, values=tuple(column.get((kind, of)) for column in columns))
        for kind, (unit, _, names) in _KINDS.items()
        for of in names
    )
    sweep = DeviceSweep(
        technology=chosen.name,
        machine=of_machine.name,
        key=key,
        unit=chosen.parameters[key].unit,
        points=values,
        figures=figures,
        reasons=tuple(reasons),
        picture="",
    )
    drawing = Drawing(name="sweep", draw=partial(_draw, sweep=sweep))
    return replace(sweep, picture=str(drawing.write(folder, format)) if folder else "", drawn=(drawing,))


def _points(
    technology: Technology, key: str, points: Sequence[float] | None
) -> tuple[str, tuple[float, ...]]:
    """The parameter's full name, and its values."""
    short, usual = USUAL.get(key, (key, None))
    if points is None:
        parameter = technology.parameters.get(short)
        if parameter is not None and usual is None and parameter.bounds:
            usual = (*parameter.bounds, _POINTS)
        if parameter is not None and usual is None:
            raise SpinplaneError(f"sweep of {short}: it has no bounds: give first, last and number of points")
        points = np.linspace(*usual).tolist() if usual else [0.0, 0.0]
    if not 2 <= len(points) <= _MOST_POINTS:
        raise SpinplaneError(f"sweep of {short}: {len(points)} points: must be 2 to {_MOST_POINTS}")
    return short, tuple(float(point) for point in points)


@dataclass(frozen=True, kw_only=True, eq=False)
class PointTask:
    """A technology whose figures are asked for, by value: another process may find them.

    Parameters
    ----------
    technology : Technology
    bits : int
        Cells of the machine.
    writes, seed : int
        See `sweep_device`.
    """

    technology: Technology
    bits: int
    writes: int
    seed: int


def figures_at(task: PointTask) -> dict[str, Any]:
    """Kind, operation and value of each figure of a technology, and why some are missing, as plain data."""
    technology = task.technology
    found: dict[tuple[str, str], float] = {}
    missing: list[str] = []

    def tried(figure: Callable[..., _Found], *given: Any, **named: Any) -> _Found | None:
        try:
            return figure(technology, *given, **named)
        except SpinplaneError as error:
            if str(error) not in missing:
                missing.append(str(error))
            return None

    for name, decision in zip(_SENSES, decisions(), strict=True):
        if levels := tried(margin, decision):
            found["margin", name], found["sense time", name] = levels.margin_v * 1e3, levels.time_s * 1e9
            found["sense error rate", name] = max(reference_errors(technology, decision, levels.reference_v))
            sensed = sense_energy(technology, decision)
            found["energy in the cell", name] = sensed.cell_j * 1e15
            found["energy from the supply", name] = sensed.supply_j * 1e15
    for bit, name in enumerate(_WRITES):
        if supplied := tried(write_energy, bit):
            found["energy from the supply", name] = supplied.supply_j * 1e15
            if pulse := tried(write_pulse, bit):
                found["energy in the cell", name] = pulse.energy_j * 1e15
                if pulse.time_s is not None:
                    found["switching time", name] = pulse.time_s * 1e9
            if errors := tried(write_error_rates, bit, count=task.writes, seed=task.seed):
                found["write error rate", name] = errors.rates[0][0].rate
    if (seconds := tried(retention_s)) is not None:
        found["retention", "cell"] = seconds
    if (seconds := tried(array_retention_s, task.bits)) is not None:
        found["retention", "array"] = seconds
    return {"figures": [[*name, figure] for name, figure in found.items()], "missing": missing}


def _draw(to: Target, sweep: DeviceSweep) -> None:
    panels = [
        Panel(
            label=f"{kind} ({unit})" if unit else kind,
            logarithmic=logarithmic,
            lines={name: [np.nan if v is None else v for v in sweep[kind, name]] for name in names},
        )
        for kind, (unit, logarithmic, names) in _KINDS.items()
    ]
    short = next((name for name, (key, _) in USUAL.items() if key == sweep.key), sweep.key)
    draw_sweep(
        to, title=sweep.heading, label=f"{short} ({sweep.unit})", positions=sweep.points, panels=panels
    )
