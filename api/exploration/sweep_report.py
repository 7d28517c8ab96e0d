"""What a sweep has found, as text, page and CSV."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from spinplane.machine import Machine

from ..report.report import Report
from .figures import FIGURES, LayerCycles, label
from .point import Point, kept_to, ranked
from .space import Space

#: Figures that are always shown; those of objectives and constraints are in front of them.
_SHOWN = ("cycles", "latency_us", "energy_uj", "power_mw", "area_mm2", "lifetime_years")
#: Points of a front that are shown; the CSV has all.
_MOST_SHOWN = 20
_LONGEST_REASON = 100


@dataclass(frozen=True, kw_only=True, repr=False)
class SweepReport(Report):
    """Designs of a space, and those that nothing beats.

    Parameters
    ----------
    name : str
    space : Space
    points : tuple of Point
        In the order of the search.
    kept_to : int
        Number of those that can be and keep to all constraints.
    front : tuple of str
        Keys of those of which none is as good in all objectives and better in one, by the first objective.
    top : int
        Best designs that are shown.
    picture : Path or None
        None with one objective.
    """

    name: str
    space: Space
    points: tuple[Point, ...]
    kept_to: int
    front: tuple[str, ...]
    top: int
    picture: Path | None

    @property
    def machine(self) -> Machine:
        """That of which the designs are changes."""
        return self.space.base

    @property
    def heading(self) -> str:
        """One line: the space, its designs, what is sought."""
        sought = ", ".join(map(str, self.space.objectives))
        return f"Sweep {self.name}: {len(self.points):,} designs; {sought}"

    @property
    def best(self) -> tuple[Point, ...]:
        """Designs that keep to all constraints, the best one in the first objective first."""
        return tuple(ranked(kept_to(self.points, self.space.constraints), self.space.objectives))

    def tables(self) -> tuple[Table, ...]:
        """The front, the best designs, and where the cycles of the best one and of the next one go."""
        by_key = {point.key: point for point in self.points}
        on_front = [by_key[key] for key in self.front]
        best = self.best
        found = [
            self._table(f"{self.heading}: designs that nothing beats", on_front[:_MOST_SHOWN]),
            self._table(f"The best by {self.space.objectives[0]}", best[: self.top]),
        ]
        for rival in self._next():
            found.append(_why(best[0], rival, self._differing))
        return tuple(found)

    def notes(self) -> tuple[str, ...]:
        """How many designs can be, what they are measured by, why others cannot, and the picture."""
        reasons = Counter(point.reason for point in self.points if point.reason)
        constraints = ", ".join(map(str, self.space.constraints)) or "none"
        possible = sum(point.figures is not None for point in self.points)
        return (
            f"{possible:,} of {len(self.points):,} designs can be; {self.kept_to:,} keep to the constraints: "
            f"{constraints}",
            *(f"{count:,} cannot: {_cut(reason)}" for reason, count in reasons.most_common(5)),
            *((f"{len(reasons) - 5} more reasons are in the CSV",) if len(reasons) > 5 else ()),
            *(
                (f"{len(self.front) - _MOST_SHOWN} more designs of the front are in the CSV",)
                if len(self.front) > _MOST_SHOWN
                else ()
            ),
            *((f"picture  {self.picture}",) if self.picture else ()),
        )

    def drawings(self) -> tuple[Path, ...]:
        """The front."""
        return (self.picture,) if self.picture else ()

    def csv(self) -> str:
        """All designs, one a line; figures in the units of their names."""
        return points_csv(self.space, self.points)

    @property
    def _differing(self) -> list[str]:
        dimensions = self.space.dimensions
        return [name for name, values in dimensions.items() if len(values) > 1]

    def _next(self) -> Sequence[Point]:
        """The next best one after the best, of the same network; none if there is none."""
        best, *others = self.best or (None,)
        return [one for one in others if best and one.values["network"] == best.values["network"]][:1]

    def _table(self, title: str, points: Sequence[Point]) -> Table:
        table = Table(title=title)
        names = self._differing
        figures = list(dict.fromkeys((*self.space.asked, *_SHOWN)))
        for name in names:
            table.add_column(name.replace("_", " "), justify="right")
        for name in figures:
            table.add_column(label(name), justify="right")
        for point in points:
            values = [Path(point.values[name]).name for name in names]
            table.add_row(*values, *(f"{getattr(point.figures, name):,.4g}" for name in figures))
        return table


def points_csv(space: Space, points: Sequence[Point]) -> str:
    """Points as comma-separated values, one a line.

    Parameters
    ----------
    space : Space
    points : sequence of Point
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = list(space.dimensions)
    writer.writerow([*names, *FIGURES, "reason", "key"])
    for point in points:
        figures = asdict(point.figures) if point.figures else {}
        row = [figures.get(name) for name in FIGURES]
        writer.writerow([*(point.values[name] for name in names), *row, point.reason, point.key])
    return text.getvalue()


def _why(best: Point, rival: Point, differing: Sequence[str]) -> Table:
    """Where the cycles of two designs go, layer by layer."""
    of_best, of_rival = (
        ", ".join(
            f"{name} {point.values[name]}" for name in differing if best.values[name] != rival.values[name]
        )
        for point in (best, rival)
    )
    table = Table(
        title="Where the cycles of the best design go, and of the next one",
        caption=f"best: {of_best}; next: {of_rival}; other: idle sub-arrays, loads, waits, fetch, fill and drain",
    )
    table.add_column("layer", no_wrap=True)
    for heading in ("cycles", "needed", "empty columns", "row writes", "other"):
        table.add_column(f"{heading}: best · next", justify="right")
    for own, other in zip(best.layers, rival.layers, strict=True):
        table.add_row(own.layer or "start, end", *_pairs(own, other))
    total, other_total = map(_total, (best.layers, rival.layers))
    table.add_section()
    table.add_row("all", *_pairs(total, other_total))
    return table


def _total(layers: Sequence[LayerCycles]) -> LayerCycles:
    return LayerCycles(
        layer="all",
        cycles=sum(one.cycles for one in layers),
        needed=sum(one.needed for one in layers),
        empty_columns=sum(one.empty_columns for one in layers),
        row_writes=sum(one.row_writes for one in layers),
    )


def _pairs(own: LayerCycles, other: LayerCycles) -> Iterator[str]:
    for name in ("cycles", "needed", "empty_columns", "row_writes", "other"):
        yield f"{getattr(own, name):,.0f} · {getattr(other, name):,.0f}"


def _cut(reason: str) -> str:
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"
