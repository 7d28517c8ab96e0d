"""Digital processing unit: pooling, then the quantizer."""

from amaranth.hdl import Module, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, MULTIPLIER_BITS, Machine

from .pooling import SHIFT_BITS, Pooling
from .quantizer import Quantizer, configuration_layout
from .verilog import place

#: What the units are told; held constant from the first value of a layer to its last code.
DPU_CONFIGURATION = data.StructLayout(
    {
        "pool_mode": 2,
        "pool_shift": SHIFT_BITS,
        "pool_rounding": 2,
        "quantizer": configuration_layout(MULTIPLIER_BITS, CODE_BITS),
    }
)


class Dpu(wiring.Component):
    """Turns accumulators into the codes of the next layer's inputs: one value a cycle.

    Latency: 3 cycles from the last value of a pooling region to its code. Without pooling, every value is a
    region of its own and the mode is ``SUM``. A ReLU is the quantizer's lower bound 0.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    configuration : In(DPU_CONFIGURATION)
    values : In(stream.Signature(StructLayout({"value": signed(accumulator_bits), "last": 1})))
        ``last`` ends a pooling region.
    codes : Out(stream.Signature(signed(CODE_BITS)))
    """

    configuration: data.View
    values: stream.Interface
    codes: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        value = data.StructLayout({"value": signed(machine.accumulator_bits), "last": 1})
        super().__init__(
            {
                "configuration": In(DPU_CONFIGURATION),
                "values": In(stream.Signature(value)),
                "codes": Out(stream.Signature(signed(CODE_BITS))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        pooling = place(m, platform, "pooling", Pooling(self.machine.accumulator_bits))
        quantizer = place(m, platform, "quantizer", Quantizer(self.machine.accumulator_bits))
        wiring.connect(m, wiring.flipped(self.values), pooling.values)
        wiring.connect(m, pooling.pooled, quantizer.values)
        wiring.connect(m, quantizer.codes, wiring.flipped(self.codes))
        m.d.comb += [
            pooling.mode.eq(self.configuration.pool_mode),
            pooling.shift.eq(self.configuration.pool_shift),
            pooling.rounding.eq(self.configuration.pool_rounding),
            quantizer.configuration.eq(self.configuration.quantizer),
        ]
        return m
