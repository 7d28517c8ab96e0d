"""The report of a chip: logic by block, arrays, banks, the total, and what is added to a plain memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from rich.table import Table

from spinplane.machine.reporting.records import Record
from spinplane.machine.reporting.shown import Shown
from spinplane.machine.tables import table_text
from spinplane.physical import AreaReport

from .memory.array_area import ArrayArea
from .memory.bank_area import BankShape
from .sources import Figure

_PER_UM2 = 1e12


@dataclass(frozen=True, kw_only=True)
class Bank:
    """Banks of one shape.

    Parameters
    ----------
    name : str
    count : int
    words, width : int
        Of each.
    reads : int
        Read ports beside the write port.
    area : Figure
        Of each in m², of static cells.
    as_mram : Figure or None
        Of each in m² if it were of MRAM, one port doing all in turns; None where it reads at two places at once.
    """

    derived: ClassVar[tuple[str, ...]] = ("kib",)

    name: str
    count: int
    words: int
    width: int
    reads: int
    area: Figure
    as_mram: Figure | None

    @property
    def kib(self) -> float:
        """Size of each in KiB."""
        return self.words * self.width / 8192

    @property
    def shape(self) -> BankShape:
        """Its shape."""
        return BankShape(words=self.words, width=self.width, reads=self.reads)


@dataclass(frozen=True, kw_only=True)
class Added:
    """Logic of a sub-array that a plain memory does not have.

    Parameters
    ----------
    plain_decoder_um2 : float
        The decoder that it does have: of a single line.
    area_um2 : float
        All other logic.
    decoder_um2, sum_um2 : float
        What decoders and sum are of it.
    """

    derived: ClassVar[tuple[str, ...]] = ("share",)

    plain_decoder_um2: float
    area_um2: float
    decoder_um2: float
    sum_um2: float

    @property
    def share(self) -> float:
        """Part that decoders and sum are of what is added."""
        return (self.decoder_um2 + self.sum_um2) / self.area_um2 if self.area_um2 else 0.0


@dataclass(frozen=True, kw_only=True)
class AddOn:
    """What is added to a plain memory, as a part of it.

    Parameters
    ----------
    sensing : {"voltage", "current"}
    plain : Figure
        The plain memory in m²: array and one decoder.
    share : Figure
        What is added ÷ that.
    """

    sensing: str
    plain: Figure
    share: Figure


@dataclass(frozen=True, kw_only=True)
class _Line:
    name: str
    count: int
    area: Figure


@dataclass(frozen=True, kw_only=True, repr=False)
class ChipArea(Shown):
    """Area of a machine's chip.

    Parameters
    ----------
    machine : str
    technology : str
        Of the arrays.
    logic : AreaReport
    array : ArrayArea, optional
        One of them, sensed as the technology says; none of an FPGA.
    banks : tuple of Bank
    total : Figure, optional
        Logic, arrays and banks in m².
    added : Added, optional
    add_ons : tuple of AddOn
        Of a plain memory with either sensing.
    lut_per_operation : float, optional
        Of an FPGA: look-up tables of a sub-array ÷ its binary operations a cycle, two a column.
    """

    machine: str
    technology: str
    logic: AreaReport
    array: ArrayArea | None = None
    banks: tuple[Bank, ...] = ()
    total: Figure | None = None
    added: Added | None = None
    add_ons: tuple[AddOn, ...] = ()
    lut_per_operation: float | None = None

    @property
    def heading(self) -> str:
        """One line that says what was mapped to what."""
        return self.logic.heading

    @property
    def yosys(self) -> str:
        """Name and version of the Yosys that was run."""
        return self.logic.yosys

    @property
    def sta(self) -> str | None:
        """Name and version of what found the paths, if they were looked for."""
        return self.logic.sta

    @property
    def lines(self) -> Iterator[_Line]:
        """Parts of the arrays, and the banks, each with its number."""
        if self.array:
            for part in self.array.parts:
                yield _Line(name=f"arrays: {part.name}", count=self.logic.sub_arrays.count, area=part.area)
        for bank in self.banks:
            yield _Line(name=f"bank {bank.name}", count=bank.count, area=bank.area)

    def tables(self) -> tuple[Table, ...]:
        """Logic by block and its clock; then the chip, and what is added to a plain memory."""
        tables = self.logic.tables()
        if self.total is None:
            return tables
        return (*tables, self._chip(self.total), *([self._added(self.added)] if self.added else []))

    @property
    def main_figure(self) -> str:
        """Area of the chip, or of its logic."""
        return (
            f"{_um2(self.total.value)} µm² in all"
            if self.total and self.total.value
            else self.logic.main_figure
        )

    def records(self) -> tuple[Record, ...]:
        """A record for each block of the logic, each part of the arrays and each bank, the latter with areas of all."""
        memories = (
            {
                **{"machine": self.machine, "name": line.name, "count": line.count},
                **{
                    name: None if end is None else end * line.count * _PER_UM2
                    for name, end in zip(
                        ("area_um2", "area_um2_low", "area_um2_high"),
                        (line.area.value, line.area.low, line.area.high),
                        strict=True,
                    )
                },
            }
            for line in self.lines
        )
        return (*self.logic.records(), *memories)

    def notes(self) -> tuple[str, ...]:
        """Those of the logic; what the kernels' bank would take as MRAM, or what an operation takes on an FPGA."""
        notes = self.logic.notes()
        if self.lut_per_operation is not None:
            return (
                *notes,
                f"{self.lut_per_operation:.3g} LUT a binary operation: LUT of a sub-array ÷ (2 × columns); "
                "BISMO has 0.906, whose ANDs are in it",
            )
        largest = max(self.banks, key=lambda bank: bank.words * bank.width, default=None)
        if largest is None or largest.as_mram is None:
            return notes
        return (
            *notes,
            f"{largest.name}, {largest.kib:,.0f} KiB: {_um2(largest.area.value)} µm² of static cells, "
            f"{_um2(largest.as_mram.value)} of MRAM with one port",
        )

    def __str__(self) -> str:
        width = 160 if self.logic.timing else 140
        return "".join(table_text(table, width) for table in self.tables()) + "\n".join(self.notes())

    def _chip(self, total: Figure) -> Table:
        table = Table(
            title=f"Chip of {self.machine}: logic, arrays of {self.technology}, banks of static cells",
            caption="µm² in all; low and high: named parameters at their bounds. No pads, no wiring between blocks.",
        )
        table.add_column("block")
        for heading in ("number", "µm²", "share", "low", "high"):
            table.add_column(heading, justify="right")
        logic = self.logic.total.area_um2 or 0.0
        table.add_row("logic, all blocks", "1", f"{logic:,.0f}", _share(logic / _PER_UM2, total), "", "")
        for line in self.lines:
            ends = (line.area.value, line.area.low, line.area.high)
            middle, low, high = (None if end is None else end * line.count for end in ends)
            number = f"{line.count:,}"
            if middle is None:
                table.add_row(line.name, number, f"no {line.area.missing}", "", "", "")
            else:
                table.add_row(line.name, number, _um2(middle), _share(middle, total), _um2(low), _um2(high))
        table.add_section()
        if total.value is None:
            table.add_row("total", "", f"no {total.missing}", "", "", "")
        else:
            table.add_row(
                "total", "", _um2(total.value), _share(total.value, total), _um2(total.low), _um2(total.high)
            )
        return table

    def _added(self, added: Added) -> Table:
        table = Table(
            title=f"Added to a plain memory: {added.area_um2:,.0f} µm² a sub-array, {added.share:.1%} of it decoders "
            "and sum",
            caption=f"A plain memory: an array, and one decoder of {added.plain_decoder_um2:,.0f} µm².",
        )
        table.add_column("plain memory's sensing")
        for heading in ("plain µm²", "added", "low", "high"):
            table.add_column(heading, justify="right")
        for add_on in self.add_ons:
            share = add_on.share
            if share.value is None:
                table.add_row(add_on.sensing, f"no {share.missing}", "", "", "")
            else:
                table.add_row(
                    add_on.sensing,
                    _um2(add_on.plain.value),
                    *map(_percent, (share.value, share.low, share.high)),
                )
        return table


def _um2(area: float | None) -> str:
    return "" if area is None else f"{area * _PER_UM2:,.0f}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _share(area: float, total: Figure) -> str:
    return f"{area / total.value:.1%}" if total.value else ""
