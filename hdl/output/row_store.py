"""Row store: writes the rows that a memory operation has sensed into the image bank."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, bits_for
from spinplane.machine.descriptor import OperationBit

from ..common.bank import bank_write
from ..common.descriptor import DESCRIPTOR


class RowStore(wiring.Component):
    """Writes a row of each sub-array that takes part, one a cycle, to one word of the bank after the other.

    Latency: the first row is written in the cycle after ``sensed``. Throughput: a row a cycle; the next ``sensed``
    comes no sooner than in the cycle of the last row.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Of kind MEMORY where ``sensed`` is high; held constant until ``busy`` falls.
    start : In(1)
        Begin with the first word again.
    sensed : In(1)
        From the next cycle on the rows are there.
    row_of : Out(bits_for(sub_arrays - 1))
        The sub-array whose row is wanted.
    row : In(columns)
        The row of it, in the same cycle.
    write : Out(bank_write(image_words, columns))
        Of the image bank.
    busy : Out(1)
        A row is written.
    active : Out(1)
        While it is low no flip-flop changes.
    """

    layer: data.View
    start: Signal
    sensed: Signal
    row_of: Signal
    row: Signal
    write: wiring.PureInterface
    busy: Signal

    def __init__(self, machine: Machine) -> None:
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "start": In(1),
                "sensed": In(1),
                "row_of": Out(bits_for(machine.sub_arrays - 1)),
                "row": In(machine.columns),
                "write": Out(bank_write(machine.image_words, machine.columns)),
                "busy": Out(1),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer = self.layer
        word = Signal.like(self.write.address)
        m.d.comb += [
            self.write.enable.eq(self.busy),
            self.write.address.eq(word),
            self.write.data.eq(self.row),
            self.write.mask.eq(~0),
            self.active.eq(self.start | self.sensed | self.busy),
        ]
        with m.If(self.start):
            m.d.sync += word.eq(layer.out_base)
        with m.Elif(self.busy):
            m.d.sync += word.eq(word + 1)
        with m.If(self.sensed & layer.operation[OperationBit.STORE]):
            m.d.sync += [self.busy.eq(1), self.row_of.eq(layer.load_sub_arrays)]
        with m.Elif(self.busy):
            m.d.sync += [self.busy.eq(self.row_of != layer.last_sub_arrays), self.row_of.eq(self.row_of + 1)]
        return m
