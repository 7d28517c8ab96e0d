"""Counters of a program from its descriptors alone: no bank is read and no pass is walked window by window."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES, AcceleratorCounters
from spinplane.machine.descriptor import Load
from spinplane.machine.passes import Pass
from spinplane.machine.program import NetworkProgram
from spinplane.machine.timing import (
    END_CYCLES,
    ENGINE_CYCLES,
    FINISH_CYCLES,
    FORM_CYCLES,
    KERNEL_CYCLES,
    LAUNCH_CYCLES,
    OFFER_CYCLES,
    fetch_cycles,
)


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Counters of a program.

    Parameters
    ----------
    total : AcceleratorCounters
        From the start register to the interrupt.
    passes : tuple of AcceleratorCounters
        Of each descriptor, header and END included; their cycles are from the fetch to the next one.
    """

    total: AcceleratorCounters
    passes: tuple[AcceleratorCounters, ...]


def predict(program: NetworkProgram, *, resident: bool) -> Prediction:
    """Counters of one run.

    Parameters
    ----------
    program : NetworkProgram
    resident : bool
        Whether the kernels that stay are in the array already (a steady run); else all are loaded (a cold one).
    """
    machine = program.machine
    passes = [AcceleratorCounters(cycles=fetch_cycles(machine))]
    for layer_pass in program.passes:
        loads = layer_pass.load is Load.ALWAYS or (layer_pass.load is Load.UNLESS_RESIDENT and not resident)
        passes.append(predict_pass(layer_pass, loads=loads))
    passes.append(AcceleratorCounters(cycles=fetch_cycles(machine) + END_CYCLES))
    total = {name: sum(getattr(c, name) for c in passes) for name in ACCELERATOR_COUNTER_NAMES}
    return Prediction(total=AcceleratorCounters(**total), passes=tuple(passes))


def predict_pass(layer_pass: Pass, *, loads: bool) -> AcceleratorCounters:
    """Counters of a pass.

    Parameters
    ----------
    layer_pass : Pass
    loads : bool
        Whether kernels are loaded.
    """
    groups, windows = layer_pass.groups, layer_pass.regions * layer_pass.windows
    taking_part = (layer_pass.rounds - 1) * layer_pass.sub_arrays + layer_pass.last_sub_arrays
    pairs = layer_pass.kernel_planes * layer_pass.plane_groups * layer_pass.window_rows
    ands = windows * groups * taking_part * pairs
    kernel_words = layer_pass.load_rows * layer_pass.load_sub_arrays if loads else 0
    units = new_lines(layer_pass).size * new_units(layer_pass).size
    row_sets = units * layer_pass.plane_groups * layer_pass.pieces
    written = written_regions(layer_pass) * layer_pass.channel_beats
    cycles, stalled = pass_cycles(layer_pass, kernel_words)
    return AcceleratorCounters(
        row_writes=(kernel_words + row_sets * layer_pass.sub_arrays) * groups,
        ands=ands,
        bit_counts=ands,
        shifts=ands * layer_pass.slots,
        additions=ands * layer_pass.slots,
        cycles=cycles + fetch_cycles(layer_pass.machine),
        stalled=stalled,
        image_reads=row_reads(layer_pass) + written * layer_pass.read_residual_planes,
        image_writes=written * layer_pass.writes,
        kernel_reads=kernel_words,
        parameter_reads=(windows + layer_pass.regions * layer_pass.read_threshold_words)
        * groups
        * layer_pass.channel_beats,
    )


def new_lines(layer_pass: Pass) -> np.ndarray:
    """Numbers v of all lines that a group writes, in order."""
    step = layer_pass.next_lines + layer_pass.line_skip
    starts = layer_pass.first_lines + layer_pass.line_skip + np.arange(layer_pass.region_rows - 1) * step
    further = starts[:, np.newaxis] + np.arange(layer_pass.next_lines)
    return np.concatenate([np.arange(layer_pass.first_lines), further.ravel()])


def new_units(layer_pass: Pass) -> np.ndarray:
    """Numbers u of all units of a line that a group writes, in order."""
    return np.arange(layer_pass.first_columns + (layer_pass.region_columns - 1) * layer_pass.next_columns)


def row_reads(layer_pass: Pass) -> int:
    """Rows of all groups of which an element lies inside of the map: lines inside times rows of a line inside."""
    columns = layer_pass.groups_x
    rows = layer_pass.groups // columns
    below = np.arange(rows)[:, np.newaxis] * layer_pass.group_y_lines
    y = layer_pass.start_y + new_lines(layer_pass) + below
    inside_y = int(((y >= 0) & (y < layer_pass.in_height)).sum())
    unit = layer_pass.start_x + new_units(layer_pass) * layer_pass.unit_bits
    plane_bits = 0 if layer_pass.in_bytes else layer_pass.plane_group_bits
    x = (
        np.arange(columns).reshape(-1, 1, 1, 1) * layer_pass.group_x_bits
        + unit.reshape(-1, 1, 1)
        + np.arange(layer_pass.plane_groups).reshape(-1, 1) * plane_bits
        + np.arange(layer_pass.pieces) * layer_pass.piece_bits
    )
    lengths = np.full(layer_pass.pieces, layer_pass.length)
    lengths[-1] = layer_pass.last_length
    # Of bytes any element counts; of planes the first bit stands for all.
    last = x + 8 * (lengths - 1) if layer_pass.in_bytes else x
    first_inside = np.maximum(x, 0)
    inside_x = int(((first_inside <= last) & (first_inside < layer_pass.in_valid_bits)).sum())
    return inside_y * inside_x


def written_regions(layer_pass: Pass) -> int:
    """Regions of all groups that yield an output."""
    count = 1
    for groups, regions, size in (
        (layer_pass.groups // layer_pass.groups_x, layer_pass.region_rows, layer_pass.out_height),
        (layer_pass.groups_x, layer_pass.region_columns, layer_pass.out_width),
    ):
        count *= sum(min(regions, max(0, size - g * regions)) for g in range(groups))
    return count


def pass_cycles(layer_pass: Pass, kernel_words: int) -> tuple[int, int]:
    """Cycles of a pass without its fetch, and those of them in which the sequencer waits.

    Regions that start from the same state take the same time, so each state is walked once; where writes run ahead of
    the runs, up to the end of a row of regions, so do rows of regions.
    """
    machine = layer_pass.machine
    set_rows = layer_pass.plane_groups * layer_pass.pieces
    chain = _Chain.of(layer_pass)
    now = LAUNCH_CYCLES + (KERNEL_CYCLES + kernel_words * machine.write_cycles if kernel_words else 0)
    # Beside writes, runs wait from the cycle after the one in which a load's last write is issued.
    stalled = machine.write_cycles - 1 if kernel_words and machine.overlaps_writes else 0
    state = _State(
        formed=FORM_CYCLES - 1 - now,
        moved=-now,
        taken=-now,
        counted=FORM_CYCLES - 2 + layer_pass.first_lines + layer_pass.line_skip - now,
        way_free=-now,
    )
    known: dict[tuple[tuple[int, ...], bool, _State], tuple[int, int, _State]] = {}
    # Last row and column of regions that new lines and units are written for.
    last_row = layer_pass.region_rows - 1 if layer_pass.next_lines else 0
    last_column = layer_pass.region_columns - 1 if layer_pass.next_columns else 0
    for rho in range(layer_pass.region_rows):
        lines = set_rows * (layer_pass.next_lines if rho else layer_pass.first_lines)
        further = (lines * layer_pass.next_columns,) * (layer_pass.region_columns - 1)
        sets = (lines * layer_pass.first_columns, *further)
        for kappa, together in enumerate([sets] if chain.overlaps else [(number,) for number in sets]):
            ends_row = chain.overlaps or kappa == last_column
            key = (together, ends_row and rho < last_row, state)
            if key not in known:
                known[key] = chain.walk(*key)
            taken, waited, state = known[key]
            now += taken
            stalled += waited
    last_beat = layer_pass.last_outer_cycles - layer_pass.interval
    return now + ENGINE_CYCLES + last_beat + layer_pass.last_write_cycles + FINISH_CYCLES, stalled


class _State(NamedTuple):
    """Cycles, from the end of the last operation on.

    Parameters
    ----------
    formed, moved : int
        In which the last row set was formed, and moved on to where it can be written.
    taken : int
        In which the last row set was written.
    counted : int
        From which the next row of regions can be asked for.
    way_free : int
        From which the way out takes the next round.
    """

    formed: int
    moved: int
    taken: int
    counted: int
    way_free: int


@dataclass(frozen=True, kw_only=True)
class _Chain:
    """The waits within regions: row former, write port, runs and way out.

    Parameters
    ----------
    form, write : int
        Cycles that a row set takes to be formed and to be written.
    lines : int
        Lines from a row of regions to the next one.
    run : int
        Cycles of a round's runs.
    beats : tuple of int
        Cycles of the way out of each round of a region.
    overlaps : bool
        Whether rows are written beside the runs.
    """

    form: int
    write: int
    lines: int
    run: int
    beats: tuple[int, ...]
    overlaps: bool

    @classmethod
    def of(cls, layer_pass: Pass) -> "_Chain":
        """The chain of a pass."""
        before_last = layer_pass.rounds - 1
        inner = (layer_pass.inner_cycles,) * before_last + (layer_pass.last_inner_cycles,)
        outer = (layer_pass.outer_cycles,) * before_last + (layer_pass.last_outer_cycles,)
        return cls(
            form=layer_pass.groups,
            write=layer_pass.machine.write_cycles,
            lines=layer_pass.next_lines + layer_pass.line_skip,
            run=layer_pass.run_cycles,
            beats=inner * (layer_pass.windows - 1) + outer,
            overlaps=layer_pass.machine.overlaps_writes,
        )

    def walk(self, regions: tuple[int, ...], ends_row: bool, state: _State) -> tuple[int, int, _State]:
        """Regions of as many row sets, from the end of the last operation on.

        The last row set ends a row of regions before another one, or not. Where writes and runs do not overlap, it is
        one region.

        Returns
        -------
        tuple of (int, int, _State)
            Cycles, those of waiting, and the state at the end.
        """
        formed, moved, taken, counted, way_free = state
        now = waited = writes_free = 0
        left = sum(regions)
        for sets in regions:
            for _ in range(sets):
                left -= 1
                first_row = max(formed + 1, moved)
                # A row is asked for in the cycle in which the one before it is formed.
                asked = first_row + self.form - 2 if self.form > 1 else formed
                if ends_row and left == 0:
                    asked = max(asked, counted)
                    counted = asked + self.lines
                formed = max(asked + 1, first_row)
                moved = max(formed, taken)
                taken = max(moved + OFFER_CYCLES, writes_free)
                writes_free = taken + self.write
            written = max(now, writes_free if sets else now)
            waited += written - now - (0 if self.overlaps else sets * self.write)
            now = written
            for cycles in self.beats:
                begin = max(now, way_free)
                waited += begin - now
                now, way_free = begin + self.run, begin + cycles
        # What lies far enough in the past makes nothing wait, not even through the two row sets and the row that are
        # formed ahead: one state stands for all of them.
        past = -3 * (self.form + self.lines) - 4
        return now, waited, _State(*(max(at - now, past) for at in (formed, moved, taken, counted, way_free)))
