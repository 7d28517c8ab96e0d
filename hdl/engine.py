"""Engine: sub-arrays in lock-step behind one command stream, with the way out of their results."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, Op, bits_for

from .command import command_layout, row_layout
from .counters import COUNTERS, Counters
from .sub_array import SubArray
from .verilog import place

# Emitting commands that can be on their way at once: one in the result registers, one each in the bit-counter,
# the sense amplifiers and the controller.
_EMISSIONS = 4


def result_layout(machine: Machine) -> data.StructLayout:
    """One accumulator: its value, where it stands, and whether it ends its command."""
    return data.StructLayout(
        {
            "value": signed(machine.accumulator_bits),
            "sub_array": bits_for(machine.sub_arrays - 1),
            "segment": bits_for(machine.segments - 1),
            "last": 1,
        }
    )


class Engine(wiring.Component):
    """All sub-arrays of a machine; those from ``first`` to ``last`` of a command obey it together.

    A command is accepted when every sub-array is ready. A row to write goes to all that take part. The
    accumulators of an emitting command leave one a cycle, sub-array by sub-array: all segments of each if the
    command is ``packed``, else accumulator 0. The next ones are computed meanwhile.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    command : In(stream.Signature(command_layout(machine)))
    write : In(stream.Signature(row_layout(machine)))
    row : Out(stream.Signature(columns))
        Sensed rows of ``READ``, ``AND`` and ``OR`` with ``emit``, lowest sub-array first.
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
        self._accepts, self._handed_out = Signal(), Signal()
        self._broadcast(m)
        self._hand_out_rows(m)
        self._hand_out_results(m, *self._oldest_emission(m))
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

    def _broadcast(self, m: Module) -> None:
        m.d.comb += [
            self._accepts.eq(Cat(tile.command.ready for tile in self._tiles).all()),
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

    def _hand_out_rows(self, m: Module) -> None:
        rows = [tile.row for tile in self._tiles]
        offered, taken = Cat(row.valid for row in rows), Signal(len(rows))
        m.d.comb += [
            self.row.valid.eq(offered.any()),
            taken.eq(offered & ~(offered - 1)),
        ]
        for row, takes in zip(rows, taken, strict=True):
            m.d.comb += row.ready.eq(takes & self.row.ready)
            with m.If(takes):
                m.d.comb += self.row.payload.eq(row.payload)

    def _oldest_emission(self, m: Module) -> tuple[data.View, Value]:
        """First of the emitting commands that wait for their results, and whether there is one."""
        layout = _emission_layout(self.machine)
        waiting = [Signal(layout, name=f"emission_{age}") for age in range(_EMISSIONS)]
        number, joins = Signal(range(_EMISSIONS + 1)), Signal()
        command = self.command.payload
        counted = (command.op == Op.DOT.value) | (command.op == Op.COUNT.value)
        m.d.comb += joins.eq(self.command.valid & self._accepts & command.emit & counted)
        m.d.sync += number.eq(number + joins - self._handed_out)
        for age, emission in enumerate(waiting):
            with m.If(joins & (number == age + self._handed_out)):
                m.d.sync += [getattr(emission, field).eq(getattr(command, field)) for field in layout.members]
            with m.Elif(self._handed_out):
                m.d.sync += emission.eq(waiting[min(age + 1, _EMISSIONS - 1)])
        return waiting[0], number != 0

    def _hand_out_results(self, m: Module, emission: data.View, waits: Value) -> None:
        result, tiles = self.result.payload, self._tiles
        accumulators = Array(tile.result.payload for tile in tiles)
        beyond_first, sub_array = Signal.like(emission.first), Signal.like(emission.first)
        segment, last = Signal.like(result.segment), Signal()
        missing = [
            takes_part & ~tile.result.valid
            for tile, takes_part in zip(tiles, self._takes_part(emission), strict=True)
        ]
        last_segment = ~emission.packed | (segment == self.machine.segments - 1)
        m.d.comb += [
            self.result.valid.eq(waits & ~Cat(missing).any()),
            sub_array.eq(emission.first + beyond_first),
            last.eq(last_segment & (sub_array == emission.last)),
            result.value.eq(accumulators[sub_array][segment]),
            result.sub_array.eq(sub_array),
            result.segment.eq(segment),
            result.last.eq(last),
            self._handed_out.eq(self.result.valid & self.result.ready & last),
        ]
        for tile, takes_part in zip(tiles, self._takes_part(emission), strict=True):
            m.d.comb += tile.result.ready.eq(self._handed_out & takes_part)
        with m.If(self._handed_out):
            m.d.sync += [beyond_first.eq(0), segment.eq(0)]
        with m.Elif(self.result.valid & self.result.ready):
            m.d.sync += [
                segment.eq(Mux(last_segment, 0, segment + 1)),
                beyond_first.eq(beyond_first + last_segment),
            ]


def _emission_layout(machine: Machine) -> data.StructLayout:
    sub_array = bits_for(machine.sub_arrays - 1)
    return data.StructLayout({"first": sub_array, "last": sub_array, "packed": 1})
