"""Engine: sub-arrays in lock-step behind one command stream, with the way out of their results."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import EMISSIONS, LOG_FIELD_BITS, MOST_SLOTS, Machine, Op, bits_for

from ..common.beat import result_beat_layout
from ..common.command import command_layout, row_layout, write_command_layout
from ..common.verilog import place
from .counters import COUNTERS, Counters
from .sub_array import SubArray

_MOST_GROUPS = 1 << ((1 << LOG_FIELD_BITS) - 1)


class Engine(wiring.Component):
    """All sub-arrays of a machine; those from ``first`` to ``last`` of each group obey a command together.

    A command is accepted when every sub-array is ready. The rows to write come by buses, each for
    sub_arrays/row_buses neighbours, and go to all that take part. Results of ``DOT`` leave in the order of the
    commands, group by group, in beats. Result i·slots + s of a group is that of slot s in its sub-array number i. A
    beat holds ``results_per_cycle`` results from a multiple of that number on, as many beats as it takes to have those
    of the sub-arrays up to ``last``. The next results are computed meanwhile.

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
                "pulse": Out(1),
                **(writes if machine.overlaps_writes else {}),
                **(memory if machine.memory_operations else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._tiles = [
            place(m, platform, f"sub_array_{index}", SubArray(self.machine))
            for index in range(self.machine.sub_arrays)
        ]
        self._accepts, self._room, self._handed_out = Signal(), Signal(), Signal()
        self._broadcast(m)
        if self.machine.overlaps_writes:
            self._broadcast_writes(m)
        if self.machine.memory_operations:
            self._show_rows(m)
        self._hand_out(m, *self._oldest_emission(m))
        counters = place(m, platform, "counters", Counters(self.machine))
        m.d.comb += [
            counters.events.as_value().eq(Cat(tile.events.as_value() for tile in self._tiles)),
            counters.busy.eq(self.busy),
            self.counters.eq(counters.counters),
            self.busy.eq(
                self._offers_command() | Cat(tile.busy | tile.result.valid for tile in self._tiles).any()
            ),
            self.pulse.eq(Cat(tile.pulse for tile in self._tiles).any()),
        ]
        return m

    def _takes_part(self, m: Module, command: data.View, name: str) -> Signal:
        """Which sub-arrays stand from ``first``, if the command has one, to ``last`` in their group."""
        takes_part = Signal(self.machine.sub_arrays, name=f"takes_part_in_{name}")
        has_first = "first" in dict(command.shape())
        with m.Switch(command.log_groups):
            for log_groups in _group_logs(self.machine):
                of_group = self.machine.sub_arrays >> log_groups
                inside = [
                    (command.first <= index if has_first and index < of_group - 1 else Const(1))
                    & (command.last >= index if index > 0 else Const(1))
                    for index in range(of_group)
                ]
                with m.Case(log_groups):
                    m.d.comb += takes_part.eq(Cat(inside * (1 << log_groups)))
        return takes_part

    def _broadcast(self, m: Module) -> None:
        command = self.command.payload
        self._emits = command.emit & (command.op == Op.DOT.value)
        m.d.comb += [
            self._accepts.eq(
                Cat(tile.command.ready for tile in self._tiles).all() & (self._room | ~self._emits)
            ),
            self.command.ready.eq(self._accepts),
            self.write.ready.eq(Cat(tile.write.ready for tile in self._tiles).any()),
        ]
        of_bus = self.machine.sub_arrays // self.machine.row_buses
        takes_part = self._takes_part(m, command, "command")
        for index, tile in enumerate(self._tiles):
            m.d.comb += [
                tile.command.payload.eq(command),
                tile.command.valid.eq(self.command.valid & self._accepts & takes_part[index]),
                tile.write.payload.eq(self.write.payload[index // of_bus]),
                tile.write.valid.eq(self.write.valid),
            ]

    def _offers_command(self) -> Value:
        if self.machine.overlaps_writes:
            return self.command.valid | self.write_command.valid
        return self.command.valid

    def _broadcast_writes(self, m: Module) -> None:
        command = self.write_command
        takes_part = self._takes_part(m, command.payload, "write")
        m.d.comb += command.ready.eq(Cat(tile.write_command.ready for tile in self._tiles).all())
        for index, tile in enumerate(self._tiles):
            m.d.comb += [
                tile.write_command.payload.eq(command.payload),
                tile.write_command.valid.eq(command.valid & command.ready & takes_part[index]),
            ]

    def _show_rows(self, m: Module) -> None:
        m.d.comb += [
            self.row.eq(Array(tile.row for tile in self._tiles)[self.row_of]),
            self.sensed.eq(Cat(tile.sensed for tile in self._tiles).any()),
        ]
        m.d.comb += [tile.columns.eq(self.columns) for tile in self._tiles]

    def _oldest_emission(self, m: Module) -> tuple[data.View, Value]:
        """First of the emitting commands whose results have not all left, and whether there is one."""
        layout = _emission_layout(self.machine)
        waiting = [Signal(layout, name=f"emission_{age}") for age in range(EMISSIONS)]
        number, joins = Signal(range(EMISSIONS + 1)), Signal()
        command, new = self.command.payload, Signal(layout, name="new_emission")
        all_slots = (Const(1) << command.log_slots) - 1
        m.d.comb += [
            self._room.eq((number != EMISSIONS) | self._handed_out),
            joins.eq(self.command.valid & self._accepts & self._emits),
            new.last.eq(command.last),
            new.last_beat.eq(
                ((command.last << command.log_slots) | all_slots)[
                    exact_log2(self.machine.results_per_cycle) :
                ]
            ),
            new.log_slots.eq(command.log_slots),
            new.log_groups.eq(command.log_groups),
        ]
        m.d.sync += number.eq(number + joins - self._handed_out)
        for age, emission in enumerate(waiting):
            with m.If(joins & (number == age + self._handed_out)):
                m.d.sync += emission.eq(new)
            with m.Elif(self._handed_out):
                m.d.sync += emission.eq(waiting[min(age + 1, EMISSIONS - 1)])
        return waiting[0], number != 0

    def _hand_out(self, m: Module, emission: data.View, waits: Value) -> None:
        """Beats of the oldest emission, one a cycle; results stay until the last has left."""
        tiles, takes_part = self._tiles, self._takes_part(m, emission, "emission")
        group, beat = Signal(range(_MOST_GROUPS)), Signal.like(emission.last_beat)
        last_of_group, leaves = Signal(), Signal()
        missing = Cat(takes_part[index] & ~tile.result.valid for index, tile in enumerate(tiles))
        m.d.comb += [
            last_of_group.eq(beat == emission.last_beat),
            self.result.valid.eq(waits & ~missing.any()),
            leaves.eq(self.result.valid & self.result.ready),
            self._handed_out.eq(leaves & last_of_group & (group + 1 == Const(1) << emission.log_groups)),
        ]
        for lane in range(self.machine.results_per_cycle):
            self._choose_result(m, emission, group, beat, lane)
        for index, tile in enumerate(tiles):
            m.d.comb += tile.result.ready.eq(self._handed_out & takes_part[index])
        with m.If(leaves):
            m.d.sync += beat.eq(Mux(last_of_group, 0, beat + 1))
            m.d.sync += group.eq(Mux(self._handed_out, 0, group + last_of_group))

    def _choose_result(self, m: Module, emission: data.View, group: Signal, beat: Signal, lane: int) -> None:
        """Result number beat·lanes + `lane` of `group`.

        A lane meets few of all accumulators, so each has a multiplexer of its own over those.
        """
        with m.Switch(Cat(beat, group, emission.log_slots, emission.log_groups)):
            for (sub_array, slot), here in self._sources(lane, beat).items():
                with m.Case(*here):
                    m.d.comb += self.result.payload[lane].eq(self._tiles[sub_array].result.payload[slot])

    def _sources(self, lane: int, beat: Signal) -> dict[tuple[int, int], list[int]]:
        """Accumulators that `lane` hands out: for each, the numbers of beat, group and modes in which it does."""
        machine = self.machine
        sources: dict[tuple[int, int], list[int]] = {}
        for log_groups in _group_logs(machine):
            of_group = machine.sub_arrays >> log_groups
            for log_slots in range(exact_log2(min(machine.segments, MOST_SLOTS)) + 1):
                modes = log_slots | log_groups << LOG_FIELD_BITS
                modes <<= exact_log2(_MOST_GROUPS) + len(beat)
                for number in range(lane, of_group << log_slots, machine.results_per_cycle):
                    index, slot = number >> log_slots, number & ((1 << log_slots) - 1)
                    for group in range(1 << log_groups):
                        place = number // machine.results_per_cycle | group << len(beat) | modes
                        sources.setdefault((group * of_group + index, slot), []).append(place)
        return sources


def _group_logs(machine: Machine) -> range:
    """Logarithms of the numbers of groups into which the sub-arrays can be divided."""
    return range(min(exact_log2(_MOST_GROUPS), exact_log2(machine.sub_arrays & -machine.sub_arrays)) + 1)


def _emission_layout(machine: Machine) -> data.StructLayout:
    """What is kept of an emitting command: its last sub-array and its last beat in each group, and its modes."""
    return data.StructLayout(
        {
            "last": bits_for(machine.sub_arrays - 1),
            "last_beat": bits_for(max(machine.lanes // machine.results_per_cycle, 1) - 1),
            "log_slots": LOG_FIELD_BITS,
            "log_groups": LOG_FIELD_BITS,
        }
    )
