"""The output stage: results become the codes of the next layer's input, in the image bank."""

from itertools import pairwise

from amaranth.hdl import Array, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import Machine
from spinplane.machine.activation import RAW_BITS
from spinplane.machine.descriptor import PoolAt, Requantize
from spinplane.machine.registers import Error

from ..common.bank import bank_read, bank_write, wide_read
from ..common.beat import parameter_word_layout, result_beat_layout, threshold_word_layout, window_sums_layout
from ..common.descriptor import DESCRIPTOR
from ..common.verilog import place
from .activation import Activation
from .dpu import Dpu
from .output_address_generator import ADDRESS_BITS, POINTER_BITS, OutputAddressGenerator
from .output_packer import OutputPacker
from .residual_loader import ResidualLoader

#: Cycles from the last beat to the last write, but for what a descriptor adds.
_PIPELINE = Dpu.POOLED + Activation.THRESHOLD_DELAY
_TAIL_BITS = 7

#: A beat that is on its way to the image bank.
_ON_ITS_WAY = data.StructLayout(
    {"outer": 1, "written": 1, "threshold": POINTER_BITS, "out": ADDRESS_BITS, "residual": ADDRESS_BITS}
)


def output_stage_events() -> data.StructLayout:
    """What happens in a cycle: ``parameter_read`` counts words of the parameter and of the threshold bank."""
    return data.StructLayout({"image_write": 1, "residual_read": 1, "parameter_read": 2})


class OutputStage(wiring.Component):
    """Takes beats of results in the order of the loops, and writes the codes of regions into the image bank.

    An inner beat is taken in 1 cycle, an outer one in ``interval`` cycles; behind that nothing stalls. A beat reads
    its word of parameters, an outer one its words of thresholds, one that is written its residuals too. A beat waits
    for its window's sum.

    Latency: from the last beat to its last write 8 + (residual_planes − 1 if residual) + (max(1, threshold_words) with
    ``THRESHOLDS``, else 1) + number of writes of a beat, whether it is written or not. The first beat is taken
    `OutputAddressGenerator.LATENCY` = 5 cycles after `start` or later.

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
    parameters : Out(bank_read(parameter_beats, results_per_cycle · 128))
    thresholds : Out(bank_read(threshold_beats, results_per_cycle · 128))
    residual : Out(wide_read(columns))
        Of the image bank.
    write : Out(bank_write(image_words, columns))
        Of the image bank.
    events : Out(output_stage_events())
    error : Out(8)
        `spinplane.machine.registers.Error`, held until the next start or reset. It shows while `busy` is high. No
        beat is taken any more, and what does not fit is not written.
        ``IMAGE_BANK`` for a beat to write or a residual that is not all in the bank, or a beat that does not stand at
        a multiple of the bits of a write; ``PARAMETER_BANK`` for a word beyond the parameters or thresholds, or a
        window of more than ``pool_beats`` beats where there is pooling.
    """

    layer: data.View
    start: Signal
    busy: Signal
    results: stream.Interface
    sums: stream.Interface
    parameters: wiring.PureInterface
    thresholds: wiring.PureInterface
    residual: wiring.PureInterface
    write: wiring.PureInterface
    events: data.View
    error: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        parameters, thresholds = parameter_word_layout(machine).size, threshold_word_layout(machine).size
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "start": In(1),
                "busy": Out(1),
                "results": In(stream.Signature(result_beat_layout(machine))),
                "sums": In(stream.Signature(window_sums_layout(machine))),
                "parameters": Out(bank_read(machine.parameter_beats, parameters)),
                "thresholds": Out(bank_read(machine.threshold_beats, thresholds)),
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
        self._walk = place(m, platform, "output_address_generator", OutputAddressGenerator(self.machine))
        m.d.comb += [self._lanes.layer.eq(layer), self._walk.layer.eq(layer), self._walk.start.eq(self.start)]
        self._by_thresholds = Signal()
        m.d.comb += self._by_thresholds.eq(layer.requantize == Requantize.THRESHOLDS.value)

        beyond_banks = self._take(m)
        pooled, before_pooled = self._pipeline(m)
        beyond_image = self._read_residuals(m, platform, before_pooled)
        address, is_written, beyond_thresholds = self._read_thresholds(m, pooled)
        does_not_fit = self._write(m, platform, address, is_written)

        with m.If(self.start):
            m.d.sync += self.error.eq(Error.NONE.value)
        with m.Elif(self.error == Error.NONE.value):
            with m.If(does_not_fit | beyond_image):
                m.d.sync += self.error.eq(Error.IMAGE_BANK.value)
            with m.Elif(beyond_banks | beyond_thresholds):
                m.d.sync += self.error.eq(Error.PARAMETER_BANK.value)
        m.d.comb += [
            self.events.image_write.eq(self.write.enable),
            self.events.residual_read.eq(self.residual.enable),
            self.events.parameter_read.eq(self.parameters.enable + self.thresholds.enable),
        ]
        return m

    def _take(self, m: Module) -> Value:
        """The beat, its sum and its parameters into the lanes; returns whether it is beyond a bank."""
        machine, layer, lanes, position = self.machine, self.layer, self._lanes, self._walk.position
        takes = Signal()
        m.d.comb += [
            self.results.ready.eq(self._walk.ready & self.sums.valid & (self.error == Error.NONE.value)),
            takes.eq(self.results.ready & self.results.valid),
            self._walk.take.eq(takes),
            self.sums.ready.eq(takes & position.ends_window),
        ]
        buses = exact_log2(machine.row_buses)
        bus = Signal(range(machine.row_buses))
        for log_clusters in range(buses + 1):
            with m.If(layer.log_clusters == log_clusters):
                m.d.comb += bus.eq(position.cluster << (buses - log_clusters))
        m.d.comb += [
            lanes.in_valid.eq(takes),
            lanes.beat.values.eq(self.results.payload),
            lanes.beat.window_sum.eq(Array(self.sums.payload)[bus]),
            lanes.beat.pool.eq(position.pool),
            lanes.beat.counts.eq(position.counts),
            lanes.beat.seen.eq(position.seen),
            lanes.beat.outer.eq(position.outer),
        ]

        in_bank, no_room = Signal(), Signal()
        m.d.comb += [
            in_bank.eq(position.parameter < machine.parameter_beats),
            no_room.eq((layer.pool != PoolAt.NONE.value) & (position.pool == machine.pool_beats)),
            self.parameters.enable.eq(takes & in_bank),
            self.parameters.address.eq(position.parameter),
            Value.cast(lanes.parameters).eq(self.parameters.data),
        ]

        tail = Signal(_TAIL_BITS)
        words = Mux(self._by_thresholds & (layer.threshold_words != 0), layer.threshold_words, 1)
        writes = Mux(layer.requantize == Requantize.RAW.value, self._raw_writes, layer.out_planes + 1)
        planes = Mux(layer.residual, layer.residual_planes, 0)
        m.d.comb += self.busy.eq(self._walk.walking | (tail != 0))
        with m.If(self.start):
            m.d.sync += tail.eq(0)
        with m.Elif(takes & position.ends_pass):
            m.d.sync += tail.eq(_PIPELINE + planes + words + writes)
        with m.Elif(tail != 0):
            m.d.sync += tail.eq(tail - 1)
        return takes & (~in_bank | no_room)

    @property
    def _raw_size(self) -> int:
        """Bits of a write of raw values."""
        return min(RAW_BITS * self.machine.results_per_cycle, self.machine.columns)

    @property
    def _raw_writes(self) -> int:
        return RAW_BITS * self.machine.results_per_cycle // self._raw_size

    def _pipeline(self, m: Module) -> tuple[data.View, data.View]:
        """Outer beats, beside the lanes: the one whose pooled values are there, which stays, and the one a cycle
        before that.
        """
        position = self._walk.position
        beat = Signal(_ON_ITS_WAY, name="beat_0")
        m.d.comb += [
            beat.outer.eq(self._walk.take & position.outer),
            beat.written.eq(position.written),
            beat.threshold.eq(position.threshold),
            beat.out.eq(position.out),
            beat.residual.eq(position.residual),
        ]
        before = beat
        for cycle in range(1, Dpu.POOLED):
            before, beat = Signal(_ON_ITS_WAY, name=f"beat_{cycle}"), before
            m.d.sync += before.eq(beat)
        pooled = Signal(_ON_ITS_WAY, name=f"beat_{Dpu.POOLED}")
        with m.If(before.outer):
            m.d.sync += pooled.eq(before)
        return pooled, before

    def _read_residuals(self, m: Module, platform: object, before_pooled: data.View) -> Value:
        """Residuals of the beat whose pooled values come next; returns whether they are beyond the bank."""
        layer, lanes = self.layer, self._lanes
        reader = place(m, platform, "residual_loader", ResidualLoader(self.machine))
        wiring.connect(m, reader.read, wiring.flipped(self.residual))
        m.d.comb += [
            reader.last_plane.eq(layer.residual_planes),
            reader.plane_bits.eq(layer.residual_plane_bits),
            reader.start.eq(before_pooled.outer & layer.residual),
            reader.skip.eq(~before_pooled.written),
            reader.address.eq(before_pooled.residual),
            lanes.activate.eq(Mux(layer.residual, reader.valid, lanes.pooled_valid)),
        ]
        for lane, residual in enumerate(reader.residuals):
            m.d.comb += lanes.residuals[lane].eq(Mux(layer.residual, residual, 0))
        return reader.beyond

    def _read_thresholds(self, m: Module, pooled: data.View) -> tuple[Value, Value, Value]:
        """Thresholds of the beat that is being activated; returns the address at which its codes are written, when
        they come out of the lanes, whether they are, and whether a word is beyond the bank.
        """
        layer, lanes = self.layer, self._lanes
        threshold = [pooled.threshold, *(Signal(POINTER_BITS, name=f"threshold_{n}") for n in (1, 2))]
        out = [pooled.out, *(Signal(ADDRESS_BITS, name=f"out_{n}") for n in (1, 2, 3, 4))]
        active = [lanes.activate, *(Signal(name=f"active_{n}") for n in (1, 2))]
        written = [pooled.written, *(Signal(name=f"written_{n}") for n in (1, 2, 3, 4))]
        for stages in (threshold, active, out[:3], out[3:], written[:3], written[3:]):
            m.d.sync += [new.eq(old) for old, new in pairwise(stages)]
        # It stays while thresholds come.
        with m.If(active[2]):
            m.d.sync += [out[3].eq(out[2]), written[3].eq(written[2])]

        starts, reads, in_bank = Signal(), Signal(), Signal()
        left, following = Signal.like(layer.threshold_words), Signal(POINTER_BITS)
        word = Signal(POINTER_BITS)
        m.d.comb += [
            starts.eq(active[2] & self._by_thresholds & (layer.threshold_words != 0)),
            reads.eq(starts | (left != 0)),
            word.eq(Mux(starts, threshold[2], following)),
            in_bank.eq(word < self.machine.threshold_beats),
            self.thresholds.enable.eq(reads & in_bank),
            self.thresholds.address.eq(word),
            Value.cast(lanes.thresholds).eq(self.thresholds.data),
        ]
        with m.If(reads):
            m.d.sync += [
                left.eq(Mux(starts, layer.threshold_words, left) - 1),
                following.eq(word + 1),
            ]
        return out[4], written[4], reads & ~in_bank

    def _write(self, m: Module, platform: object, address: Value, is_written: Value) -> Value:
        """The lanes' codes or raw values; returns whether they do not fit in the bank."""
        machine, layer, lanes = self.machine, self.layer, self._lanes
        packer = place(m, platform, "output_packer", OutputPacker(machine.results_per_cycle, machine.columns))
        beat = packer.beats.payload
        raw, fits = Signal(), Signal()
        end = Signal(ADDRESS_BITS + 1)
        steps = [Mux(bit, layer.out_plane_bits << weight, 0) for weight, bit in enumerate(layer.out_planes)]
        plane_end = machine.results_per_cycle + sum(steps)
        raw_end = RAW_BITS * machine.results_per_cycle
        below_plane = exact_log2(machine.results_per_cycle)
        below_raw = exact_log2(self._raw_size)
        between = address[:below_plane] | Mux(layer.out_planes != 0, layer.out_plane_bits[:below_plane], 0)
        m.d.comb += [
            raw.eq(layer.requantize == Requantize.RAW.value),
            end.eq(address + Mux(raw, raw_end, plane_end)),
            fits.eq(
                (end <= machine.image_words * machine.columns) & (Mux(raw, address[:below_raw], between) == 0)
            ),
            packer.raw.eq(raw),
            packer.last_plane.eq(layer.out_planes),
            packer.line_bits.eq(layer.out_plane_bits),
            packer.beats.valid.eq(lanes.out_valid & is_written & fits & (self.error == Error.NONE.value)),
            Value.cast(beat.codes).eq(lanes.codes),
            Value.cast(beat.raw).eq(lanes.raw),
            beat.address.eq(address),
            packer.writes.ready.eq(1),
            self.write.enable.eq(packer.writes.valid),
            self.write.address.eq(packer.writes.payload.address),
            self.write.data.eq(packer.writes.payload.data),
            self.write.mask.eq(packer.writes.payload.mask),
        ]
        return lanes.out_valid & is_written & ~fits
