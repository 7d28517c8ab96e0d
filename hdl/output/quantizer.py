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

    Latency: `LATENCY` = 2 cycles; rounding is taken `ROUNDING_STAGE` = 1 cycle after a value, what follows it 2 cycles
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

    ROUNDING_STAGE = 1
    LATENCY = 2

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
        for at in reversed(range(SHIFT_BITS)):
            value, lost = shift_right_sticky(m, "quotient", value, lost, self.shift, at)
            kept = _QUOTIENT_BITS + (1 << at)
            differ = (value[kept - 1 :] ^ sign.replicate(len(value) - kept + 1)).any()
            beyond = wire(m, f"beyond_{at}", beyond | differ)
            value = value[:kept]
        value, lost = register(m, "quotient", value), register(m, "lost", lost)
        beyond, sign = register(m, "beyond", beyond), register(m, "sign", sign)

        half, quotient = value[0], value[1:]
        rounds_up = wire(m, "rounds_up", self._rounds_up(half, lost, sign, quotient[0]))
        largest = Cat((~sign).replicate(_QUOTIENT_BITS - 1), sign)
        rounded = Mux(beyond, largest, quotient).as_signed() + (rounds_up & ~beyond)
        level = register(m, "level", rounded[: _QUOTIENT_BITS + 1]).as_signed()

        def code(of: Value) -> Value:
            return (Mux(self.level_shift, of << 1, of) + self.zero)[:CODE_BITS]

        # min(max(level, low), high); the codes of all three are made beside the comparison.
        takes_high = (level > self.high) | (self.low > self.high)
        m.d.comb += self.code.eq(
            Mux(takes_high, code(self.high), Mux(level < self.low, code(self.low), code(level)))
        )
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
