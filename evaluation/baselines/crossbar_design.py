"""Crossbars of resistive cells: how one is built, and how a layer lies in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from math import ceil, log2
from pathlib import Path

from spinplane.machine.toml_files import read_toml

from .layer_work import LayerWork

#: Kinds of networks, as the paper's Table II has them.
KINDS = ("multi-bit", "binary")


@dataclass(frozen=True, kw_only=True)
class CrossbarDesign:
    """A way to build a crossbar.

    Parameters
    ----------
    name : str
    rows, columns : int
    cell_bits : int
        Of a weight, in one cell.
    input_bits : int
        Of an input, that a converter applies to a row at once.
    columns_a_weight : int
        1 where signs are an offset, 2 where positive and negative parts have columns of their own; times the cells of
        a weight.
    source : str
    """

    name: str
    rows: int
    columns: int
    cell_bits: int
    input_bits: int
    columns_a_weight: int
    source: str


@dataclass(frozen=True, kw_only=True)
class CrossbarLayer:
    """A layer in crossbars of a design; a kernel with more weights than a crossbar has rows is split.

    Parameters
    ----------
    design : CrossbarDesign
    work : LayerWork
    """

    design: CrossbarDesign
    work: LayerWork

    @property
    def used_columns(self) -> int:
        """Columns of a group's kernels, were they side by side."""
        cells = ceil(self.work.w_bits / self.design.cell_bits) * self.design.columns_a_weight
        return self.work.kernels // self.work.groups * cells

    @property
    def splits(self) -> int:
        """Crossbars below each other, whose sums are added."""
        return ceil(self.work.fan_in / self.design.rows)

    @property
    def beside(self) -> int:
        """Crossbars beside each other, which take the same inputs."""
        return ceil(self.used_columns / self.design.columns)

    @property
    def crossbars(self) -> int:
        """All of them; layers and groups share none."""
        return self.work.groups * self.splits * self.beside

    @property
    def steps(self) -> int:
        """Reads of a crossbar for an image: for each window, parts of an input one after the other."""
        return self.work.windows * ceil(self.work.i_bits / self.design.input_bits)

    @property
    def row_conversions(self) -> int:
        """Inputs that are applied to rows, in all crossbars."""
        return self.steps * self.work.groups * self.work.fan_in * self.beside

    @property
    def cell_reads(self) -> int:
        """Cells that take part in reads; others are not counted."""
        return self.steps * self.work.groups * self.work.fan_in * self.used_columns

    @property
    def conversions(self) -> Mapping[int, int]:
        """Column sums that are converted, by the bits that one has without loss."""
        found: dict[int, int] = {}
        each = self.steps * self.work.groups * self.used_columns
        last = self.work.fan_in - (self.splits - 1) * self.design.rows
        for rows, number in ((self.design.rows, self.splits - 1), (last, 1)):
            if number:
                bits = self.sum_bits(rows)
                found[bits] = found.get(bits, 0) + number * each
        return found

    def sum_bits(self, rows: int) -> int:
        """Bits of the sum of so many rows: one where the sign alone is asked for."""
        if self._sign_alone:
            return 1
        most = rows * ((1 << min(self.design.cell_bits, self.work.w_bits)) - 1)
        return ceil(log2(most * ((1 << min(self.design.input_bits, self.work.i_bits)) - 1) + 1))

    @property
    def converter_bits(self) -> int:
        """Bits of the widest sum."""
        return max(self.conversions)

    @property
    def _sign_alone(self) -> bool:
        """Whether a comparator of two columns does: all weights of a kernel in one crossbar, all of them one bit."""
        widths = (self.work.w_bits, self.work.i_bits, self.work.out_bits, self.splits)
        return all(width == 1 for width in widths)


def crossbar_designs(kind: str) -> tuple[CrossbarDesign, ...]:
    """The ways that are considered for a kind of network.

    Parameters
    ----------
    kind : {"multi-bit", "binary"}
    """
    table = read_toml(Path(str(files(__package__))) / "crossbars.toml", "crossbars")
    return tuple(CrossbarDesign(**entry) for entry in table[kind])
