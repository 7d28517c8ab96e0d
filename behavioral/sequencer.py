"""Golden model of the sequencer: what a pass loads, writes and runs, in order, straight from its loops."""

from collections.abc import Iterator
from typing import NamedTuple

from spinplane.machine.descriptor import Descriptor


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


def load_writes(layer: Descriptor) -> Iterator[KernelWrite]:
    """Writes of a load: for each row, the sub-arrays of a group."""
    sub_arrays = layer["load_sub_arrays"] + 1
    for row in range(layer["load_rows"]):
        for sub_array in range(sub_arrays):
            word = layer["load_base"] + row * sub_arrays + sub_array
            yield KernelWrite(word, layer["kernel_row"] + row, sub_array)


def walk_regions(layer: Descriptor) -> Iterator[Region]:
    """Regions of a layer, line by line.

    Rows are numbers without bound; it is for the caller to see whether the array has them.
    """
    for y in range(layer["region_rows"] + 1):
        for x in range(layer["region_columns"] + 1):
            lines = layer["first_lines"] if y == 0 else layer["next_lines"]
            columns = layer["first_columns"] if x == 0 else layer["next_columns"]
            yield Region(lines > 0 and columns > 0, list(_rounds(layer, y, x)))


def _rounds(layer: Descriptor, y: int, x: int) -> Iterator[Round]:
    height, width, rounds = (layer[name] + 1 for name in ("region_height", "region_width", "rounds"))
    for window in range(height * width):
        window_y, window_x = divmod(window, width)
        line = y * layer["region_lines"] + window_y * layer["window_lines"]
        row = layer["input_row"] + x * layer["region_step"] + window_x * layer["window_step"]
        place = "outer" if window == height * width - 1 else "inner"
        for number in range(rounds):
            which = "last_" if number == rounds - 1 else ""
            yield Round(list(_runs(layer, line, row, number)), layer[f"{which}{place}_cycles"])


def _runs(layer: Descriptor, first_line: int, first_row: int, number: int) -> Iterator[Run]:
    kernel_planes, plane_groups, taps_y, runs, rows = (
        layer[name] + 1 for name in ("kernel_planes", "plane_groups", "taps_y", "runs", "run_rows")
    )
    is_last_round = number == layer["rounds"]
    for index in range(kernel_planes * plane_groups * taps_y * runs):
        rest, run = divmod(index, runs)
        rest, tap = divmod(rest, taps_y)
        plane, group = divmod(rest, plane_groups)
        line = (first_line + tap * layer["tap_lines"]) % (layer["ring_lines"] + 1)
        before = ((number * kernel_planes + plane) * taps_y + tap) * runs + run
        yield Run(
            row_a=first_row
            + line * layer["line_rows"]
            + group * layer["group_rows"]
            + run * layer["run_step"],
            row_b=layer["kernel_row"] + before * rows,
            rows=rows,
            shift=plane + (group << layer["log_planes"]),
            last_sub_array=layer["last_sub_arrays" if is_last_round else "sub_arrays"],
            clear=index == 0,
            emit=index == kernel_planes * plane_groups * taps_y * runs - 1,
            summed=number == 0 and plane == 0,
            is_first=index == 0,
            is_last=index == plane_groups * taps_y * runs - 1,
        )
