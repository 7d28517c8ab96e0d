"""Batch normalisation (Eq. 5) in fixed point: one lane of the digital processing unit."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine.activation import SCALE_BITS, VALUE_BITS, WINDOW_SCALE_BITS, WINDOW_SUM_BITS

from ..common.checks import require_positive


class BatchNorm(wiring.Component):
    """((accumulator << accumulator_shift) − correction + bias) · multiplier.

    Eq. 5 without its addend β, which the `Activation` adds after pooling. The sum before the multiplication wraps
    modulo 2^width; who writes the program has proven that it fits. The product is exact.

    Latency: `LATENCY` = 2 cycles, the sum and the product. Throughput: one value a cycle; nothing holds it up.

    Parameters
    ----------
    width : int
        Bits of an accumulator, a bias and their sum.
    correction_bits : int
        Bits of a correction.
    multiplier_bits : int
        Bits of a multiplier.

    Members
    -------
    accumulator_shift : In(2)
        Held constant from the first value to the last product.
    in_valid : In(1)
    accumulator : In(signed(width))
    correction : In(signed(correction_bits))
    bias : In(signed(width))
    multiplier : In(signed(multiplier_bits))
    out_valid : Out(1)
    product : Out(signed(width + multiplier_bits))

    Raises
    ------
    TypeError
        If a parameter is not a positive integer.
    """

    LATENCY = 2

    accumulator_shift: Signal
    in_valid: Signal
    accumulator: Signal
    correction: Signal
    bias: Signal
    multiplier: Signal
    out_valid: Signal
    product: Signal

    def __init__(
        self,
        width: int = VALUE_BITS,
        correction_bits: int = WINDOW_SUM_BITS + WINDOW_SCALE_BITS,
        multiplier_bits: int = SCALE_BITS,
    ) -> None:
        require_positive(width=width, correction_bits=correction_bits, multiplier_bits=multiplier_bits)
        super().__init__(
            {
                "accumulator_shift": In(2),
                "in_valid": In(1),
                "accumulator": In(signed(width)),
                "correction": In(signed(correction_bits)),
                "bias": In(signed(width)),
                "multiplier": In(signed(multiplier_bits)),
                "out_valid": Out(1),
                "product": Out(signed(width + multiplier_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        value = Signal.like(self.accumulator, name="value", reset_less=True)
        multiplier = Signal.like(self.multiplier, name="value_multiplier", reset_less=True)
        value_valid = Signal()
        m.d.sync += [
            value.eq((self.accumulator << self.accumulator_shift) - self.correction + self.bias),
            multiplier.eq(self.multiplier),
            value_valid.eq(self.in_valid),
        ]
        product = Signal.like(self.product, name="scaled", reset_less=True)
        m.d.sync += [product.eq(value * multiplier), self.out_valid.eq(value_valid)]
        m.d.comb += self.product.eq(product)
        return m
