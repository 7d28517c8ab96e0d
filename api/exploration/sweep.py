"""A sweep: the figures of many designs of a space, those that nothing beats, and why the best one is."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

from spinplane.device import load_technology
from spinplane.device.technology import Technology
from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.arguments import as_path
from spinplane.machine.drawing import Drawing, check_format
from spinplane.machine.external.remedies import need
from spinplane.machine.files import write_whole
from spinplane.machine.reporting.records import csv_text

from ..defaults import BEST_SHOWN, SWEEP_FOLDER
from ..report.codec import plain_converter
from ..tasks.engine import Engine
from .design import Design, SentNetwork, figures_of
from .figures import Figures, LayerCycles
from .front_picture import draw_front
from .point import Point, front, kept_to, ranked
from .search import Values, looked_at
from .space import Space, as_space
from .sweep_report import SweepReport, point_records

#: Files of a sweep in its folder, beside the folder of what is kept.
POINTS, FRONT, PICTURE, KEPT = "points.csv", "front.csv", "front", "kept"


def sweep(
    space: Space | str | Path,
    *,
    folder: str | Path | None = None,
    format: str = "png",
    jobs: int | None = None,
    dask: str | None = None,
    top: int = BEST_SHOWN,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> SweepReport:
    """Look at many designs of a space, and tell which ones nothing beats.

    Parameters
    ----------
    space : Space, str or Path
        A TOML file, see `docs/design-space.md`.
    folder : str or Path, optional
        For the figures as CSV, the picture and the results that are kept: with the same folder an interrupted sweep
        goes on. By default ``build/sweep/NAME``.
    format : {"png", "svg", "pdf"}
        Of the picture.
    jobs : int, optional
        Processes of one thread each; by default one for each core.
    dask : str, optional
        Address of a Dask scheduler, whose workers do the work instead.
    top : int
        Best designs that are shown.
    advance : callable
        Is given the number of designs that are done, and of all that are known so far.

    Returns
    -------
    SweepReport
        The same with any number of workers, interrupted or not.

    Raises
    ------
    SpinplaneError
        If the space, a network or a technology cannot be read, a number is not allowed, no scheduler answers, or an
        extra is missing.
    OSError
        If a file cannot be written.
    """
    if top < 1:
        raise SpinplaneError(f"top = {top}: must be at least 1")
    check_format(format)
    chosen = as_space(space)
    if chosen.search == "optuna":
        need("optuna")
    folder = SWEEP_FOLDER / chosen.name if folder is None else as_path("folder", folder)
    with Engine(jobs=jobs, dask=dask, kept=folder / KEPT) as engine:
        networks = {name: SentNetwork.of(chosen.files.get(name, name)) for name in chosen.networks}
        technologies = {name: load_technology(chosen.files.get(name, name)) for name in chosen.technologies}

        def look(designs: Sequence[Values]) -> list[Point]:
            return _points(chosen, designs, networks, technologies, engine, advance)

        points = looked_at(chosen, look)
    best = ranked(kept_to(points, chosen.constraints), chosen.objectives)
    on_front = ranked(front(best, chosen.objectives), chosen.objectives)
    for file, of_file in ((POINTS, points), (FRONT, on_front)):
        write_whole(folder / file, csv_text(point_records(chosen, of_file)).encode())
    drawn: tuple[Drawing, ...] = ()
    if len(chosen.objectives) > 1 and best:
        draw = partial(draw_front, space=chosen, points=best, on_front=on_front)
        drawn = (Drawing(name=PICTURE, draw=draw),)
    return SweepReport(
        name=chosen.name,
        space=chosen,
        points=tuple(points),
        kept_to=len(best),
        front=tuple(point.key for point in on_front),
        top=top,
        picture=drawn[0].write(folder, format) if drawn else None,
        drawn=drawn,
    )


def _points(
    space: Space,
    designs: Sequence[Values],
    networks: Mapping[str, SentNetwork],
    technologies: Mapping[str, Technology],
    engine: Engine,
    advance: Callable[[int, int], None],
) -> list[Point]:
    """Points of some designs; what has the same program is one task."""
    machine_of = _machines(space)
    tasks: dict[str, Design] = {}
    groups: list[tuple[list[Values], str, str]] = []
    for (machine_values, network, batch), same in groupby(
        designs, key=lambda values: _program(space, values)
    ):
        own = list(same)
        machine, reason = machine_of(machine_values)
        if machine is None:
            groups.append((own, "", reason))
            continue
        design = Design(
            machine=machine,
            network=networks[network],
            batch=int(batch),
            runs=tuple((technologies[one["technology"]], one["clock"]) for one in own),
            accuracy=space.accuracy,
            seed=space.seed,
        )
        tasks[design.key] = design
        groups.append((own, design.key, ""))
    results = engine.map(figures_of, tasks, advance)
    found = []
    for own, key, reason in groups:
        of_runs = results[key] if key else [{"reason": reason}] * len(own)
        found += [_point(values, key, result) for values, result in zip(own, of_runs, strict=True)]
    return found


def _program(space: Space, values: Values) -> tuple[tuple[str, ...], str, str]:
    return tuple(values[key] for key in space.axes), values["network"], values["batch"]


def _machines(space: Space) -> Callable[[tuple[str, ...]], tuple[Machine | None, str]]:
    """From the values of the machine's axes to the machine, or to why there is none."""

    @cache
    def machine_of(values: tuple[str, ...]) -> tuple[Machine | None, str]:
        try:
            return space.machine(dict(zip(space.axes, values, strict=True))), ""
        except SpinplaneError as error:
            return None, str(error)

    return machine_of


def _point(values: Values, key: str, result: Mapping[str, Any]) -> Point:
    figures = result.get("figures")
    return Point(
        key=hashlib.sha256(repr((key, sorted(values.items()))).encode()).hexdigest()[:16],
        values=dict(values),
        figures=None if figures is None else plain_converter().structure(figures, Figures),
        reason=result["reason"],
        layers=plain_converter().structure(result.get("layers", []), tuple[LayerCycles, ...]),
    )
