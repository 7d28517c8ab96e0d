"""Sense walk: the steps of a memory operation that senses, with their rows and times."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, RowOperation, bits_for
from spinplane.machine.descriptor import OperationBit

from ..common.descriptor import DESCRIPTOR

_ROW_BITS = 13
_WORD_BITS = 33


def sense_step_layout(machine: Machine) -> data.StructLayout:
    """Rows to sense and to write back to, whether it is the last step, and why it cannot be done: a row that is
    ``outside`` of the array or sensed with itself, words ``beyond`` the image bank.
    """
    row = bits_for(machine.rows - 1)
    return data.StructLayout({"row_a": row, "row_b": row, "row_d": row, "ends": 1, "outside": 1, "beyond": 1})


class SenseWalk(wiring.Component):
    """Offers a step as soon as what the step before it stores has had its time.

    Latency: the first step 1 cycle after ``start``. Throughput: one step a cycle, or where rows are stored one in as
    many cycles as there are sub-arrays.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Of kind MEMORY; held constant until the last step is accepted.
    start : In(1)
    steps : Out(stream.Signature(sense_step_layout(machine)))
        The payload is there while it is not ``valid``, too.
    active : Out(1)
        While it is low no flip-flop changes.
    """

    layer: data.View
    start: Signal
    steps: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "start": In(1),
                "steps": Out(stream.Signature(sense_step_layout(machine))),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer, machine, step = self.layer, self.machine, self.steps.payload
        row_a, row_b, row_d = (Signal(_ROW_BITS, name=name) for name in ("row_a", "row_b", "row_d"))
        left = Signal.like(layer.burst_rows)
        waits = Signal.like(layer.last_sub_arrays)
        # Words of the image bank up to those of the step at hand, and with them.
        before = Signal(_WORD_BITS, name="words_before")
        after = Signal(_WORD_BITS, name="words_after")
        others = Signal.like(layer.last_sub_arrays)
        stores, writes_back = layer.operation[OperationBit.STORE], layer.operation[OperationBit.WRITE_BACK]
        pairs = layer.operation[:2] != RowOperation.READ.value
        m.d.comb += [
            others.eq(layer.last_sub_arrays - layer.load_sub_arrays),
            after.eq(before + others + 1),
            self.steps.valid.eq(waits == 0),
            self.active.eq(self.start | (waits != 0) | self.steps.ready),
            step.row_a.eq(row_a),
            step.row_b.eq(row_b),
            step.row_d.eq(row_d),
            step.ends.eq(left == 0),
            step.outside.eq(
                (row_a >= machine.rows)
                | (pairs & ((row_b >= machine.rows) | (row_a == row_b)))
                | (writes_back & (row_d >= machine.rows))
            ),
            step.beyond.eq(stores & (after > machine.image_words)),
        ]
        with m.If(self.start):
            m.d.sync += [
                row_a.eq(layer.input_row),
                row_b.eq(layer.line_rows),
                row_d.eq(layer.kernel_row),
                left.eq(layer.burst_rows),
                before.eq(layer.out_base),
                waits.eq(0),
            ]
        with m.Elif(self.steps.valid & self.steps.ready):
            m.d.sync += [row.eq(row + 1) for row in (row_a, row_b, row_d)]
            m.d.sync += [left.eq(left - 1), before.eq(after), waits.eq(Mux(stores, others, 0))]
        with m.Elif(waits != 0):
            m.d.sync += waits.eq(waits - 1)
        return m
