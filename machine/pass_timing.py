"""Timing of a pass: the chain of waits between input streamer, write port, bursts and output stage, without any
data.

The functional machine and the compiler take their cycles from here; what they count besides is their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .passes import Pass
from .timing import ENGINE_CYCLES, FORM_CYCLES, KERNEL_CYCLES, LAUNCH_CYCLES, OFFER_CYCLES


class PassTime(NamedTuple):
    """Cycles from the first one of a pass to its last write, and those of them in which the sequencer waited."""

    cycles: int
    stalled: int


def pass_time(layer_pass: Pass, row_sets: Sequence[int], loaded: int) -> PassTime:
    """Time of a pass.

    Parameters
    ----------
    layer_pass : Pass
    row_sets : sequence of int, of length regions
        That each region writes; those of a row of regions, then those of the next.
    loaded : int
        Kernel rows that are written first.
    """
    walked = _walk(layer_pass, row_sets, loaded)
    last_beat = layer_pass.last_outer_cycles - layer_pass.interval
    cycles = walked.end + ENGINE_CYCLES + last_beat + layer_pass.last_write_cycles
    return PassTime(cycles=cycles, stalled=walked.stalled)


def region_starts(layer_pass: Pass, row_sets: Sequence[int], loaded: int) -> NDArray[np.int64]:
    """Cycle of a pass in which the first burst of each region is issued; parameters as of `pass_time`.

    Returns
    -------
    ndarray of shape (regions,), int64
    """
    return np.array(_walk(layer_pass, row_sets, loaded).starts, dtype=np.int64)


def kernel_tile_starts(layer_pass: Pass) -> NDArray[np.int64]:
    """Cycles from a region's first burst to the first burst of each of its kernel tiles.

    Returns
    -------
    ndarray of shape (windows · kernel tiles,), int64
    """
    # A kernel tile takes its bursts or its beats, whichever is longer.
    taken = [max(cycles, layer_pass.burst_cycles) for cycles in _beat_cycles(layer_pass)[:-1]]
    return np.array([0, *accumulate(taken)], dtype=np.int64)


def _beat_cycles(layer_pass: Pass) -> tuple[int, ...]:
    """Cycles of the output stage of each kernel tile of a region."""
    before_last = layer_pass.kernel_tiles - 1
    inner = (layer_pass.inner_cycles,) * before_last + (layer_pass.last_inner_cycles,)
    outer = (layer_pass.outer_cycles,) * before_last + (layer_pass.last_outer_cycles,)
    return inner * (layer_pass.windows - 1) + outer


class _Walked(NamedTuple):
    """Cycle in which the last burst has ended, those of waiting, and the first burst of each region."""

    end: int
    stalled: int
    starts: list[int]


def _walk(layer_pass: Pass, row_sets: Sequence[int], loaded: int) -> _Walked:
    """Walk over all regions.

    Regions that start from the same state take the same time, so each state is walked once; where writes run ahead of
    the bursts, up to the end of a row of regions, so do rows of regions.
    """
    machine, chain = layer_pass.machine, _Chain.of(layer_pass)
    now = LAUNCH_CYCLES + (KERNEL_CYCLES + loaded * machine.write_cycles if loaded else 0)
    # Beside writes, bursts wait from the cycle after the one in which a load's last write is issued.
    stalled = machine.write_cycles - 1 if loaded and machine.overlaps_writes else 0
    state = _State(
        formed=FORM_CYCLES - 1 - now,
        moved=FORM_CYCLES - 1 - now,
        taken=-now,
        counted=FORM_CYCLES - 2 + layer_pass.first_lines + layer_pass.line_skip - now,
        way_free=-now,
    )
    known: dict[tuple[tuple[int, ...], bool, _State], _Step] = {}
    starts: list[int] = []
    columns = len(row_sets) // layer_pass.region_rows
    rows = [tuple(row_sets[at : at + columns]) for at in range(0, len(row_sets), columns)]
    for sets, next_sets in zip(rows, [*rows[1:], ()], strict=True):
        last = max((at for at, number in enumerate(sets) if number), default=-1) if any(next_sets) else -1
        parts = [sets] if chain.overlaps else [(number,) for number in sets]
        for at, part in enumerate(parts):
            key = part, last >= 0 if chain.overlaps else at == last, state
            if key not in known:
                known[key] = chain.walk(*key)
            step = known[key]
            starts += [now + start for start in step.starts]
            now, stalled, state = now + step.cycles, stalled + step.waited, step.state
    return _Walked(end=now, stalled=stalled, starts=starts)


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
        From which the output stage takes the next kernel tile.
    """

    formed: int
    moved: int
    taken: int
    counted: int
    way_free: int


class _Step(NamedTuple):
    """Regions that are walked at once: their cycles, those of waiting, their first bursts, and the state at the end."""

    cycles: int
    waited: int
    starts: tuple[int, ...]
    state: _State


@dataclass(frozen=True, kw_only=True)
class _Chain:
    """The waits within regions: input streamer, write port, bursts and output stage.

    Parameters
    ----------
    form, write : int
        Cycles that a row set takes to be formed and to be written.
    lines : int
        Lines from a row of regions to the next one.
    burst : int
        Cycles of a kernel tile's bursts.
    beats : tuple of int
        Cycles of the output stage of each kernel tile of a region.
    overlaps : bool
        Whether rows are written beside the bursts.
    """

    form: int
    write: int
    lines: int
    burst: int
    beats: tuple[int, ...]
    overlaps: bool

    @classmethod
    def of(cls, layer_pass: Pass) -> "_Chain":
        """The chain of a pass."""
        return cls(
            form=layer_pass.row_set_cycles,
            write=layer_pass.machine.write_cycles,
            lines=layer_pass.next_lines + layer_pass.line_skip,
            burst=layer_pass.burst_cycles,
            beats=_beat_cycles(layer_pass),
            overlaps=layer_pass.machine.overlaps_writes,
        )

    def walk(self, regions: tuple[int, ...], ends_row: bool, state: _State) -> _Step:
        """Regions of as many row sets, from the end of the last operation on.

        The last row set ends a row of regions before another one, or not. Where writes and bursts do not overlap, it is
        one region.
        """
        formed, moved, taken, counted, way_free = state
        now = waited = writes_free = 0
        left = sum(regions)
        starts = []
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
            starts.append(max(now, way_free))
            for cycles in self.beats:
                begin = max(now, way_free)
                waited += begin - now
                now, way_free = begin + self.burst, begin + cycles
        # What lies far enough in the past makes nothing wait, not even through the two row sets and the row that are
        # formed ahead: one state stands for all of them.
        past = -3 * (self.form + self.lines) - 4
        after = _State(*(max(at - now, past) for at in (formed, moved, taken, counted, way_free)))
        return _Step(cycles=now, waited=waited, starts=tuple(starts), state=after)
