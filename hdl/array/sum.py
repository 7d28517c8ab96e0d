"""Sum: the accumulators of a sub-array."""

from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..common.checks import require_positive


class Sum(wiring.Component):
    """Signed accumulators, one a lane, with a result register.

    Latency: the accumulators of a payload with ``emit`` are on `results` 1 cycle after it was accepted.
    Throughput: one payload a cycle; a result that waits to be taken holds up the next ``emit`` only, not the
    additions before it.

    Parameters
    ----------
    lanes : int
        Number of accumulators.
    width : int
        Bits of an accumulator. Sums wrap modulo 2^width; who writes the program has proven that they do not.

    Members
    -------
    addends : In(stream.Signature(StructLayout({"values", "carry": 1, "clear": 1, "emit": 1})))
        ``values``: ArrayLayout(signed(width), lanes), added to the accumulators with ``carry``, which is 1 where values
        are ones' complements of what is subtracted; with ``clear``, and after a reset, to 0 in place of the old sums;
        with ``emit`` the new sums become a result.
    results : Out(stream.Signature(ArrayLayout(signed(width), lanes)))

    Raises
    ------
    TypeError
        If a parameter is not a positive integer.
    """

    addends: stream.Interface
    results: stream.Interface

    def __init__(self, lanes: int, width: int) -> None:
        require_positive(lanes=lanes, width=width)
        self.width = width
        sums = data.ArrayLayout(signed(width), lanes)
        addends = data.StructLayout({"values": sums, "carry": 1, "clear": 1, "emit": 1})
        super().__init__({"addends": In(stream.Signature(addends)), "results": Out(stream.Signature(sums))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        addends = self.addends.payload
        layout = self.results.payload.shape()

        accept = Signal()
        m.d.comb += [
            self.addends.ready.eq(~addends.emit | ~self.results.valid | self.results.ready),
            accept.eq(self.addends.valid & self.addends.ready),
        ]

        # Only control is reset: the first payload after a reset finds its accumulators cleared.
        accumulators = Signal(layout, reset_less=True)
        fresh = Signal(init=1)
        sums = Signal(layout)
        clear = Signal()
        carry = Signal()
        m.d.comb += [clear.eq(accept & (addends.clear | fresh)), carry.eq(accept & addends.carry)]
        for total, accumulator, value in zip(sums, accumulators, addends.values, strict=True):
            # Without a payload 0 is added, which costs less than a multiplexer that holds.
            base = accumulator.as_unsigned() & (~clear).replicate(self.width)
            term = value.as_unsigned() & accept.replicate(self.width)
            # The carry enters below the lowest bit: one adder, and not two.
            m.d.comb += total.eq((Cat(carry, base) + Cat(carry, term))[1:])
        m.d.sync += [accumulators.eq(sums), fresh.eq(fresh & ~accept)]

        result = Signal(layout, reset_less=True)
        m.d.comb += self.results.payload.eq(result)
        with m.If(accept & addends.emit):
            m.d.sync += [result.eq(sums), self.results.valid.eq(1)]
        with m.Elif(self.results.ready):
            m.d.sync += self.results.valid.eq(0)
        return m
