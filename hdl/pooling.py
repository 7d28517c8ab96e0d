"""Pooling: average, sum or maximum of the values of a region."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import PoolMode

from .parameters import require_positive
from .shifter import RoundingShifter
from .sum import Sum
from .verilog import place

#: Bits of the shift: regions of up to 2^15 values can be averaged.
SHIFT_BITS = 4


class Pooling(wiring.Component):
    """Average pooling with a sum and a shifter, as in the paper; integer sums and maxima beside it.

    Latency: the result of a region leaves 1 cycle after its last value was accepted. Throughput: one value a
    cycle, regions back to back; a result that waits to be taken holds up the last value of the next region
    only.

    Parameters
    ----------
    width : int
        Bits of a value and of a region's sum. Sums wrap modulo 2^width; who writes the program has proven
        that they do not.

    Members
    -------
    values : In(stream.Signature(StructLayout({"value": signed(width), "last": 1})))
        ``last`` ends a region.
    mode : In(2)
        Value of a `spinplane.machine.PoolMode`; the code 3 pools like ``SUM``. Mode, shift and rounding are
        held constant from a region's first value until its result was taken.
    shift : In(4)
        An average is the sum divided by 2^shift.
    rounding : In(2)
        Value of a `spinplane.machine.Rounding`.
    pooled : Out(stream.Signature(signed(width)))
        One result a region.

    Raises
    ------
    TypeError
        If `width` is not a positive integer.
    """

    values: stream.Interface
    mode: Signal
    shift: Signal
    rounding: Signal
    pooled: stream.Interface

    def __init__(self, width: int) -> None:
        require_positive(width=width)
        self.width = width
        super().__init__(
            {
                "values": In(stream.Signature(data.StructLayout({"value": signed(width), "last": 1}))),
                "mode": In(2),
                "shift": In(SHIFT_BITS),
                "rounding": In(2),
                "pooled": Out(stream.Signature(signed(width))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value, last = self.values.payload.value, self.values.payload.last
        is_max = Signal()
        accept = Signal()
        first = Signal(init=1)
        m.d.comb += [
            is_max.eq(self.mode == PoolMode.MAX.value),
            accept.eq(self.values.valid & self.values.ready),
        ]
        with m.If(accept):
            m.d.sync += first.eq(last)

        total = place(m, platform, "pooling_sum", Sum(1, self.width))
        shifter = place(m, platform, "pooling_shifter", RoundingShifter(self.width, self.width, SHIFT_BITS))
        m.d.comb += [
            total.addends.valid.eq(self.values.valid & ~is_max),
            total.addends.payload["values"][0].eq(value),
            total.addends.payload.clear.eq(first),
            total.addends.payload.emit.eq(last),
            total.results.ready.eq(self.pooled.ready),
            shifter.value.eq(total.results.payload[0]),
            shifter.amount.eq(Mux(self.mode == PoolMode.AVERAGE.value, self.shift, 0)),
            shifter.rounding.eq(self.rounding),
        ]

        greatest = Signal(signed(self.width), reset_less=True)
        new_greatest = Signal(signed(self.width))
        maximum = Signal(signed(self.width), reset_less=True)
        maximum_valid = Signal()
        m.d.comb += new_greatest.eq(Mux(first | (value > greatest), value, greatest))
        with m.If(accept & is_max):
            m.d.sync += greatest.eq(new_greatest)
        with m.If(accept & is_max & last):
            m.d.sync += [maximum.eq(new_greatest), maximum_valid.eq(1)]
        with m.Elif(self.pooled.ready):
            m.d.sync += maximum_valid.eq(0)

        with m.If(is_max):
            m.d.comb += [
                self.values.ready.eq(~last | ~maximum_valid | self.pooled.ready),
                self.pooled.valid.eq(maximum_valid),
                self.pooled.payload.eq(maximum),
            ]
        with m.Else():
            m.d.comb += [
                self.values.ready.eq(total.addends.ready),
                self.pooled.valid.eq(total.results.valid),
                self.pooled.payload.eq(shifter.shifted),
            ]
        return m
