"""When a pass does what: the chain of waits between row former, sequencer and way out, without any data."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.passes import Pass
from spinplane.machine.timing import (
    ENGINE_CYCLES,
    FORM_CYCLES,
    KERNEL_CYCLES,
    LAUNCH_CYCLES,
    OFFER_CYCLES,
)


class PassTime(NamedTuple):
    """Cycles from the first one of a pass to its last write, and those of them in which the sequencer waited."""

    cycles: int
    stalled: int


def pass_time(layer_pass: Pass, row_sets: NDArray[np.int64], loaded: int) -> PassTime:
    """Time of a pass.

    Parameters
    ----------
    layer_pass : Pass
    row_sets : ndarray of shape (regions,), int64
        That each region writes; those of a row of regions, then those of the next.
    loaded : int
        Kernel rows that are written first.
    """
    starts, stalled = _regions(layer_pass, row_sets, loaded)
    last_run = starts[-1] + int(round_starts(layer_pass)[-1]) + layer_pass.run_cycles
    last_beat = layer_pass.last_outer_cycles - layer_pass.interval
    cycles = last_run + ENGINE_CYCLES + last_beat + layer_pass.last_write_cycles
    return PassTime(cycles=cycles, stalled=stalled)


def region_starts(layer_pass: Pass, row_sets: NDArray[np.int64], loaded: int) -> NDArray[np.int64]:
    """Cycle of a pass in which the first run of each region is issued; parameters as of `pass_time`.

    Returns
    -------
    ndarray of shape (regions,), int64
    """
    return np.array(_regions(layer_pass, row_sets, loaded)[0])


def round_starts(layer_pass: Pass) -> NDArray[np.int64]:
    """Cycles from a region's first run to the first run of each of its rounds.

    Returns
    -------
    ndarray of shape (windows · rounds,), int64
    """
    inner = [layer_pass.inner_cycles] * (layer_pass.rounds - 1) + [layer_pass.last_inner_cycles]
    outer = [layer_pass.outer_cycles] * (layer_pass.rounds - 1) + [layer_pass.last_outer_cycles]
    beats = np.array(inner * (layer_pass.windows - 1) + outer)
    # A round takes its runs or its beats, whichever is longer.
    return np.concatenate([[0], np.maximum(beats[:-1], layer_pass.run_cycles).cumsum()])


def _regions(layer_pass: Pass, row_sets: NDArray[np.int64], loaded: int) -> tuple[list[int], int]:
    """Cycle of the first run of each region, and those in which the sequencer waits."""
    machine, run = layer_pass.machine, layer_pass.run_cycles
    write, overlaps = machine.write_cycles, machine.overlaps_writes
    rounds = round_starts(layer_pass)
    before_last = int(rounds[-1])
    waits = before_last - run * (len(rounds) - 1)

    # First cycles in which the sequencer is free for writes and for runs, and in which the way out has taken all beats
    # of the last round. Beside writes, runs wait from the cycle after the one in which a load's last write is issued.
    writes_free = LAUNCH_CYCLES + (KERNEL_CYCLES + loaded * write if loaded else 0)
    free = writes_free - (write - 1 if loaded and overlaps else 0)
    beats_taken = stalled = 0
    former = _RowFormer(layer_pass)
    starts: list[int] = []
    sets_of_rows = row_sets.reshape(layer_pass.region_rows, -1)
    for row, sets_of_row in enumerate(sets_of_rows.tolist()):
        left = sum(sets_of_row)
        another_row = row + 1 < layer_pass.region_rows and sets_of_rows[row + 1].any()
        for column, sets in enumerate(sets_of_row):
            if not overlaps or (row and not column):
                writes_free = max(writes_free, free)
            for _ in range(sets):
                left -= 1
                begin = max(former.offer(ends_row=left == 0 and another_row), writes_free)
                former.taken, writes_free = begin, begin + write
            begin = max(free, writes_free if sets else 0, beats_taken)
            starts.append(begin)
            stalled += begin - free + waits - (0 if overlaps else sets * write)
            last = begin + before_last
            beats_taken = last + layer_pass.last_outer_cycles
            free = last + run
    return starts, stalled


class _RowFormer:
    """Forms a row a cycle, as long as the set before has moved on.

    A row is asked for in the cycle before it is formed, and stands in between. The last row of a row of regions is
    asked for when the lines up to the next one have been counted, one a cycle.
    """

    def __init__(self, layer_pass: Pass) -> None:
        self._groups = layer_pass.groups
        self._lines = layer_pass.next_lines + layer_pass.line_skip
        self._counted = FORM_CYCLES - 2 + layer_pass.first_lines + layer_pass.line_skip
        # Cycles in which the last set was formed, and moved on; and in which the last but one was written.
        self._formed = self._moved = FORM_CYCLES - 1
        self.taken = 0

    def offer(self, *, ends_row: bool) -> int:
        """First cycle in which the next set can be written; `ends_row`, if it is the last one before another row of
        regions.
        """
        first = max(self._formed + 1, self._moved)
        asked = first + self._groups - 2 if self._groups > 1 else self._formed
        if ends_row:
            asked = max(asked, self._counted)
            self._counted = asked + self._lines
        self._formed = max(asked + 1, first)
        self._moved = max(self._formed, self.taken)
        return self._moved + OFFER_CYCLES
