"""Pooling: values of a region's windows become one, beat by beat."""

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, bits_for
from spinplane.machine.activation import POOLED_BITS, PRODUCT_BITS
from spinplane.machine.descriptor import PoolAt

from ..common.bank import Bank
from ..common.verilog import place


class Pooling(wiring.Component):
    """Sum, maximum or minimum of each lane over the windows of a region, kept at the beat's place in a window.

    An inner beat that counts is joined with what the memory holds and kept; one that does not count leaves it alone.
    An outer beat gives the joined value: what the memory holds if it does not count, and 0 if nothing does. With
    ``NONE`` it gives its own value and the memory is not touched.

    Latency: `LATENCY` = 2 cycles, the read and the join. Throughput: one beat a cycle, at equal addresses too: what
    was joined the cycle before is passed on around the memory.

    Parameters
    ----------
    machine : Machine
        Its ``pool_beats`` words of 63 bits for each of ``results_per_cycle`` lanes.

    Members
    -------
    mode : In(2)
        Value of a `spinplane.machine.descriptor.PoolAt`. Held constant from the first beat to the last result.
    in_valid : In(1)
    address : In(bits_for(pool_beats - 1))
        The beat's place in its window.
    counts : In(1)
        Its window is one of the map.
    seen : In(1)
        A window of the region counted before, so that the memory holds a value.
    outer : In(1)
        Its window is the region's last.
    values : In(ArrayLayout(signed(56), results_per_cycle))
    negative : In(results_per_cycle)
        Lanes whose multiplier is negative: with ``MAX_BEFORE`` the least value is theirs.
    out_valid : Out(1)
        For outer beats alone.
    pooled : Out(ArrayLayout(signed(63), results_per_cycle))
        Stays until the next one.
    """

    LATENCY = 2

    mode: Signal
    in_valid: Signal
    address: Signal
    counts: Signal
    seen: Signal
    outer: Signal
    values: data.View
    negative: Signal
    out_valid: Signal
    pooled: data.View

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        lanes = machine.results_per_cycle
        super().__init__(
            {
                "mode": In(2),
                "in_valid": In(1),
                "address": In(bits_for(machine.pool_beats - 1)),
                "counts": In(1),
                "seen": In(1),
                "outer": In(1),
                "values": In(data.ArrayLayout(signed(PRODUCT_BITS), lanes)),
                "negative": In(lanes),
                "out_valid": Out(1),
                "pooled": Out(data.ArrayLayout(signed(POOLED_BITS), lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = self.pooled.shape()
        memory = place(m, platform, "pool_bank", Bank(self.machine.pool_beats, word.size))
        uses_memory = self.mode != PoolAt.NONE.value

        # The read.
        valid, counts, seen, outer, passed_on = Signal(), Signal(), Signal(), Signal(), Signal()
        address = Signal.like(self.address, name="joined_address", reset_less=True)
        values = Signal.like(self.values, name="read_values", reset_less=True)
        negative = Signal.like(self.negative, name="read_negative", reset_less=True)
        m.d.comb += [
            memory.read.enable.eq(self.in_valid & self.seen & uses_memory),
            memory.read.address.eq(self.address),
        ]
        m.d.sync += [
            valid.eq(self.in_valid),
            counts.eq(self.counts),
            seen.eq(self.seen),
            outer.eq(self.outer),
            address.eq(self.address),
            passed_on.eq(memory.write.enable & (address == self.address)),
            values.eq(self.values),
            negative.eq(self.negative),
        ]

        # The join.
        held, joined = Signal(word), Signal(word)
        kept = Signal(word, reset_less=True)
        m.d.comb += Value.cast(held).eq(Mux(passed_on, kept, memory.read.data))
        for lane, value in enumerate(values):
            m.d.comb += joined[lane].eq(
                Mux(
                    uses_memory & ~(counts & ~seen),
                    Mux(counts, self._join(held[lane], value, negative[lane]), Mux(seen, held[lane], 0)),
                    value,
                )
            )
        m.d.comb += [
            memory.write.enable.eq(valid & uses_memory & counts & ~outer),
            memory.write.address.eq(address),
            memory.write.data.eq(joined),
            memory.write.mask.eq(~0),
        ]
        pooled = Signal(word, reset_less=True)
        m.d.sync += [kept.eq(joined), self.out_valid.eq(valid & outer)]
        with m.If(valid & outer):
            m.d.sync += pooled.eq(joined)
        m.d.comb += self.pooled.eq(pooled)
        return m

    def _join(self, held: Value, value: Value, negative: Value) -> Value:
        """Of two values of a lane."""
        wants_least = (self.mode == PoolAt.MAX_BEFORE.value) & negative
        chosen = Mux((value > held) ^ wants_least, value, held)
        return Mux(self.mode == PoolAt.SUM.value, held + value, chosen)
