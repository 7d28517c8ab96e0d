"""Lookup walk: when the lanes read thresholds and tables, and when the codes of a beat are there."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, bits_for
from spinplane.machine.output_stage import MOST_SEARCH_READS, SEARCH_NODES

from ..common.descriptor import DESCRIPTOR
from .activation import LANE_CONFIGURATION
from .arithmetic import wire
from .turn import beat_layout

_CYCLE_BITS = bits_for(2 * (MOST_SEARCH_READS + 1) - 1)


class LookupWalk(wiring.Component):
    """A read every 2 cycles from `begins` on: those of the search, then that of the table.

    Latency: `ends` 2 cycles after `begins` for each read, in the same cycle if there is none. Throughput: a beat may
    begin in the cycle before the one in which the beat before it ends.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant from the first beat to the last code.
    next_begins : In(1)
        A beat begins in the next cycle.
    beat : In(beat_layout(machine))
        Looked at with `begins`.
    begins : Out(1)
    has_begun : Out(1)
        A beat has begun in the cycle before, or none searches.
    looks, looks_up : Out(1)
        The lanes read a word of thresholds, or of a table.
    read_beat : Out(beat_layout(machine))
        The beat that these reads are for.
    ends : Out(1)
    ended_beat : Out(beat_layout(machine))
        The beat whose codes are there.
    wakes : Out(1)
        A beat begins in the next cycle, or has not ended before this one.
    configuration : Out(LANE_CONFIGURATION)
        What lanes do in the pass.
    """

    layer: data.View
    next_begins: Signal
    beat: data.View
    begins: Signal
    has_begun: Signal
    looks: Signal
    looks_up: Signal
    read_beat: data.View
    ends: Signal
    ended_beat: data.View
    wakes: Signal
    configuration: data.View

    def __init__(self, machine: Machine) -> None:
        beat = beat_layout(machine)
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "next_begins": In(1),
                "beat": In(beat),
                "begins": Out(1),
                "has_begun": Out(1),
                "looks": Out(1),
                "looks_up": Out(1),
                "read_beat": Out(beat),
                "ends": Out(1),
                "ended_beat": Out(beat),
                "wakes": Out(1),
                "configuration": Out(LANE_CONFIGURATION),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer, beat = self.layer, self.beat.shape()
        lookups = layer.search_reads + layer.table
        last = wire(m, "last", ((lookups << 1) - 1)[:_CYCLE_BITS])
        cycle = Signal(_CYCLE_BITS)
        works = Signal()
        ends_soon = Signal()
        has_ended = Signal()
        reading = Signal(beat, reset_less=True)
        read = Signal(beat, reset_less=True)
        # Of the next cycle: what lanes are told comes out of registers.
        next_cycle = wire(m, "next_cycle", Mux(self.next_begins, 0, cycle + 1)[:_CYCLE_BITS])
        next_works = wire(m, "next_works", Mux(self.next_begins, lookups != 0, works & (cycle != last)))
        reads = next_works & ~next_cycle[0]
        m.d.sync += [
            self.begins.eq(self.next_begins),
            self.has_begun.eq(self.begins | (layer.search_reads == 0)),
            cycle.eq(next_cycle),
            works.eq(next_works),
            self.looks.eq(reads & (next_cycle >> 1 < layer.search_reads)),
            self.looks_up.eq(reads & (next_cycle >> 1 == layer.search_reads)),
            # The next beat may have begun when this one ends.
            ends_soon.eq(works & (cycle + 1 == last)),
            has_ended.eq(ends_soon),
            read.eq(reading),
        ]
        with m.If(self.begins):
            m.d.sync += reading.eq(self.beat)
        m.d.comb += [
            self.read_beat.eq(Mux(self.begins, self.beat, reading)),
            self.ends.eq(Mux(lookups == 0, self.begins, has_ended)),
            self.ended_beat.eq(Mux(lookups == 0, self.beat, read)),
            self.wakes.eq(self.next_begins | self.begins | works | self.ends),
        ]
        self._configure(m)
        return m

    def _configure(self, m: Module) -> None:
        layer, configuration = self.layer, self.configuration
        nodes = [1, *(5 * node + 1 for node in SEARCH_NODES)]
        passed = Signal(range(nodes[-1] + 1), name="nodes_passed")
        with m.Switch(layer.search_reads):
            for reads, number in enumerate(nodes):
                with m.Case(reads):
                    m.d.comb += passed.eq(number)
        doubles = layer.level_shift & ~layer.table
        zero = Mux(layer.table, 0, layer.out_zero >> doubles)
        m.d.comb += [
            configuration.raw.eq(layer.raw),
            configuration.searches.eq(~layer.multiplies),
            configuration.compares.eq(layer.search_reads != 0),
            configuration.table.eq(layer.table),
            configuration.table_offset.eq(layer.table_offset),
            configuration.has_bounds.eq(~layer.own_code),
            configuration.rises.eq(zero - passed + Mux(layer.own_code, layer.total_low, 0)),
            configuration.falls.eq(zero + passed + Mux(layer.own_code, layer.total_high, 0)),
            configuration.doubles.eq(doubles),
            configuration.is_odd.eq(layer.out_zero[0]),
        ]
