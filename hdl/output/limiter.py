"""Limiter: what a lane keeps of a scaled value, which has more bits than it looks at."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine.output_stage import POOLED_BITS, PRODUCT_BITS, THRESHOLD_BITS

from .arithmetic import register


def is_beyond_search(value: Value) -> Value:
    """Whether a signed number is below −2^31, or above 2^31 − 2."""
    above = value[THRESHOLD_BITS - 1 :]
    return ~(above.all() | ~above.any()) | (~above.any() & value[: THRESHOLD_BITS - 1].all())


class Limiter(wiring.Component):
    """A value in 36 bits: clipped to them, or to what a search looks at, or its lower 32 bits as they are.

    Latency: `LATENCY` = 2 cycles. Throughput: one value a cycle; nothing holds it up.

    Members
    -------
    value : In(signed(64))
    raw : In(1)
        The lower 32 bits. With `wide` looked at 1 cycle after the value.
    wide : In(1)
        clip(value, −2^35, 2^35 − 1); without `raw` and `wide` clip(value, −2^31, 2^31 − 2).
    limited : Out(36)
        Its upper 4 bits are looked at with `wide` alone.
    """

    LATENCY = 2

    value: Signal
    raw: Signal
    wide: Signal
    limited: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "value": In(signed(PRODUCT_BITS)),
                "raw": In(1),
                "wide": In(1),
                "limited": Out(POOLED_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = Value.cast(self.value)
        above = value[POOLED_BITS - 1 :]
        low = register(m, "low_bits", value[:POOLED_BITS])
        sign = register(m, "sign", value[-1])
        beyond_wide = register(m, "beyond_wide", ~(above.all() | ~above.any()))
        beyond_search = register(m, "beyond_search", is_beyond_search(value))

        beyond = Mux(self.wide, beyond_wide, beyond_search & ~self.raw)
        most = (~sign).replicate(POOLED_BITS)
        limit = Cat(
            ~sign & self.wide,
            most[1 : THRESHOLD_BITS - 1],
            Mux(self.wide, ~sign, sign),
            most[THRESHOLD_BITS:-1],
            sign,
        )
        m.d.comb += self.limited.eq(register(m, "limited_bits", Mux(beyond, limit, low)))
        return m
