"""The functional machine: runs a program of commands in numpy, with the bits and the counters of the RTL."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from spinplane.machine import EMISSIONS, Counters, Machine, Op, Program
from spinplane.machine.faults import FaultMap

from .array import SotMramArray


@dataclass(frozen=True, kw_only=True, eq=False)
class EngineRun:
    """What leaves an engine.

    Parameters
    ----------
    results : ndarray of shape (n,), int64
        Accumulators in the order in which they leave.
    rows : ndarray of shape (m, columns), uint8
        Sensed rows in the order in which they leave.
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
        self._constant_weights = 1 << np.arange(machine.accumulator_bits, dtype=np.int64)
        self._constant_weights[-1] *= -1

    def run(self, program: Program) -> EngineRun:
        """Obey all commands, rows offered and results taken without delay.

        Raises
        ------
        ArrayError
            If a command biases the array illegally or senses an unknown cell.
        OverflowError
            If a result does not fit in an accumulator; with faults it wraps.
        """
        array, clock = self.array, _Clock(self.machine)
        writes, reads, ands, ors = array.writes, array.reads, array.ands, array.ors
        self._results: list[np.ndarray] = []
        self._rows: list[np.ndarray] = []
        offered = zip(program.rows, program.masks, strict=True)
        counted = additions = 0
        for command in program.commands:
            op, where = Op(int(command["op"])), slice(int(command["first"]), int(command["last"]) + 1)
            tiles = where.stop - where.start
            if op is Op.WRITE:
                array.write(where, int(command["row_d"]), *next(offered))
                clock.write(where)
            elif op in (Op.DOT, Op.COUNT):
                steps = self._accumulate(command, op, where)
                counted += steps * tiles
                additions += steps * tiles * (self.machine.segments if command["packed"] else 1)
                clock.count(where, steps, bool(command["emit"]), bool(command["packed"]))
            elif op is Op.LOAD:
                self._load(command, where)
                clock.load(where)
            else:
                self._sense(command, op, where)
                clock.sense(where, bool(command["emit"]), bool(command["write_back"]))
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

    def _columns(self, command: np.void, tiles: int) -> np.ndarray:
        """Columns that are sensed in each tile: all, but in the last one the first ``length`` + 1."""
        machine = self.machine
        columns = np.ones((tiles, machine.columns), dtype=np.uint8)
        index = np.arange(machine.columns)
        if command["packed"]:
            index %= machine.segment_columns
        columns[-1] = index <= int(command["length"]) % (
            machine.segment_columns if command["packed"] else machine.columns
        )
        return columns

    def _sense(self, command: np.void, op: Op, where: slice) -> None:
        columns = self._columns(command, 1)
        rows_a, rows_b = command["row_a"].reshape(1), command["row_b"].reshape(1)
        if op is Op.READ:
            sensed = self.array.read(where, rows_a, columns)
        else:
            sense = self.array.sense_and if op is Op.AND else self.array.sense_or
            sensed = sense(where, rows_a, rows_b, columns)
        if command["emit"]:
            self._rows.append(sensed[:, 0])
        if command["write_back"]:
            self.array.write(where, int(command["row_d"]), sensed[:, 0], columns[0])

    def _load(self, command: np.void, where: slice) -> None:
        machine = self.machine
        sensed = self.array.read(where, command["row_a"].reshape(1), self._columns(command, 1))
        segments = sensed.reshape(-1, machine.segments, machine.segment_columns)
        bits = segments[..., : machine.accumulator_bits].astype(np.int64)
        self._accumulators[where] = bits @ self._constant_weights

    def _accumulate(self, command: np.void, op: Op, where: slice) -> int:
        """All plane pairs and tiles of ``DOT``, all planes and tiles of ``COUNT``; returns the row operations."""
        machine = self.machine
        tiles, planes_a = int(command["tiles"]) + 1, int(command["planes_a"]) + 1
        planes_b = int(command["planes_b"]) + 1 if op is Op.DOT else 1
        tile = np.arange(tiles)
        b, a, t = (
            index.ravel() for index in np.meshgrid(range(planes_b), range(planes_a), tile, indexing="ij")
        )
        columns = self._columns(command, tiles)[t]
        rows_a = int(command["row_a"]) + a * tiles + t
        if op is Op.DOT:
            rows_b = int(command["row_b"]) + b * tiles + t
            sensed = self.array.sense_and(where, rows_a, rows_b, columns)
        else:
            sensed = self.array.read(where, rows_a, columns)
        segments = sensed.reshape(*sensed.shape[:2], machine.segments, machine.segment_columns)
        counts = segments.sum(axis=-1, dtype=np.int64)
        if not command["packed"]:
            counts[..., 0] = counts.sum(axis=-1)
            counts[..., 1:] = 0
        negative = bool(command["negate"]) ^ (command["signed_a"] & (a == planes_a - 1)).astype(bool)
        if op is Op.DOT:
            negative = negative ^ (command["signed_b"] & (b == planes_b - 1)).astype(bool)
        weights = np.where(negative, -1, 1) << (a + b + int(command["shift"]))
        accumulators = self._accumulators[where]
        if command["clear"]:
            accumulators[:] = 0
        accumulators += np.einsum("ijs,j->is", counts, weights)
        if command["emit"]:
            self._emit(accumulators if command["packed"] else accumulators[:, :1])
        return len(t)

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
    """When the RTL's engine does what: the timing of `spinplane.hdl.Engine`, command by command.

    A controller that accepts a command in cycle t holds its first word lines in t + 1. A sensed row is in the
    sense amplifiers after the sense, in the bit-counter one cycle later at the earliest, and summed in the cycle
    after that; each of these places holds one row and the next waits for it. Results and rows leave in the order
    of their commands, one a cycle.
    """

    def __init__(self, machine: Machine) -> None:
        self._sense_cycles, self._write_cycles = machine.sense_cycles, machine.write_cycles
        self._segments = machine.segments
        self.stalled = 0
        self._ready = 0  # first cycle in which every controller accepts
        self._busy_until = -1
        shape = machine.sub_arrays
        self._amplifiers_free = np.zeros(shape, dtype=np.int64)
        self._counter_free = np.zeros(shape, dtype=np.int64)
        self._result_free = np.zeros(shape, dtype=np.int64)
        self._way_out_free = 0
        self._emissions: deque[int] = deque(maxlen=EMISSIONS)

    @property
    def cycles(self) -> int:
        """Cycles from the first command to the last activity."""
        return int(self._busy_until) + 1

    def write(self, where: slice) -> None:
        self._finish(self._accept(emits=False) + self._write_cycles)

    def sense(self, where: slice, emit: bool, write_back: bool) -> None:
        start, amplifiers = self._start(where, emit)
        sensed = start + self._sense_cycles
        if emit:
            for tile, valid in enumerate(sensed):
                amplifiers[tile] = self._way_out_free = max(self._way_out_free, valid)
                self._way_out_free += 1
            self._emissions.append(self._way_out_free - 1)
            self._busy_until = max(self._busy_until, self._way_out_free - 1)
        self._finish(sensed.max() - 1 + (self._write_cycles if write_back else 0))

    def load(self, where: slice) -> None:
        start, amplifiers = self._start(where, emits=False)
        sensed = start + self._sense_cycles
        amplifiers[:] = np.maximum(sensed, self._counter_free[where] + 1)
        self._finish(sensed.max() - 1)
        self._busy_until = max(self._busy_until, amplifiers.max())

    def count(self, where: slice, steps: int, emit: bool, packed: bool) -> None:
        start, amplifiers = self._start(where, emit)
        counter = self._counter_free[where]
        taken = np.maximum(start + self._sense_cycles, counter)
        last_start = start
        if steps > 1:
            self.stalled += int((taken - start - self._sense_cycles).sum())
            last_start = taken + (steps - 2) * self._sense_cycles
            taken = taken + (steps - 1) * self._sense_cycles
        amplifiers[:] = taken
        counter[:] = np.maximum(taken + 1, self._result_free[where]) if emit else taken + 1
        self._finish((last_start + self._sense_cycles).max() - 1)
        self._busy_until = max(self._busy_until, counter.max())
        if emit:
            values = len(start) * (self._segments if packed else 1)
            left = max(self._way_out_free, counter.max() + 1) + values - 1
            self._result_free[where] = left
            self._way_out_free = left + 1
            self._emissions.append(left)
            self._busy_until = max(self._busy_until, left)

    def _accept(self, emits: bool) -> int:
        accepted = self._ready
        if emits and len(self._emissions) == EMISSIONS:
            accepted = max(accepted, self._emissions[0])
        return accepted

    def _start(self, where: slice, emits: bool) -> tuple[np.ndarray, np.ndarray]:
        """First cycle of the first sense in each sub-array, once the row before it has left the amplifiers."""
        earliest = self._accept(emits) + 1
        amplifiers = self._amplifiers_free[where]
        start = np.maximum(earliest, amplifiers)
        self.stalled += int((start - earliest).sum())
        return start, amplifiers

    def _finish(self, last: int) -> None:
        self._ready = int(last)
        self._busy_until = max(self._busy_until, self._ready)
