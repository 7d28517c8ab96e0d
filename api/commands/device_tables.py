"""Figures of a device as text: a summary of one screen, and one table of all."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from rich import box
from rich.table import Table
from rich.text import Text

from spinplane.machine.tables import table_text

from .quantity import Quantity, number_text

if TYPE_CHECKING:
    from .device import DeviceReport

#: Columns of the summary and of the table of all figures.
SCREEN, WIDE = 80, 100
_COLUMNS: tuple[tuple[str, int, Literal["left", "right"]], ...] = (
    ("figure", 37, "left"),
    ("value", 9, "right"),
    ("bounds", 20, "left"),
    ("unit", 6, "left"),
    ("", 1, "left"),
    ("source", 20, "left"),
)
_OPERATIONS = ("read", "AND", "OR", "XOR", "write 0", "write 1")
#: Lines of the summary with a figure for each operation, and where it is.
_BY_OPERATION = {
    "reference, mV": ("EN_M", "EN_AND", "EN_OR"),
    "margin, mV": ("margin",),
    "sense or switching, ns": ("time",),
    "energy in the cell, fJ": ("energy in the cell",),
    "from the supply, fJ": ("energy from the supply",),
    "error rate": ("error rate",),
}
_BIASING = {"read": "read", "AND": "AND, OR", "OR": "AND, OR", "write 0": "write 0", "write 1": "write 1"}
#: Lines of the summary with one figure, or two of the same unit.
_ALONE = {
    "R_P, R_AP": ("R_P", "R_AP"),
    "TMR at 0 V": ("TMR",),
    "fastest clock of the machine": ("fastest clock",),
    "retention of a cell": ("retention",),
    "first bit of the array lost after": ("retention, cells differ",),
    "endurance time, not levelled": ("time without levelling",),
}
_EQUAL = "equal terms: "
_MARKS = ("measured", "published", "derived", "assumed")
LEGEND = "Marks: m measured, p published, d derived, a assumed."


def summary(report: "DeviceReport") -> str:
    """The figures that an architect asks first, in at most 24 lines of 80 columns."""
    operations, others = summary_tables(report)
    given = {quantity.name: quantity for quantity in report.parameters}
    conditions = [
        f"{given[key].shown} {given[key].unit}"
        for key in ("process.temperature", "process.supply_voltage")
        if key in given
    ]
    marks = Counter(parameter.mark for parameter in report.parameters)
    behind = ", ".join(f"{marks[mark]} {mark}" for mark in _MARKS if marks[mark])
    return "".join(
        (
            ", ".join([report.technology, report.structure, *conditions]) + "\n",
            table_text(operations, SCREEN),
            "\n",
            table_text(others, SCREEN),
            f"{LEGEND} Parameters behind them:\n{behind}. --all lists every figure.",
        )
    )


def summary_tables(report: "DeviceReport") -> tuple[Table, Table]:
    """The figures that an architect asks first: of each operation, and others."""
    found = {quantity.name: quantity for quantity in report.results}
    pulse = next((one for one in report.parameters if one.name == "write.pulse"), None)
    return _operations(found, pulse), _others(found, overlap=not report.overlap_reason)


def _operations(found: Mapping[str, Quantity], pulse: Quantity | None) -> Table:
    """A column for each operation."""
    operations = [name for name in _OPERATIONS if f"{name}: time" in found]
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", min_width=22, no_wrap=True)
    for name in operations:
        table.add_column(name, justify="right", no_wrap=True, min_width=8)
    table.add_column("", no_wrap=True)

    def add(heading: str, row: Sequence[Quantity | None]) -> None:
        table.add_row(heading, *(quantity.shown if quantity else "" for quantity in row), _letters(row))

    for heading, ends in _BY_OPERATION.items():
        add(heading, [_first(found, (f"{name}: {end}" for end in ends)) for name in operations])
    rates = [found.get(f"{name}: error rate") for name in operations]
    for at, heading in enumerate(("  at least (95 %)", "  at most (95 %)")):
        bounds = [number_text(rate.interval[at]) if rate and rate.interval else "" for rate in rates]
        table.add_row(heading, *bounds, _letters(rates))
    add("write pulse, ns", [pulse if name.startswith("write") else None for name in operations])
    add("biasing legal", [found.get(f"{_BIASING.get(name, name)}: legal") for name in operations])
    return table


def _first(found: Mapping[str, Quantity], names: Iterable[str]) -> Quantity | None:
    return next((found[name] for name in names if name in found), None)


def _others(found: Mapping[str, Quantity], *, overlap: bool) -> Table:
    """A line for each of the other figures: value, unit, bounds, mark."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), show_header=False)
    table.add_column("", min_width=34, no_wrap=True)
    table.add_column("", justify="right", no_wrap=True, min_width=13)
    table.add_column("", no_wrap=True, min_width=8)
    table.add_column("", no_wrap=True, min_width=15)
    table.add_column("", no_wrap=True)
    lines = {heading: [found[name] for name in names if name in found] for heading, names in _ALONE.items()}
    supply = (f"{_EQUAL}write {bit}: energy from the supply" for bit in (0, 1))
    lines["write 0, 1 at equal terms, supply"] = [found[name] for name in supply if name in found] or [
        found[name] for name in (f"{_EQUAL}possible",) if name in found
    ]
    for heading, row in lines.items():
        if row:
            shown, bounds = ", ".join(quantity.shown for quantity in row), _bounds(row[0])
            table.add_row(heading, shown, row[0].shown_unit, bounds, _letters(row))
    table.add_row("a row sensed while one is written", "yes" if overlap else "no", "", "", "d")
    return table


def _letters(row: Sequence[Quantity | None]) -> str:
    return "".join(dict.fromkeys(quantity.letter for quantity in row if quantity))


def _bounds(quantity: Quantity) -> str:
    return " to ".join(map(number_text, quantity.interval or ()))


def figure_table(title: str, caption: str, quantities: Sequence[Quantity]) -> Table:
    """A table with a line for each figure."""
    table = Table(title=title, caption=f"{caption} {LEGEND}", box=box.SIMPLE_HEAD, padding=0)
    for heading, width, justify in _COLUMNS:
        table.add_column(heading, width=width, justify=justify, no_wrap=True, overflow="ellipsis")
    section = ""
    for quantity in quantities:
        if quantity.section != section:
            section = quantity.section
            table.add_row(Text(section, style="bold"))
        table.add_row(
            quantity.name.removeprefix(_EQUAL),
            quantity.shown,
            _bounds(quantity),
            quantity.shown_unit,
            quantity.letter,
            quantity.source,
        )
    return table


def figure_text(table: Table) -> str:
    """The table of all figures as text of 100 columns, a line for each figure."""
    return table_text(table, WIDE)
