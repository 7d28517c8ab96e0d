"""Window correction: the share of a window's sum in results over unsigned weight codes."""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine.activation import WINDOW_SCALE_BITS, WINDOW_SUM_BITS

from ..common.checks import require_positive


class WindowCorrection(wiring.Component):
    """Scale · window sum: one product for all lanes that hold channels of the same window.

    Latency: `LATENCY` = 1 cycle. Throughput: one window sum a cycle; nothing holds it up.

    Parameters
    ----------
    window_sum_bits : int
        Bits of a window sum.
    scale_bits : int
        Bits of the scale.

    Members
    -------
    scale : In(signed(scale_bits))
        Held constant from the first window sum to the last correction.
    in_valid : In(1)
    window_sum : In(signed(window_sum_bits))
    out_valid : Out(1)
    correction : Out(signed(window_sum_bits + scale_bits))

    Raises
    ------
    TypeError
        If a parameter is not a positive integer.
    """

    LATENCY = 1

    scale: Signal
    in_valid: Signal
    window_sum: Signal
    out_valid: Signal
    correction: Signal

    def __init__(self, window_sum_bits: int = WINDOW_SUM_BITS, scale_bits: int = WINDOW_SCALE_BITS) -> None:
        require_positive(window_sum_bits=window_sum_bits, scale_bits=scale_bits)
        super().__init__(
            {
                "scale": In(signed(scale_bits)),
                "in_valid": In(1),
                "window_sum": In(signed(window_sum_bits)),
                "out_valid": Out(1),
                "correction": Out(signed(window_sum_bits + scale_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        correction = Signal.like(self.correction, name="product", reset_less=True)
        m.d.sync += [correction.eq(self.window_sum * self.scale), self.out_valid.eq(self.in_valid)]
        m.d.comb += self.correction.eq(correction)
        return m
