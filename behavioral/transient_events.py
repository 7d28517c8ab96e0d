"""The array's events in a pass, of which transient faults are drawn, and the windows that the faults reach."""

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.transient import Stream

from .array.transient_cells import TransientCells
from .schedule import Schedule

Integers = NDArray[np.int64]


class TransientEvents:
    """Events of a pass in which some cell goes wrong, or that meet cells that have decayed.

    Parameters
    ----------
    schedule : Schedule
        Of a pass that senses only what it writes, and kernels.
    cells : TransientCells
        As the pass finds them.
    hit : ndarray of shape (windows of all regions,), bool
        Windows in which a draw hits.
    where, senses : ndarray of shape (n,), int64
        Sub-arrays that take part, and senses of each in a window.
    """

    def __init__(
        self,
        schedule: Schedule,
        cells: TransientCells,
        hit: NDArray[np.bool_],
        where: Integers,
        senses: Integers,
    ) -> None:
        self._cells, self._hit, self._where, self._senses = cells, hit, where, senses
        self._kernel_rows = np.unique(schedule.pairs.kernel_rows)
        cells.altered[:] = False

    @classmethod
    def of(cls, schedule: Schedule, cells: TransientCells) -> "TransientEvents | None":
        """Those of a pass; None, and they are counted, where all cells are right."""
        p, pairs = schedule.layer_pass, schedule.pairs
        number = np.arange(p.machine.sub_arrays)
        member = number % p.cluster_size
        of_tile = p.plane_groups * pairs.kernel_rows[0].size
        senses = of_tile * (member[:, np.newaxis] < pairs.sub_arrays).sum(axis=1)
        where, writing = number[senses > 0], number[member < p.sub_arrays]
        senses, windows = senses[where], p.regions * p.windows
        hit = np.zeros(windows, dtype=bool)
        for stream in (Stream.AND, Stream.DECAY):
            hits = cells.draws.hits(stream, where, cells.senses[where], windows * senses)
            at = np.searchsorted(where, hits.sub_array)
            hit[(hits.event - cells.senses[hits.sub_array]) // senses[at]] = True
        writes = schedule.walk.row.size
        fails = len(cells.draws.hits(Stream.WRITE, writing, cells.writes[writing], writes))
        rows = np.union1d(pairs.input_rows, pairs.kernel_rows)
        if fails or hit.any() or cells.have_decayed(where, rows):
            return cls(schedule, cells, hit, where, senses)
        cells.writes[writing] += writes
        cells.senses[where] += windows * senses
        return None

    def meet(self, window: int, rows: Integers) -> bool:
        """Whether the next window, of such input rows, is reached by a fault; its events are counted if not."""
        rows = np.append(rows, self._kernel_rows)
        if self._hit[window] or self._cells.differ(self._where, rows):
            return True
        self._cells.senses[self._where] += self._senses
        return False
