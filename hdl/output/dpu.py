"""Digital processing unit, lane by lane: from a beat of accumulators to a beat of codes."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, Machine, bits_for
from spinplane.machine.activation import RAW_BITS, WINDOW_SUM_BITS

from ..common.beat import parameter_word_layout, result_beat_layout, threshold_word_layout
from ..common.descriptor import DESCRIPTOR
from ..common.verilog import place
from .activation import Activation
from .batch_norm import BatchNorm
from .pooling import Pooling
from .window_correction import WindowCorrection

_RESIDUAL_BITS = 8


def lane_beat_layout(machine: Machine) -> data.StructLayout:
    """What the lanes are told of a beat: its accumulators, its window's sum and place."""
    return data.StructLayout(
        {
            "values": result_beat_layout(machine),
            "window_sum": signed(WINDOW_SUM_BITS),
            "pool": bits_for(machine.pool_beats - 1),
            "counts": 1,
            "seen": 1,
            "outer": 1,
        }
    )


class Dpu(wiring.Component):
    """Window correction, batch-norm, pooling and activation of the channels of a beat, side by side.

    A beat's parameters are taken 1 cycle after it. An outer beat's pooled values are there `POOLED` = 5 cycles
    after it and stay until the next one's; then or later `activate` sends them to the activation, for which the
    residuals are there in that cycle, and word k of the thresholds `Activation.THRESHOLD_DELAY` + k cycles later.

    Latency: `POOLED` cycles from an outer beat to `pooled_valid`, and from `activate` to `out_valid` that of
    `Activation`. Throughput: one beat a cycle; outer ones as far apart as their thresholds and residuals take.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant from the first beat to the last code.
    in_valid : In(1)
    beat : In(lane_beat_layout(machine))
    parameters : In(parameter_word_layout(machine))
    thresholds : In(threshold_word_layout(machine))
    residuals : In(ArrayLayout(8, results_per_cycle))
    pooled_valid : Out(1)
    activate : In(1)
    out_valid : Out(1)
    codes : Out(ArrayLayout(signed(9), results_per_cycle))
    raw : Out(ArrayLayout(signed(32), results_per_cycle))
    """

    POOLED = WindowCorrection.LATENCY + BatchNorm.LATENCY + Pooling.LATENCY

    layer: data.View
    in_valid: Signal
    beat: data.View
    parameters: data.View
    thresholds: data.View
    residuals: data.View
    pooled_valid: Signal
    activate: Signal
    out_valid: Signal
    codes: data.View
    raw: data.View

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        lanes = machine.results_per_cycle
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "in_valid": In(1),
                "beat": In(lane_beat_layout(machine)),
                "parameters": In(parameter_word_layout(machine)),
                "thresholds": In(threshold_word_layout(machine)),
                "residuals": In(data.ArrayLayout(_RESIDUAL_BITS, lanes)),
                "pooled_valid": Out(1),
                "activate": In(1),
                "out_valid": Out(1),
                "codes": Out(data.ArrayLayout(signed(CODE_BITS), lanes)),
                "raw": Out(data.ArrayLayout(signed(RAW_BITS), lanes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer, lanes = self.layer, range(self.machine.results_per_cycle)
        correction = place(m, platform, "window_correction", WindowCorrection())
        m.d.comb += [
            correction.scale.eq(layer.window_sum_scale),
            correction.in_valid.eq(self.in_valid),
            correction.window_sum.eq(self.beat.window_sum),
        ]
        values = Signal(self.beat.values.shape(), reset_less=True)
        m.d.sync += values.eq(self.beat.values)

        pooling = place(m, platform, "pooling", Pooling(self.machine))
        for lane in lanes:
            batch_norm = place(m, platform, f"batch_norm_{lane}", BatchNorm())
            parameters = self.parameters[lane]
            m.d.comb += [
                batch_norm.accumulator_shift.eq(layer.accumulator_shift),
                batch_norm.in_valid.eq(correction.out_valid),
                # The lower bits are all that the sum modulo 2^32 depends on.
                batch_norm.accumulator.eq(values[lane]),
                batch_norm.correction.eq(correction.correction),
                batch_norm.bias.eq(parameters.bias),
                batch_norm.multiplier.eq(parameters.multiplier),
                pooling.values[lane].eq(batch_norm.product),
            ]
        place_in_window = {name: self.beat[name] for name in ("pool", "counts", "seen", "outer")}
        scaled_after = WindowCorrection.LATENCY + BatchNorm.LATENCY
        now = {name: self._delayed(m, name, value, scaled_after) for name, value in place_in_window.items()}
        for lane in lanes:
            negative = self.parameters[lane].multiplier < 0
            m.d.comb += pooling.negative[lane].eq(
                self._delayed(m, f"negative_{lane}", negative, BatchNorm.LATENCY)
            )
        scaled = self._delayed(m, "scaled", self.in_valid, scaled_after)
        m.d.comb += [
            pooling.mode.eq(layer.pool),
            pooling.in_valid.eq(scaled),
            pooling.address.eq(now["pool"]),
            pooling.counts.eq(now["counts"]),
            pooling.seen.eq(now["seen"]),
            pooling.outer.eq(now["outer"]),
            self.pooled_valid.eq(pooling.out_valid),
        ]

        # What the activation adds waits beside the pooled values.
        pooled_next = self._delayed(m, "pooled_next", scaled & now["outer"], Pooling.LATENCY - 1)
        waits = BatchNorm.LATENCY + Pooling.LATENCY - 1
        for lane in lanes:
            activation = place(m, platform, f"activation_{lane}", Activation())
            parameters = self.parameters[lane]
            for name in ("offset", "residual_multiplier"):
                addend = self._delayed(m, f"{name}_{lane}", parameters[name], waits)
                held = Signal.like(addend, name=f"held_{name}_{lane}", reset_less=True)
                with m.If(pooled_next):
                    m.d.sync += held.eq(addend)
                m.d.comb += getattr(activation, name).eq(held)
            m.d.comb += [
                activation.configuration[name].eq(layer[name]) for name, _ in activation.configuration.shape()
            ]
            m.d.comb += [
                activation.in_valid.eq(self.activate),
                activation.value.eq(pooling.pooled[lane]),
                activation.residual.eq(self.residuals[lane]),
                activation.thresholds.eq(self.thresholds[lane]),
                self.codes[lane].eq(activation.code),
                self.raw[lane].eq(activation.raw),
            ]
            if lane == 0:
                m.d.comb += self.out_valid.eq(activation.out_valid)
        return m

    def _delayed(self, m: Module, name: str, value: Signal, cycles: int) -> Signal:
        """`value` of `cycles` cycles ago."""
        for cycle in range(cycles):
            stage = Signal.like(value, name=f"{name}_{cycle + 1}")
            m.d.sync += stage.eq(value)
            value = stage
        return value
