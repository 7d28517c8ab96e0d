"""Shifter: a power of two as the factor of a count."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..common.checks import require_positive


class Shifter(wiring.Component):
    """Left shift: the factor 2^(m+n) of Eq. 3.

    Combinational: no latency, a value a cycle. One row of multiplexers for each bit of the amount. What is subtracted
    leaves as its ones' complement: the few bits of the value are inverted, and ones are shifted in.

    Parameters
    ----------
    in_width : int
        Bits of the value.
    out_width : int
        Bits of the result, at least `in_width`. Higher bits are dropped; who chooses the amounts has proven
        that there are none.
    amount_bits : int
        Bits of the amount.

    Members
    -------
    value : In(in_width)
        Unsigned.
    amount : In(amount_bits)
    invert : In(1)
    shifted : Out(out_width)
        value · 2^amount modulo 2^out_width; with ``invert`` its ones' complement.

    Raises
    ------
    TypeError
        If a parameter is not a positive integer.
    ValueError
        If `out_width` is less than `in_width`.
    """

    value: Signal
    amount: Signal
    invert: Signal
    shifted: Signal

    def __init__(self, in_width: int, out_width: int, amount_bits: int) -> None:
        require_positive(in_width=in_width, out_width=out_width, amount_bits=amount_bits)
        if out_width < in_width:
            raise ValueError(f"out_width must be at least in_width = {in_width}, not {out_width}")
        super().__init__(
            {"value": In(in_width), "amount": In(amount_bits), "invert": In(1), "shifted": Out(out_width)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width, ones = len(self.shifted), self.invert.replicate(len(self.shifted))
        stage = Signal(len(self.value), name="by_0")
        m.d.comb += stage.eq(self.value ^ ones[: len(stage)])
        for k, enable in enumerate(self.amount):
            step = 1 << k
            shifted = Signal(min(len(stage) + step, width), name=f"by_{step}")
            here, further = Cat(stage, ones)[: len(shifted)], Cat(ones[:step], stage)[: len(shifted)]
            m.d.comb += shifted.eq(Mux(enable, further, here))
            stage = shifted
        m.d.comb += self.shifted.eq(Cat(stage, ones))
        return m
