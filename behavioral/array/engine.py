"""The functional engine: runs a stream of commands in numpy, with the bits and the counters of the RTL."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from spinplane.machine import PENDING_OUTPUTS, CommandStream, Counters, Machine, Op
from spinplane.machine.faults import FaultMap
from spinplane.machine.machine import LEAF_COLUMNS

from .bit_counter import count_bits
from .sot_mram_array import ArrayError, SotMramArray, Where


@dataclass(frozen=True, kw_only=True, eq=False)
class EngineRun:
    """Output of an engine.

    Parameters
    ----------
    results : ndarray of shape (n,), int64
        Accumulators in the order in which they leave: by cluster, sub-array and slot; with ``spread`` by cluster,
        sub-arrays of a beat, slot and sub-array.
    rows : ndarray of shape (m, columns), uint8
        What ``READ``, ``AND``, ``OR`` and ``XOR`` have sensed: by command and sub-array.
    counters : Counters
    """

    results: np.ndarray
    rows: np.ndarray
    counters: Counters


class Engine:
    """Golden model of `spinplane.hdl.Engine`: the cells persist from one program to the next.

    Parameters
    ----------
    machine : Machine
    faults : FaultMap, optional
        Of the cells and the sense amplifiers.

    Attributes
    ----------
    array : SotMramArray
    """

    def __init__(self, machine: Machine, faults: FaultMap | None = None) -> None:
        self.machine = machine
        self.array = SotMramArray(machine, faults)
        self._accumulators = np.zeros((machine.sub_arrays, machine.segments), dtype=np.int64)

    def run(self, program: CommandStream) -> EngineRun:
        """Obey all commands, rows offered and results taken without delay.

        Raises
        ------
        ArrayError
            If a command biases the array illegally, senses an unknown cell, or asks for slots, planes, clusters or
            sub-arrays that the machine does not have.
        OverflowError
            If a result does not fit in an accumulator; with faults it wraps.
        """
        array, clock = self.array, _Clock(self.machine)
        writes, reads, ands, ors = array.writes, array.reads, array.ands, array.ors
        self._results: list[np.ndarray] = []
        self._rows: list[np.ndarray] = []
        offered = iter(program.bus_rows)
        columns = program.enabled
        counted = additions = 0
        for command in program.commands:
            op = Op(int(command["op"]))
            where, sub_arrays = self._sub_arrays(command)
            if op is Op.WRITE:
                self._write(where, int(command["row_d"]), next(offered), columns)
                clock.write()
            elif op is Op.DOT:
                pairs = self._accumulate(command, where, columns)
                counted += pairs * sub_arrays
                additions += pairs * sub_arrays << int(command["log_slots"])
                clock.count(where, pairs, self._beats(command) if command["emit"] else 0)
            else:
                write_back = self._sense(command, op, where, columns)
                clock.sense(where, write_back)
        counters = Counters(
            row_writes=array.writes - writes,
            row_reads=array.reads - reads,
            ands=array.ands - ands,
            ors=array.ors - ors,
            bit_counts=counted,
            shifts=additions,
            additions=additions,
            cycles=clock.cycles,
            stalled=clock.stalled,
        )
        return EngineRun(
            results=np.concatenate([np.empty(0, np.int64), *self._results]),
            rows=np.concatenate([np.empty((0, self.machine.columns), np.uint8), *self._rows]),
            counters=counters,
        )

    def _sub_arrays(self, command: np.void) -> tuple[Where, int]:
        """Sub-arrays that take part, and their number."""
        clusters, of_cluster = (
            1 << int(command["log_clusters"]),
            self.machine.sub_arrays >> int(command["log_clusters"]),
        )
        first, last = int(command["first"]), int(command["last"])
        if clusters * of_cluster != self.machine.sub_arrays:
            raise ArrayError(f"{clusters} clusters: must divide the {self.machine.sub_arrays} sub-arrays")
        if not first <= last < of_cluster:
            raise ArrayError(f"sub-arrays {first} to {last}: a cluster has sub-arrays 0 to {of_cluster - 1}")
        if clusters == 1:
            return slice(first, last + 1), last + 1 - first
        where = np.arange(self.machine.sub_arrays).reshape(clusters, of_cluster)[:, first : last + 1].ravel()
        return where, len(where)

    def _slots(self, command: np.void, planes: int) -> int:
        """Slots of a row, with so many planes in each."""
        slots = 1 << int(command["log_slots"])
        if slots > self.machine.segments:
            raise ArrayError(f"{slots} slots: must be at most {self.machine.segments} (segments)")
        if slots * planes > self.machine.leaves:
            raise ArrayError(
                f"{slots} slots of {planes} planes: a row has {self.machine.leaves} sub-blocks of "
                f"{LEAF_COLUMNS} columns"
            )
        return slots

    def _beats(self, command: np.void) -> int:
        """Beats in which the results of a command leave."""
        results = int(command["last"]) + 1 << int(command["log_slots"])
        return -(-results // self.machine.results_per_cycle) << int(command["log_clusters"])

    def _write(self, where: Where, row: int, rows: np.ndarray, columns: np.ndarray) -> None:
        """Each sub-array takes the row of its bus."""
        of_bus = self.machine.sub_arrays // self.machine.row_buses
        buses = np.arange(self.machine.sub_arrays)[where] // of_bus
        self.array.write(where, row, rows[buses], columns)

    def _sense(self, command: np.void, op: Op, where: Where, columns: np.ndarray) -> bool:
        """``READ``, ``AND``, ``OR`` or ``XOR``; returns whether the row is written back."""
        rows_a, rows_b, enabled = (
            command["row_a"].reshape(1),
            command["row_b"].reshape(1),
            columns[np.newaxis],
        )
        if op is Op.READ:
            sensed = self.array.read(where, rows_a, enabled)
        else:
            array = self.array
            sense = {Op.AND: array.sense_and, Op.OR: array.sense_or, Op.XOR: array.sense_xor}[op]
            sensed = sense(where, rows_a, rows_b, enabled)
        self._rows.append(sensed[:, 0])
        if command["write_back"]:
            self.array.write(where, int(command["row_d"]), sensed[:, 0], columns)
        return bool(command["write_back"])

    def _accumulate(self, command: np.void, where: Where, columns: np.ndarray) -> int:
        """All pairs of rows of a ``DOT``; returns their number."""
        planes, pairs = 1 << int(command["log_planes"]), int(command["tiles"]) + 1
        slots = self._slots(command, planes)
        rows_a, rows_b = (int(command[name]) + np.arange(pairs) for name in ("row_a", "row_b"))
        sensed = self.array.sense_and(where, rows_a, rows_b, np.tile(columns, (pairs, 1)))
        counts = count_bits(sensed, slots, planes)
        if command["clear"]:
            self._accumulators[where] = 0
        added = counts.sum(axis=1) << int(command["shift"])
        self._accumulators[where, :slots] += -added if command["subtract"] else added
        if command["emit"]:
            values, lanes = self._accumulators[where, :slots], self.machine.results_per_cycle
            if command["spread"]:
                of_cluster = self.machine.sub_arrays >> int(command["log_clusters"])
                if (int(command["last"]) + 1) % lanes or of_cluster % lanes:
                    raise ArrayError(f"results leave slot by slot: sub-arrays must be a multiple of {lanes}")
                values = values.reshape(-1, lanes, slots).swapaxes(1, 2)
            self._emit(values)
        return pairs

    def _emit(self, values: np.ndarray) -> None:
        limit = 1 << (self.machine.accumulator_bits - 1)
        outside = (values < -limit) | (values >= limit)
        if self.array.faults is not None:
            # No width is proven for wrong bits: the accumulators wrap, as in the RTL.
            values = (values + limit) % (2 * limit) - limit
        elif outside.any():
            raise OverflowError(
                f"accumulator {values[outside][0]} does not fit in {self.machine.accumulator_bits} bits"
            )
        self._results.append(values.ravel().copy())


class _Clock:
    """When the RTL's engine does each step: the timing of `spinplane.hdl.Engine`, command by command.

    A controller that accepts a command in cycle t holds its first word lines in t + 1. A row to count is in the
    sense amplifiers after the sense, in the bit-counter one cycle later at the earliest, and summed in the cycle
    after that; each of these places holds one row and the next waits for it. Beats of results leave in the order of
    their commands, one a cycle.
    """

    def __init__(self, machine: Machine) -> None:
        self._sense_cycles, self._write_cycles = machine.sense_cycles, machine.write_cycles
        self.stalled = 0
        self._ready = 0  # first cycle in which every controller accepts
        self._busy_until = -1
        shape = machine.sub_arrays
        self._amplifiers_free = np.zeros(shape, dtype=np.int64)
        self._counter_free = np.zeros(shape, dtype=np.int64)
        self._result_free = np.zeros(shape, dtype=np.int64)
        self._output_stage_free = 0
        self._pending_outputs: deque[int] = deque(maxlen=PENDING_OUTPUTS)

    @property
    def cycles(self) -> int:
        """Cycles from the first command to the last activity."""
        return int(self._busy_until) + 1

    def write(self) -> None:
        """A row that is written."""
        self._finish(self._ready + self._write_cycles)

    def sense(self, where: Where, write_back: bool) -> None:
        """A row operation that is not counted."""
        sensed = self._start(where, emits=False) + self._sense_cycles
        self._finish(sensed.max() - 1 + (self._write_cycles if write_back else 0))

    def count(self, where: Where, pairs: int, beats: int) -> None:
        """Row operations that are counted; with `beats`, that many leave after the last one."""
        start = self._start(where, beats > 0)
        taken = np.maximum(start + self._sense_cycles, self._counter_free[where])
        last_start = start
        if pairs > 1:
            self.stalled += int((taken - start - self._sense_cycles).sum())
            last_start = taken + (pairs - 2) * self._sense_cycles
            taken = taken + (pairs - 1) * self._sense_cycles
        counted = np.maximum(taken + 1, self._result_free[where]) if beats else taken + 1
        self._amplifiers_free[where], self._counter_free[where] = taken, counted
        self._finish((last_start + self._sense_cycles).max() - 1)
        self._busy_until = max(self._busy_until, counted.max())
        if beats:
            left = max(self._output_stage_free, counted.max() + 1) + beats - 1
            self._result_free[where] = left
            self._output_stage_free = left + 1
            self._pending_outputs.append(left)
            self._busy_until = max(self._busy_until, left)

    def _start(self, where: Where, emits: bool) -> np.ndarray:
        """First cycle of the first sense in each sub-array, once the row before it has left the amplifiers."""
        accepted = self._ready
        if emits and len(self._pending_outputs) == PENDING_OUTPUTS:
            accepted = max(accepted, self._pending_outputs[0])
        start = np.maximum(accepted + 1, self._amplifiers_free[where])
        self.stalled += int((start - accepted - 1).sum())
        return start

    def _finish(self, last: int) -> None:
        self._ready = int(last)
        self._busy_until = max(self._busy_until, self._ready)
