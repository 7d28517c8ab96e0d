"""Scale reader: brings the scales of the lanes that have their turn, each number to the stage that needs it."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import SCALE_FIELDS

from ..common.beat import SCALE_PARTS, scales_layout
from ..common.channel_bank import field_parts, part_reads
from ..common.descriptor import DESCRIPTOR
from .arithmetic import register, wire
from .scaler import SCALE_STAGES
from .turn import turns_layout

_WORD_BITS = 17


def scale_channels(machine: Machine) -> int:
    """Channels of a word of the scales' memories: one for each multiplier, or as many as the bus writes at once."""
    return max(machine.multipliers, machine.bus_bits // CHANNEL_BITS)


def scale_words(machine: Machine) -> int:
    """Words of the scales' memories."""
    return machine.parameter_beats * machine.results_per_cycle // scale_channels(machine)


def scale_reads(machine: Machine) -> wiring.Signature:
    """Reads of the parts of scales."""
    channels = scale_channels(machine)
    return part_reads(scale_words(machine), field_parts(SCALE_FIELDS, SCALE_PARTS, channels))


def turn_scales_layout(machine: Machine) -> data.StructLayout:
    """Parts of the scales of a turn, of the channel of each multiplier."""
    return data.StructLayout({part: scales_layout(part, machine.multipliers) for part in SCALE_PARTS})


class ScaleReader(wiring.Component):
    """Reads a part in the cycle before its stage, from a memory whose words hold the channels of a turn.

    Latency: none from a memory's data to the scales. Throughput: one turn a cycle; nothing holds it up.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant from the first turn to the last.
    turns : In(turns_layout(machine))
    reads : Out(scale_reads(machine))
    scales : Out(turn_scales_layout(machine))
        Each part of the turn in its stage of `spinplane.hdl.output.scaler.SCALE_STAGES`.
    read : Out(1)
        A beat's first scales are read.
    beyond : Out(1)
        A beat's word of scales does not exist.
    """

    layer: data.View
    turns: data.View
    reads: wiring.PureInterface
    scales: data.View
    read: Signal
    beyond: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "turns": In(turns_layout(machine)),
                "reads": Out(scale_reads(machine)),
                "scales": Out(turn_scales_layout(machine)),
                "read": Out(1),
                "beyond": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        machine, layer = self.machine, self.layer
        # Words of parameters and of scales are as far apart for all beats.
        ahead = register(m, "ahead", (layer.scale_base - layer.parameter_base)[:_WORD_BITS]).as_signed()
        channels = scale_channels(machine)
        log_turns = (channels // machine.multipliers - 1).bit_length()
        for part, stage in SCALE_STAGES.items():
            turn, read = self.turns[stage - 1], getattr(self.reads, part)
            word = wire(m, f"{part}_word", (turn.beat.word + ahead)[:_WORD_BITS])
            # A word holds the channels of one turn, or of several.
            m.d.comb += [read.enable.eq(turn.valid), read.address.eq(Cat(turn.lane[log_turns:], word))]
            held = data.View(scales_layout(part, channels), read.data)
            number = self.turns[stage].lane[:log_turns] if log_turns else Const(0)
            with m.Switch(number):
                for at in range(1 << log_turns):
                    with m.Case(at):
                        m.d.comb += [
                            self.scales[part][multiplier].eq(held[at * machine.multipliers + multiplier])
                            for multiplier in range(machine.multipliers)
                        ]
            if part == "products":
                is_there = word < machine.parameter_beats
                opens = turn.valid & turn.opens
                m.d.comb += [
                    read.enable.eq(turn.valid & is_there),
                    self.read.eq(opens & is_there),
                    self.beyond.eq(opens & ~is_there),
                ]
        return m
