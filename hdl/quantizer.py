"""Quantizer: from an accumulator to the next layer's code (Eq. 4)."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, MULTIPLIER_BITS, OFFSET_BITS, QUANTIZER_SHIFT_BITS

from .parameters import require_positive
from .shifter import RoundingShifter
from .verilog import place


def configuration_layout(multiplier_bits: int, out_width: int) -> data.StructLayout:
    """Fields of a `spinplane.machine.QuantizerConfiguration` as the `Quantizer` takes them."""
    return data.StructLayout(
        {
            "multiplier": multiplier_bits,
            "offset": signed(OFFSET_BITS),
            "shift": QUANTIZER_SHIFT_BITS,
            "rounding": 2,
            "low": signed(out_width),
            "high": signed(out_width),
        }
    )


class Quantizer(wiring.Component):
    """clip(round((value · multiplier + offset) / 2^shift), low, high).

    Eq. 4 after a ReLU is the case low = 0, high = 2^k − 1. No intermediate result is cut short, so the code
    is exact for every value and configuration.

    Latency: 2 cycles. The offset is added in the cycle of the multiplication, whose last adder can take it
    in; the rounding shift and the clipping have the second cycle. Throughput: one value a cycle.

    Parameters
    ----------
    width : int
        Bits of a value.
    multiplier_bits : int
        Bits of the multiplier.
    out_width : int
        Bits of a code.

    Members
    -------
    configuration : In(configuration_layout(multiplier_bits, out_width))
        Held constant from the first value to the last code; ``low`` is not above ``high``.
    values : In(stream.Signature(signed(width)))
    codes : Out(stream.Signature(signed(out_width)))

    Raises
    ------
    TypeError
        If a parameter is not a positive integer.
    """

    configuration: data.View
    values: stream.Interface
    codes: stream.Interface

    def __init__(
        self, width: int, multiplier_bits: int = MULTIPLIER_BITS, out_width: int = CODE_BITS
    ) -> None:
        require_positive(width=width, multiplier_bits=multiplier_bits, out_width=out_width)
        super().__init__(
            {
                "configuration": In(configuration_layout(multiplier_bits, out_width)),
                "values": In(stream.Signature(signed(width))),
                "codes": Out(stream.Signature(signed(out_width))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration = self.configuration

        product = self.values.payload * configuration.multiplier + configuration.offset
        scaled = Signal(product.shape(), reset_less=True)
        scaled_valid = Signal()
        scaled_ready = Signal()
        m.d.comb += self.values.ready.eq(~scaled_valid | scaled_ready)
        with m.If(self.values.ready):
            m.d.sync += [scaled.eq(product), scaled_valid.eq(self.values.valid)]

        width = len(scaled)
        shifter = place(m, platform, "quantizer_shifter", RoundingShifter(width, width, QUANTIZER_SHIFT_BITS))
        m.d.comb += [
            shifter.value.eq(scaled),
            shifter.amount.eq(configuration.shift),
            shifter.rounding.eq(configuration.rounding),
        ]

        low, high = configuration.low, configuration.high
        code = Signal(signed(len(low)), reset_less=True)
        m.d.comb += [self.codes.payload.eq(code), scaled_ready.eq(~self.codes.valid | self.codes.ready)]
        with m.If(scaled_ready):
            m.d.sync += [
                code.eq(Mux(shifter.shifted < low, low, Mux(shifter.shifted > high, high, shifter.shifted))),
                self.codes.valid.eq(scaled_valid),
            ]
        return m
