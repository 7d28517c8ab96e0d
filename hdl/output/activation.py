"""Activation: from a pooled value to a code, by a shift or by thresholds; one lane."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, OFFSET_BITS
from spinplane.machine.activation import ACTIVATION_SHIFT_BITS, POOLED_BITS, RAW_BITS, SCALE_BITS
from spinplane.machine.descriptor import THRESHOLD_BITS, THRESHOLD_WORDS, THRESHOLDS_PER_WORD, Requantize

from ..common.checks import require_positive
from ..common.verilog import place
from .quantizer import Quantizer

_LEAST_BITS = OFFSET_BITS + 2

ACTIVATION_CONFIGURATION = data.StructLayout(
    {
        "requantize": 2,
        "absolute": 1,
        "shift": ACTIVATION_SHIFT_BITS,
        "rounding": 2,
        "low": signed(CODE_BITS),
        "high": signed(CODE_BITS),
        "threshold_words": 3,
        "code_shift": 1,
    }
)
"""Fields of a `spinplane.machine.activation.ActivationConfiguration` as the `Activation` takes them."""


class Activation(wiring.Component):
    """Code of y = value + offset + residual · residual_multiplier, or of |y|.

    With ``SHIFT`` clip(round(y / 2^shift), low, high) of a `Quantizer`, with ``THRESHOLDS`` low + number of thresholds
    that are at most y; either shifted left by `code_shift`. No intermediate result is cut short. `raw` is y modulo 2^32
    whatever is asked for.

    Thresholds come four a cycle: word k of a value's is taken `THRESHOLD_DELAY` + k cycles after the value, for
    threshold_words cycles. Without any word the code is low.

    Latency: `LATENCY` = 4 cycles: the two addends, y, its magnitude, the code; with ``THRESHOLDS``
    `THRESHOLD_DELAY` + max(1, threshold_words). Throughput: one value a cycle, with ``THRESHOLDS`` one in
    threshold_words cycles, and values are not to come faster; nothing holds it up.

    Parameters
    ----------
    width : int
        Bits of a value, at least 50: y has one more, since offset and residual together stay below 2^48.

    Members
    -------
    configuration : In(ACTIVATION_CONFIGURATION)
        Held constant from the first value to the last code; ``low`` is not above ``high``, and what is stored fits
        in 9 bits.
    in_valid : In(1)
    value : In(signed(width))
    offset : In(signed(48))
    residual : In(signed(9))
    residual_multiplier : In(signed(24))
    thresholds : In(ArrayLayout(signed(32), 4))
    out_valid : Out(1)
    code : Out(signed(9))
        With ``RAW`` as with ``SHIFT``.
    raw : Out(signed(32))

    Raises
    ------
    TypeError
        If `width` is not a positive integer.
    ValueError
        If `width` is less than 50.
    """

    LATENCY = 4
    THRESHOLD_DELAY = 3

    configuration: data.View
    in_valid: Signal
    value: Signal
    offset: Signal
    residual: Signal
    residual_multiplier: Signal
    thresholds: data.View
    out_valid: Signal
    code: Signal
    raw: Signal

    def __init__(self, width: int = POOLED_BITS) -> None:
        require_positive(width=width)
        if width < _LEAST_BITS:
            raise ValueError(f"width must be at least {_LEAST_BITS}, not {width}")
        super().__init__(
            {
                "configuration": In(ACTIVATION_CONFIGURATION),
                "in_valid": In(1),
                "value": In(signed(width)),
                "offset": In(signed(OFFSET_BITS)),
                "residual": In(signed(CODE_BITS)),
                "residual_multiplier": In(signed(SCALE_BITS)),
                "thresholds": In(data.ArrayLayout(signed(THRESHOLD_BITS), THRESHOLDS_PER_WORD)),
                "out_valid": Out(1),
                "code": Out(signed(CODE_BITS)),
                "raw": Out(signed(RAW_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration = self.configuration
        width = len(self.value) + 1

        by_thresholds = configuration.requantize == Requantize.THRESHOLDS.value

        based, summed, first, last = Signal(), Signal(), Signal(), Signal()
        words_left = Signal(range(THRESHOLD_WORDS + 1))
        m.d.sync += [based.eq(self.in_valid), summed.eq(based), first.eq(summed), self.out_valid.eq(last)]
        m.d.comb += last.eq(words_left == 1)
        with m.If(summed):
            has_words = by_thresholds & (configuration.threshold_words != 0)
            m.d.sync += words_left.eq(Mux(has_words, configuration.threshold_words, 1))
        with m.Elif(words_left != 0):
            m.d.sync += words_left.eq(words_left - 1)

        base = Signal(signed(width), reset_less=True)
        addend = Signal(signed(CODE_BITS + SCALE_BITS), reset_less=True)
        y = Signal(signed(width), reset_less=True)
        magnitude = Signal(signed(width), reset_less=True)
        m.d.sync += [
            base.eq(self.value + self.offset),
            addend.eq(self.residual * self.residual_multiplier),
            y.eq(base + addend),
        ]
        # Held while its thresholds come.
        with m.If(summed):
            m.d.sync += magnitude.eq(Mux(configuration.absolute & (y < 0), -y, y))

        quantizer = place(m, platform, "quantizer", Quantizer(width))
        m.d.comb += [
            quantizer.value.eq(magnitude),
            quantizer.shift.eq(configuration.shift),
            quantizer.rounding.eq(configuration.rounding),
            quantizer.low.eq(configuration.low),
            quantizer.high.eq(configuration.high),
        ]

        # One bit more than a threshold: below the least threshold there is still a number.
        largest = (1 << THRESHOLD_BITS) - 1
        narrow = Signal(signed(THRESHOLD_BITS + 1))
        m.d.comb += narrow.eq(
            Mux(magnitude > largest, largest, Mux(magnitude < ~largest, ~largest, magnitude))
        )
        reached = [
            (threshold <= narrow) & (configuration.threshold_words != 0) for threshold in self.thresholds
        ]
        steps_before = Signal(range(THRESHOLD_WORDS * THRESHOLDS_PER_WORD + 1), reset_less=True)
        steps = Signal.like(steps_before)
        m.d.comb += steps.eq(Mux(first, 0, steps_before) + sum(reached))
        m.d.sync += steps_before.eq(steps)

        code = Signal(signed(CODE_BITS), reset_less=True)
        raw = Signal(signed(RAW_BITS), reset_less=True)
        m.d.sync += [
            code.eq(
                Mux(by_thresholds, configuration.low + steps, quantizer.code) << configuration.code_shift
            ),
            raw.eq(magnitude),
        ]
        m.d.comb += [self.code.eq(code), self.raw.eq(raw)]
        return m
