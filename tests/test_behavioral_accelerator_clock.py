"""The clock of a pass against the row former and the sequencer, cycle by cycle."""

from types import SimpleNamespace

import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, program_of, random_layer

from spinplane.behavioral.accelerator import Accelerator
from spinplane.behavioral.accelerator_clock import pass_time
from spinplane.machine import Machine
from spinplane.machine.timing import (
    END_CYCLES,
    ENGINE_CYCLES,
    FINISH_CYCLES,
    LAUNCH_CYCLES,
    READ_CYCLES,
    START_CYCLES,
    fetch_cycles,
)


def machine_with(sense_cycles: int, write_cycles: int) -> Machine:
    return Machine(
        name="clocked",
        sub_arrays=4,
        rows=64,
        columns=64,
        segments=2,
        sense_cycles=sense_cycles,
        write_cycles=write_cycles,
    )


def random_pass(rng: np.random.Generator) -> tuple[SimpleNamespace, np.ndarray, int]:
    groups, beats, last_beats = 2 ** int(rng.integers(0, 3)), *(int(b) for b in rng.integers(1, 4, 2))
    writes = int(rng.integers(1, 4))
    interval = writes + int(rng.integers(0, 3))
    n = SimpleNamespace(
        groups=groups,
        windows=int(rng.integers(1, 4)),
        rounds=int(rng.integers(1, 4)),
        window_rows=int(rng.integers(1, 8)),
        plane_groups=int(rng.integers(1, 3)),
        kernel_planes=int(rng.integers(1, 3)),
        interval=interval,
        writes=writes,
        threshold_words=int(rng.integers(0, 2)),
        residual=int(rng.integers(0, 2)),
        residual_planes=int(rng.integers(1, writes + 1)),
        inner_cycles=groups * beats,
        last_inner_cycles=groups * last_beats,
        outer_cycles=groups * beats * interval,
        last_outer_cycles=groups * last_beats * interval,
    )
    return n, rng.integers(0, 5, int(rng.integers(1, 6))), int(rng.integers(0, 3)) * 4


def cycle_by_cycle(
    n: SimpleNamespace, machine: Machine, row_sets: np.ndarray, loaded: int
) -> tuple[int, int]:
    """Cycles and stalled ones."""
    operations = []
    for sets in row_sets:
        operations += [("write", 0)] * int(sets)
        for window in range(n.windows):
            place = "outer" if window == n.windows - 1 else "inner"
            for j in range(n.rounds):
                last = "last_" if j == n.rounds - 1 else ""
                operations.append(("round", getattr(n, f"{last}{place}_cycles")))
    runs = n.plane_groups * n.window_rows * n.kernel_planes * machine.sense_cycles
    free = LAUNCH_CYCLES + (READ_CYCLES + loaded * machine.write_cycles if loaded else 0)
    forming_since, waits_formed = LAUNCH_CYCLES + READ_CYCLES - 1, False
    way_out_free = stalled = cycle = 0
    while operations:
        for _ in range(2):  # a set moves on in the cycle in which the one before it does
            if not waits_formed and cycle >= forming_since + n.groups:
                waits_formed, forming_since = True, cycle
            if cycle < free or not operations:
                continue
            operation, beats = operations[0]
            if operation == "write" and waits_formed:
                waits_formed, free = False, cycle + machine.write_cycles
                operations.pop(0)
            elif operation == "round" and cycle >= way_out_free:
                free, way_out_free = cycle + runs, cycle + beats
                operations.pop(0)
        stalled += bool(operations) and cycle >= free
        cycle += 1
    # The depth of the way out by hand: pooled after 5 cycles, 3 more before the thresholds.
    way_out = 5 + (n.residual_planes - 1) * n.residual + 3 + (n.threshold_words or 1) + n.writes
    return free + ENGINE_CYCLES + n.last_outer_cycles - n.interval + way_out, stalled


@pytest.mark.parametrize("seed", range(60))
def test_a_pass_takes_as_long_as_its_waits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    machine = machine_with(int(rng.integers(1, 4)), int(rng.integers(1, 6)))
    n, row_sets, loaded = random_pass(rng)
    assert pass_time(n, machine, row_sets, loaded) == cycle_by_cycle(n, machine, row_sets, loaded)


def test_a_program_takes_its_passes_and_the_reading_of_its_descriptors() -> None:
    accelerator = Accelerator(FEW)
    for name, bank in fill_banks(FEW, 1).items():
        getattr(accelerator.state, name)[:] = bank
    empty = accelerator_cycles(accelerator)
    assert empty == START_CYCLES + 2 * fetch_cycles(FEW) + END_CYCLES
    layer = random_layer(FEW, 1)
    assert accelerator_cycles(accelerator, layer, layer) - accelerator_cycles(accelerator, layer) == (
        accelerator_cycles(accelerator, layer) - empty
    )
    assert accelerator_cycles(accelerator, layer) > empty + fetch_cycles(FEW) + FINISH_CYCLES


def accelerator_cycles(accelerator: Accelerator, *layers: dict) -> int:
    words = program_of(FEW, *layers)
    accelerator.program[: len(words)] = words
    return accelerator.run().counters.cycles
