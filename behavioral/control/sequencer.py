"""Golden model of the sequencer: the loads, writes and bursts of a pass in order, straight from its loops."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.passes import Pass

Integers = NDArray[np.int64]


class KernelWrite(NamedTuple):
    """A word of the kernel bank for a row of sub-array `sub_array` of every cluster."""

    word: int
    row: int
    sub_array: int


class RowBurst(NamedTuple):
    """A burst of `rows` input rows with as many kernel rows, in sub-arrays 0 to `last_sub_array` of every cluster.

    `subtract` tells whether its counts are subtracted, `summed` whether it is of the first kernel tile and the first
    kernel plane of its window, of which `is_first` and `is_last` mark the first and the last.
    """

    row_a: int
    row_b: int
    rows: int
    shift: int
    subtract: bool
    last_sub_array: int
    clear: bool
    emit: bool
    summed: bool
    is_first: bool
    is_last: bool


class KernelTile(NamedTuple):
    """A kernel tile's bursts, and the cycles that the output stage takes for its results."""

    bursts: list[RowBurst]
    cycles: int


class Region(NamedTuple):
    """Whether row sets are written before a region, and the kernel tiles of its windows."""

    has_rows: bool
    kernel_tiles: list[KernelTile]


@dataclass(frozen=True, kw_only=True, eq=False)
class KernelLoad:
    """Writes of a load, in order.

    Parameters
    ----------
    words, rows, sub_arrays : ndarray of shape (writes,), int64
        Word of the kernel bank, and the array row that it is written to in one sub-array of every cluster.
    """

    words: Integers
    rows: Integers
    sub_arrays: Integers

    @classmethod
    def of(cls, layer_pass: Pass) -> "KernelLoad":
        """The load of a pass: for each row, the sub-arrays of a cluster."""
        write = np.arange(layer_pass.load_rows * layer_pass.load_sub_arrays)
        row, sub_array = np.divmod(write, layer_pass.load_sub_arrays)
        return cls(words=layer_pass.load_base + write, rows=layer_pass.kernel_row + row, sub_arrays=sub_array)


@dataclass(frozen=True, kw_only=True, eq=False)
class RowPairs:
    """Pairs of rows that a pass senses, whether the array has them or not.

    Each window of a region senses, in each kernel tile and for each kernel plane, its input rows with the kernel rows.

    Parameters
    ----------
    input_rows : ndarray of shape (region rows, region columns, windows, plane groups, window rows), int64
    kernel_rows : ndarray of shape (kernel_tiles, kernel planes, window rows), int64
    sub_arrays : ndarray of shape (kernel_tiles,), int64
        Of each cluster that take part.
    """

    input_rows: Integers
    kernel_rows: Integers
    sub_arrays: Integers

    @classmethod
    def of(cls, layer_pass: Pass) -> "RowPairs":
        """The row pairs of a pass."""
        p = layer_pass
        # Axes: region row, region column, ry, rx, plane group, ty, burst, row.
        rho, kappa, ry, rx, plane_group, ty, burst, row = np.ix_(
            *(np.arange(p.region_rows), np.arange(p.region_columns)),
            *(np.arange(p.region_height), np.arange(p.region_width), np.arange(p.plane_groups)),
            *(np.arange(p.taps_y), np.arange(p.bursts), np.arange(p.burst_rows)),
        )
        line = rho * p.region_lines + ry * p.window_lines + ty * p.tap_lines
        rows = (
            p.input_row
            + line % p.ring_lines * p.line_rows
            + plane_group * p.group_rows
            + (kappa * p.region_step + rx * p.window_step + burst * p.burst_step + row)
        )
        kernels = np.arange(p.kernel_tiles * p.kernel_planes * p.window_rows)
        return cls(
            input_rows=rows.reshape(
                p.region_rows, p.region_columns, p.windows, p.plane_groups, p.window_rows
            ),
            kernel_rows=p.kernel_row + kernels.reshape(p.kernel_tiles, p.kernel_planes, p.window_rows),
            sub_arrays=np.array([p.sub_arrays] * (p.kernel_tiles - 1) + [p.last_sub_arrays]),
        )

    @property
    def senses(self) -> int:
        """Row pairs that are sensed, in all sub-arrays of a cluster."""
        windows = self.input_rows[..., 0].size
        return sum(
            windows * kernel_rows.size * sub_arrays
            for kernel_rows, sub_arrays in zip(self.kernel_rows, self.sub_arrays.tolist(), strict=True)
        )

    def meet_themselves(self) -> bool:
        """Whether a row is sensed with itself."""
        first = self.kernel_rows.ravel()
        ahead = self.input_rows - first[0] - np.arange(self.kernel_rows.shape[2])
        return bool(((ahead >= 0) & (ahead < first.size) & (ahead % self.kernel_rows.shape[2] == 0)).any())


def load_writes(layer_pass: Pass) -> Iterator[KernelWrite]:
    """Writes of a load: for each row, the sub-arrays of a cluster."""
    load = KernelLoad.of(layer_pass)
    for word, row, sub_array in zip(
        load.words.tolist(), load.rows.tolist(), load.sub_arrays.tolist(), strict=True
    ):
        yield KernelWrite(word, row, sub_array)


def walk_regions(layer_pass: Pass) -> Iterator[Region]:
    """Regions of a layer, line by line.

    Rows are numbers without bound; it is for the caller to see whether the array has them.
    """
    pairs = RowPairs.of(layer_pass)
    for y in range(layer_pass.region_rows):
        for x in range(layer_pass.region_columns):
            lines = layer_pass.first_lines if y == 0 else layer_pass.next_lines
            columns = layer_pass.first_columns if x == 0 else layer_pass.next_columns
            kernel_tiles = list(_rounds(layer_pass, pairs, pairs.input_rows[y, x]))
            yield Region(lines > 0 and columns > 0, kernel_tiles)


def _rounds(layer_pass: Pass, pairs: RowPairs, input_rows: Integers) -> Iterator[KernelTile]:
    inner = layer_pass.inner_cycles, layer_pass.last_inner_cycles
    outer = layer_pass.outer_cycles, layer_pass.last_outer_cycles
    for window, rows in enumerate(input_rows):
        cycles, last_cycles = outer if window == layer_pass.windows - 1 else inner
        for number in range(layer_pass.kernel_tiles):
            is_last = number == layer_pass.kernel_tiles - 1
            yield KernelTile(
                list(_bursts(layer_pass, pairs, rows, number)), last_cycles if is_last else cycles
            )


def _bursts(layer_pass: Pass, pairs: RowPairs, input_rows: Integers, number: int) -> Iterator[RowBurst]:
    """Bursts of a window's input rows, (plane groups, window rows), in a kernel tile."""
    step, plane_groups = layer_pass.burst_rows, layer_pass.plane_groups
    inputs = input_rows[:, ::step].tolist()
    kernels = pairs.kernel_rows[number, :, ::step].tolist()
    of_plane = plane_groups * len(inputs[0])
    index = 0
    for plane, kernel_rows in enumerate(kernels):
        for group, rows in enumerate(inputs):
            for row_a, row_b in zip(rows, kernel_rows, strict=True):
                yield RowBurst(
                    row_a=row_a,
                    row_b=row_b,
                    rows=step,
                    shift=plane + group * layer_pass.planes,
                    subtract=layer_pass.kernel_plane_signs[plane] < 0,
                    last_sub_array=int(pairs.sub_arrays[number]) - 1,
                    clear=index == 0,
                    emit=index == of_plane * len(kernels) - 1,
                    summed=number == 0 and plane == 0,
                    is_first=index == 0,
                    is_last=index == of_plane - 1,
                )
                index += 1
