"""Sub-array: the memory with its decoders, references, controller, bit-counter, shifter and sum."""

from amaranth.hdl import Cat, Module, Mux, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import SHIFT_FIELD_BITS, Machine

from .bit_counter import BitCounter
from .command import STEP, command_layout, row_layout
from .counters import event_layout
from .multi_line_row_decoder import MultiLineRowDecoder
from .reference_select import ReferenceSelect
from .row_decoder import RowDecoder
from .shifter import Shifter
from .sot_mram_array import SotMramArray
from .sub_array_controller import Route, SubArrayController
from .sum import Sum
from .verilog import place


class SubArray(wiring.Component):
    """Rows of SOT-MRAM that are written, sensed alone or in pairs, counted, shifted and summed.

    Throughput: one row operation every ``sense_cycles`` or ``write_cycles`` cycles, from command to
    accumulator. Latency from the last cycle of a sense: 1 cycle to ``row``, 3 to ``result``. A ``LOAD``
    waits until the counts before it are summed.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    command : In(stream.Signature(command_layout(machine)))
    write : In(stream.Signature(row_layout(machine)))
        Rows for ``WRITE``, in the order of the commands.
    row : Out(stream.Signature(columns))
        Sensed rows of ``READ``, ``AND`` and ``OR`` with ``emit``.
    result : Out(stream.Signature(ArrayLayout(signed(accumulator_bits), segments)))
        Accumulators after a ``DOT`` or ``COUNT`` with ``emit``.
    events : Out(event_layout(machine))
    busy : Out(1)
        A command, a sensed row or a count is on its way; results that wait are not counted.
    """

    command: stream.Interface
    write: stream.Interface
    row: stream.Interface
    result: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        lanes = data.ArrayLayout(signed(machine.accumulator_bits), machine.segments)
        super().__init__(
            {
                "command": In(stream.Signature(command_layout(machine))),
                "write": In(stream.Signature(row_layout(machine))),
                "row": Out(stream.Signature(machine.columns)),
                "result": Out(stream.Signature(lanes)),
                "events": Out(event_layout(machine)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        machine = self.machine
        self._controller = place(m, platform, "sub_array_controller", SubArrayController(machine))
        self._array = place(m, platform, "sot_mram_array", SotMramArray(machine))
        self._bit_counter = place(
            m, platform, "bit_counter", BitCounter(machine.columns, machine.segments, STEP)
        )
        self._sum = place(m, platform, "sum", Sum(machine.segments, machine.accumulator_bits))
        self._bias_the_array(m, platform)
        self._route_sensed_rows(m)
        self._shift_and_sum(m, platform)
        self._report_events(m)
        return m

    def _bias_the_array(self, m: Module, platform: object) -> None:
        controller, array = self._controller, self._array
        write_lines = place(m, platform, "row_decoder", RowDecoder(self.machine.rows))
        read_lines = place(m, platform, "multi_line_row_decoder", MultiLineRowDecoder(self.machine.rows))
        references = place(m, platform, "reference_select", ReferenceSelect())
        wiring.connect(m, wiring.flipped(self.command), controller.command)
        wiring.connect(m, wiring.flipped(self.write), controller.write)
        m.d.comb += [
            write_lines.address.eq(controller.write_address),
            write_lines.enable.eq(controller.write_enable),
            read_lines.address_a.eq(controller.address_a),
            read_lines.enable_a.eq(controller.enable_a),
            read_lines.address_b.eq(controller.address_b),
            read_lines.enable_b.eq(controller.enable_b),
            references.sense.eq(controller.sense),
            array.wwl.eq(write_lines.word_lines),
            array.rwl.eq(read_lines.word_lines),
            array.rbl_enable.eq(controller.columns),
            array.wbl.eq(Mux(controller.write_back, array.sense, self.write.payload.bits)),
            array.wbl_enable.eq(Mux(controller.write_back, controller.columns, self.write.payload.mask)),
            array.en_m.eq(references.en_m),
            array.en_and.eq(references.en_and),
            array.en_or.eq(references.en_or),
        ]

    def _route_sensed_rows(self, m: Module) -> None:
        sensed, counted = self._controller.sensed, self._bit_counter.row
        m.d.comb += [
            self.row.payload.eq(self._array.sense),
            counted.payload.bits.eq(self._array.sense),
            counted.payload.step.eq(sensed.payload.step),
        ]
        with m.Switch(sensed.payload.route):
            with m.Case(Route.ROW):
                m.d.comb += [self.row.valid.eq(sensed.valid), sensed.ready.eq(self.row.ready)]
            with m.Case(Route.COUNT):
                m.d.comb += [counted.valid.eq(sensed.valid), sensed.ready.eq(counted.ready)]
            with m.Case(Route.LOAD):
                m.d.comb += sensed.ready.eq(~self._bit_counter.count.valid)

    def _shift_and_sum(self, m: Module, platform: object) -> None:
        """Counts go through the shifters to the accumulators; constants, when no count is on its way."""
        machine, count, addends = self.machine, self._bit_counter.count, self._sum.addends
        step = count.payload.step
        with m.If(count.valid):
            m.d.comb += [
                addends.payload.negate.eq(step.negate),
                addends.payload.clear.eq(step.clear),
                addends.payload.emit.eq(step.emit),
            ]
        with m.Else():
            m.d.comb += addends.payload.clear.eq(1)
        for segment in range(machine.segments):
            of_segment = count.payload.segments[segment]
            if segment == 0:
                value: Value = Mux(step.packed, of_segment, count.payload.total)
                name = "shifter"
            else:
                value = Cat(bit & step.packed for bit in of_segment)
                name = f"segment_shifter_{segment}"
            shifter = Shifter(len(value), machine.accumulator_bits, SHIFT_FIELD_BITS)
            shifter = place(m, platform, name, shifter)
            constant = self._array.sense[segment * machine.segment_columns :][: machine.accumulator_bits]
            m.d.comb += [
                shifter.value.eq(value),
                shifter.amount.eq(step.shift),
                addends.payload["values"][segment].eq(Mux(count.valid, shifter.shifted, constant)),
            ]
        loads = self._controller.sensed.valid & (self._controller.sensed.payload.route == Route.LOAD)
        m.d.comb += [
            addends.valid.eq(count.valid | loads),
            count.ready.eq(addends.ready),
        ]
        wiring.connect(m, self._sum.results, wiring.flipped(self.result))

    def _report_events(self, m: Module) -> None:
        controller, array, events = self._controller, self._array, self.events
        row, count = self._bit_counter.row, self._bit_counter.count
        m.d.comb += [
            events.row_write.eq(controller.wrote),
            events.row_read.eq(controller.finished & array.en_m),
            events.and_.eq(controller.finished & array.en_and),
            events.or_.eq(controller.finished & array.en_or),
            events.bit_count.eq(row.valid & row.ready),
            events.stalled.eq(controller.stalled),
            self.busy.eq(controller.busy | controller.sensed.valid | count.valid),
        ]
        with m.If(count.valid & count.ready):
            m.d.comb += events.additions.eq(Mux(count.payload.step.packed, self.machine.segments, 1))
