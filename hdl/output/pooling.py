"""Pooling: sums of a region's windows become one, beat by beat."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, bits_for
from spinplane.machine.descriptor import Pool
from spinplane.machine.output_stage import POOLED_BITS, VALUE_BITS

from ..common.bank import Bank
from ..common.verilog import place


class Pooling(wiring.Component):
    """Sum, maximum or minimum of each lane over the windows of a region, kept at the beat's place in a window.

    An inner beat that counts is joined with what the memory holds and kept; one that does not count leaves it alone.
    An outer beat gives the joined value: what the memory holds if it does not count, and 0 if nothing does. With
    ``NONE`` it gives its own value and the memory is not touched.

    A lane has one adder, which adds, or subtracts to compare.

    Latency: `LATENCY` = 2 cycles, the read and the join; values and `least` come with the join, `VALUE_DELAY` = 1 cycle
    after their beat. Throughput: one beat a cycle, at equal addresses too: what was joined the cycle before is passed
    on around the memory.

    Parameters
    ----------
    machine : Machine
        Its ``pool_beats`` words of 36 bits for each of ``results_per_cycle`` lanes.

    Members
    -------
    mode : In(2)
        Value of a `spinplane.machine.descriptor.Pool`. Held constant from the first beat to the last result.
    in_valid : In(1)
    address : In(bits_for(pool_beats - 1))
        The beat's place in its window.
    counts : In(1)
        Its window is one of the map.
    seen : In(1)
        A window of the region counted before, so that the memory holds a value.
    outer : In(1)
        Its window is the region's last.
    values : In(ArrayLayout(signed(32), results_per_cycle))
    least : In(results_per_cycle)
        Lanes that take the least value with ``MAX``.
    pooled : Out(ArrayLayout(signed(36), results_per_cycle))
        Of an outer beat; stays until the next beat's.
    """

    LATENCY = 2
    VALUE_DELAY = 1

    mode: Signal
    in_valid: Signal
    address: Signal
    counts: Signal
    seen: Signal
    outer: Signal
    values: data.View
    least: Signal
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
                "values": In(data.ArrayLayout(signed(VALUE_BITS), lanes)),
                "least": In(lanes),
                "pooled": Out(data.ArrayLayout(signed(POOLED_BITS), lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory = place(m, platform, "pool_bank", Bank(self.machine.pool_beats, self.pooled.shape().size))
        pools = self.mode != Pool.NONE.value

        # The read.
        keeps, passed_on = Signal(), Signal()
        adds, compares, takes_value, takes_held = Signal(), Signal(), Signal(), Signal()
        address = Signal.like(self.address, name="joined_address", reset_less=True)
        joins = self.in_valid & pools & self.counts & self.seen
        is_max = self.mode == Pool.MAX.value
        m.d.comb += [
            memory.read.enable.eq(self.in_valid & self.seen & pools),
            memory.read.address.eq(self.address),
        ]
        m.d.sync += [
            keeps.eq(self.in_valid & pools & self.counts & ~self.outer),
            address.eq(self.address),
            # Between beats the pooled sums are passed on to themselves.
            passed_on.eq(~self.in_valid | (keeps & (address == self.address))),
            adds.eq(joins & ~is_max),
            compares.eq(joins & is_max),
            takes_value.eq(self.in_valid & (~pools | (self.counts & ~self.seen))),
            takes_held.eq(~self.in_valid | (pools & ~self.counts & self.seen)),
        ]

        # The join.
        joined = Signal(self.pooled.shape())
        pooled = Signal(self.pooled.shape(), reset_less=True)
        for lane, value in enumerate(self.values):
            held = Signal(signed(POOLED_BITS), name=f"held_{lane}")
            total = Signal(signed(POOLED_BITS + 1), name=f"total_{lane}")
            is_value, is_held = Signal(name=f"is_value_{lane}"), Signal(name=f"is_held_{lane}")
            stored = memory.read.data.word_select(lane, POOLED_BITS).as_signed()
            # Held − value − 1 to compare: its sign says whether the value is not less.
            wants_value = total[-1] ^ self.least[lane]
            m.d.comb += [
                held.eq(Mux(passed_on, pooled[lane], stored)),
                total.eq(held + (value.as_unsigned() ^ compares.replicate(VALUE_BITS)).as_signed()),
                is_value.eq(takes_value | (compares & wants_value)),
                is_held.eq(takes_held | (compares & ~wants_value)),
                joined[lane].eq(
                    (total[:POOLED_BITS] & adds.replicate(POOLED_BITS))
                    | (
                        Cat(value, value[-1].replicate(POOLED_BITS - VALUE_BITS))
                        & is_value.replicate(POOLED_BITS)
                    )
                    | (Value.cast(held) & is_held.replicate(POOLED_BITS))
                ),
            ]
        m.d.sync += pooled.eq(joined)
        m.d.comb += [
            memory.write.enable.eq(keeps),
            memory.write.address.eq(address),
            memory.write.data.eq(joined),
            memory.write.mask.eq(~0),
            self.pooled.eq(pooled),
        ]
        return m
