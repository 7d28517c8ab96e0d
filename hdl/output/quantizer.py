"""Quantizer: from a scaled value to the code of a level (Eq. 4)."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS
from spinplane.machine.activation import ACTIVATION_SHIFT_BITS

from ..array.shifter import RoundingShifter
from ..common.checks import require_positive
from ..common.verilog import place


class Quantizer(wiring.Component):
    """clip(round(value / 2^shift), low, high).

    Eq. 4 after a ReLU is the case low = 0 and high = 2^k − 1, of a value to which multiplier and shift of a channel
    give (2^k − 1) · 2^shift for 1. No intermediate result is cut short, so the code is exact for every value.

    Combinational: no latency, a value a cycle.

    Parameters
    ----------
    width : int
        Bits of a value.

    Members
    -------
    value : In(signed(width))
    shift : In(6)
    rounding : In(2)
        Value of a `spinplane.machine.Rounding`; the code 3 rounds like ``FLOOR``.
    low : In(signed(9))
        Not above `high`.
    high : In(signed(9))
    code : Out(signed(9))

    Raises
    ------
    TypeError
        If `width` is not a positive integer.
    """

    value: Signal
    shift: Signal
    rounding: Signal
    low: Signal
    high: Signal
    code: Signal

    def __init__(self, width: int) -> None:
        require_positive(width=width)
        super().__init__(
            {
                "value": In(signed(width)),
                "shift": In(ACTIVATION_SHIFT_BITS),
                "rounding": In(2),
                "low": In(signed(CODE_BITS)),
                "high": In(signed(CODE_BITS)),
                "code": Out(signed(CODE_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        width = len(self.value)
        shifter = place(
            m, platform, "quantizer_shifter", RoundingShifter(width, width, ACTIVATION_SHIFT_BITS)
        )
        m.d.comb += [
            shifter.value.eq(self.value),
            shifter.amount.eq(self.shift),
            shifter.rounding.eq(self.rounding),
        ]
        level, low, high = shifter.shifted, self.low, self.high
        m.d.comb += self.code.eq(Mux(level < low, low, Mux(level > high, high, level)))
        return m
