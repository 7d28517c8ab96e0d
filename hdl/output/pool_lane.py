"""Pool lane: what one lane does to join a sum with what is held of its region."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine.output_stage import POOLED_BITS, VALUE_BITS

from .arithmetic import wire

POOL_WAY = data.StructLayout({"passes_on": 1, "adds": 1, "compares": 1, "takes_value": 1, "takes_held": 1})
"""What becomes of a beat. ``passes_on``: what is held is the pooled sum of the cycle before, and else stored; ``adds``,
``compares``: it is joined with the value; ``takes_value``, ``takes_held``: one of them is taken. If no other bit is
set the pooled sum is 0."""


class PoolLane(wiring.Component):
    """Sum, greater or lesser one of a value and what is held.

    It has one adder, which adds, or subtracts to compare.

    Latency: the value and what is stored are looked at 1 cycle after their way, and pooled 2 cycles after it.
    Throughput: one value a cycle; nothing holds it up.

    Members
    -------
    way : In(POOL_WAY)
    value : In(signed(32))
    least : In(1)
        With ``compares`` the lesser one is taken; looked at with the value.
    stored : In(signed(36))
    joined : Out(signed(36))
        Combinational in the last three.
    pooled : Out(signed(36))
        `joined` of the cycle before.
    """

    way: data.View
    value: Signal
    least: Signal
    stored: Signal
    joined: Signal
    pooled: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "way": In(POOL_WAY),
                "value": In(signed(VALUE_BITS)),
                "least": In(1),
                "stored": In(signed(POOLED_BITS)),
                "joined": Out(signed(POOLED_BITS)),
                "pooled": Out(signed(POOLED_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # A copy for each lane: what decides for all bits of all lanes at once would take long to reach them.
        way, pooled = (
            Signal(POOL_WAY, name="taken_way", init={"passes_on": 1, "takes_held": 1}),
            Signal(signed(POOLED_BITS), name="sum", reset_less=True),
        )
        held = Signal(signed(POOLED_BITS))
        total = Signal(signed(POOLED_BITS + 1))
        m.d.sync += [way.eq(self.way), pooled.eq(self.joined)]
        # Held − value − 1 to compare: its sign says whether the value is not less.
        turned = self.value.as_unsigned() ^ way.compares.replicate(VALUE_BITS)
        m.d.comb += [held.eq(Mux(way.passes_on, pooled, self.stored)), total.eq(held + turned.as_signed())]
        wants_value = wire(m, "wants_value", total[-1] ^ self.least)
        is_value = way.takes_value | (way.compares & wants_value)
        is_held = way.takes_held | (way.compares & ~wants_value)
        value = Cat(self.value, self.value[-1].replicate(POOLED_BITS - VALUE_BITS))

        def chosen(bits: Value, is_chosen: Value) -> Value:
            return bits & is_chosen.replicate(POOLED_BITS)

        m.d.comb += [
            self.joined.eq(
                chosen(total[:POOLED_BITS], way.adds)
                | chosen(value, is_value)
                | chosen(Value.cast(held).as_unsigned(), is_held)
            ),
            self.pooled.eq(pooled),
        ]
        return m
