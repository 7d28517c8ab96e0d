"""Sub-array: the memory with its decoders, references, controller, bit-counter, shifter and sum."""

from functools import reduce
from operator import or_

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import MOST_SLOTS, SHIFT_FIELD_BITS, Machine

from ..common.command import STEP, command_layout, write_command_layout
from ..common.verilog import place
from .bit_counter import BitCounter
from .counters import event_layout
from .multi_line_row_decoder import MultiLineRowDecoder
from .reference_select import ReferenceSelect, Sense
from .row_decoder import RowDecoder
from .shifter import Shifter
from .sot_mram_array import SotMramArray
from .sub_array_controller import SubArrayController
from .sum import Sum
from .write_controller import WriteController

_SHIFTERS = ("shifter", "half_shifter", "quarter_shifter", "eighth_shifter")


class SubArray(wiring.Component):
    """Rows of SOT-MRAM that are written, sensed in pairs, counted, shifted and summed.

    Throughput: one row operation every ``sense_cycles`` or ``write_cycles`` cycles, from command to
    accumulator. Latency from the last cycle of a sense to ``result``: 3 cycles.

    With ``write_overlap`` rows are written by ``write_command`` beside all that ``command`` does. A row written back by
    ``command`` must not meet such a write: that would be two word lines at once.

    With ``memory_operations`` rows are sensed alone, ANDed and ORed too, with ``xor_sensing`` also XORed; ``row`` shows
    what was sensed last. An XOR is an event of an AND and of an OR.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    command : In(stream.Signature(command_layout(machine)))
    write : In(stream.Signature(columns))
        Rows for ``WRITE``, in the order of the commands.
    write_command : In(stream.Signature(write_command_layout(machine)))
        With ``write_overlap`` alone.
    columns : In(columns)
        Columns that are sensed and written, with ``memory_operations``; else all of them are. Constant while ``busy``.
    row : Out(columns)
        With ``memory_operations``: the last sensed row, until the next sense ends.
    sensed : Out(1)
        With ``memory_operations``: all but ``WRITE`` and ``DOT`` have sensed; ``row`` shows it from the next cycle on.
    result : Out(stream.Signature(ArrayLayout(signed(accumulator_bits), segments)))
        Accumulators after a ``DOT`` with ``emit``; those of slots come first.
    events : Out(event_layout(machine))
    busy : Out(1)
        A command, a sensed row or a count is on its way; results that wait are not counted.
    standby : In(1)
        No word line and no reference is high, whatever the flip-flops hold: it comes with a reset at power-up. A
        write that it cuts leaves its row undefined.
    pulse : Out(1)
        Word lines are held and the coming clock edge does not end it: a reset now would cut a pulse.
    active : Out(1)
        While it is low no flip-flop changes and no line of the array is high.
    """

    command: stream.Interface
    write: stream.Interface
    write_command: stream.Interface
    columns: Signal
    row: Signal
    sensed: Signal
    result: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        lanes = data.ArrayLayout(signed(machine.accumulator_bits), machine.segments)
        writes = {"write_command": In(stream.Signature(write_command_layout(machine)))}
        memory = {"columns": In(machine.columns), "row": Out(machine.columns), "sensed": Out(1)}
        super().__init__(
            {
                "command": In(stream.Signature(command_layout(machine))),
                "write": In(stream.Signature(machine.columns)),
                "result": Out(stream.Signature(lanes)),
                "events": Out(event_layout(machine)),
                "busy": Out(1),
                "standby": In(1),
                "pulse": Out(1),
                "active": Out(1),
                **(writes if machine.overlaps_writes else {}),
                **(memory if machine.memory_operations else {}),
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
        self._shift_and_sum(m, platform)
        self._report_events(m)
        return m

    def _bias_the_array(self, m: Module, platform: object) -> None:
        controller, array = self._controller, self._array
        read_lines = place(m, platform, "multi_line_row_decoder", MultiLineRowDecoder(self.machine.rows))
        self._write_lines = place(m, platform, "row_decoder", RowDecoder(self.machine.rows))
        wiring.connect(m, wiring.flipped(self.command), controller.command)
        m.d.comb += [
            read_lines.address_a.eq(controller.address_a),
            read_lines.enable_a.eq(controller.enable_a & ~self.standby),
            read_lines.address_b.eq(controller.address_b),
            read_lines.enable_b.eq(controller.enable_b & ~self.standby),
            array.standby.eq(self.standby),
            array.rwl.eq(read_lines.word_lines),
            array.wwl.eq(self._write_lines.word_lines),
        ]
        self._join_writers(m, platform)
        if not self.machine.memory_operations:
            m.d.comb += [
                array.wbl.eq(self.write.payload),
                array.wbl_enable.eq(~0),
                array.rbl_enable.eq(~0),
                array.en_and.eq(controller.enable_a & ~self.standby),
            ]
            return
        select = ReferenceSelect(self.machine.xor_sensing)
        references = place(m, platform, "reference_select", select)
        if self.machine.xor_sensing:
            m.d.comb += references.exclusive.eq(controller.exclusive)
        m.d.comb += [
            references.sense.eq(Mux(self.standby, Sense.NONE, controller.sense)),
            array.wbl.eq(Mux(controller.write_back, array.sense, self.write.payload)),
            array.wbl_enable.eq(self.columns),
            array.rbl_enable.eq(self.columns),
            array.en_m.eq(references.en_m),
            array.en_and.eq(references.en_and),
            array.en_or.eq(references.en_or),
            self.row.eq(array.sense),
            self.sensed.eq(controller.sensed),
        ]

    def _join_writers(self, m: Module, platform: object) -> None:
        """Rows are written by the controller, or by one of their own beside it; never by both at once."""
        self._writers: list[SubArrayController | WriteController] = []
        if self.machine.overlaps_writes:
            writer = place(m, platform, "write_controller", WriteController(self.machine))
            wiring.connect(m, wiring.flipped(self.write_command), writer.command)
            self._writers.append(writer)
        if self._controller.writes:
            self._writers.append(self._controller)
        takes_rows, last, lines = self._writers[0], self._writers[-1], self._write_lines
        m.d.comb += [
            takes_rows.write.valid.eq(self.write.valid),
            self.write.ready.eq(takes_rows.write.ready),
            lines.address.eq(Mux(last.write_enable, last.write_address, takes_rows.write_address)),
            lines.enable.eq(self._of_any_writer("write_enable") & ~self.standby),
        ]

    def _of_any_writer(self, name: str) -> Value:
        return reduce(or_, (getattr(writer, name) for writer in self._writers))

    def _shift_and_sum(self, m: Module, platform: object) -> None:
        """Sensed rows are counted, and the counts go through the shifters to the accumulators."""
        machine, sensed, row = self.machine, self._controller.counted, self._bit_counter.row
        count, addends = self._bit_counter.count, self._sum.addends
        step = count.payload.step
        m.d.comb += [
            row.payload.bits.eq(self._array.sense),
            row.payload.mode.eq(sensed.payload.mode),
            row.payload.step.eq(sensed.payload),
            row.valid.eq(sensed.valid),
            sensed.ready.eq(row.ready),
            addends.payload.carry.eq(step.subtract),
            addends.payload.clear.eq(step.clear),
            addends.payload.emit.eq(step.emit),
            addends.valid.eq(count.valid),
            count.ready.eq(addends.ready),
        ]
        for slot in range(self._slots):
            # Slot 0 may have all columns, slot 1 half of them at most: the counts, and the shifters with them, shrink.
            width = self._bit_counter.count_bits(slot)
            name = _SHIFTERS[slot.bit_length()] + (f"_{slot}" if slot else "")
            shifter = place(m, platform, name, Shifter(width, machine.accumulator_bits, SHIFT_FIELD_BITS))
            m.d.comb += [
                shifter.value.eq(count.payload.slots[slot]),
                shifter.amount.eq(step.shift),
                shifter.invert.eq(step.subtract),
                addends.payload["values"][slot].eq(shifter.shifted),
            ]
        wiring.connect(m, self._sum.results, wiring.flipped(self.result))

    def _takes_command(self) -> Value:
        if self.machine.overlaps_writes:
            return self.command.valid | self.write_command.valid
        return self.command.valid

    def _report_events(self, m: Module) -> None:
        controller, array, events = self._controller, self._array, self.events
        row, count = self._bit_counter.row, self._bit_counter.count
        busy = [
            controller.busy,
            *(writer.busy for writer in self._writers),
            controller.counted.valid,
            count.valid,
        ]
        pulses = [controller.pulse, *(writer.pulse for writer in self._writers)]
        m.d.comb += [
            events.row_write.eq(self._of_any_writer("wrote")),
            events.and_.eq(controller.finished & array.en_and),
            events.bit_count.eq(row.valid & row.ready),
            events.stalled.eq(controller.stalled),
            self.busy.eq(reduce(or_, busy)),
            self.pulse.eq(reduce(or_, pulses)),
            self.active.eq(self.busy | self._takes_command() | (self.result.valid & self.result.ready)),
        ]
        if self.machine.memory_operations:
            m.d.comb += [
                events.row_read.eq(controller.finished & array.en_m),
                events.or_.eq(controller.finished & array.en_or),
            ]
        with m.If(count.valid & count.ready):
            m.d.comb += events.additions.eq(1 << count.payload.step.mode.log_slots)
