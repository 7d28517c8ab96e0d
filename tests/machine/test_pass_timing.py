"""The time of a pass against the input streamer and the sequencer, cycle by cycle."""

from dataclasses import replace

import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, program_of
from accelerator_layers import random_pass as random_convolution

from spinplane.behavioral.accelerator import Accelerator
from spinplane.machine import Machine
from spinplane.machine.pass_timing import pass_time
from spinplane.machine.passes import Pass
from spinplane.machine.timing import (
    END_CYCLES,
    ENGINE_CYCLES,
    FINISH_CYCLES,
    FORM_CYCLES,
    KERNEL_CYCLES,
    LAUNCH_CYCLES,
    LOOKUP_CYCLES,
    MULTIPLY_CYCLES,
    OUTPUT_STAGE_CYCLES,
    fetch_cycles,
)


def machine_with(sense_cycles: int, write_cycles: int, write_overlap: str = "none") -> Machine:
    return Machine(
        name="clocked",
        sub_arrays=4,
        rows=64,
        columns=64,
        segments=2,
        multipliers=2,
        sense_cycles=sense_cycles,
        write_cycles=write_cycles,
        write_overlap=write_overlap,
    )


def random_pass(machine: Machine, rng: np.random.Generator) -> tuple[Pass, np.ndarray, int]:
    clusters, beats, last_beats = 2 ** int(rng.integers(0, 3)), *(int(b) for b in rng.integers(1, 4, 2))
    writes = int(rng.integers(1, 4))
    interval = writes + int(rng.integers(0, 3))
    first_lines, next_lines, region_rows = (int(lines) for lines in rng.integers(1, 4, 3))
    line_skip = int(rng.choice((0, 0, 1, 5)))
    windows, kernel_tiles, window_rows, plane_groups, kernel_planes = (
        int(rng.integers(1, most)) for most in (4, 4, 8, 3, 3)
    )
    multiplies = bool(rng.integers(0, 2))
    n = Pass(
        machine=machine,
        clusters=clusters,
        first_lines=first_lines,
        next_lines=next_lines,
        line_skip=line_skip,
        region_rows=region_rows,
        region_width=windows,
        kernel_tiles=kernel_tiles,
        burst_rows=window_rows,
        plane_groups=plane_groups,
        kernel_planes=kernel_planes,
        interval=interval,
        out_planes=writes,
        multiplies=multiplies,
        search_reads=int(rng.integers(0, 5)),
        table=bool(rng.integers(0, 2)),
        residual=multiplies and bool(rng.integers(0, 2)),
        residual_planes=int(rng.integers(1, writes + 1)),
        inner_cycles=clusters * beats,
        last_inner_cycles=clusters * last_beats,
        outer_cycles=clusters * beats * interval,
        last_outer_cycles=clusters * last_beats * interval,
    )
    row_sets = rng.integers(0, 3, (region_rows, int(rng.integers(1, 4))))
    # The first region of a row has rows of all its lines.
    row_sets[:, 0] += next_lines
    row_sets[0, 0] = first_lines
    return n, row_sets.ravel(), int(rng.integers(0, 3)) * 4


class Streamer:
    """The input streamer, cycle by cycle: a row that is asked for, a set that is formed, and one that is offered."""

    def __init__(self, n: Pass, row_sets: np.ndarray) -> None:
        rows = [
            [(cluster == n.clusters - 1) for _ in range(sum(sets)) for cluster in range(n.clusters)]
            for sets in row_sets.reshape(n.region_rows, -1).tolist()
        ]
        # Whether a row is the last one of a set, and of a row of regions before another one.
        self.rows = [
            (last, at == len(of_row) - 1 and any(rows[number + 1 :]))
            for number, of_row in enumerate(rows)
            for at, last in enumerate(of_row)
        ]
        self.lines = n.next_lines + n.line_skip
        self.left = n.first_lines + n.line_skip
        self.asked: bool | None = None
        self.complete = self.offers = False

    def step(self, cycle: int, taken: bool) -> None:
        """A cycle, in which the offered set is taken or not."""
        free = not self.offers or taken
        moves = self.complete and free
        forms = self.asked is not None and (not self.complete or moves)
        passes = forms and bool(self.asked) and free and not self.complete
        room = self.asked is None or forms
        self.offers = moves or passes or (self.offers and not taken)
        if forms:
            self.complete = bool(self.asked) and not passes
        elif moves:
            self.complete = False
        if room:
            self.asked = None
        searching = self.left > 1
        # The walk is ready a cycle before the first row is formed.
        if cycle >= FORM_CYCLES - 1:
            if self.rows and room and not (self.rows[0][1] and searching):
                self.asked, ends_row = self.rows.pop(0)
                if ends_row:
                    self.left = self.lines
                    return
            self.left -= searching


def cycle_by_cycle(n: Pass, row_sets: np.ndarray, loaded: int) -> tuple[int, int]:
    """Cycles and stalled ones."""
    machine, operations = n.machine, []
    for sets in row_sets:
        operations += [("write", 0)] * int(sets)
        for window in range(n.windows):
            place = "outer" if window == n.windows - 1 else "inner"
            for j in range(n.kernel_tiles):
                last = "last_" if j == n.kernel_tiles - 1 else ""
                operations.append(("kernel_tile", getattr(n, f"{last}{place}_cycles")))
    runs = n.plane_groups * n.window_rows * n.kernel_planes * machine.sense_cycles
    free = LAUNCH_CYCLES + (KERNEL_CYCLES + loaded * machine.write_cycles if loaded else 0)
    streamer = Streamer(n, row_sets)
    output_stage_free = stalled = cycle = 0
    while operations:
        taken = False
        if cycle >= free:
            operation, beats = operations[0]
            if operation == "write" and streamer.offers:
                taken, free = True, cycle + machine.write_cycles
                operations.pop(0)
            elif operation == "kernel_tile" and cycle >= output_stage_free:
                free, output_stage_free = cycle + runs, cycle + beats
                operations.pop(0)
            else:
                stalled += 1
        streamer.step(cycle, taken)
        cycle += 1
    return free + ENGINE_CYCLES + n.last_outer_cycles - n.interval + output_stage_cycles(n), stalled


def output_stage_cycles(n: Pass) -> int:
    """From the cycle in which a beat is taken to that of its last write, with a multiplier for two lanes."""
    products = (1 + n.residual) * 2 + MULTIPLY_CYCLES if n.multiplies else 0
    lookups = LOOKUP_CYCLES * (n.search_reads + n.table)
    return OUTPUT_STAGE_CYCLES + (n.residual_planes - 1) * n.residual + products + lookups + n.writes


def cycle_by_cycle_with_overlap(n: Pass, row_sets: np.ndarray, loaded: int) -> tuple[int, int]:
    """Cycles and stalled ones where writes have a thread of their own."""
    machine, regions = n.machine, len(row_sets) // n.region_rows
    # Sets to write, by row of regions and number of region; rounds to run, by the same, and the output stage's cycles.
    writes = [(at // regions, at) for at, sets in enumerate(row_sets) for _ in range(sets)]
    runs_left, kernel_tiles = [0] * n.region_rows, []
    for at in range(len(row_sets)):
        for window in range(n.windows):
            place = "outer" if window == n.windows - 1 else "inner"
            for j in range(n.kernel_tiles):
                last = "last_" if j == n.kernel_tiles - 1 else ""
                kernel_tiles.append((at // regions, at, getattr(n, f"{last}{place}_cycles")))
                runs_left[at // regions] += 1
    run = n.plane_groups * n.window_rows * n.kernel_planes * machine.sense_cycles
    to_write = list(row_sets)
    load_ends = LAUNCH_CYCLES + (KERNEL_CYCLES + loaded * machine.write_cycles if loaded else 0)
    streamer = Streamer(n, row_sets)
    writing = running = running_row = output_stage = stalled = cycle = 0
    under_write: int | None = None
    while kernel_tiles:
        taken = False
        if writing == 0 and under_write is not None:
            to_write[under_write], under_write = to_write[under_write] - 1, None
        if cycle >= load_ends and not writing and writes and streamer.offers:
            row, at = writes[0]
            if row == 0 or (runs_left[row - 1] == 0 and not (running and running_row == row - 1)):
                taken, writing, under_write = True, machine.write_cycles, at
                writes.pop(0)
        if not running and cycle >= LAUNCH_CYCLES:
            row, at, beats = kernel_tiles[0]
            if to_write[at] == 0 and output_stage == 0:
                running, running_row, output_stage = run, row, beats
                runs_left[row] -= 1
                kernel_tiles.pop(0)
            # While the load goes on, but for its last pulse, no run is waited for.
            elif not loaded or cycle > load_ends - machine.write_cycles:
                stalled += 1
        streamer.step(cycle, taken)
        cycle += 1
        writing, running, output_stage = (max(0, left - 1) for left in (writing, running, output_stage))
    free = cycle + running
    return free + ENGINE_CYCLES + n.last_outer_cycles - n.interval + output_stage_cycles(n), stalled


@pytest.mark.parametrize("seed", range(200))
def test_a_pass_takes_as_long_as_its_waits_with_writes_beside_runs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    machine = machine_with(int(rng.integers(1, 4)), int(rng.integers(1, 6)), "same_array")
    n, row_sets, loaded = random_pass(machine, rng)
    time = pass_time(n, row_sets, loaded)
    assert time == cycle_by_cycle_with_overlap(n, row_sets, loaded)
    without = machine_with(machine.sense_cycles, machine.write_cycles)
    assert time.cycles <= pass_time(replace(n, machine=without), row_sets, loaded).cycles


@pytest.mark.parametrize("seed", range(200))
def test_a_pass_takes_as_long_as_its_waits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    machine = machine_with(int(rng.integers(1, 4)), int(rng.integers(1, 6)))
    n, row_sets, loaded = random_pass(machine, rng)
    assert pass_time(n, row_sets, loaded) == cycle_by_cycle(n, row_sets, loaded)


def test_a_program_takes_its_passes_and_the_reading_of_its_descriptors() -> None:
    accelerator = Accelerator(FEW)
    for name, bank in fill_banks(FEW, 1).items():
        getattr(accelerator.state, name)[:] = bank
    empty = accelerator_cycles(accelerator)
    assert empty == 2 * fetch_cycles(FEW) + END_CYCLES
    layer_pass = random_convolution(FEW, 1)
    assert accelerator_cycles(accelerator, layer_pass, layer_pass) - accelerator_cycles(
        accelerator, layer_pass
    ) == (accelerator_cycles(accelerator, layer_pass) - empty)
    assert accelerator_cycles(accelerator, layer_pass) > empty + fetch_cycles(FEW) + FINISH_CYCLES


def accelerator_cycles(accelerator: Accelerator, *passes: Pass) -> int:
    words = program_of(FEW, *passes)
    accelerator.program[: len(words)] = words
    return accelerator.run().counters.cycles
