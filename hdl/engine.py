"""Engine: sub-arrays in lock-step behind one command stream, with the way out of their results."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import EMISSIONS, Machine, Op, bits_for

from .command import command_layout, row_layout
from .counters import COUNTERS, Counters
from .sub_array import SubArray
from .verilog import place


def result_layout(machine: Machine) -> data.StructLayout:
    """A beat: results of ``values``, those that are ``valid``, and whether they end their command."""
    lanes = machine.results_per_cycle
    values = data.ArrayLayout(signed(machine.accumulator_bits), lanes)
    return data.StructLayout({"values": values, "valid": lanes, "last": 1})


class Engine(wiring.Component):
    """All sub-arrays of a machine; those from ``first`` to ``last`` of a command obey it together.

    A command is accepted when every sub-array is ready. A row to write goes to all that take part. What
    emitting commands yield leaves in their order, sub-array by sub-array, one row or accumulator a cycle: all
    segments of a sub-array if the command is ``packed``, else accumulator 0. The next are computed meanwhile.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    command : In(stream.Signature(command_layout(machine)))
    write : In(stream.Signature(row_layout(machine)))
    row : Out(stream.Signature(columns))
        Sensed rows of ``READ``, ``AND`` and ``OR`` with ``emit``.
    result : Out(stream.Signature(result_layout(machine)))
    counters : Out(COUNTERS)
    busy : Out(1)
        High from the first command until the last row and result have been taken.
    """

    command: stream.Interface
    write: stream.Interface
    row: stream.Interface
    result: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "command": In(stream.Signature(command_layout(machine))),
                "write": In(stream.Signature(row_layout(machine))),
                "row": Out(stream.Signature(machine.columns)),
                "result": Out(stream.Signature(result_layout(machine))),
                "counters": Out(COUNTERS),
                "busy": Out(1),
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
        self._hand_out(m, *self._oldest_emission(m))
        counters = place(m, platform, "counters", Counters(self.machine))
        m.d.comb += [
            counters.events.as_value().eq(Cat(tile.events.as_value() for tile in self._tiles)),
            counters.busy.eq(self.busy),
            self.counters.eq(counters.counters),
            self.busy.eq(
                self.command.valid | Cat(tile.busy | tile.result.valid for tile in self._tiles).any()
            ),
        ]
        return m

    def _takes_part(self, command: data.View) -> list[Value]:
        last = self.machine.sub_arrays - 1
        return [
            (command.first <= index if index < last else Const(1))
            & (command.last >= index if index > 0 else Const(1))
            for index in range(last + 1)
        ]

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
        for tile, takes_part in zip(self._tiles, self._takes_part(self.command.payload), strict=True):
            m.d.comb += [
                tile.command.payload.eq(self.command.payload),
                tile.command.valid.eq(self.command.valid & self._accepts & takes_part),
                tile.write.payload.eq(self.write.payload),
                tile.write.valid.eq(self.write.valid),
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
            new.packed.eq(command.packed),
            new.counted.eq((command.op == Op.DOT.value) | (command.op == Op.COUNT.value)),
        ]
        m.d.sync += number.eq(number + joins - self._handed_out)
        for age, emission in enumerate(waiting):
            with m.If(joins & (number == age + self._handed_out)):
                m.d.sync += emission.eq(new)
            with m.Elif(self._handed_out):
                m.d.sync += emission.eq(waiting[min(age + 1, EMISSIONS - 1)])
        return waiting[0], number != 0

    def _hand_out(self, m: Module, emission: data.View, waits: Value) -> None:
        """Rows and accumulators of the oldest emission, one a cycle; results stay until the last has left."""
        tiles, takes_part = self._tiles, self._takes_part(emission)
        beyond_first, sub_array = Signal.like(emission.first), Signal.like(emission.first)
        segment, last_segment, last = Signal.like(self.result.payload.segment), Signal(), Signal()
        missing = [takes & ~tile.result.valid for tile, takes in zip(tiles, takes_part, strict=True)]
        m.d.comb += [
            sub_array.eq(emission.first + beyond_first),
            last_segment.eq(~emission.packed | ~emission.counted | (segment == self.machine.segments - 1)),
            last.eq(last_segment & (sub_array == emission.last)),
            self.row.valid.eq(waits & ~emission.counted & Array(tile.row.valid for tile in tiles)[sub_array]),
            self.row.payload.eq(Array(tile.row.payload for tile in tiles)[sub_array]),
            self.result.valid.eq(waits & emission.counted & ~Cat(missing).any()),
            self.result.payload.sub_array.eq(sub_array),
            self.result.payload.segment.eq(segment),
            self.result.payload.value.eq(Array(tile.result.payload for tile in tiles)[sub_array][segment]),
            self.result.payload.last.eq(last),
        ]
        leaves = Signal()
        m.d.comb += [
            leaves.eq((self.row.valid & self.row.ready) | (self.result.valid & self.result.ready)),
            self._handed_out.eq(leaves & last),
        ]
        for index, (tile, takes) in enumerate(zip(tiles, takes_part, strict=True)):
            m.d.comb += [
                tile.row.ready.eq(self.row.valid & self.row.ready & (sub_array == index)),
                tile.result.ready.eq(self._handed_out & emission.counted & takes),
            ]
        with m.If(leaves):
            m.d.sync += segment.eq(Mux(last_segment, 0, segment + 1))
            m.d.sync += beyond_first.eq(Mux(last, 0, beyond_first + last_segment))


def _emission_layout(machine: Machine) -> data.StructLayout:
    sub_array = bits_for(machine.sub_arrays - 1)
    return data.StructLayout({"first": sub_array, "last": sub_array, "packed": 1, "counted": 1})
