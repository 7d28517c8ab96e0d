"""Sub-array: the memory with its decoders, references, controller, bit-counter, shifter and sum."""

from functools import reduce
from operator import or_

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import MOST_SLOTS, SHIFT_FIELD_BITS, Machine

from .bit_counter import BitCounter
from .command import STEP, command_layout, driven_row_layout, write_command_layout
from .counters import event_layout
from .multi_line_row_decoder import MultiLineRowDecoder
from .reference_select import ReferenceSelect
from .row_decoder import RowDecoder
from .shifter import Shifter
from .sot_mram_array import SotMramArray
from .sub_array_controller import Route, SubArrayController
from .sum import Sum
from .verilog import place
from .write_controller import WriteController

_SHIFTERS = ("shifter", "half_shifter", "quarter_shifter", "eighth_shifter")


class SubArray(wiring.Component):
    """Rows of SOT-MRAM that are written, sensed alone or in pairs, counted, shifted and summed.

    Throughput: one row operation every ``sense_cycles`` or ``write_cycles`` cycles, from command to
    accumulator. Latency from the last cycle of a sense: 1 cycle to ``row``, 3 to ``result``. A ``LOAD``
    waits until the counts before it are summed.

    With ``write_overlap`` rows are written by ``write_command`` beside all that ``command`` does. A ``WRITE`` or a
    row written back of ``command`` must not meet such a write: that would be two word lines at once.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    command : In(stream.Signature(command_layout(machine)))
    write : In(stream.Signature(StructLayout({"bits": columns, "mask": columns})))
        Rows for ``WRITE``, in the order of the commands.
    write_command : In(stream.Signature(write_command_layout(machine)))
        With ``write_overlap`` alone.
    row : Out(stream.Signature(columns))
        Sensed rows of ``READ``, ``AND`` and ``OR`` with ``emit``.
    result : Out(stream.Signature(ArrayLayout(signed(accumulator_bits), segments)))
        Accumulators after a ``DOT`` or ``COUNT`` with ``emit``; those of slots come first.
    events : Out(event_layout(machine))
    busy : Out(1)
        A command, a sensed row or a count is on its way; results that wait are not counted.
    pulse : Out(1)
        Word lines are held and the coming clock edge does not end it: a reset now would cut a pulse.
    """

    command: stream.Interface
    write: stream.Interface
    write_command: stream.Interface
    row: stream.Interface
    result: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        lanes = data.ArrayLayout(signed(machine.accumulator_bits), machine.segments)
        writes = {"write_command": In(stream.Signature(write_command_layout(machine)))}
        super().__init__(
            {
                "command": In(stream.Signature(command_layout(machine))),
                "write": In(stream.Signature(driven_row_layout(machine))),
                "row": Out(stream.Signature(machine.columns)),
                "result": Out(stream.Signature(lanes)),
                "events": Out(event_layout(machine)),
                "busy": Out(1),
                "pulse": Out(1),
                **(writes if machine.overlaps_writes else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        machine = self.machine
        self._controller = place(m, platform, "sub_array_controller", SubArrayController(machine))
        self._array = place(m, platform, "sot_mram_array", SotMramArray(machine))
        self._slots = min(machine.segments, MOST_SLOTS)
        bit_counter = BitCounter(machine.columns, self._slots, step=STEP)
        self._bit_counter = place(m, platform, "bit_counter", bit_counter)
        self._sum = place(m, platform, "sum", Sum(machine.segments, machine.accumulator_bits))
        self._bias_the_array(m, platform)
        self._route_sensed_rows(m)
        self._shift_and_sum(m, platform)
        self._report_events(m)
        return m

    def _bias_the_array(self, m: Module, platform: object) -> None:
        controller, array = self._controller, self._array
        read_lines = place(m, platform, "multi_line_row_decoder", MultiLineRowDecoder(self.machine.rows))
        references = place(m, platform, "reference_select", ReferenceSelect())
        wiring.connect(m, wiring.flipped(self.command), controller.command)
        write_lines = self._join_writers(m, platform)
        m.d.comb += [
            read_lines.address_a.eq(controller.address_a),
            read_lines.enable_a.eq(controller.enable_a),
            read_lines.address_b.eq(controller.address_b),
            read_lines.enable_b.eq(controller.enable_b),
            references.sense.eq(controller.sense),
            array.wwl.eq(write_lines),
            array.rwl.eq(read_lines.word_lines),
            array.rbl_enable.eq(controller.columns),
            array.wbl.eq(Mux(controller.write_back, array.sense, self.write.payload.bits)),
            array.wbl_enable.eq(Mux(controller.write_back, controller.columns, self.write.payload.mask)),
            array.en_m.eq(references.en_m),
            array.en_and.eq(references.en_and),
            array.en_or.eq(references.en_or),
        ]

    def _join_writers(self, m: Module, platform: object) -> Value:
        """Give each of those that write rows a decoder of its own; returns their word lines together."""
        self._writers: list[SubArrayController | WriteController] = [self._controller]
        if self.machine.overlaps_writes:
            writer = place(m, platform, "write_controller", WriteController(self.machine))
            wiring.connect(m, wiring.flipped(self.write_command), writer.command)
            self._writers.append(writer)
        word_lines = []
        for index, writer in enumerate(self._writers):
            name = f"row_decoder_{index}" if index else "row_decoder"
            decoder = place(m, platform, name, RowDecoder(self.machine.rows))
            word_lines.append(decoder.word_lines)
            m.d.comb += [
                decoder.address.eq(writer.write_address),
                decoder.enable.eq(writer.write_enable),
                writer.write.payload.eq(self.write.payload),
                writer.write.valid.eq(self.write.valid),
            ]
        m.d.comb += self.write.ready.eq(reduce(or_, (writer.write.ready for writer in self._writers)))
        return reduce(or_, word_lines)

    def _of_any_writer(self, name: str) -> Value:
        return reduce(or_, (getattr(writer, name) for writer in self._writers))

    def _route_sensed_rows(self, m: Module) -> None:
        sensed, counted = self._controller.sensed, self._bit_counter.row
        m.d.comb += [
            self.row.payload.eq(self._array.sense),
            counted.payload.bits.eq(self._array.sense),
            counted.payload.mode.eq(sensed.payload.step.mode),
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
        for slot in range(self._slots):
            # Slot 0 may have all columns, slot 1 half of them at most: the counts, and the shifters with them, shrink.
            width = self._bit_counter.count_bits(slot)
            name = _SHIFTERS[slot.bit_length()] + (f"_{slot}" if slot else "")
            shifter = place(m, platform, name, Shifter(width, machine.accumulator_bits, SHIFT_FIELD_BITS))
            m.d.comb += [
                shifter.value.eq(count.payload.slots[slot]),
                shifter.amount.eq(step.shift),
                addends.payload["values"][slot].eq(
                    Mux(count.valid, shifter.shifted, self._constant(m, slot))
                ),
            ]
        loads = self._controller.sensed.valid & (self._controller.sensed.payload.route == Route.LOAD)
        m.d.comb += [
            addends.valid.eq(count.valid | loads),
            count.ready.eq(addends.ready),
        ]
        wiring.connect(m, self._sum.results, wiring.flipped(self.result))

    def _constant(self, m: Module, slot: int) -> Value:
        """Constant of `slot` in a sensed row, at the first columns of the slot; 0 if there is no such slot."""
        bits, sense = self.machine.accumulator_bits, self._array.sense
        constant = Signal(bits, name=f"constant_{slot}")
        with m.Switch(self._controller.sensed.payload.step.mode.log_slots):
            for log_slots in range(exact_log2(self._slots) + 1):
                if slot < 1 << log_slots:
                    with m.Case(log_slots):
                        first = slot * self.machine.columns >> log_slots
                        m.d.comb += constant.eq(sense[first : first + bits])
        return constant

    def _report_events(self, m: Module) -> None:
        controller, array, events = self._controller, self._array, self.events
        row, count = self._bit_counter.row, self._bit_counter.count
        m.d.comb += [
            events.row_write.eq(self._of_any_writer("wrote")),
            events.row_read.eq(controller.finished & array.en_m),
            events.and_.eq(controller.finished & array.en_and),
            events.or_.eq(controller.finished & array.en_or),
            events.bit_count.eq(row.valid & row.ready),
            events.stalled.eq(controller.stalled),
            self.busy.eq(self._of_any_writer("busy") | controller.sensed.valid | count.valid),
            self.pulse.eq(self._of_any_writer("pulse")),
        ]
        with m.If(count.valid & count.ready):
            m.d.comb += events.additions.eq(1 << count.payload.step.mode.log_slots)
