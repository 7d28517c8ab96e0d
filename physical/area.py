"""The area report: the resources of each block of a machine, and its worst paths."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from rich.table import Table

from spinplane.machine.reporting.records import Record, record_of
from spinplane.machine.reporting.shown import Shown
from spinplane.machine.tables import table_text

from .clock import ClockLimits
from .paths import Timing

_PATHS = (
    " Worst paths, of a block with all that it places: from flip-flop to flip-flop, and with those from inputs and to"
    " outputs; ideal clock, no wires, those of memories apart."
)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Resources of some logic; None where the target has no such thing.

    Parameters
    ----------
    cells : int
        Cells of the library or primitives of the FPGA.
    flip_flops : int
    area_um2 : float, optional
        Sum of the cells' areas: no wiring, no unused sites.
    leakage_nw : float, optional
        Sum of the cells' leakage powers.
    luts, carries, memories, multipliers : int, optional
        Primitives of an FPGA.
    """

    cells: int
    flip_flops: int
    area_um2: float | None = None
    leakage_nw: float | None = None
    luts: int | None = None
    carries: int | None = None
    memories: int | None = None
    multipliers: int | None = None

    @property
    def size(self) -> float:
        """What shares are taken of: the area, or on an FPGA the LUTs."""
        if self.area_um2 is not None:
            return self.area_um2
        return float(self.luts or 0)


@dataclass(frozen=True, kw_only=True)
class Part(Figures):
    """Resources of a part, and its share of the whole.

    Parameters
    ----------
    share : float
        Its `size` ÷ that of the whole.
    """

    share: float

    @classmethod
    def of(cls, whole: Figures, figures: Figures) -> "Part":
        """Some figures as a part of a whole."""
        return cls(**vars(figures), share=figures.size / whole.size if whole.size else 0.0)


@dataclass(frozen=True, kw_only=True)
class Block(Part):
    """One block of the report: its part in the whole machine.

    Parameters
    ----------
    name : str
        As in the paper.
    modules : tuple of str
        Verilog modules that make it up.
    count : int
        Instances in the whole machine, a block inside the same block not counted.
    sub_array : Part or None
        Its part in one sub-array; None if it has none there.
    timing : Timing, optional
        Worst paths of its modules together with all that they place, blocks of their own included.
    """

    derived: ClassVar[tuple[str, ...]] = ("module",)

    name: str
    modules: tuple[str, ...]
    count: int
    sub_array: Part | None
    timing: Timing | None = None

    @property
    def module(self) -> str:
        """The modules in one text."""
        return ", ".join(self.modules)


@dataclass(frozen=True, kw_only=True)
class SubArrays(Figures):
    """All sub-arrays of a machine.

    Parameters
    ----------
    count : int
    """

    count: int


@dataclass(frozen=True, kw_only=True, repr=False)
class AreaReport(Shown):
    """Area of a machine, block by block, without its memory arrays.

    Parameters
    ----------
    machine : str
        Name of the machine.
    library : str
        Name of the cell library, or of the FPGA family.
    library_source : str
        File of the library, ``"spinplane"`` for the one that comes with the package, ``"Yosys"`` for an FPGA.
    yosys : str
        Name and version of the Yosys that was run.
    black_boxes : tuple of str
        Modules that are in no figure.
    blocks : tuple of Block
    sub_array : Figures
        One sub-array.
    sub_arrays : SubArrays
        All of them.
    total : Figures
        The whole machine.
    adders : str, optional
        One of `ADDERS`; None for an FPGA.
    period_ns : float, optional
        Clock period for which it was mapped; without one for area alone.
    sta : str, optional
        Name and version of the OpenSTA that found the paths.
    clock_limits : ClockLimits, optional
        What limits the clock, and what that makes of the array.
    clock_gating : str
        Value of a `spinplane.hdl.common.clock_gate.ClockGating`.
    plain_decoder : Figures, optional
        One decoder of a sub-array that opens a single line, as a plain memory has it; None if it has none.
    """

    machine: str
    library: str
    library_source: str
    yosys: str
    black_boxes: tuple[str, ...]
    blocks: tuple[Block, ...]
    sub_array: Figures
    sub_arrays: SubArrays
    total: Figures
    adders: str | None = None
    period_ns: float | None = None
    sta: str | None = None
    clock_limits: ClockLimits | None = None
    clock_gating: str = "none"
    plain_decoder: Figures | None = None

    @property
    def heading(self) -> str:
        """One line that says what was mapped to what."""
        said = [f"{self.library} ({self.library_source})", self.yosys]
        if self.period_ns is not None:
            said.append(f"for {self.period_ns:g} ns")
        if self.adders not in (None, "ripple"):
            said.append(f"{self.adders} adders")
        if self.clock_gating != "none":
            said.append(f"clock gating by {self.clock_gating}")
        if self.sta is not None:
            said.append(self.sta)
        return f"Area of {self.machine}: {', '.join(said)}"

    @property
    def timing(self) -> Timing | None:
        """Worst paths of the whole machine; None if they were not asked for."""
        # The top, in which names are whole, is last, and first where paths are equal.
        timings = [block.timing for block in reversed(self.blocks) if block.timing]
        return Timing.worst(timings) if timings else None

    def tables(self) -> tuple[Table, ...]:
        """Each block's part in a sub-array and in the machine, and the limits of the clock."""
        columns = _columns(self.total)
        table = Table(
            title=self.heading,
            caption=f"left: one sub-array; right: the machine with {self.sub_arrays.count}. "
            f"Not included: {', '.join([*self.black_boxes, 'wiring'])}.{_PATHS if self.timing else ''}",
        )
        table.add_column("block")
        headings = [*columns.values(), "share", "instances", *columns.values(), "share"]
        for heading in [*headings, "FF→FF ns", "ports ns"] if self.timing else headings:
            table.add_column(heading, justify="right")
        for block in self.blocks:
            one = _texts(block.sub_array, columns) if block.sub_array else [""] * (len(columns) + 1)
            table.add_row(
                block.name, *one, f"{block.count:,}", *_texts(block, columns), *_delays(block.timing)
            )
        table.add_section()
        one, all_of_it = (_texts(Part.of(whole, whole), columns) for whole in (self.sub_array, self.total))
        table.add_row("total", *one, "", *all_of_it, *_delays(self.timing))
        return (table, self.clock_limits.table()) if self.clock_limits else (table,)

    @property
    def main_figure(self) -> str:
        """Area or look-up tables of the machine."""
        total = self.total
        size = f"{total.luts:,} LUT" if total.area_um2 is None else f"{total.area_um2:,.0f} µm²"
        return f"{size}, {total.flip_flops:,} flip-flops"

    def records(self) -> tuple[Record, ...]:
        """A record for each block: its part in the machine, and in one sub-array."""
        return tuple({"machine": self.machine} | record_of(block) for block in self.blocks)

    def notes(self) -> tuple[str, ...]:
        """The worst path of the whole, where no limits of the clock tell it."""
        path = self.timing.with_ports if self.timing and not self.clock_limits else None
        if path is None:
            return ()
        return (f"Worst path, by {self.sta}: {path.delay_ns:.2f} ns, from {path.start} to {path.end}",)

    def __str__(self) -> str:
        width = 160 if self.timing else 140
        return "".join(table_text(table, width) for table in self.tables()) + "\n".join(self.notes())


def _delays(timing: Timing | None) -> list[str]:
    if timing is None:
        return []
    return [f"{path.delay_ns:.2f}" if path else "" for path in (timing.between_registers, timing.with_ports)]


def _columns(figures: Figures) -> dict[str, str]:
    headings = {
        "cells": "cells",
        "flip_flops": "FF",
        "area_um2": "µm²",
        "leakage_nw": "leak µW",
        "luts": "LUT",
        "carries": "carry",
        "memories": "RAM",
        "multipliers": "DSP",
    }
    return {key: heading for key, heading in headings.items() if getattr(figures, key) is not None}


def _texts(part: Part, columns: Iterable[str]) -> list[str]:
    texts = []
    for key in columns:
        value = getattr(part, key)
        if value is None:
            texts.append("")
        elif key == "leakage_nw":
            texts.append(f"{value / 1000:,.2f}")
        else:
            texts.append(f"{value:,.1f}" if isinstance(value, float) else f"{value:,}")
    return [*texts, f"{part.share:.1%}"]
