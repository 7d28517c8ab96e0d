"""The paper beside ours: its rows, in the order of its figures, and how they are shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from spinplane.machine import Machine
from spinplane.machine.reporting.records import Record, record_of
from spinplane.machine.tables import table_text

from ..commands.quantity import number_text
from ..report.report import Report
from .evidence import NETWORKS
from .printed import printed_sections
from .row import Row

_NONE = "–"


@dataclass(frozen=True, kw_only=True, repr=False)
class PaperReport(Report):
    """Every number of the paper beside ours.

    Parameters
    ----------
    machine : Machine
    technology : str
        Of the arrays.
    rows : tuple of Row
    pictures : tuple of str
        Files that were drawn.
    """

    machine: Machine
    technology: str
    rows: tuple[Row, ...]
    pictures: tuple[str, ...]

    def __str__(self) -> str:
        """How many claims hold, and the notes."""
        return table_text(self._verdicts()) + "\n".join(self.notes())

    @property
    def every_row(self) -> str:
        """All rows as text."""
        return super().__str__()

    def __getitem__(self, id: str) -> Row:
        """The row of an id."""
        return next(row for row in self.rows if row.id == id)

    @property
    def heading(self) -> str:
        """One line that says what stands beside each other."""
        return f"IMCE (ASP-DAC 2018) beside machine {self.machine.name} with {self.technology}"

    def tables(self) -> tuple[Table, ...]:
        """The verdicts, and a table for each section of the paper."""
        return (self._verdicts(), *(_table(title, rows) for title, rows in self._sections() if rows))

    @property
    def main_figure(self) -> str:
        """How many claims hold."""
        verdicts = [row.verdict for row in self.rows]
        return f"{len(verdicts)} rows, {verdicts.count('holds')} claims hold, {verdicts.count('fails')} fail"

    def records(self) -> tuple[Record, ...]:
        """A record for each row."""
        return tuple(record_of(row) | {"ratio": row.ratio} for row in self.rows)

    def notes(self) -> tuple[str, ...]:
        """How to read a row, and how far each network's energy is from half of the paper's."""
        return (
            "paper: what the surviving text prints, and nothing from a picture; a dash where it prints no number",
            "low and high: with the parameters that ours rests on at their bounds; a ratio is ours ÷ the paper's",
            "a definition that the paper leaves open has a row for each way to read it",
            "Fig. 7 is filled by --study FILE, from spinplane train --network svhn --dataset svhn --bits all "
            "--data DIR --json FILE, or --network digits --dataset mnist",
            *self._halves(),
        )

    def drawings(self) -> tuple[Path, ...]:
        """Levels of the bit line, energies, areas, storage."""
        return tuple(map(Path, self.pictures))

    def _sections(self) -> Iterator[tuple[str, list[Row]]]:
        for section in printed_sections():
            ids = {item.id for item in section.items}
            yield section.title, [row for row in self.rows if _item_of(row.id, ids)]

    def _verdicts(self) -> Table:
        table = Table(
            title=self.heading,
            caption="of a figure a ratio is told, of a claim whether it holds with these bounds",
        )
        table.add_column("")
        for heading in ("rows", "with a ratio", "holds", "fails", "cannot be judged"):
            table.add_column(heading, justify="right")
        for title, rows in self._sections():
            verdicts = [row.verdict for row in rows]
            table.add_row(
                title,
                str(len(rows)),
                str(sum(row.ratio is not None and row.verdict is None for row in rows)),
                *(str(verdicts.count(verdict)) for verdict in ("holds", "fails", "cannot be judged")),
            )
        return table

    def _halves(self) -> Iterator[str]:
        """Of each network: its energy against half of what the paper prints."""
        for data_set in NETWORKS:
            told = []
            for id in ("core", "all"):
                row = self[f"table2.{data_set}.energy.bcnn-sot.{id}"]
                if row.ours is not None and row.paper:
                    told.append(f"{id} {number_text(row.ours)} µJ, {2 * row.ours / row.paper:.2f} of it")
            paper = self[f"table2.{data_set}.energy.bcnn-sot.core"].paper
            yield f"half of the paper's energy, {data_set}: {paper and paper / 2:g} µJ; " + "; ".join(told)


def _item_of(id: str, ids: set[str]) -> bool:
    """Whether a row belongs to one of these items: by its id, or by one before a dot in it."""
    parts = id.split(".")
    return any(".".join(parts[:number]) in ids for number in range(1, len(parts) + 1))


def _table(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title)
    table.add_column("item")
    for heading in ("printed", "paper", "ours", "low", "high"):
        table.add_column(heading, justify="right")
    table.add_column("unit")
    table.add_column("ratio", justify="right")
    for heading in ("verdict", "how, and why"):
        table.add_column(heading)
    for row in rows:
        table.add_row(
            row.item,
            row.printed or _NONE,
            *map(_number, (row.paper, row.ours, row.low, row.high)),
            "" if row.unit == "1" else row.unit,
            _number(row.ratio),
            row.verdict or "",
            "; ".join(part for part in (row.how, row.why) if part),
        )
    return table


def _number(value: float | None) -> str:
    return _NONE if value is None else number_text(value)
