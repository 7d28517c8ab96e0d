"""The compiler's prediction of a pass against its waits, cycle by cycle, for random loops."""

from dataclasses import replace

import numpy as np
import pytest
from accelerator_layers import FEW
from accelerator_layers import random_pass as random_pass_of_a_map

from spinplane.behavioral.input.input_address_generator import InputAddressGenerator
from spinplane.behavioral.input.input_streamer import FormedRows
from spinplane.compiler.predict import predict_pass, row_reads, row_sets
from spinplane.machine import WRITE_OVERLAPS, Machine
from spinplane.machine.passes import Pass
from spinplane.machine.timing import FINISH_CYCLES, fetch_cycles
from tests.machine.test_pass_timing import cycle_by_cycle, cycle_by_cycle_with_overlap


def random_pass(machine: Machine, rng: np.random.Generator) -> Pass:
    """Loops of a few regions, with row sets that are short and bursts that are long, or the other way round."""
    clusters = 2 ** int(rng.integers(0, 3))
    interval, beats, last_beats = int(rng.integers(1, 5)), *(int(b) for b in rng.integers(1, 4, 2))
    cycles = {"inner_cycles": beats, "last_inner_cycles": last_beats}
    cycles |= {"outer_cycles": beats * interval, "last_outer_cycles": last_beats * interval}
    return Pass(
        machine=machine,
        pieces=int(rng.integers(1, 3)),
        plane_groups=int(rng.integers(1, 3)),
        first_lines=int(rng.integers(1, 5)),
        next_lines=int(rng.integers(0, 4)),
        line_skip=int(rng.choice((0, 0, 1, 30))),
        first_columns=int(rng.integers(1, 4)),
        next_columns=int(rng.integers(0, 3)),
        clusters=clusters,
        region_rows=int(rng.integers(1, 6)),
        region_columns=int(rng.integers(1, 6)),
        region_width=int(rng.integers(1, 4)),
        bursts=int(rng.integers(1, 3)),
        burst_rows=int(rng.choice((1, 1, 4, 41))),
        kernel_planes=int(rng.integers(1, 3)),
        kernel_tiles=int(rng.integers(1, 4)),
        beats=beats,
        last_beats=last_beats,
        interval=interval,
        **{name: number * clusters for name, number in cycles.items()},
        out_planes=int(rng.integers(1, interval + 1)),
    )


@pytest.mark.parametrize("write_overlap", WRITE_OVERLAPS)
@pytest.mark.parametrize("seed", range(300))
def test_a_pass_is_predicted_to_the_cycle(seed: int, write_overlap: str) -> None:
    rng = np.random.default_rng(seed)
    machine = Machine(
        name="predicted",
        sub_arrays=16,
        rows=64,
        columns=64,
        segments=2,
        results_per_cycle=1,
        sense_cycles=int(rng.integers(1, 4)),
        write_cycles=int(rng.integers(1, 6)),
        write_overlap=write_overlap,
    )
    loaded = int(rng.integers(0, 3)) * 4
    layer_pass = random_pass(machine, rng)
    found = predict_pass(replace(layer_pass, load_rows=loaded), loads=True)
    by_cycles = cycle_by_cycle_with_overlap if machine.overlaps_writes else cycle_by_cycle
    cycles, stalled = by_cycles(layer_pass, np.array(row_sets(layer_pass)), loaded)
    assert found.cycles == fetch_cycles(machine) + cycles + FINISH_CYCLES
    assert found.stalled == stalled


@pytest.mark.parametrize("seed", range(40))
def test_rows_that_are_read_are_those_that_the_functional_machine_forms(seed: int) -> None:
    layer_pass = random_pass_of_a_map(FEW, seed)
    rows = FormedRows.of_walk(layer_pass, InputAddressGenerator.of(layer_pass))
    assert row_reads(layer_pass) == rows.read_planes.sum()
