"""Engine: sub-arrays in lock-step behind one command stream, with the way out of their results."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import EMISSIONS, LOG_FIELD_BITS, MOST_SLOTS, Machine, Op, bits_for

from .command import command_layout, row_layout, write_command_layout
from .counters import COUNTERS, Counters
from .sub_array import SubArray
from .verilog import place

_MOST_GROUPS = 1 << ((1 << LOG_FIELD_BITS) - 1)


def result_layout(machine: Machine) -> data.StructLayout:
    """A beat: results of ``values``, those that are ``valid``, and whether they end their command."""
    lanes = machine.results_per_cycle
    values = data.ArrayLayout(signed(machine.accumulator_bits), lanes)
    return data.StructLayout({"values": values, "valid": lanes, "last": 1})


class Engine(wiring.Component):
    """All sub-arrays of a machine; those from ``first`` to ``last`` of each group obey a command together.

    A command is accepted when every sub-array is ready. The rows to write come by buses, each for
    sub_arrays/row_buses neighbours, and go to all that take part. What emitting commands yield leaves in their
    order, group by group: the rows one a cycle, sub-array by sub-array; the results in beats. Result i·slots + s of
    a group is that of slot s in its sub-array number i. A beat holds ``results_per_cycle`` results from a multiple
    of that number on, as many as the group has; valid are those of the sub-arrays that take part, and no beat is
    without one. The next results are computed meanwhile.

    With ``write_overlap`` rows are written by ``write_command`` beside all that ``command`` does; see `SubArray`. It is
    accepted when every sub-array is ready for it.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    command : In(stream.Signature(command_layout(machine)))
    write : In(stream.Signature(row_layout(machine)))
    write_command : In(stream.Signature(write_command_layout(machine)))
        With ``write_overlap`` alone.
    row : Out(stream.Signature(columns))
        Sensed rows of ``READ``, ``AND`` and ``OR`` with ``emit``.
    result : Out(stream.Signature(result_layout(machine)))
    counters : Out(COUNTERS)
    busy : Out(1)
        High from the first command until the last row and result have been taken.
    pulse : Out(1)
        A sub-array holds word lines and the coming clock edge does not end it: a reset now would cut a pulse.
    """

    command: stream.Interface
    write: stream.Interface
    write_command: stream.Interface
    row: stream.Interface
    result: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        writes = {"write_command": In(stream.Signature(write_command_layout(machine)))}
        super().__init__(
            {
                "command": In(stream.Signature(command_layout(machine))),
                "write": In(stream.Signature(row_layout(machine))),
                "row": Out(stream.Signature(machine.columns)),
                "result": Out(stream.Signature(result_layout(machine))),
                "counters": Out(COUNTERS),
                "busy": Out(1),
                "pulse": Out(1),
                **(writes if machine.overlaps_writes else {}),
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
        """Which sub-arrays stand from ``first`` to ``last`` in their group."""
        takes_part = Signal(self.machine.sub_arrays, name=f"takes_part_in_{name}")
        with m.Switch(command.log_groups):
            for log_groups in _group_logs(self.machine):
                of_group = self.machine.sub_arrays >> log_groups
                inside = [
                    (command.first <= index if index < of_group - 1 else Const(1))
                    & (command.last >= index if index > 0 else Const(1))
                    for index in range(of_group)
                ]
                with m.Case(log_groups):
                    m.d.comb += takes_part.eq(Cat(inside * (1 << log_groups)))
        return takes_part

    def _emits(self, command: data.View) -> Value:
        """Whether rows or results will leave; writes and loads take no notice of ``emit``."""
        return command.emit & (command.op != Op.WRITE.value) & (command.op != Op.LOAD.value)

    def _broadcast(self, m: Module) -> None:
        m.d.comb += [
            self._accepts.eq(
                Cat(tile.command.ready for tile in self._tiles).all()
                & (self._room | ~self._emits(self.command.payload))
            ),
            self.command.ready.eq(self._accepts),
            self.write.ready.eq(Cat(tile.write.ready for tile in self._tiles).any()),
        ]
        of_bus = self.machine.sub_arrays // self.machine.row_buses
        takes_part = self._takes_part(m, self.command.payload, "command")
        for index, tile in enumerate(self._tiles):
            m.d.comb += [
                tile.command.payload.eq(self.command.payload),
                tile.command.valid.eq(self.command.valid & self._accepts & takes_part[index]),
                tile.write.payload.bits.eq(self.write.payload.bits[index // of_bus]),
                tile.write.payload.mask.eq(self.write.payload.mask),
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

    def _oldest_emission(self, m: Module) -> tuple[data.View, Value]:
        """First of the emitting commands whose rows or results have not all left, and whether there is one."""
        layout = _emission_layout(self.machine)
        waiting = [Signal(layout, name=f"emission_{age}") for age in range(EMISSIONS)]
        number, joins = Signal(range(EMISSIONS + 1)), Signal()
        command = self.command.payload
        new = Signal(layout, name="new_emission")
        m.d.comb += [
            self._room.eq((number != EMISSIONS) | self._handed_out),
            joins.eq(self.command.valid & self._accepts & self._emits(command)),
            new.first.eq(command.first),
            new.last.eq(command.last),
            new.log_slots.eq(command.log_slots),
            new.log_groups.eq(command.log_groups),
            new.counted.eq((command.op == Op.DOT.value) | (command.op == Op.COUNT.value)),
        ]
        with m.If(new.counted):
            lane_bits = exact_log2(self.machine.results_per_cycle)
            all_slots = (Const(1) << command.log_slots) - 1
            m.d.comb += [
                new.begin.eq((command.first << command.log_slots)[lane_bits:]),
                new.end.eq(((command.last << command.log_slots) | all_slots)[lane_bits:]),
            ]
        with m.Else():
            m.d.comb += [new.begin.eq(command.first), new.end.eq(command.last)]
        m.d.sync += number.eq(number + joins - self._handed_out)
        for age, emission in enumerate(waiting):
            with m.If(joins & (number == age + self._handed_out)):
                m.d.sync += emission.eq(new)
            with m.Elif(self._handed_out):
                m.d.sync += emission.eq(waiting[min(age + 1, EMISSIONS - 1)])
        return waiting[0], number != 0

    def _hand_out(self, m: Module, emission: data.View, waits: Value) -> None:
        """Rows and beats of the oldest emission, one a cycle; results stay until the last has left."""
        tiles, takes_part = self._tiles, self._takes_part(m, emission, "emission")
        group, beyond_begin = Signal(range(_MOST_GROUPS)), Signal.like(emission.begin)
        at, last_of_group, last, leaves = Signal.like(emission.begin), Signal(), Signal(), Signal()
        missing = Cat(takes_part[index] & ~tile.result.valid for index, tile in enumerate(tiles))
        m.d.comb += [
            at.eq(emission.begin + beyond_begin),
            last_of_group.eq(at == emission.end),
            last.eq(last_of_group & (group + 1 == Const(1) << emission.log_groups)),
            self.result.valid.eq(waits & emission.counted & ~missing.any()),
            self.result.payload.last.eq(last),
            leaves.eq((self.row.valid & self.row.ready) | (self.result.valid & self.result.ready)),
            self._handed_out.eq(leaves & last),
        ]
        self._choose_row(m, emission, waits, group, at)
        for lane in range(self.machine.results_per_cycle):
            self._choose_result(m, emission, group, at, lane)
        for index, tile in enumerate(tiles):
            m.d.comb += tile.result.ready.eq(self._handed_out & emission.counted & takes_part[index])
        with m.If(leaves):
            m.d.sync += beyond_begin.eq(Mux(last_of_group, 0, beyond_begin + 1))
            m.d.sync += group.eq(Mux(last, 0, group + last_of_group))

    def _choose_row(self, m: Module, emission: data.View, waits: Value, group: Signal, at: Signal) -> None:
        """The row of sub-array `at` of `group`."""
        sub_array = Signal.like(emission.first, name="sub_array_of_row")
        with m.Switch(emission.log_groups):
            for log_groups in _group_logs(self.machine):
                of_group = self.machine.sub_arrays >> log_groups
                with m.Case(log_groups):
                    m.d.comb += sub_array.eq(group * of_group + at)
        m.d.comb += [
            self.row.valid.eq(
                waits & ~emission.counted & Array(tile.row.valid for tile in self._tiles)[sub_array]
            ),
            self.row.payload.eq(Array(tile.row.payload for tile in self._tiles)[sub_array]),
        ]
        for index, tile in enumerate(self._tiles):
            m.d.comb += tile.row.ready.eq(self.row.valid & self.row.ready & (sub_array == index))

    def _choose_result(self, m: Module, emission: data.View, group: Signal, at: Signal, lane: int) -> None:
        """Result number at·lanes + `lane` of `group`, if its sub-array takes part.

        A lane meets few of all accumulators, so each has a multiplexer of its own over those.
        """
        number = Cat(Const(lane, exact_log2(self.machine.results_per_cycle)), at)
        index = Signal(len(number), name=f"index_of_lane_{lane}")
        m.d.comb += [
            index.eq(number >> emission.log_slots),
            self.result.payload.valid[lane].eq((index >= emission.first) & (index <= emission.last)),
        ]
        where = Cat(at, group, emission.log_slots, emission.log_groups)
        with m.Switch(where):
            for (sub_array, slot), here in self._sources(lane, at).items():
                with m.Case(*here):
                    value = self._tiles[sub_array].result.payload[slot]
                    m.d.comb += self.result.payload["values"][lane].eq(value)

    def _sources(self, lane: int, at: Signal) -> dict[tuple[int, int], list[int]]:
        """Accumulators that `lane` hands out: for each, the numbers of beat, group and modes in which it does."""
        machine = self.machine
        sources: dict[tuple[int, int], list[int]] = {}
        for log_groups in _group_logs(machine):
            of_group = machine.sub_arrays >> log_groups
            for log_slots in range(exact_log2(min(machine.segments, MOST_SLOTS)) + 1):
                modes = log_slots | log_groups << LOG_FIELD_BITS
                modes <<= exact_log2(_MOST_GROUPS) + len(at)
                for number in range(lane, of_group << log_slots, machine.results_per_cycle):
                    index, slot = number >> log_slots, number & ((1 << log_slots) - 1)
                    for group in range(1 << log_groups):
                        place = number // machine.results_per_cycle | group << len(at) | modes
                        sources.setdefault((group * of_group + index, slot), []).append(place)
        return sources


def _group_logs(machine: Machine) -> range:
    """Logarithms of the numbers of groups into which the sub-arrays can be divided."""
    return range(min(exact_log2(_MOST_GROUPS), exact_log2(machine.sub_arrays & -machine.sub_arrays)) + 1)


def _emission_layout(machine: Machine) -> data.StructLayout:
    """What is kept of an emitting command: ``begin`` and ``end`` are its beats, or its rows, in each group."""
    sub_array = bits_for(machine.sub_arrays - 1)
    beat = bits_for(max(machine.lanes // machine.results_per_cycle, machine.sub_arrays) - 1)
    return data.StructLayout(
        {
            "first": sub_array,
            "last": sub_array,
            "begin": beat,
            "end": beat,
            "log_slots": LOG_FIELD_BITS,
            "log_groups": LOG_FIELD_BITS,
            "counted": 1,
        }
    )
