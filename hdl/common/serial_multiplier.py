"""Serial multiplier: a number of steps times a step, where time is cheaper than a parallel multiplier."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .checks import require_positive


class SerialMultiplier(wiring.Component):
    """(last_step + 1) · step, by some bits of the number of steps a cycle.

    Latency: `latency` = 1 + ⌈count_bits / bits_a_cycle⌉ cycles from `start` on; the product stays until the next one.

    Parameters
    ----------
    count_bits : int
        Bits of the number of steps less one.
    step_bits : int
        Bits of a step.
    bits_a_cycle : int
        Bits of the number of steps that are taken in a cycle.

    Members
    -------
    start : In(1)
    last_step : In(count_bits)
        Number of steps less one. With `step` it is looked at while `start` is high.
    step : In(step_bits)
    product : Out(count_bits + step_bits)

    Raises
    ------
    TypeError
        If a parameter is not a positive integer.
    """

    start: Signal
    last_step: Signal
    step: Signal
    product: Signal

    def __init__(self, count_bits: int, step_bits: int, bits_a_cycle: int = 4) -> None:
        require_positive(count_bits=count_bits, step_bits=step_bits, bits_a_cycle=bits_a_cycle)
        self.latency = 1 + -(-count_bits // bits_a_cycle)
        self.bits_a_cycle = bits_a_cycle
        super().__init__(
            {
                "start": In(1),
                "last_step": In(count_bits),
                "step": In(step_bits),
                "product": Out(count_bits + step_bits),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Greatest at 2^count_bits · (2^step_bits − 1): the sum never exceeds the product's bits.
        total = Signal.like(self.product, name="total", reset_less=True)
        shifted = Signal.like(self.product, name="shifted", reset_less=True)
        left = Signal.like(self.last_step, name="left")
        with m.If(self.start):
            m.d.sync += [total.eq(self.step), shifted.eq(self.step), left.eq(self.last_step)]
        with m.Elif(left.any()):
            addends = [Mux(bit, shifted << weight, 0) for weight, bit in enumerate(left[: self.bits_a_cycle])]
            m.d.sync += [
                total.eq(total + sum(addends)),
                shifted.eq(shifted << self.bits_a_cycle),
                left.eq(left >> self.bits_a_cycle),
            ]
        m.d.comb += self.product.eq(total)
        return m
