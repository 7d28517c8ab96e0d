"""The picture of a front: two objectives of all designs, and those that nothing beats joined by a line."""

from collections.abc import Sequence
from pathlib import Path

from spinplane.machine.pictures import COLOURS, COLUMN, MARKERS, picture

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
            for chosen, style in ((points, {"alpha": 0.35}), (on_front, {"linestyle": "-", "label": Path(network).name})):
                own = [one.figures for one in chosen if one.values["network"] == network]
                axis.plot(
                    [getattr(one, across) for one in own],
                    [getattr(one, up) for one in own],
                    **{"color": colour, "marker": marker, "linestyle": "", **style},
                )
        axis.set(xlabel=_label(across), ylabel=_label(up), xscale="log", yscale="log")
        axis.legend()
    return path


def _label(figure: str) -> str:
    return figure.replace("_", " ")
