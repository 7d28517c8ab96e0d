"""The picture of a front: two objectives of all designs, and those that nothing beats joined by a line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spinplane.machine.drawing import Target
from spinplane.machine.pictures import COLOURS, COLUMN, MARKERS, picture

from .figures import Figures, label
from .point import Point
from .space import Space


def draw_front(to: Target, *, space: Space, points: Sequence[Point], on_front: Sequence[Point]) -> None:
    """Draw the first two objectives of designs.

    Parameters
    ----------
    to : Path or BytesIO
        File to write, or memory.
    space : Space
    points : sequence of Point
        That keep to the constraints.
    on_front : sequence of Point
        Those that nothing beats, by the first objective.
    """
    across, up = (one.figure for one in space.objectives[:2])
    with picture(to, 1.3 * COLUMN, COLUMN) as figure:
        axis = figure.subplots()
        axis.set_title(f"{space.name}: {len(points)} designs, {len(on_front)} that nothing beats")
        for number, network in enumerate(space.networks):
            colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
            look = {"color": colour, "marker": marker}
            _plot(axis, (across, up), _of(points, network), {**look, "linestyle": "", "alpha": 0.35})
            # With more objectives, neighbours by one of them are not neighbours by another one.
            line = "-" if len(space.objectives) == 2 else ""
            named = {"linestyle": line, "label": Path(network).name}
            _plot(axis, (across, up), _of(on_front, network), {**look, **named})
        axis.set(
            xlabel=label(across), ylabel=label(up), xscale=_scale(points, across), yscale=_scale(points, up)
        )
        axis.legend()


def _scale(points: Sequence[Point], figure: str) -> str:
    """Logarithmic, but for figures that can be 0."""
    return "log" if all(getattr(one.figures, figure) > 0 for one in points) else "linear"


def _of(points: Sequence[Point], network: str) -> list[Figures]:
    return [one.figures for one in points if one.figures and one.values["network"] == network]


def _plot(axis: Any, names: tuple[str, str], figures: list[Figures], style: dict[str, Any]) -> None:
    axis.plot(*([getattr(one, name) for one in figures] for name in names), **style)
