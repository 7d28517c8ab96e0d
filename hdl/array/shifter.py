"""Shifters: powers of two as factors of a count, and as divisors of a sum."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Rounding

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
        _check(in_width, out_width, amount_bits)
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


class RoundingShifter(wiring.Component):
    """Arithmetic right shift with a declared rounding: the division of an average, of a requantization.

    Combinational: no latency, a value a cycle. The bit below the point and the OR of all bits under it go
    along with the shift, so the result is exact for every amount, also where it exceeds the width.

    Parameters
    ----------
    in_width : int
        Bits of the value.
    out_width : int
        Bits of the result, at least `in_width`: rounding up never needs more, since a value that was
        shifted at all has lost a bit.
    amount_bits : int
        Bits of the amount.

    Members
    -------
    value : In(signed(in_width))
    amount : In(amount_bits)
    rounding : In(2)
        Value of a `spinplane.machine.Rounding`; the code 3 rounds like ``FLOOR``.
    shifted : Out(signed(out_width))
        value / 2^amount, rounded.

    Raises
    ------
    TypeError
        If a parameter is not a positive integer.
    ValueError
        If `out_width` is less than `in_width`.
    """

    value: Signal
    amount: Signal
    rounding: Signal
    shifted: Signal

    def __init__(self, in_width: int, out_width: int, amount_bits: int) -> None:
        _check(in_width, out_width, amount_bits)
        super().__init__(
            {
                "value": In(signed(in_width)),
                "amount": In(amount_bits),
                "rounding": In(2),
                "shifted": Out(signed(out_width)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()

        # Bit 0 of a stage is the bit below the point.
        stage = Signal(signed(len(self.value) + 1), name="by_0")
        sticky = Signal(name="sticky_0")
        m.d.comb += stage.eq(Cat(0, self.value))
        for k, enable in enumerate(self.amount):
            shifted = Signal.like(stage, name=f"by_{1 << k}")
            lost = Signal(name=f"sticky_{1 << k}")
            m.d.comb += [
                shifted.eq(Mux(enable, stage >> (1 << k), stage)),
                lost.eq(sticky | (enable & stage[: 1 << k].any())),
            ]
            stage, sticky = shifted, lost

        half, floor = stage[0], stage[1:].as_signed()
        up = Signal()
        half_up = self.rounding == Rounding.HALF_UP.value
        half_even = self.rounding == Rounding.HALF_EVEN.value
        m.d.comb += up.eq(half & (half_up | (half_even & (sticky | floor[0]))))
        m.d.comb += self.shifted.eq(floor + up)
        return m


def _check(in_width: int, out_width: int, amount_bits: int) -> None:
    require_positive(in_width=in_width, out_width=out_width, amount_bits=amount_bits)
    if out_width < in_width:
        raise ValueError(f"out_width must be at least in_width = {in_width}, not {out_width}")
