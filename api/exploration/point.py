"""A point of a space: a design with its figures, or with the reason why it cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass

from .figures import Figures, LayerCycles
from .space import Constraint, Objective


@dataclass(frozen=True, kw_only=True)
class Point:
    """A design of a space.

    Parameters
    ----------
    key : str
        Digest of all that its figures follow from.
    values : dict of str to str
        What it has on each dimension of the space.
    figures : Figures or None
        None if it cannot be.
    reason : str
        Why it cannot be; empty if it can.
    layers : tuple of LayerCycles
        Where the cycles of its layers go.
    """

    key: str
    values: dict[str, str]
    figures: Figures | None
    reason: str
    layers: tuple[LayerCycles, ...]


def kept_to(points: Sequence[Point], constraints: Sequence[Constraint]) -> list[Point]:
    """Points that can be and keep to all constraints."""
    return [
        point
        for point in points
        if point.figures is not None and all(one.holds(point.figures) for one in constraints)
    ]


def front(points: Sequence[Point], objectives: Sequence[Objective]) -> list[Point]:
    """Points of which no other one is as good in all objectives and better in one, among those of the same network."""
    costs = [_costs(point, objectives) for point in points]
    found = []
    for own, point in zip(costs, points, strict=True):
        others = (
            other
            for other, rival in zip(costs, points, strict=True)
            if rival.values["network"] == point.values["network"]
        )
        if not any(other != own and all(a <= b for a, b in zip(other, own, strict=True)) for other in others):
            found.append(point)
    return found


def ranked(points: Sequence[Point], objectives: Sequence[Objective]) -> list[Point]:
    """Points by their objectives, the first one first."""
    return sorted(points, key=lambda point: (_costs(point, objectives), point.key))


def _costs(point: Point, objectives: Sequence[Objective]) -> tuple[float, ...]:
    assert point.figures is not None
    return tuple(one.cost(point.figures) for one in objectives)
