"""Digital processing unit, lane by lane: from a beat of accumulators to a beat of codes."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, Machine, bits_for
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import PARAMETER_FIELDS, RAW_BITS, WINDOW_SUM_BITS

from ..common.bank import bank_read
from ..common.beat import PARAMETER_PARTS, SCALE_PARTS, parameters_layout, result_beat_layout
from ..common.channel_bank import field_parts, part_reads
from ..common.descriptor import DESCRIPTOR
from ..common.verilog import place
from .activation import Activation
from .arithmetic import register, wire
from .lane_phases import LanePhases
from .lookup_walk import LookupWalk
from .pooling import Pooling
from .scale_reader import ScaleReader, scale_reads
from .scaler import QUANTIZED, Scaler
from .turn import beat_layout
from .window_correction import WindowCorrection

_RESIDUAL_BITS = 8
#: Cycles from a beat to its pooled sums.
_POOLED = WindowCorrection.LATENCY - Pooling.VALUE_DELAY + Pooling.LATENCY


def lane_beat_layout(machine: Machine) -> data.StructLayout:
    """What the lanes are told of a beat: its accumulators, its window's sum and place, what it takes along."""
    return data.StructLayout(
        {
            "values": result_beat_layout(machine),
            "window_sum": signed(WINDOW_SUM_BITS),
            "pool": bits_for(machine.pool_beats - 1),
            "counts": 1,
            "seen": 1,
            "outer": 1,
            "beat": beat_layout(machine),
        }
    )


def parameter_reads(machine: Machine) -> wiring.Signature:
    """Reads of the parts of a word of parameters."""
    parts = field_parts(PARAMETER_FIELDS, PARAMETER_PARTS, machine.results_per_cycle)
    return part_reads(machine.parameter_beats, parts)


class Dpu(wiring.Component):
    """Window correction, pooling, batch-norm, activation and quantizer of the channels of a beat, side by side.

    Multipliers are shared: lane i·multipliers + k has turn i of multiplier k. What a stage needs of a channel is read
    when the beat has come to it, and stays on the port of its memory.

    Latency: an outer beat's pooled sums are there `POOLED` = 4 cycles after it; its codes ``reading_cycles`` +
    ``multiplier_cycles`` + MULTIPLY_CYCLES later if the pass multiplies, and LOOKUP_CYCLES later for each lookup.
    Throughput: an inner beat a cycle, an outer one in ``interval`` cycles.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant from the first beat to the last code.
    in_valid : In(1)
    beat : In(lane_beat_layout(machine))
    residuals : In(ArrayLayout(8, results_per_cycle))
        Those of a beat stay from the turn of the first until that of the last.
    parameters : Out(parameter_reads(machine))
    scales : Out(scale_reads(machine))
    thresholds : Out(bank_read(threshold_beats, 128)).array(results_per_cycle)
    reads : Out(2)
        Words of scales and of thresholds that are read, as those of all channels of a beat.
    beyond : Out(1)
        A word of scales did not exist a cycle ago, or one of thresholds or a table for a beat that is written.
    out_valid : Out(1)
    out_beat : Out(beat_layout(machine))
    codes : Out(ArrayLayout(8, results_per_cycle))
    values : Out(ArrayLayout(32, results_per_cycle))
        Of `raw`, from the cycle after `out_valid` on: value n·lanes / m stays for n cycles more if a beat is written
        in m parts.
    """

    POOLED = _POOLED

    layer: data.View
    in_valid: Signal
    beat: data.View
    residuals: data.View
    parameters: wiring.PureInterface
    scales: wiring.PureInterface
    thresholds: list[wiring.PureInterface]
    reads: Signal
    beyond: Signal
    out_valid: Signal
    out_beat: data.View
    codes: data.View
    values: data.View

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        lanes = machine.results_per_cycle
        thresholds = Out(bank_read(machine.threshold_beats, CHANNEL_BITS)).array(lanes)
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "in_valid": In(1),
                "beat": In(lane_beat_layout(machine)),
                "residuals": In(data.ArrayLayout(_RESIDUAL_BITS, lanes)),
                "parameters": Out(parameter_reads(machine)),
                "scales": Out(scale_reads(machine)),
                "thresholds": thresholds,
                "reads": Out(2),
                "beyond": Out(1),
                "out_valid": Out(1),
                "out_beat": Out(beat_layout(machine)),
                "codes": Out(data.ArrayLayout(CODE_BITS - 1, lanes)),
                "values": Out(data.ArrayLayout(RAW_BITS, lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        machine, layer = self.machine, self.layer
        self._pool(m, platform)
        phases = place(m, platform, "lane_phases", LanePhases(machine))
        m.d.comb += [
            phases.layer.eq(layer),
            phases.start.eq(self._outer[_POOLED - 1]),
            phases.beat.eq(self._beats[_POOLED]),
        ]
        self._turns = phases.turns
        self._lanes = [
            place(m, platform, f"activation_{lane}", Activation(machine.threshold_beats))
            for lane in range(machine.results_per_cycle)
        ]
        scales = self._scale(m, platform)
        self._read_parameters(m)
        lookups = self._look_up(m, platform)
        is_written = register(m, "read_beat_is_written", lookups.read_beat.written)
        beyond_thresholds = is_written & Cat(lane.beyond for lane in self._lanes).any()
        m.d.comb += [
            self.reads.eq(scales.read + (lookups.looks | lookups.looks_up)),
            self.beyond.eq(register(m, "beyond_scales", scales.beyond) | beyond_thresholds),
        ]
        return m

    def _delayed(self, m: Module, name: str, value: Value, cycles: int) -> list[Value]:
        """`value` of now, of a cycle ago, …, of `cycles` cycles ago."""
        found = [value]
        for cycle in range(1, cycles + 1):
            found.append(register(m, f"{name}_{cycle}", found[-1]))
        return found

    def _pool(self, m: Module, platform: object) -> None:
        """From accumulators to pooled sums, and the beat beside them."""
        layer, beat = self.layer, self.beat
        correction = place(m, platform, "window_correction", WindowCorrection(self.machine))
        pooling = place(m, platform, "pooling", Pooling(self.machine))
        self._pooled = pooling.pooled
        channels = data.View(
            parameters_layout("sums", self.machine.results_per_cycle), self.parameters.sums.data
        )
        least = Cat(channel.least for channel in channels)
        m.d.comb += [
            self.parameters.sums.enable.eq(self.in_valid),
            self.parameters.sums.address.eq(beat.beat.word),
            correction.accumulator_shift.eq(layer.accumulator_shift),
            correction.scale.eq(layer.window_sum_scale),
            correction.valid.eq(self.in_valid),
            correction.accumulators.eq(beat.values),
            correction.window_sum.eq(beat.window_sum),
            *(bias.eq(channel.bias) for bias, channel in zip(correction.biases, channels, strict=True)),
        ]
        joined = WindowCorrection.LATENCY
        read = joined - Pooling.VALUE_DELAY
        valid, outer = [self.in_valid], [wire(m, "outer_0", self.in_valid & beat.outer)]
        for cycle in range(1, _POOLED + 1):
            for name, stages in (("valid", valid), ("outer", outer)):
                stage = Signal(name=f"{name}_{cycle}")
                m.d.sync += stage.eq(stages[-1])
                stages.append(stage)
        m.d.comb += [
            pooling.mode.eq(layer.pool),
            pooling.in_valid.eq(valid[read]),
            pooling.values.eq(correction.sums),
            pooling.least.eq(self._delayed(m, "least", least, joined - WindowCorrection.BIAS_DELAY)[-1]),
            pooling.outer.eq(outer[read]),
            pooling.address.eq(self._delayed(m, "pool", beat.pool, read)[-1]),
            pooling.counts.eq(self._delayed(m, "counts", beat.counts, read)[-1]),
            pooling.seen.eq(self._delayed(m, "seen", beat.seen, read)[-1]),
        ]
        layout = beat_layout(self.machine)
        taken = self._delayed(m, "beat", Value.cast(beat.beat), _POOLED - 1)
        kept = Signal(layout, name="pooled_beat", reset_less=True)
        with m.If(outer[_POOLED - 1]):
            m.d.sync += kept.eq(taken[-1])
        self._outer = outer
        self._beats = [*(data.View(layout, stage) for stage in taken), kept]

    def _scale(self, m: Module, platform: object) -> ScaleReader:
        """Products of all lanes, each with its turns in one of the multipliers; returns the reader of scales."""
        machine = self.machine
        reader = place(m, platform, "scale_reader", ScaleReader(machine))
        bounds = data.View(
            parameters_layout("levels", machine.results_per_cycle), self.parameters.levels.data
        )
        wiring.connect(m, reader.reads, wiring.flipped(self.scales))
        m.d.comb += [reader.layer.eq(self.layer), reader.turns.eq(self._turns)]
        for multiplier in range(machine.multipliers):
            scaler = place(m, platform, f"scaler_{multiplier}", Scaler(machine))
            m.d.comb += [
                scaler.layer.eq(self.layer),
                scaler.turns.eq(self._turns),
                *(scaler.scales[part].eq(reader.scales[part][multiplier]) for part in SCALE_PARTS),
            ]
            for number, served in enumerate(scaler.lanes):
                lane = number * machine.multipliers + multiplier
                unit = self._lanes[lane]
                m.d.comb += [
                    served.pooled.eq(self._pooled[lane]),
                    served.residual.eq(self.residuals[lane]),
                    served.level.eq(unit.kept_level),
                    served.value.eq(unit.kept_value),
                    served.bounds.eq(bounds[lane]),
                    unit.level.eq(scaler.level),
                    unit.value.eq(scaler.value),
                    unit.step.takes_level.eq(scaler.takes_level[number]),
                    unit.step.takes_value.eq(scaler.takes_value[number]),
                ]
        return reader

    def _read_parameters(self, m: Module) -> None:
        """Bounds for the cycle in which they are first needed, bases for the first lookup."""
        layer, levels, bases = self.layer, self.parameters.levels, self.parameters.bases
        clips, ends = self._turns[QUANTIZED - 1], self._turns[QUANTIZED]
        with m.If(layer.multiplies):
            m.d.comb += [
                levels.enable.eq(clips.valid & clips.opens),
                levels.address.eq(clips.beat.word),
                bases.enable.eq(ends.valid & ends.ends),
                bases.address.eq(ends.beat.word),
            ]
        with m.Else():
            # A search needs bounds at its end, which is 2 cycles or more after its begin if there is one.
            begin = {False: _POOLED - 2, True: _POOLED}
            searches = layer.search_reads != 0
            m.d.comb += [
                levels.enable.eq(Mux(searches, self._outer[begin[True]], self._outer[begin[False]])),
                levels.address.eq(
                    Mux(searches, self._beats[begin[True]].word, self._beats[begin[False]].word)
                ),
                bases.enable.eq(self._outer[_POOLED - 1]),
                bases.address.eq(self._beats[_POOLED - 1].word),
            ]

    def _look_up(self, m: Module, platform: object) -> LookupWalk:
        """Searches and tables of all lanes, and their codes; returns the walk that leads them."""
        layer, last = self.layer, self._turns[QUANTIZED]
        walk = place(m, platform, "lookup_walk", LookupWalk(self.machine))
        pooled = self._outer[_POOLED] & ~layer.multiplies
        m.d.comb += [
            walk.layer.eq(layer),
            walk.next_begins.eq(Mux(layer.multiplies, last.valid & last.ends, self._outer[_POOLED - 1])),
            walk.beat.eq(
                Mux(layer.multiplies, self._turns[-1].beat.as_value(), self._beats[_POOLED].as_value())
            ),
            self.out_valid.eq(walk.ends),
            self.out_beat.eq(walk.ended_beat),
        ]
        lanes = self.machine.results_per_cycle
        bounds = data.View(parameters_layout("levels", lanes), self.parameters.levels.data)
        bases = data.View(parameters_layout("bases", lanes), self.parameters.bases.data)
        for number, lane in enumerate(self._lanes):
            wiring.connect(m, lane.thresholds, wiring.flipped(self.thresholds[number]))
            m.d.comb += [
                lane.configuration.eq(walk.configuration),
                lane.step.keeps.eq(pooled),
                *(
                    lane.step[name].eq(getattr(walk, name))
                    for name in ("begins", "has_begun", "looks", "looks_up", "wakes")
                ),
                lane.pooled.eq(self._pooled[number]),
                lane.bounds.eq(bounds[number]),
                lane.base.eq(bases[number].threshold_base),
                self.codes[number].eq(lane.code),
                self.values[number].eq(lane.kept_value),
            ]
        return walk
