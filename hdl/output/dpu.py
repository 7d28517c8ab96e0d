"""Digital processing unit, lane by lane: from a beat of accumulators to a beat of codes."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, Machine, bits_for
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import (
    PARAMETER_FIELDS,
    POOLED_BITS,
    RAW_BITS,
    SCALE_FIELDS,
    SEARCH_NODES,
    WINDOW_SUM_BITS,
)
from spinplane.machine.timing import MULTIPLY_CYCLES

from ..common.bank import bank_read
from ..common.beat import (
    PARAMETER_PARTS,
    SCALE_PARTS,
    parameters_layout,
    result_beat_layout,
    scales_layout,
)
from ..common.channel_bank import field_parts, part_reads
from ..common.descriptor import DESCRIPTOR
from ..common.verilog import place
from .activation import LANE_CONFIGURATION, Activation
from .arithmetic import register, wire
from .batch_norm import BatchNorm
from .lane_phases import LanePhases
from .limiter import Limiter
from .lookup_walk import LookupWalk
from .pooling import Pooling
from .quantizer import Quantizer
from .turn import Product, beat_layout
from .window_correction import WindowCorrection

_RESIDUAL_BITS = 8
#: Cycles from a beat to its pooled sums.
_POOLED = WindowCorrection.LATENCY - Pooling.VALUE_DELAY + Pooling.LATENCY
#: The stage of a turn in which its product is begun: the operand has been chosen in the one before.
_MULTIPLIES = 1
_SCALED = _MULTIPLIES + BatchNorm.LATENCY
_QUANTIZED = _SCALED + Quantizer.LATENCY
assert _QUANTIZED == MULTIPLY_CYCLES


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


def scale_channels(machine: Machine) -> int:
    """Channels of a word of the scales' memories: one a multiplier, at least as many as the bus writes at once."""
    return max(machine.multipliers, machine.bus_bits // CHANNEL_BITS)


def scale_words(machine: Machine) -> int:
    """Words of the scales' memories."""
    return machine.parameter_beats * machine.results_per_cycle // scale_channels(machine)


def scale_reads(machine: Machine) -> wiring.Signature:
    """Reads of the parts of scales."""
    return part_reads(scale_words(machine), field_parts(SCALE_FIELDS, SCALE_PARTS, scale_channels(machine)))


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
        # The turns of each stage.
        self._turns = list(phases.turns)
        self._tell_turns(m)
        self._lanes = [
            place(m, platform, f"activation_{lane}", Activation(machine.threshold_beats))
            for lane in range(machine.results_per_cycle)
        ]
        beyond_scales = self._read_scales(m)
        for multiplier in range(machine.multipliers):
            self._scale(m, platform, multiplier)
        self._read_parameters(m)
        beyond_thresholds = self._look_up(m, platform)
        self._configure(m)
        m.d.comb += self.beyond.eq(register(m, "beyond_scales", beyond_scales) | beyond_thresholds)
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

    def _read_scales(self, m: Module) -> Value:
        """Parts of the scales, each for the turns of the stage before the one that needs it; returns whether the first
        one of a beat is beyond the bank.
        """
        machine, layer = self.machine, self.layer
        ahead = wire(m, "scales_ahead", (layer.scale_base - layer.parameter_base)[:17]).as_signed()
        words = machine.results_per_cycle // scale_channels(machine)
        turns_of_word = scale_channels(machine) // machine.multipliers
        is_there: Value = Const(0)
        for part, stage in (
            ("products", _MULTIPLIES),
            ("high_shifts", _MULTIPLIES + BatchNorm.HIGH_SHIFT_STAGE),
            ("offsets", _MULTIPLIES + BatchNorm.OFFSET_STAGE),
        ):
            turn, read = self._turns[stage - 1], getattr(self.scales, part)
            word = wire(m, f"{part}_word", (turn.beat.word + ahead)[:17])
            of_beat = turn.lane[(turns_of_word - 1).bit_length() :] if words > 1 else Const(0, 0)
            m.d.comb += [read.enable.eq(turn.valid), read.address.eq(Cat(of_beat, word))]
            if part == "products":
                is_there = wire(m, "scales_are_there", word < machine.parameter_beats)
                m.d.comb += read.enable.eq(turn.valid & is_there)
        opens = self._turns[0].valid & self._turns[0].opens
        self._reads_scales = wire(m, "reads_scales", opens & is_there)
        return opens & ~is_there

    def _scales(self, m: Module, part: str, stage: int, multiplier: int) -> data.View:
        """Of the lane that has its turn in a stage."""
        machine = self.machine
        channels = scale_channels(machine)
        word = data.View(scales_layout(part, channels), getattr(self.scales, part).data)
        turns_of_word = channels // machine.multipliers
        if turns_of_word == 1:
            return word[multiplier]
        lane = self._turns[stage].lane[: (turns_of_word - 1).bit_length()]
        chosen = Signal(word.shape().elem_shape, name=f"{part}_{multiplier}")
        with m.Switch(lane):
            for turn in range(turns_of_word):
                with m.Case(turn):
                    m.d.comb += chosen.eq(word[turn * machine.multipliers + multiplier])
        return chosen

    def _tell_turns(self, m: Module) -> None:
        """What multipliers and lanes are told of turns; where there is much to do it is told by registers."""
        layer, turns = self.layer, self._turns
        pooled, scaled, rounded, before, quantized = (
            turns[stage]
            for stage in (0, _SCALED, _SCALED + Quantizer.ROUNDING_STAGE, _QUANTIZED - 1, _QUANTIZED)
        )

        def is_own(turn: data.View) -> Value:
            return layer.own_code & (turn.kind == Product.POOLED.value)

        def lanes_of(turn: data.View) -> Value:
            numbers = range(self.machine.lanes_per_multiplier)
            return Cat(turn.lane == number for number in numbers) if len(numbers) > 1 else Const(1)

        self._takes_operand = wire(m, "takes_operand", lanes_of(pooled))
        self._shifts_total = wire(m, "shifts_total", layer.own_code & ~is_own(scaled))
        self._rounds_own = wire(m, "rounds_own", is_own(rounded))
        self._is_wide = wire(
            m,
            "is_wide",
            layer.multiplies_total & (turns[_SCALED + 1].kind != Product.TOTAL.value),
        )
        is_total = layer.own_code & ~is_own(before)
        goes_on = layer.multiplies_total & is_total & (before.kind != Product.TOTAL.value)
        self._clips_total = register(m, "clips_total", is_total)
        self._is_plain = register(m, "is_plain", layer.table | is_own(before))
        self._goes_on = register(m, "goes_on", goes_on)
        has_turn = register(m, "has_turn", lanes_of(before))
        self._takes_bounds = register(
            m, "takes_bounds", lanes_of(before) & (~is_total).replicate(len(has_turn))
        )
        closes = quantized.valid & quantized.closes
        self._takes_level = wire(m, "takes_level", has_turn & closes.replicate(len(has_turn)))
        # What an own code is made of would meet raw values that are still being written.
        takes_value = Signal(len(has_turn), name="takes_value")
        m.d.sync += takes_value.eq(self._takes_level & (~is_own(quantized)).replicate(len(has_turn)))
        self._takes_value = takes_value

    def _scale(self, m: Module, platform: object, multiplier: int) -> None:
        """From the values of a multiplier's lanes to what the lanes keep of their products."""
        layer, turns = self.layer, self._turns
        served = range(multiplier, self.machine.results_per_cycle, self.machine.multipliers)
        batch_norm = place(m, platform, f"batch_norm_{multiplier}", BatchNorm())
        quantizer = place(m, platform, f"quantizer_{multiplier}", Quantizer())
        limiter = place(m, platform, f"limiter_{multiplier}", Limiter())

        operand = Signal(signed(POOLED_BITS), name=f"operand_{multiplier}", reset_less=True)
        high_shift, offset = (
            _MULTIPLIES + stage for stage in (BatchNorm.HIGH_SHIFT_STAGE, BatchNorm.OFFSET_STAGE)
        )
        products = self._scales(m, "products", _MULTIPLIES, multiplier)
        offsets = self._scales(m, "offsets", offset, multiplier)
        kinds = zip(batch_norm.kinds, turns[_MULTIPLIES:], strict=False)
        m.d.sync += operand.eq(self._operand(served))
        m.d.comb += [
            batch_norm.layer.eq(layer),
            *(kind.eq(turn.kind) for kind, turn in kinds),
            batch_norm.operand.eq(operand),
            batch_norm.multiplier.eq(products.multiplier),
            batch_norm.residual_multiplier.eq(products.residual_multiplier),
            batch_norm.high_shift.eq(self._scales(m, "high_shifts", high_shift, multiplier).high_shift),
            batch_norm.offset.eq(offsets.offset),
        ]

        shift = self._delayed(m, f"shift_{multiplier}", offsets.shift, _SCALED - offset)[-1]
        channels = data.View(
            parameters_layout("levels", self.machine.results_per_cycle), self.parameters.levels.data
        )
        low, high = (
            _chosen(self._takes_bounds, [Value.cast(channels[lane][name]) for lane in served])
            | (layer[f"total_{name}"].as_unsigned() & self._clips_total.replicate(CODE_BITS))
            for name in ("low", "high")
        )
        m.d.comb += [
            quantizer.value.eq(batch_norm.value),
            quantizer.shift.eq(Mux(self._shifts_total, layer.total_shift, shift)),
            quantizer.rounding.eq(Mux(self._rounds_own, layer.own_rounding, layer.rounding)),
            quantizer.low.eq(low),
            quantizer.high.eq(high),
            quantizer.level_shift.eq(layer.level_shift & ~self._is_plain),
            quantizer.zero.eq(Mux(self._is_plain, 0, layer.out_zero)),
            limiter.value.eq(batch_norm.value),
            limiter.raw.eq(layer.raw),
            limiter.wide.eq(self._is_wide),
        ]
        limited = limiter.limited
        level = Mux(self._goes_on, limited[RAW_BITS:], quantizer.code)
        value = register(m, f"limited_{multiplier}", limited[:RAW_BITS])
        for number, lane in enumerate(served):
            step = self._lanes[lane].step
            m.d.comb += [
                self._lanes[lane].level.eq(level),
                self._lanes[lane].value.eq(value),
                step.takes_level.eq(self._takes_level[number]),
                step.takes_value.eq(self._takes_value[number]),
            ]

    def _operand(self, served: range) -> Value:
        """What the lane that has its turn multiplies, of the lanes of a multiplier."""
        lanes, takes = [self._lanes[lane] for lane in served], self._takes_operand
        pooled = _chosen(takes, [Value.cast(self._pooled[lane]) for lane in served]).as_signed()
        residual = _chosen(takes, [self.residuals[lane] for lane in served])
        level = _chosen(takes, [lane.kept_level for lane in lanes])
        value = _chosen(takes, [lane.kept_value for lane in lanes])
        total = Cat(value, level[: POOLED_BITS - RAW_BITS])
        operands = {
            Product.POOLED: pooled,
            Product.RESIDUAL: residual,
            Product.OWN: level.as_signed(),
            Product.TOTAL: total.as_signed(),
        }
        return Array(operands[kind] for kind in Product)[self._turns[0].kind]

    def _read_parameters(self, m: Module) -> None:
        """Bounds for the cycle in which they are first needed, bases for the first lookup."""
        layer, levels, bases = self.layer, self.parameters.levels, self.parameters.bases
        clips, ends = self._turns[_QUANTIZED - 1], self._turns[_QUANTIZED]
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

    def _look_up(self, m: Module, platform: object) -> Value:
        """Searches and tables of all lanes, and their codes; returns whether a word is beyond the bank."""
        layer, scaled, last = self.layer, self._turns[-1], self._turns[-2]
        walk = place(m, platform, "lookup_walk", LookupWalk(self.machine))
        pooled = self._outer[_POOLED] & ~layer.multiplies
        m.d.comb += [
            walk.layer.eq(layer),
            walk.next_begins.eq(Mux(layer.multiplies, last.valid & last.ends, self._outer[_POOLED - 1])),
            walk.beat.eq(Mux(layer.multiplies, scaled.beat.as_value(), self._beats[_POOLED].as_value())),
            self.out_valid.eq(walk.ends),
            self.out_beat.eq(walk.ended_beat),
            self.reads.eq(self._reads_scales + (walk.looks | walk.looks_up)),
        ]
        bounds = data.View(
            parameters_layout("levels", self.machine.results_per_cycle), self.parameters.levels.data
        )
        bases = data.View(
            parameters_layout("bases", self.machine.results_per_cycle), self.parameters.bases.data
        )
        has_begun = Signal()
        m.d.sync += has_begun.eq(walk.begins)
        for number, lane in enumerate(self._lanes):
            wiring.connect(m, lane.thresholds, wiring.flipped(self.thresholds[number]))
            m.d.comb += [
                lane.step.keeps.eq(pooled),
                lane.step.begins.eq(walk.begins),
                lane.step.has_begun.eq(has_begun | (layer.search_reads == 0)),
                lane.step.looks.eq(walk.looks),
                lane.step.looks_up.eq(walk.looks_up),
                lane.pooled.eq(self._pooled[number]),
                lane.bounds.eq(bounds[number]),
                lane.base.eq(bases[number].threshold_base),
                self.codes[number].eq(lane.code),
                self.values[number].eq(lane.kept_value),
            ]
        is_written = register(m, "read_beat_is_written", walk.read_beat.written)
        return is_written & Cat(lane.beyond for lane in self._lanes).any()

    def _configure(self, m: Module) -> None:
        """What lanes do in a pass."""
        layer, configuration = self.layer, Signal(LANE_CONFIGURATION, name="lane_configuration")
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
        m.d.comb += [lane.configuration.eq(configuration) for lane in self._lanes]


def _chosen(chooses: Value, values: list[Value]) -> Value:
    """The one of some values whose bit is set; 0 if none is."""
    found: Value = Const(0, len(values[0]))
    for is_chosen, value in zip(chooses, values, strict=True):
        found = found | (value.as_unsigned() & is_chosen.replicate(len(value)))
    return found
