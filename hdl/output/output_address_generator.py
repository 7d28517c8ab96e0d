"""Output address generator: the bit address of each beat that is written or read in a map of outputs."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine

from .arithmetic import wire
from .cluster_steps import cluster_steps_layout
from .map_address import added, map_address_bits, map_steps_layout, narrowed
from .turn import ENDS


class OutputAddressGenerator(wiring.Component):
    """base + first_bit + oy · line_bits + ox · pixel_bits + channel beat · beat_bits, beat after beat.

    Where slots have places apart, beats of the same sub-arrays lie slot_bits apart, and the next ones beat_bits behind
    the first of them. It adds to saved positions, with one adder for those of regions and one for those of channels.

    Latency: the address of the first beat is there 1 cycle after `start`. Throughput: one beat a cycle.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    steps : In(map_steps_layout())
        Held constant from `start` until the last beat.
    cluster_steps : In(cluster_steps_layout(machine))
        Looked at when a cluster of several ends.
    start : In(1)
        Begins a pass, also in the middle of one.
    next : In(1)
        On to the next beat.
    ends : In(ENDS)
        The loops that this beat ends.
    address : Out(map_address_bits(machine))
        Of this beat.
    active : Out(1)
        While it is low no flip-flop changes.
    """

    steps: data.View
    cluster_steps: data.View
    start: Signal
    next: Signal
    ends: data.View
    address: Signal
    active: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "steps": In(map_steps_layout()),
                "cluster_steps": In(cluster_steps_layout(machine)),
                "start": In(1),
                "next": In(1),
                "ends": In(ENDS),
                "address": Out(map_address_bits(machine)),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ends, bits = self.ends, len(self.address)
        base, first_bit, line_bits, pixel_bits, beat_bits, slot_bits = (
            narrowed(self.steps[name], bits)
            for name in ("base", "first_bit", "line_bits", "pixel_bits", "beat_bits", "slot_bits")
        )
        # A start ends all loops, and leads to the base.
        ends_window, ends_row = self.start | ends.window, self.start | (ends.window & ends.column)
        ends_kernel_tile = self.start | ends.kernel_tile

        def position(name: str) -> Signal:
            return Signal.like(self.address, name=name, reset_less=True)

        # Of the row of regions, the region, its line of clusters, the cluster.
        row, region, line, cluster = (position(name) for name in ("row", "region", "line", "cluster"))
        origin = Mux(ends.column, row, region)
        origin = Mux(ends.window, origin, Mux(ends.line, line, cluster))
        distance = Mux(ends.column, line_bits, pixel_bits)
        distance = Mux(
            ends.window, distance, Mux(ends.line, self.cluster_steps.lines, self.cluster_steps.pixels)
        )
        moved = wire(
            m, "moved", Mux(self.start, base, added(wire(m, "origin", origin), wire(m, "distance", distance)))
        )
        with m.If(self.start | (self.next & ends.cluster)):
            m.d.sync += cluster.eq(Mux(ends_kernel_tile & ~ends_window, region, moved))
            with m.If(ends_kernel_tile | ends.line):
                m.d.sync += line.eq(Mux(ends_kernel_tile & ~ends_window, region, moved))
            with m.If(ends_window):
                m.d.sync += region.eq(moved)
            with m.If(ends_row):
                m.d.sync += row.eq(moved)

        # Every cluster of a kernel tile begins at the kernel tile's first channel.
        beat, group, kernel_tile = position("beat"), position("group"), position("kernel_tile")
        ends_group = self.start | ends.slots
        further = added(
            wire(m, "beside", Mux(ends_group, group, beat)),
            wire(m, "step", Mux(ends_group, beat_bits, slot_bits)),
        )
        following = wire(m, "following", Mux(ends_window, first_bit, further))
        restarts = ends.cluster & ~ends_kernel_tile
        with m.If(self.start | self.next):
            m.d.sync += beat.eq(Mux(restarts, kernel_tile, following))
            with m.If(ends_group):
                m.d.sync += group.eq(Mux(restarts, kernel_tile, following))
            with m.If(ends_kernel_tile):
                m.d.sync += kernel_tile.eq(following)
        m.d.comb += [self.address.eq(added(cluster, beat)), self.active.eq(self.start | self.next)]
        return m
