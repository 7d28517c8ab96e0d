"""Golden model of the sequencer: what a pass loads, writes and runs, in order, straight from its loops."""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from spinplane.machine.passes import Pass


class KernelWrite(NamedTuple):
    """A word of the kernel bank for a row of sub-array `sub_array` of every group."""

    word: int
    row: int
    sub_array: int


class Run(NamedTuple):
    """A run of `rows` input rows with as many kernel rows, in sub-arrays 0 to `last_sub_array` of every group.

    `summed` tells whether it is of the first round and the first kernel
    plane of its window, of which `is_first` and `is_last` mark the first and the last.
    """

    row_a: int
    row_b: int
    rows: int
    shift: int
    last_sub_array: int
    clear: bool
    emit: bool
    summed: bool
    is_first: bool
    is_last: bool


class Round(NamedTuple):
    """A round's runs, and the cycles that the way out takes for its results."""

    runs: list[Run]
    cycles: int


class Region(NamedTuple):
    """Whether row sets are written before a region, and the rounds of its windows."""

    has_rows: bool
    rounds: list[Round]


def load_writes(layer_pass: Pass) -> Iterator[KernelWrite]:
    """Writes of a load: for each row, the sub-arrays of a group."""
    sub_arrays = layer_pass.load_sub_arrays
    for row in range(layer_pass.load_rows):
        for sub_array in range(sub_arrays):
            word = layer_pass.load_base + row * sub_arrays + sub_array
            yield KernelWrite(word, layer_pass.kernel_row + row, sub_array)


def walk_regions(layer_pass: Pass) -> Iterator[Region]:
    """Regions of a layer, line by line.

    Rows are numbers without bound; it is for the caller to see whether the array has them.
    """
    for y in range(layer_pass.region_rows):
        for x in range(layer_pass.region_columns):
            lines = layer_pass.first_lines if y == 0 else layer_pass.next_lines
            columns = layer_pass.first_columns if x == 0 else layer_pass.next_columns
            yield Region(lines > 0 and columns > 0, list(_rounds(layer_pass, y, x)))


def _rounds(layer_pass: Pass, y: int, x: int) -> Iterator[Round]:
    inner = layer_pass.inner_cycles, layer_pass.last_inner_cycles
    outer = layer_pass.outer_cycles, layer_pass.last_outer_cycles
    for window in range(layer_pass.windows):
        window_y, window_x = divmod(window, layer_pass.region_width)
        line = y * layer_pass.region_lines + window_y * layer_pass.window_lines
        row = layer_pass.input_row + x * layer_pass.region_step + window_x * layer_pass.window_step
        cycles, last_cycles = outer if window == layer_pass.windows - 1 else inner
        for number in range(layer_pass.rounds):
            is_last = number == layer_pass.rounds - 1
            yield Round(list(_runs(layer_pass, line, row, number)), last_cycles if is_last else cycles)


def _runs(layer_pass: Pass, first_line: int, first_row: int, number: int) -> Iterator[Run]:
    of_plane = layer_pass.taps_y * layer_pass.runs
    is_last_round = number == layer_pass.rounds - 1
    sub_arrays = layer_pass.last_sub_arrays if is_last_round else layer_pass.sub_arrays
    places = product(
        range(layer_pass.kernel_planes),
        range(layer_pass.plane_groups),
        range(layer_pass.taps_y),
        range(layer_pass.runs),
    )
    for index, (plane, group, tap, run) in enumerate(places):
        line = (first_line + tap * layer_pass.tap_lines) % layer_pass.ring_lines
        before = (number * layer_pass.kernel_planes + plane) * of_plane + tap * layer_pass.runs + run
        yield Run(
            row_a=first_row
            + line * layer_pass.line_rows
            + group * layer_pass.group_rows
            + run * layer_pass.run_step,
            row_b=layer_pass.kernel_row + before * layer_pass.run_rows,
            rows=layer_pass.run_rows,
            shift=plane + group * layer_pass.planes,
            last_sub_array=sub_arrays - 1,
            clear=index == 0,
            emit=index == layer_pass.kernel_planes * layer_pass.plane_groups * of_plane - 1,
            summed=number == 0 and plane == 0,
            is_first=index == 0,
            is_last=index == layer_pass.plane_groups * of_plane - 1,
        )
