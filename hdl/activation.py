"""Activation: from a pooled value to a code, by a shift or by thresholds; one lane."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, OFFSET_BITS
from spinplane.machine.activation import ACTIVATION_SHIFT_BITS, POOLED_BITS, RAW_BITS, SCALE_BITS
from spinplane.machine.descriptor import THRESHOLD_BITS, THRESHOLDS, Requantize

from .parameters import require_positive
from .shifter import RoundingShifter
from .verilog import place

_LEAST_BITS = OFFSET_BITS + 2

ACTIVATION_CONFIGURATION = data.StructLayout(
    {
        "requantize": 2,
        "absolute": 1,
        "shift": ACTIVATION_SHIFT_BITS,
        "rounding": 2,
        "low": signed(CODE_BITS),
        "high": signed(CODE_BITS),
        "threshold_count": 4,
        "thresholds": data.ArrayLayout(signed(THRESHOLD_BITS), THRESHOLDS),
    }
)
"""Fields of a `spinplane.machine.activation.ActivationConfiguration` as the `Activation` takes them."""


class Activation(wiring.Component):
    """Code of y = value + offset + residual · residual_multiplier, or of |y|.

    With ``SHIFT`` clip(round(y / 2^shift), low, high), with ``THRESHOLDS`` low + number of thresholds that are at
    most y. No intermediate result is cut short. `raw` is y modulo 2^32 whatever is asked for.

    Latency: `LATENCY` = 4 cycles: the two addends, y, its magnitude, the code. Throughput: one value a cycle;
    nothing holds it up.

    Parameters
    ----------
    width : int
        Bits of a value, at least 50: y has one more, since offset and residual together stay below 2^48.

    Members
    -------
    configuration : In(ACTIVATION_CONFIGURATION)
        Held constant from the first value to the last code; ``low`` is not above ``high``.
    in_valid : In(1)
    value : In(signed(width))
    offset : In(signed(48))
    residual : In(signed(9))
    residual_multiplier : In(signed(24))
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

    configuration: data.View
    in_valid: Signal
    value: Signal
    offset: Signal
    residual: Signal
    residual_multiplier: Signal
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
                "out_valid": Out(1),
                "code": Out(signed(CODE_BITS)),
                "raw": Out(signed(RAW_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        configuration = self.configuration
        width = len(self.value) + 1

        valid = Signal(self.LATENCY)
        m.d.sync += valid.eq((valid << 1) | self.in_valid)
        m.d.comb += self.out_valid.eq(valid[-1])

        base = Signal(signed(width), reset_less=True)
        addend = Signal(signed(CODE_BITS + SCALE_BITS), reset_less=True)
        y = Signal(signed(width), reset_less=True)
        magnitude = Signal(signed(width), reset_less=True)
        m.d.sync += [
            base.eq(self.value + self.offset),
            addend.eq(self.residual * self.residual_multiplier),
            y.eq(base + addend),
            magnitude.eq(Mux(configuration.absolute & (y < 0), -y, y)),
        ]

        shifter = place(
            m, platform, "activation_shifter", RoundingShifter(width, width, ACTIVATION_SHIFT_BITS)
        )
        low, high = configuration.low, configuration.high
        clipped = Signal(signed(CODE_BITS))
        m.d.comb += [
            shifter.value.eq(magnitude),
            shifter.amount.eq(configuration.shift),
            shifter.rounding.eq(configuration.rounding),
            clipped.eq(Mux(shifter.shifted < low, low, Mux(shifter.shifted > high, high, shifter.shifted))),
        ]

        # One bit more than a threshold: below the least threshold there is still a number.
        largest = (1 << THRESHOLD_BITS) - 1
        narrow = Signal(signed(THRESHOLD_BITS + 1))
        m.d.comb += narrow.eq(
            Mux(magnitude > largest, largest, Mux(magnitude < ~largest, ~largest, magnitude))
        )
        steps = Signal(range(THRESHOLDS + 1))
        reached = [
            (configuration.threshold_count > j) & (configuration.thresholds[j] <= narrow)
            for j in range(THRESHOLDS)
        ]
        m.d.comb += steps.eq(sum(reached))

        code = Signal(signed(CODE_BITS), reset_less=True)
        raw = Signal(signed(RAW_BITS), reset_less=True)
        by_thresholds = configuration.requantize == Requantize.THRESHOLDS.value
        m.d.sync += [code.eq(Mux(by_thresholds, low + steps, clipped)), raw.eq(magnitude)]
        m.d.comb += [self.code.eq(code), self.raw.eq(raw)]
        return m
