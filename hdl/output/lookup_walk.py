"""Lookup walk: when the lanes read thresholds and tables, and when the codes of a beat are there."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, bits_for
from spinplane.machine.output_stage import MOST_SEARCH_READS

from ..common.descriptor import DESCRIPTOR
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
    looks, looks_up : Out(1)
        The lanes read a word of thresholds, or of a table.
    read_beat : Out(beat_layout(machine))
        The beat that these reads are for.
    ends : Out(1)
    ended_beat : Out(beat_layout(machine))
        The beat whose codes are there.
    """

    layer: data.View
    next_begins: Signal
    beat: data.View
    begins: Signal
    looks: Signal
    looks_up: Signal
    read_beat: data.View
    ends: Signal
    ended_beat: data.View

    def __init__(self, machine: Machine) -> None:
        beat = beat_layout(machine)
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "next_begins": In(1),
                "beat": In(beat),
                "begins": Out(1),
                "looks": Out(1),
                "looks_up": Out(1),
                "read_beat": Out(beat),
                "ends": Out(1),
                "ended_beat": Out(beat),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer, beat = self.layer, self.beat.shape()
        lookups = layer.search_reads + layer.table
        last = wire(m, "last", ((lookups << 1) - 1)[:_CYCLE_BITS])
        cycle, works, ends_soon, has_ended = Signal(_CYCLE_BITS), Signal(), Signal(), Signal()
        reading, read = Signal(beat, reset_less=True), Signal(beat, reset_less=True)
        # Of the next cycle: what lanes are told comes out of registers.
        next_cycle = wire(m, "next_cycle", Mux(self.next_begins, 0, cycle + 1)[:_CYCLE_BITS])
        next_works = wire(m, "next_works", Mux(self.next_begins, lookups != 0, works & (cycle != last)))
        reads = next_works & ~next_cycle[0]
        m.d.sync += [
            self.begins.eq(self.next_begins),
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
        ]
        return m
