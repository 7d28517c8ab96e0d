"""The output stage: results become the codes of the next layer's input, in the image bank."""

from amaranth.hdl import Array, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import Machine
from spinplane.machine.descriptor import Pool
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import RAW_BITS
from spinplane.machine.registers import Error

from ..common.bank import bank_read, bank_write, wide_read
from ..common.beat import result_beat_layout, window_sums_layout
from ..common.descriptor import DESCRIPTOR
from ..common.verilog import place
from .arithmetic import register, wire
from .beat_walk import BeatWalk
from .cluster_steps import ClusterSteps
from .dpu import Dpu, parameter_reads
from .output_address_generator import OutputAddressGenerator
from .output_packer import OutputPacker
from .residual_loader import ResidualLoader
from .scale_reader import scale_reads


def output_stage_events() -> data.StructLayout:
    """What happens in a cycle: ``parameter_read`` counts words of parameters, scales, thresholds and tables."""
    return data.StructLayout({"image_write": 1, "residual_read": 1, "parameter_read": 2})


class OutputStage(wiring.Component):
    """Takes beats of results in the order of the loops, and writes the codes of regions into the image bank.

    An inner beat is taken in 1 cycle, an outer one in ``interval`` cycles; behind that nothing stalls. A beat waits
    for its window's sum.

    Latency: from the last beat to its last write ``last_write_cycles`` of `spinplane.machine.passes.Pass`, whether it
    is written or not. The first beat is taken `BeatWalk.LATENCY` = 12 cycles after `start` or later.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant from `start` until `busy` falls.
    start : In(1)
        Begins a pass; clears `error`.
    busy : Out(1)
        From the cycle after `start` to that of the last write.
    results : In(stream.Signature(result_beat_layout(machine)))
        The walk tells where a beat stands.
    sums : In(stream.Signature(window_sums_layout(machine)))
        Those of a window stay until its last beat is taken.
    parameters : Out(parameter_reads(machine))
    scales : Out(scale_reads(machine))
    thresholds : Out(bank_read(threshold_beats, 128)).array(results_per_cycle)
    residual : Out(wide_read(columns))
        Of the image bank.
    write : Out(bank_write(image_words, columns))
        Of the image bank.
    events : Out(output_stage_events())
    error : Out(8)
        `spinplane.machine.registers.Error`, held until the next start or reset. It shows while `busy` is high. No
        beat is taken any more, and what does not fit is not written.
        ``IMAGE_BANK`` for a beat to write or a residual that is not all in the bank, or a beat that does not stand at
        a multiple of the bits of a write; ``PARAMETER_BANK`` for a word beyond the parameters, scales or thresholds, or
        a window of more than ``pool_beats`` beats where there is pooling.
    """

    layer: data.View
    start: Signal
    busy: Signal
    results: stream.Interface
    sums: stream.Interface
    parameters: wiring.PureInterface
    scales: wiring.PureInterface
    thresholds: list[wiring.PureInterface]
    residual: wiring.PureInterface
    write: wiring.PureInterface
    events: data.View
    error: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        thresholds = Out(bank_read(machine.threshold_beats, CHANNEL_BITS))
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "start": In(1),
                "busy": Out(1),
                "results": In(stream.Signature(result_beat_layout(machine))),
                "sums": In(stream.Signature(window_sums_layout(machine))),
                "parameters": Out(parameter_reads(machine)),
                "scales": Out(scale_reads(machine)),
                "thresholds": thresholds.array(machine.results_per_cycle),
                "residual": Out(wide_read(machine.columns)),
                "write": Out(bank_write(machine.image_words, machine.columns)),
                "events": Out(output_stage_events()),
                "error": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer = self.layer
        self._lanes = place(m, platform, "dpu", Dpu(self.machine))
        self._walk = place(m, platform, "beat_walk", BeatWalk(self.machine))
        m.d.comb += [self._lanes.layer.eq(layer), self._walk.layer.eq(layer), self._walk.start.eq(self.start)]
        for name in ("parameters", "scales"):
            wiring.connect(m, getattr(self._lanes, name), wiring.flipped(getattr(self, name)))
        for inside, outside in zip(self._lanes.thresholds, self.thresholds, strict=True):
            wiring.connect(m, inside, wiring.flipped(outside))

        self._cluster_steps = place(m, platform, "cluster_steps", ClusterSteps(self.machine))
        m.d.comb += [
            self._cluster_steps.start.eq(self.start),
            self._cluster_steps.last_row.eq(layer.region_rows),
            self._cluster_steps.last_column.eq(layer.region_columns),
        ]
        beyond_banks = self._take(m)
        beyond_image = self._read_residuals(m, platform)
        does_not_fit = self._write(m, platform)

        with m.If(self.start):
            m.d.sync += self.error.eq(Error.NONE.value)
        with m.Elif(self.error == Error.NONE.value):
            with m.If(does_not_fit | beyond_image):
                m.d.sync += self.error.eq(Error.IMAGE_BANK.value)
            with m.Elif(beyond_banks | self._lanes.beyond):
                m.d.sync += self.error.eq(Error.PARAMETER_BANK.value)
        m.d.comb += [
            self.events.image_write.eq(self.write.enable),
            self.events.residual_read.eq(self.residual.enable),
            self.events.parameter_read.eq(self._lanes.in_valid + self._lanes.reads),
        ]
        return m

    def _take(self, m: Module) -> Value:
        """The beat and its sum into the lanes; returns whether it is beyond a bank."""
        machine, layer, lanes, position = self.machine, self.layer, self._lanes, self._walk.position
        takes = self._takes = Signal(name="takes")
        m.d.comb += [
            self.results.ready.eq(self._walk.ready & self.sums.valid & (self.error == Error.NONE.value)),
            takes.eq(self.results.ready & self.results.valid),
            self._walk.take.eq(takes),
            self.sums.ready.eq(takes & position.ends.window),
        ]
        buses = exact_log2(machine.row_buses)
        bus = Signal(range(machine.row_buses))
        for log_clusters in range(buses + 1):
            with m.If(layer.log_clusters == log_clusters):
                m.d.comb += bus.eq(position.cluster << (buses - log_clusters))
        beat = lanes.beat
        in_bank = wire(m, "word_is_there", position.word != machine.parameter_beats)
        m.d.comb += [
            lanes.in_valid.eq(takes & in_bank),
            beat.values.eq(self.results.payload),
            beat.window_sum.eq(Array(self.sums.payload)[bus]),
            beat.pool.eq(position.pool),
            beat.counts.eq(position.counts),
            beat.seen.eq(position.seen),
            beat.outer.eq(position.outer),
            beat.beat.word.eq(position.word),
            beat.beat.written.eq(position.written),
            beat.beat.ends.eq(position.ends),
            beat.beat.ends_pass.eq(position.ends_pass),
        ]
        no_room = (layer.pool != Pool.NONE.value) & (position.pool == machine.pool_beats)
        return takes & (~in_bank | no_room)

    def _read_residuals(self, m: Module, platform: object) -> Value:
        """Residuals of the beat that is taken; returns whether they are beyond the bank."""
        layer, lanes, position = self.layer, self._lanes, self._walk.position
        reader = place(m, platform, "residual_loader", ResidualLoader(self.machine))
        addresses = place(m, platform, "output_address_generator_0", OutputAddressGenerator(self.machine))
        wiring.connect(m, reader.read, wiring.flipped(self.residual))
        takes = self._takes & position.outer
        taken = Signal()
        m.d.sync += taken.eq(takes)
        steps = addresses.steps
        m.d.comb += [
            steps.base.eq(layer.residual_base),
            steps.line_bits.eq(layer.residual_line_bits),
            steps.pixel_bits.eq(layer.residual_pixel_bits),
            steps.beat_bits.eq(self.machine.results_per_cycle),
            steps.slot_bits.eq(layer.slot_beats * self.machine.results_per_cycle),
            self._cluster_steps.maps[0].eq(steps),
            addresses.cluster_steps.eq(self._cluster_steps.steps[0]),
            addresses.start.eq(self.start),
            # Residuals are read in two cycles a beat at least.
            addresses.next.eq(taken),
            addresses.ends.eq(register(m, "taken_ends", position.ends.as_value())),
            reader.last_plane.eq(layer.residual_planes),
            reader.plane_bits.eq(layer.residual_plane_bits),
            reader.start.eq(takes & layer.residual),
            reader.skip.eq(~position.written),
            reader.address.eq(addresses.address),
            lanes.residuals.eq(reader.residuals),
        ]
        return reader.beyond

    def _write(self, m: Module, platform: object) -> Value:
        """The lanes' codes or values; returns whether they do not fit in the bank."""
        machine, layer, lanes = self.machine, self.layer, self._lanes
        packer = place(m, platform, "output_packer", OutputPacker(machine.results_per_cycle, machine.columns))
        addresses = place(m, platform, "output_address_generator_1", OutputAddressGenerator(machine))
        steps, beat = addresses.steps, lanes.out_beat
        fits = self._fits(m, addresses.address)
        slot_bits = layer.slot_beats * machine.results_per_cycle
        is_written = wire(m, "is_written", lanes.out_valid & beat.written)
        m.d.comb += [
            steps.base.eq(layer.out_base),
            steps.first_bit.eq(layer.out_first_bit),
            steps.line_bits.eq(layer.out_line_bits),
            steps.pixel_bits.eq(layer.out_pixel_bits),
            steps.beat_bits.eq(layer.out_beat_bits),
            steps.slot_bits.eq(Mux(layer.raw, slot_bits * RAW_BITS, slot_bits)),
            self._cluster_steps.maps[1].eq(steps),
            addresses.cluster_steps.eq(self._cluster_steps.steps[1]),
            addresses.start.eq(self.start),
            addresses.next.eq(lanes.out_valid),
            addresses.ends.eq(beat.ends),
            packer.raw.eq(layer.raw),
            packer.last_plane.eq(layer.out_planes),
            packer.line_bits.eq(layer.out_plane_bits),
            packer.in_valid.eq(lanes.out_valid),
            packer.written.eq(is_written & fits & (self.error == Error.NONE.value)),
            packer.address.eq(addresses.address),
            packer.codes.eq(lanes.codes),
            packer.values.eq(lanes.values),
            self.write.enable.eq(packer.write_valid),
            self.write.address.eq(packer.word),
            self.write.data.eq(packer.data),
            self.write.mask.eq(packer.mask),
        ]
        ends_pass = Signal()
        with m.If(lanes.out_valid):
            m.d.sync += ends_pass.eq(beat.ends_pass)
        with m.If(self.start):
            m.d.sync += [self.busy.eq(1), ends_pass.eq(0)]
        with m.Elif(packer.last & ends_pass):
            m.d.sync += self.busy.eq(0)
        return is_written & ~fits

    def _fits(self, m: Module, address: Signal) -> Value:
        """Whether a beat's writes are in the bank, each at a multiple of its bits."""
        machine, layer = self.machine, self.layer
        lanes, bank_bits = machine.results_per_cycle, machine.image_words * machine.columns
        steps = [Mux(bit, layer.out_plane_bits << weight, 0) for weight, bit in enumerate(layer.out_planes)]
        reach = Mux(layer.raw, RAW_BITS * lanes, lanes + sum(steps))
        # It is the same for all beats, and there long before the first one.
        last = (bank_bits - reach).as_signed()
        last_address = register(m, "last_address", last[: len(address)])
        has_room = register(m, "has_room", last >= 0)
        below_plane = exact_log2(lanes)
        below_raw = exact_log2(min(RAW_BITS * lanes, machine.columns))
        lines = Mux(layer.out_planes != 0, layer.out_plane_bits[:below_plane], 0)
        off = Mux(layer.raw, address[:below_raw], address[:below_plane] | lines)
        return has_room & (address <= last_address) & (off == 0)
