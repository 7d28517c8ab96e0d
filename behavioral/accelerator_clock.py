"""When a pass does what: the chain of waits between row former, sequencer and way out, without any data."""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import Machine
from spinplane.machine.timing import ENGINE_CYCLES, LAUNCH_CYCLES, READ_CYCLES, way_out_cycles


class PassTime(NamedTuple):
    """Cycles from the first one of a pass to its last write, and those in which the sequencer waited."""

    cycles: int
    stalled: int


def pass_time(n: SimpleNamespace, machine: Machine, row_sets: NDArray[np.int64], loaded: int) -> PassTime:
    """Time of a pass.

    Parameters
    ----------
    n : SimpleNamespace
        From `layer_numbers`.
    machine : Machine
    row_sets : ndarray of shape (regions,), int64
        That each region writes.
    loaded : int
        Kernel rows that are written first.
    """
    write, run = machine.write_cycles, n.window_rows * n.plane_groups * n.kernel_planes * machine.sense_cycles
    inner = [n.inner_cycles] * (n.rounds - 1) + [n.last_inner_cycles]
    outer = [n.outer_cycles] * (n.rounds - 1) + [n.last_outer_cycles]
    rounds = np.array(inner * (n.windows - 1) + outer)
    # From the first round of a region to its last one: a round takes its runs or its beats, whichever is longer.
    waits = int(np.maximum(rounds[:-1] - run, 0).sum())
    before_last = run * (len(rounds) - 1) + waits

    # First cycles in which the sequencer is free, the row former may begin, and the way out has taken all beats of
    # the last round; and the cycle in which the last row set has gone to the engine.
    free = LAUNCH_CYCLES + (READ_CYCLES + loaded * write if loaded else 0)
    forming = LAUNCH_CYCLES + READ_CYCLES - 1
    beats_taken = taken = stalled = 0
    for sets in row_sets.tolist():
        for _ in range(sets):
            forming = max(forming + n.groups, taken)
            begin = max(forming, free)
            stalled += begin - free
            taken, free = begin, begin + write
        begin = max(free, beats_taken)
        stalled += begin - free + waits
        last = begin + before_last
        beats_taken = last + n.last_outer_cycles
        free = last + run
    last_beat = n.last_outer_cycles - n.interval
    way_out = way_out_cycles(
        writes=n.writes,
        threshold_words=n.threshold_words,
        residual_planes=n.residual_planes if n.residual else 0,
    )
    return PassTime(cycles=free + ENGINE_CYCLES + last_beat + way_out, stalled=stalled)
