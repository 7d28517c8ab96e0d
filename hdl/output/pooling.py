"""Pooling: sums of a region's windows become one, beat by beat."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, bits_for
from spinplane.machine.descriptor import Pool
from spinplane.machine.output_stage import POOLED_BITS, VALUE_BITS

from ..common.bank import Bank
from ..common.verilog import place
from .pool_lane import POOL_WAY, PoolLane


class Pooling(wiring.Component):
    """Sum, maximum or minimum of each lane over the windows of a region, kept at the beat's place in a window.

    An inner beat that counts is joined with what the memory holds and kept; one that does not count leaves it alone.
    An outer beat gives the joined value: what the memory holds if it does not count, and 0 if nothing does. With
    ``NONE`` it gives its own value and the memory is not touched.

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
    active : Out(1)
        While it is low no flip-flop changes, and the memory is not used.
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
    active: Signal

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
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        memory = place(m, platform, "pool_bank", Bank(self.machine.pool_beats, self.pooled.shape().size))
        pools = self.mode != Pool.NONE.value

        # The read.
        keeps = Signal()
        taken = Signal()
        same = Signal()
        address = Signal.like(self.address, name="joined_address", reset_less=True)
        joins = self.in_valid & pools & self.counts & self.seen
        is_max = self.mode == Pool.MAX.value
        way = Signal(POOL_WAY)
        m.d.comb += [
            memory.read.enable.eq(self.in_valid & self.seen & pools),
            memory.read.address.eq(self.address),
            same.eq(keeps & (address == self.address)),
            # Between beats the pooled sums are passed on to themselves.
            way.passes_on.eq(~self.in_valid | same),
            way.adds.eq(joins & ~is_max),
            way.compares.eq(joins & is_max),
            way.takes_value.eq(self.in_valid & (~pools | (self.counts & ~self.seen))),
            way.takes_held.eq(~self.in_valid | (pools & ~self.counts & self.seen)),
            self.active.eq(self.in_valid | taken),
        ]
        m.d.sync += [
            keeps.eq(self.in_valid & pools & self.counts & ~self.outer),
            taken.eq(self.in_valid),
        ]
        with m.If(self.in_valid):
            m.d.sync += address.eq(self.address)

        # The join.
        joined = Signal(self.pooled.shape())
        for lane in range(self.machine.results_per_cycle):
            unit = place(m, platform, f"pool_lane_{lane}", PoolLane())
            m.d.comb += [
                unit.way.eq(way),
                unit.value.eq(self.values[lane]),
                unit.least.eq(self.least[lane]),
                unit.stored.eq(memory.read.data.word_select(lane, POOLED_BITS)),
                joined[lane].eq(unit.joined),
                self.pooled[lane].eq(unit.pooled),
            ]
        m.d.comb += [
            memory.write.enable.eq(keeps),
            memory.write.address.eq(address),
            memory.write.data.eq(joined),
            memory.write.mask.eq(~0),
        ]
        return m
