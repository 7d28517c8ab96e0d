"""Lookup walk: when the lanes read thresholds and tables, and when the codes of a beat are there."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine
from spinplane.machine.output_stage import MOST_SEARCH_READS

from ..common.descriptor import DESCRIPTOR
from .turn import beat_layout


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
    begins : In(1)
    beat : In(beat_layout(machine))
        Looked at with `begins`.
    looks, looks_up : Out(1)
        The lanes read a word of thresholds, or of a table.
    read_beat : Out(beat_layout(machine))
        The beat that these reads are for.
    ends : Out(1)
    ended_beat : Out(beat_layout(machine))
        The beat whose codes are there.
    """

    layer: data.View
    begins: Signal
    beat: data.View
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
                "begins": In(1),
                "beat": In(beat),
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
        last = Signal(range(2 * (MOST_SEARCH_READS + 1)))
        cycle, waiting, ends_next, ends_later = Signal.like(last), Signal.like(last), Signal(), Signal()
        active, works = Signal(), Signal()
        reading, read = Signal(beat, reset_less=True), Signal(beat, reset_less=True)
        step = cycle >> 1
        m.d.comb += [
            last.eq((lookups << 1) - 1),
            works.eq((self.begins & (lookups != 0)) | active),
            cycle.eq(Mux(self.begins, 0, waiting)),
            # The next beat may have begun.
            ends_next.eq(active & (waiting == last)),
            self.looks.eq(works & ~cycle[0] & (step < layer.search_reads)),
            self.looks_up.eq(works & ~cycle[0] & (step == layer.search_reads)),
            self.read_beat.eq(Mux(self.begins, self.beat, reading)),
            self.ends.eq(Mux(lookups == 0, self.begins, ends_later)),
            self.ended_beat.eq(Mux(lookups == 0, self.beat, read)),
        ]
        m.d.sync += [
            waiting.eq(cycle + 1),
            active.eq(self.begins & (lookups != 0) | active & ~ends_next),
            ends_later.eq(ends_next),
            read.eq(reading),
        ]
        with m.If(self.begins):
            m.d.sync += reading.eq(self.beat)
        return m
