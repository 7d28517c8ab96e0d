"""Engine: sub-arrays in lock-step behind one command stream, with the output of their results."""

from itertools import product

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import LOG_FIELD_BITS, MOST_SLOTS, PENDING_OUTPUTS, Machine, Op, bits_for

from ..common.beat import result_beat_layout
from ..common.command import command_layout, row_layout, write_command_layout
from ..common.verilog import place
from .counters import COUNTERS, Counters
from .sub_array import SubArray

_MOST_CLUSTERS = 1 << ((1 << LOG_FIELD_BITS) - 1)


class Engine(wiring.Component):
    """All sub-arrays of a machine; those from ``first`` to ``last`` of each cluster obey a command together.

    A command is accepted when every sub-array is ready. The rows to write come by buses, each for
    sub_arrays/row_buses neighbours, and go to all that take part. Results of ``DOT`` leave in the order of the
    commands, cluster by cluster, in beats. Result i·slots + s of a cluster is that of slot s in its sub-array number i.
    With ``spread``, for whole beats of sub-arrays, beats have the results of one slot: beat q·slots + s those of slot s
    in the sub-arrays from q·``results_per_cycle`` on.
    A beat holds ``results_per_cycle`` results from a multiple of that number on, as many beats as it takes to have
    those of the sub-arrays up to ``last``. The next results are computed meanwhile.

    With ``write_overlap`` rows are written by ``write_command`` beside all that ``command`` does; see `SubArray`. It is
    accepted when every sub-array is ready for it.

    With ``memory_operations`` sensed rows stay in the sense amplifiers until the next sense ends, and ``row`` shows
    them one at a time. ``READ``, ``AND`` and ``OR`` are sent when no ``DOT`` is on its way any more.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    command : In(stream.Signature(command_layout(machine)))
    write : In(stream.Signature(row_layout(machine)))
    write_command : In(stream.Signature(write_command_layout(machine)))
        With ``write_overlap`` alone.
    columns : In(columns)
        Columns that are sensed and written, with ``memory_operations``; else all of them are. Constant while ``busy``.
    row_of : In(bits_for(sub_arrays - 1))
    row : Out(columns)
        With ``memory_operations``: the row that sub-array ``row_of`` has sensed last.
    sensed : Out(1)
        With ``memory_operations``: ``READ``, ``AND`` or ``OR`` has sensed; ``row`` shows it from the next cycle on.
    result : Out(stream.Signature(result_beat_layout(machine)))
    counters : Out(COUNTERS)
    busy : Out(1)
        High from the first command until the last result has been taken.
    standby : In(1)
        No word line and no reference is high, whatever the flip-flops hold: see `SubArray`.
    pulse : Out(1)
        A sub-array holds word lines and the coming clock edge does not end it: a reset now would cut a pulse.
    """

    command: stream.Interface
    write: stream.Interface
    write_command: stream.Interface
    columns: Signal
    row_of: Signal
    row: Signal
    sensed: Signal
    result: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        writes = {"write_command": In(stream.Signature(write_command_layout(machine)))}
        memory = {
            "columns": In(machine.columns),
            "row_of": In(bits_for(machine.sub_arrays - 1)),
            "row": Out(machine.columns),
            "sensed": Out(1),
        }
        super().__init__(
            {
                "command": In(stream.Signature(command_layout(machine))),
                "write": In(stream.Signature(row_layout(machine))),
                "result": Out(stream.Signature(result_beat_layout(machine))),
                "counters": Out(COUNTERS),
                "busy": Out(1),
                "standby": In(1),
                "pulse": Out(1),
                **(writes if machine.overlaps_writes else {}),
                **(memory if machine.memory_operations else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._sub_arrays = [
            place(m, platform, f"sub_array_{index}", SubArray(self.machine))
            for index in range(self.machine.sub_arrays)
        ]
        self._accepts = Signal()
        self._room = Signal()
        self._handed_out = Signal()
        self._broadcast(m)
        if self.machine.overlaps_writes:
            self._broadcast_writes(m)
        if self.machine.memory_operations:
            self._show_rows(m)
        self._hand_out(m, *self._oldest_pending_output(m))
        counters = place(m, platform, "counters", Counters(self.machine))
        m.d.comb += [
            counters.events.as_value().eq(Cat(sub_array.events.as_value() for sub_array in self._sub_arrays)),
            counters.busy.eq(self.busy),
            self.counters.eq(counters.counters),
            self.busy.eq(
                self._offers_command()
                | Cat(sub_array.busy | sub_array.result.valid for sub_array in self._sub_arrays).any()
            ),
            self.pulse.eq(Cat(sub_array.pulse for sub_array in self._sub_arrays).any()),
        ]
        m.d.comb += [sub_array.standby.eq(self.standby) for sub_array in self._sub_arrays]
        return m

    def _takes_part(self, m: Module, command: data.View, name: str) -> Signal:
        """Which sub-arrays stand from ``first``, if the command has one, to ``last`` in their cluster."""
        takes_part = Signal(self.machine.sub_arrays, name=f"takes_part_in_{name}")
        has_first = "first" in dict(command.shape())
        with m.Switch(command.log_clusters):
            for log_clusters in _cluster_logs(self.machine):
                of_cluster = self.machine.sub_arrays >> log_clusters
                inside = [
                    (command.first <= index if has_first and index < of_cluster - 1 else Const(1))
                    & (command.last >= index if index > 0 else Const(1))
                    for index in range(of_cluster)
                ]
                with m.Case(log_clusters):
                    m.d.comb += takes_part.eq(Cat(inside * (1 << log_clusters)))
        return takes_part

    def _broadcast(self, m: Module) -> None:
        command = self.command.payload
        self._emits = command.emit & (command.op == Op.DOT.value)
        m.d.comb += [
            self._accepts.eq(
                Cat(sub_array.command.ready for sub_array in self._sub_arrays).all()
                & (self._room | ~self._emits)
            ),
            self.command.ready.eq(self._accepts),
            self.write.ready.eq(Cat(sub_array.write.ready for sub_array in self._sub_arrays).any()),
        ]
        of_bus = self.machine.sub_arrays // self.machine.row_buses
        takes_part = self._takes_part(m, command, "command")
        for index, sub_array in enumerate(self._sub_arrays):
            m.d.comb += [
                sub_array.command.payload.eq(command),
                sub_array.command.valid.eq(self.command.valid & self._accepts & takes_part[index]),
                sub_array.write.payload.eq(self.write.payload[index // of_bus]),
                sub_array.write.valid.eq(self.write.valid),
            ]

    def _offers_command(self) -> Value:
        if self.machine.overlaps_writes:
            return self.command.valid | self.write_command.valid
        return self.command.valid

    def _broadcast_writes(self, m: Module) -> None:
        command = self.write_command
        takes_part = self._takes_part(m, command.payload, "write")
        m.d.comb += command.ready.eq(
            Cat(sub_array.write_command.ready for sub_array in self._sub_arrays).all()
        )
        for index, sub_array in enumerate(self._sub_arrays):
            m.d.comb += [
                sub_array.write_command.payload.eq(command.payload),
                sub_array.write_command.valid.eq(command.valid & command.ready & takes_part[index]),
            ]

    def _show_rows(self, m: Module) -> None:
        m.d.comb += [
            self.row.eq(Array(sub_array.row for sub_array in self._sub_arrays)[self.row_of]),
            self.sensed.eq(Cat(sub_array.sensed for sub_array in self._sub_arrays).any()),
        ]
        m.d.comb += [sub_array.columns.eq(self.columns) for sub_array in self._sub_arrays]

    def _oldest_pending_output(self, m: Module) -> tuple[data.View, Value]:
        """First of the emitting commands whose results have not all left, and whether there is one."""
        layout = _pending_output_layout(self.machine)
        waiting = [
            Signal(layout, name=f"pending_output_{age}", reset_less=True) for age in range(PENDING_OUTPUTS)
        ]
        number = Signal(range(PENDING_OUTPUTS + 1))
        joins = Signal()
        command, new = self.command.payload, Signal(layout, name="new_pending_output")
        all_slots = (Const(1) << command.log_slots) - 1
        m.d.comb += [
            self._room.eq((number != PENDING_OUTPUTS) | self._handed_out),
            joins.eq(self.command.valid & self._accepts & self._emits),
            new.last.eq(command.last),
            new.last_beat.eq(
                ((command.last << command.log_slots) | all_slots)[
                    exact_log2(self.machine.results_per_cycle) :
                ]
            ),
            new.log_slots.eq(command.log_slots),
            new.spread.eq(command.spread),
            new.log_clusters.eq(command.log_clusters),
        ]
        m.d.sync += number.eq(number + joins - self._handed_out)
        for age, pending_output in enumerate(waiting):
            with m.If(joins & (number == age + self._handed_out)):
                m.d.sync += pending_output.eq(new)
            with m.Elif(self._handed_out):
                m.d.sync += pending_output.eq(waiting[min(age + 1, PENDING_OUTPUTS - 1)])
        return waiting[0], number != 0

    def _hand_out(self, m: Module, pending_output: data.View, waits: Value) -> None:
        """Beats of the oldest pending output, one a cycle; results stay until the last has left."""
        sub_arrays, takes_part = self._sub_arrays, self._takes_part(m, pending_output, "pending_output")
        cluster = Signal(range(_MOST_CLUSTERS))
        beat = Signal.like(pending_output.last_beat)
        last_of_cluster = Signal()
        leaves = Signal()
        missing = Cat(
            takes_part[index] & ~sub_array.result.valid for index, sub_array in enumerate(sub_arrays)
        )
        m.d.comb += [
            last_of_cluster.eq(beat == pending_output.last_beat),
            self.result.valid.eq(waits & ~missing.any()),
            leaves.eq(self.result.valid & self.result.ready),
            self._handed_out.eq(
                leaves & last_of_cluster & (cluster + 1 == Const(1) << pending_output.log_clusters)
            ),
        ]
        for lane in range(self.machine.results_per_cycle):
            self._choose_result(m, pending_output, cluster, beat, lane)
        for index, sub_array in enumerate(sub_arrays):
            m.d.comb += sub_array.result.ready.eq(self._handed_out & takes_part[index])
        with m.If(leaves):
            m.d.sync += beat.eq(Mux(last_of_cluster, 0, beat + 1))
            m.d.sync += cluster.eq(Mux(self._handed_out, 0, cluster + last_of_cluster))

    def _choose_result(
        self, m: Module, pending_output: data.View, cluster: Signal, beat: Signal, lane: int
    ) -> None:
        """Result number beat·lanes + `lane` of `cluster`, in its order.

        A lane meets few of all accumulators, so each has a multiplexer of its own over those.
        """
        modes = (pending_output.log_slots, pending_output.log_clusters, pending_output.spread)
        with m.Switch(Cat(beat, cluster, *modes)):
            for (chosen, slot), here in self._sources(lane, beat).items():
                with m.Case(*here):
                    m.d.comb += self.result.payload[lane].eq(self._sub_arrays[chosen].result.payload[slot])

    def _sources(self, lane: int, beat: Signal) -> dict[tuple[int, int], list[int]]:
        """Accumulators that `lane` hands out: for each, the numbers of beat, cluster and modes in which it does."""
        machine, lanes = self.machine, self.machine.results_per_cycle
        sources: dict[tuple[int, int], list[int]] = {}
        logs = range(exact_log2(min(machine.segments, MOST_SLOTS)) + 1)
        for log_clusters, log_slots, spread in product(_cluster_logs(machine), logs, (0, 1)):
            of_cluster, slots = machine.sub_arrays >> log_clusters, 1 << log_slots
            if spread and of_cluster % lanes:
                continue
            modes = log_slots | log_clusters << LOG_FIELD_BITS | spread << 2 * LOG_FIELD_BITS
            modes <<= exact_log2(_MOST_CLUSTERS) + len(beat)
            for number in range(lane, of_cluster * slots, lanes):
                at, (index, slot) = number // lanes, divmod(number, slots)
                if spread:
                    index, slot = at // slots * lanes + lane, at % slots
                for cluster in range(1 << log_clusters):
                    place = at | cluster << len(beat) | modes
                    sources.setdefault((cluster * of_cluster + index, slot), []).append(place)
        return sources


def _cluster_logs(machine: Machine) -> range:
    """Logarithms of the numbers of clusters into which the sub-arrays can be divided."""
    return range(min(exact_log2(_MOST_CLUSTERS), exact_log2(machine.sub_arrays & -machine.sub_arrays)) + 1)


def _pending_output_layout(machine: Machine) -> data.StructLayout:
    """What is kept of an emitting command: its last sub-array and its last beat in each cluster, and its modes."""
    return data.StructLayout(
        {
            "last": bits_for(machine.sub_arrays - 1),
            "last_beat": bits_for(max(machine.accumulators // machine.results_per_cycle, 1) - 1),
            "log_slots": LOG_FIELD_BITS,
            "log_clusters": LOG_FIELD_BITS,
            "spread": 1,
        }
    )
