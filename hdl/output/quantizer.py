"""Quantizer: from a scaled value to the code of a level (Eq. 4)."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, Rounding
from spinplane.machine.output_stage import PRODUCT_BITS, SHIFT_BITS

from .arithmetic import register, shift_right_sticky, wire

#: A quotient that does not fit in so many bits, with its sign, is beyond every code.
_QUOTIENT_BITS = CODE_BITS + 1


class Quantizer(wiring.Component):
    """(clip(round(value / 2^shift), low, high) << level_shift) + zero, modulo 2^9.

    Eq. 4 after a ReLU is the case low = 0 and high = 2^k − 1, of a value to which multiplier and shift of a channel
    give (2^k − 1) · 2^shift for 1. No intermediate result is cut short, so the code is exact for every value: bits that
    no code has only say that the quotient is too large.

    Latency: `LATENCY` = 3 cycles; rounding is taken `ROUNDING_STAGE` = 2 cycles after a value, what follows it 3 cycles
    after. Throughput: one value a cycle; nothing holds it up.

    Members
    -------
    value : In(signed(64))
    shift : In(6)
    rounding : In(4)
        Value of a `spinplane.machine.Rounding`.
    low, high : In(signed(9))
    level_shift : In(1)
    zero : In(8)
    code : Out(9)
        Combinational in the last four.
    """

    ROUNDING_STAGE = 2
    LATENCY = 3

    value: Signal
    shift: Signal
    rounding: Signal
    low: Signal
    high: Signal
    level_shift: Signal
    zero: Signal
    code: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "value": In(signed(PRODUCT_BITS)),
                "shift": In(SHIFT_BITS),
                "rounding": In(4),
                "low": In(signed(CODE_BITS)),
                "high": In(signed(CODE_BITS)),
                "level_shift": In(1),
                "zero": In(CODE_BITS - 1),
                "code": Out(CODE_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Bit 0 is the one below the point. A shift leaves fewer bits to be looked at by those after it.
        value, lost, beyond = Cat(0, self.value), Const(0, 1), Const(0, 1)
        sign: Value = self.value[-1]
        amount = Value.cast(self.shift)
        for places in ((5, 4, 3), (2, 1, 0)):
            for at in places:
                value, lost = shift_right_sticky(m, "quotient", value, lost, amount, at)
                kept = _QUOTIENT_BITS + (1 << at)
                differ = (value[kept - 1 :] ^ sign.replicate(len(value) - kept + 1)).any()
                beyond = wire(m, f"beyond_{at}", beyond | differ)
                value = value[:kept]
            part = f"after_{places[-1]}"
            value, lost = register(m, f"quotient_{part}", value), register(m, f"lost_{part}", lost)
            beyond, sign = register(m, f"beyond_{part}", beyond), register(m, f"sign_{part}", sign)
            amount = register(m, f"amount_{part}", amount[: places[-1]]) if places[-1] else amount

        half, quotient = value[0], value[1:]
        rounds_up = wire(m, "rounds_up", self._rounds_up(half, lost, sign, quotient[0]))
        largest = Cat((~sign).replicate(_QUOTIENT_BITS - 1), sign)
        rounded = Mux(beyond, largest, quotient).as_signed() + (rounds_up & ~beyond)
        level = register(m, "level", rounded[: _QUOTIENT_BITS + 1]).as_signed()

        clipped = Signal(signed(CODE_BITS))
        m.d.comb += [
            # min(max(level, low), high)
            clipped.eq(
                Mux(
                    (level > self.high) | (self.low > self.high),
                    self.high,
                    Mux(level < self.low, self.low, level),
                )
            ),
            self.code.eq(Mux(self.level_shift, clipped << 1, clipped) + self.zero),
        ]
        return m

    def _rounds_up(self, half: Value, lost: Value, sign: Value, odd: Value) -> Value:
        """Whether the next greater number is wanted, by what lies below the point of a number that was rounded down."""
        ways = {
            Rounding.FLOOR: Const(0),
            Rounding.CEIL: half | lost,
            Rounding.TO_ZERO: sign & (half | lost),
            Rounding.AWAY: ~sign & (half | lost),
            Rounding.HALF_EVEN: half & (lost | odd),
            Rounding.HALF_UP: half,
            Rounding.HALF_DOWN: half & lost,
            Rounding.HALF_AWAY: half & (lost | ~sign),
            Rounding.HALF_TO_ZERO: half & (lost | sign),
        }
        return Array(ways[rounding] for rounding in sorted(ways, key=lambda way: way.value))[self.rounding]
