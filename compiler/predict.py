"""Counters of a program from its descriptors alone: no bank is read and no pass is walked window by window."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spinplane.machine import Machine
from spinplane.machine.codec import decode
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES, AcceleratorCounters
from spinplane.machine.descriptor import Descriptor, Load, Requantize
from spinplane.machine.memory_operation import MemoryOperation, RowOperation
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
    memory_time,
    way_out_cycles,
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
    for words in program.descriptors[1:-1]:
        operation = decode(words, machine)
        if isinstance(operation, MemoryOperation):
            passes.append(predict_memory_operation(operation))
            resident &= not operation.writes_rows
            continue
        d = Descriptor.from_words(words)
        loads = d["load"] == Load.ALWAYS.value or (d["load"] == Load.UNLESS_RESIDENT.value and not resident)
        passes.append(predict_pass(machine, d, loads=loads))
    passes.append(AcceleratorCounters(cycles=fetch_cycles(machine) + END_CYCLES))
    total = {name: sum(getattr(c, name) for c in passes) for name in ACCELERATOR_COUNTER_NAMES}
    return Prediction(total=AcceleratorCounters(**total), passes=tuple(passes))


def predict_memory_operation(operation: MemoryOperation) -> AcceleratorCounters:
    """Counters of a memory operation."""
    steps = operation.rows * operation.sub_arrays
    senses = {RowOperation.READ: "row_reads", RowOperation.AND: "ands", RowOperation.OR: "ors"}
    sensed = senses.get(operation.operation)
    cycles, stalled = memory_time(operation)
    return AcceleratorCounters(
        **({sensed: steps} if sensed else {}),
        row_writes=steps * operation.writes_rows,
        cycles=fetch_cycles(operation.machine) + cycles + FINISH_CYCLES,
        stalled=stalled,
        kernel_reads=operation.kernel_words,
        image_writes=operation.image_words,
    )


def predict_pass(machine: Machine, d: Descriptor, *, loads: bool) -> AcceleratorCounters:
    """Counters of a pass.

    Parameters
    ----------
    machine : Machine
    d : Descriptor
        Of kind ``LAYER``.
    loads : bool
        Whether kernels are loaded.
    """
    groups, slots = 1 << d["log_groups"], 1 << d["log_slots"]
    rounds, plane_groups = d["rounds"] + 1, d["plane_groups"] + 1
    regions = (d["region_rows"] + 1) * (d["region_columns"] + 1)
    windows = (d["region_height"] + 1) * (d["region_width"] + 1)
    kernel_rows = (d["kernel_planes"] + 1) * (d["taps_y"] + 1) * (d["runs"] + 1) * (d["run_rows"] + 1)
    taking_part = (rounds - 1) * (d["sub_arrays"] + 1) + d["last_sub_arrays"] + 1
    ands = regions * windows * groups * taking_part * kernel_rows * plane_groups
    kernel_words = d["load_rows"] * (d["load_sub_arrays"] + 1) if loads else 0
    lines, units = new_lines(d).size, new_units(d).size
    row_sets = lines * units * plane_groups * (d["pieces"] + 1)
    beats = (rounds - 1) * (d["beats"] + 1) + d["last_beats"] + 1
    outer = regions * groups * beats
    written = written_regions(d) * beats
    residual = d["residual"] * (d["residual_planes"] + 1)
    cycles, stalled = pass_cycles(machine, d, kernel_words)
    return AcceleratorCounters(
        row_writes=kernel_words * groups + row_sets * groups * (d["sub_arrays"] + 1),
        ands=ands,
        bit_counts=ands,
        shifts=ands * slots,
        additions=ands * slots,
        cycles=cycles + fetch_cycles(machine),
        stalled=stalled,
        image_reads=row_reads(d) + written * residual,
        image_writes=written * beat_writes(machine, d),
        kernel_reads=kernel_words,
        parameter_reads=regions * windows * groups * beats + outer * d["threshold_words"],
    )


def new_lines(d: Descriptor) -> np.ndarray:
    """Numbers v of all lines that a group writes, in order."""
    starts = (
        d["first_lines"] + d["line_skip"] + np.arange(d["region_rows"]) * (d["next_lines"] + d["line_skip"])
    )
    further = starts[:, np.newaxis] + np.arange(d["next_lines"])
    return np.concatenate([np.arange(d["first_lines"]), further.ravel()])


def new_units(d: Descriptor) -> np.ndarray:
    """Numbers u of all units of a line that a group writes, in order."""
    return np.arange(d["first_columns"] + d["region_columns"] * d["next_columns"])


def row_reads(d: Descriptor) -> int:
    """Rows of all groups of which an element lies inside of the map: lines inside times rows of a line inside."""
    columns = 1 << d["log_groups_x"]
    rows = 1 << (d["log_groups"] - d["log_groups_x"])
    y = d["start_y"] + new_lines(d) + np.arange(rows)[:, np.newaxis] * d["group_y_lines"]
    inside_y = int(((y >= 0) & (y < d["in_height"])).sum())
    unit = d["start_x"] + new_units(d) * d["unit_bits"]
    plane_bits = 0 if d["in_bytes"] else d["plane_group_bits"]
    x = (
        np.arange(columns).reshape(-1, 1, 1, 1) * d["group_x_bits"]
        + unit.reshape(-1, 1, 1)
        + np.arange(d["plane_groups"] + 1).reshape(-1, 1) * plane_bits
        + np.arange(d["pieces"] + 1) * d["piece_bits"]
    )
    lengths = np.full(d["pieces"] + 1, d["length"] + 1)
    lengths[-1] = d["last_length"] + 1
    # Of bytes any element counts; of planes the first bit stands for all.
    last = x + 8 * (lengths - 1) if d["in_bytes"] else x
    first_inside = np.maximum(x, 0)
    inside_x = int(((first_inside <= last) & (first_inside < d["in_valid_bits"])).sum())
    return inside_y * inside_x


def beat_writes(machine: Machine, d: Descriptor) -> int:
    """Words that a beat writes to the image bank."""
    if d["requantize"] == Requantize.RAW.value:
        return -(-machine.results_per_cycle * 32 // machine.columns)
    return d["out_planes"] + 1


def written_regions(d: Descriptor) -> int:
    """Regions of all groups that yield an output."""
    count = 1
    for groups, regions, size in (
        (1 << (d["log_groups"] - d["log_groups_x"]), d["region_rows"] + 1, d["out_height"]),
        (1 << d["log_groups_x"], d["region_columns"] + 1, d["out_width"]),
    ):
        count *= sum(min(regions, max(0, size - g * regions)) for g in range(groups))
    return count


def pass_cycles(machine: Machine, d: Descriptor, kernel_words: int) -> tuple[int, int]:
    """Cycles of a pass without its fetch, and those of them in which the sequencer waits.

    Regions that start from the same state take the same time, so each state is walked once; where writes run ahead of
    the runs, up to the end of a row of regions, so do rows of regions.
    """
    set_rows = (d["plane_groups"] + 1) * (d["pieces"] + 1)
    chain = _Chain.of(machine, d)
    now = LAUNCH_CYCLES + (KERNEL_CYCLES + kernel_words * machine.write_cycles if kernel_words else 0)
    # Beside writes, runs wait from the cycle after the one in which a load's last write is issued.
    stalled = machine.write_cycles - 1 if kernel_words and machine.overlaps_writes else 0
    state = _State(
        formed=FORM_CYCLES - 1 - now,
        moved=-now,
        taken=-now,
        counted=FORM_CYCLES - 2 + d["first_lines"] + d["line_skip"] - now,
        way_free=-now,
    )
    known: dict[tuple[tuple[int, ...], bool, _State], tuple[int, int, _State]] = {}
    last_row = d["region_rows"] if d["next_lines"] else 0
    last_column = d["region_columns"] if d["next_columns"] else 0
    for rho in range(d["region_rows"] + 1):
        lines = set_rows * (d["next_lines"] if rho else d["first_lines"])
        sets = (lines * d["first_columns"], *(lines * d["next_columns"],) * d["region_columns"])
        for kappa, together in enumerate([sets] if chain.overlaps else [(number,) for number in sets]):
            ends_row = chain.overlaps or kappa == last_column
            key = (together, ends_row and rho < last_row, state)
            if key not in known:
                known[key] = chain.walk(*key)
            taken, waited, state = known[key]
            now += taken
            stalled += waited
    last_beat = d["last_outer_cycles"] - d["interval"]
    way_out = way_out_cycles(
        writes=beat_writes(machine, d),
        threshold_words=d["threshold_words"] if d["requantize"] == Requantize.THRESHOLDS.value else 0,
        residual_planes=d["residual_planes"] + 1 if d["residual"] else 0,
    )
    return now + ENGINE_CYCLES + last_beat + way_out + FINISH_CYCLES, stalled


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
    def of(cls, machine: Machine, d: Descriptor) -> "_Chain":
        """The chain of a pass."""
        rows = (d["kernel_planes"] + 1) * (d["taps_y"] + 1) * (d["runs"] + 1) * (d["run_rows"] + 1)
        windows = (d["region_height"] + 1) * (d["region_width"] + 1)
        inner = (d["inner_cycles"],) * d["rounds"] + (d["last_inner_cycles"],)
        outer = (d["outer_cycles"],) * d["rounds"] + (d["last_outer_cycles"],)
        return cls(
            form=1 << d["log_groups"],
            write=machine.write_cycles,
            lines=d["next_lines"] + d["line_skip"],
            run=rows * (d["plane_groups"] + 1) * machine.sense_cycles,
            beats=inner * (windows - 1) + outer,
            overlaps=machine.overlaps_writes,
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
