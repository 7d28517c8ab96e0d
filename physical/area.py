"""The area report: what each block of a machine takes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What some logic takes; None where the target has no such thing.

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

    def as_dict(self) -> dict[str, Any]:
        """The figures that are there, by name."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block of the report.

    Parameters
    ----------
    name : str
        As in the paper.
    modules : tuple of str
        Verilog modules that make it up.
    count : int
        Instances in the whole machine, a block inside the same block not counted.
    sub_array : Figures or None
        Its part in one sub-array; None if it has none there.
    machine : Figures
        Its part in the whole machine.
    """

    name: str
    modules: tuple[str, ...]
    count: int
    sub_array: Figures | None
    machine: Figures


@dataclass(frozen=True, kw_only=True)
class AreaReport:
    """Area of a machine, block by block, without its memory arrays.

    Parameters
    ----------
    machine : str
        Name of the machine.
    sub_arrays : int
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
    all_sub_arrays : Figures
        All of them.
    total : Figures
        The whole machine.
    """

    machine: str
    sub_arrays: int
    library: str
    library_source: str
    yosys: str
    black_boxes: tuple[str, ...]
    blocks: tuple[Block, ...]
    sub_array: Figures
    all_sub_arrays: Figures
    total: Figures

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON."""
        blocks = [
            {"name": block.name, "module": ", ".join(block.modules), "count": block.count}
            | block.machine.as_dict()
            | {"share": _share(block.machine, self.total)}
            | {"sub_array": block.sub_array and _with_share(block.sub_array, self.sub_array)}
            for block in self.blocks
        ]
        return {
            "machine": self.machine,
            "library": self.library,
            "library_source": self.library_source,
            "yosys": self.yosys,
            "black_boxes": list(self.black_boxes),
            "blocks": blocks,
            "sub_array": self.sub_array.as_dict(),
            "sub_arrays": {"count": self.sub_arrays} | self.all_sub_arrays.as_dict(),
            "total": self.total.as_dict(),
        }

    def __rich__(self) -> Table:
        columns = _columns(self.total)
        table = Table(
            title=f"{self.machine}: {self.library} ({self.library_source}), {self.yosys}",
            caption=f"left: one sub-array, right: the machine with {self.sub_arrays}. "
            f"Not in it: {', '.join(self.black_boxes) or 'nothing'}, wiring.",
        )
        table.add_column("block")
        for heading in [*columns.values(), "share", "instances", *columns.values(), "share"]:
            table.add_column(heading, justify="right")
        for block in self.blocks:
            one = _texts(block.sub_array, self.sub_array) if block.sub_array else [""] * (len(columns) + 1)
            table.add_row(block.name, *one, f"{block.count:,}", *_texts(block.machine, self.total))
        table.add_section()
        table.add_row("total", *_texts(self.sub_array, self.sub_array), "", *_texts(self.total, self.total))
        return table

    def __str__(self) -> str:
        console = Console(width=140, color_system=None)
        with console.capture() as capture:
            console.print(self)
        return capture.get()


def _columns(figures: Figures) -> dict[str, str]:
    headings: Mapping[str, str] = {
        "cells": "cells",
        "flip_flops": "FF",
        "area_um2": "µm²",
        "leakage_nw": "leak µW",
        "luts": "LUT",
        "carries": "carry",
        "memories": "RAM",
        "multipliers": "DSP",
    }
    return {key: headings[key] for key in figures.as_dict()}


def _texts(figures: Figures, whole: Figures) -> list[str]:
    values = figures.as_dict()
    texts = []
    for key in _columns(whole):
        value = values.get(key)
        if value is None:
            texts.append("")
        elif key == "leakage_nw":
            texts.append(f"{value / 1000:,.2f}")
        else:
            texts.append(f"{value:,.1f}" if isinstance(value, float) else f"{value:,}")
    return [*texts, f"{_share(figures, whole):.1%}"]


def _share(part: Figures, whole: Figures) -> float:
    return part.size / whole.size if whole.size else 0.0


def _with_share(part: Figures, whole: Figures) -> dict[str, Any]:
    return part.as_dict() | {"share": _share(part, whole)}
