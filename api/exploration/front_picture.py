"""The picture of a front: two objectives of all designs, and those that nothing beats joined by a line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spinplane.machine.pictures import COLOURS, COLUMN, MARKERS, picture

from .figures import Figures
from .point import Point
from .space import Space


def draw_front(path: Path, space: Space, points: Sequence[Point], on_front: Sequence[Point]) -> Path:
    """Draw the first two objectives of designs.

    Parameters
    ----------
    path : Path
        PNG to write.
    space : Space
    points : sequence of Point
        That keep to the constraints.
    on_front : sequence of Point
        Those that nothing beats, by the first objective.

    Returns
    -------
    Path
        `path`.
    """
    across, up = (one.figure for one in space.objectives[:2])
    with picture(path, 1.3 * COLUMN, COLUMN) as figure:
        axis = figure.subplots()
        axis.set_title(f"{space.name}: {len(points)} designs, {len(on_front)} that nothing beats")
        for number, network in enumerate(space.networks):
            colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
            look = {"color": colour, "marker": marker}
            _plot(axis, (across, up), _of(points, network), {**look, "linestyle": "", "alpha": 0.35})
            label = Path(network).name
            _plot(axis, (across, up), _of(on_front, network), {**look, "linestyle": "-", "label": label})
        axis.set(xlabel=_label(across), ylabel=_label(up), xscale="log", yscale="log")
        axis.legend()
    return path


def _of(points: Sequence[Point], network: str) -> list[Figures]:
    return [one.figures for one in points if one.figures and one.values["network"] == network]


def _plot(axis: Any, names: tuple[str, str], figures: list[Figures], style: dict[str, Any]) -> None:
    axis.plot(*([getattr(one, name) for one in figures] for name in names), **style)


def _label(figure: str) -> str:
    return figure.replace("_", " ")
