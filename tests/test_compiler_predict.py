"""The compiler's prediction of a pass against the functional machine's clock, for random loops."""

import numpy as np
import pytest

from spinplane.behavioral.accelerator_clock import pass_time
from spinplane.behavioral.layer_walk import layer_numbers
from spinplane.compiler.predict import pass_cycles
from spinplane.machine import WRITE_OVERLAPS, Machine
from spinplane.machine.descriptor import Descriptor, Kind
from spinplane.machine.timing import FINISH_CYCLES


def random_pass(rng: np.random.Generator) -> Descriptor:
    """Loops of a few regions, with row sets that are short and runs that are long, or the other way round."""
    log_groups = int(rng.integers(0, 3))
    interval, beats, last_beats = int(rng.integers(1, 5)), *(int(b) for b in rng.integers(1, 4, 2))
    cycles = {"inner_cycles": beats, "last_inner_cycles": last_beats}
    cycles |= {"outer_cycles": beats * interval, "last_outer_cycles": last_beats * interval}
    return Descriptor(
        kind=Kind.LAYER.value,
        pieces=int(rng.integers(0, 2)),
        plane_groups=int(rng.integers(0, 2)),
        first_lines=int(rng.integers(1, 5)),
        next_lines=int(rng.integers(0, 4)),
        line_skip=int(rng.choice((0, 0, 1, 30))),
        first_columns=int(rng.integers(1, 4)),
        next_columns=int(rng.integers(0, 3)),
        log_groups=log_groups,
        region_rows=int(rng.integers(0, 5)),
        region_columns=int(rng.integers(0, 5)),
        region_width=int(rng.integers(0, 3)),
        runs=int(rng.integers(0, 2)),
        run_rows=int(rng.choice((0, 0, 3, 40))),
        kernel_planes=int(rng.integers(0, 2)),
        rounds=int(rng.integers(0, 3)),
        beats=beats - 1,
        last_beats=last_beats - 1,
        interval=interval,
        **{name: number << log_groups for name, number in cycles.items()},
        out_planes=int(rng.integers(0, interval)),
    )


def row_sets(d: Descriptor) -> np.ndarray:
    """Row sets of each region."""
    lines = [d["first_lines"], *[d["next_lines"]] * d["region_rows"]]
    columns = [d["first_columns"], *[d["next_columns"]] * d["region_columns"]]
    return np.outer(lines, columns).ravel() * (d["pieces"] + 1) * (d["plane_groups"] + 1)


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
    d, loaded = random_pass(rng), int(rng.integers(0, 3)) * 4
    time = pass_time(layer_numbers(d, machine), machine, row_sets(d), loaded)
    assert pass_cycles(machine, d, loaded) == (time.cycles + FINISH_CYCLES, time.stalled)
