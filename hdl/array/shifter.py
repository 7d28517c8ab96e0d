"""Shifter: a power of two as the factor of a count."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..common.checks import require_positive


class Shifter(wiring.Component):
    """Left shift: the factor 2^(m+n) of Eq. 3.

    Combinational: no latency, a value a cycle. One row of multiplexers for each bit of the amount.

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
    shifted : Out(out_width)
        value · 2^amount modulo 2^out_width.

    Raises
    ------
    TypeError
        If a parameter is not a positive integer.
    ValueError
        If `out_width` is less than `in_width`.
    """

    value: Signal
    amount: Signal
    shifted: Signal

    def __init__(self, in_width: int, out_width: int, amount_bits: int) -> None:
        require_positive(in_width=in_width, out_width=out_width, amount_bits=amount_bits)
        if out_width < in_width:
            raise ValueError(f"out_width must be at least in_width = {in_width}, not {out_width}")
        super().__init__({"value": In(in_width), "amount": In(amount_bits), "shifted": Out(out_width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        stage = self.value
        for k, enable in enumerate(self.amount):
            shifted = Signal(min(len(stage) + (1 << k), len(self.shifted)), name=f"by_{1 << k}")
            m.d.comb += shifted.eq(Mux(enable, stage << (1 << k), stage))
            stage = shifted
        m.d.comb += self.shifted.eq(stage)
        return m
