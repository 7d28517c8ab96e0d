"""Batch normalisation (Eq. 5) in whole numbers: the products of the lanes that share a multiplier."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine.output_stage import (
    MULTIPLIER_BITS,
    OFFSET_BITS,
    POOLED_BITS,
    PRODUCT_BITS,
    SHIFT_BITS,
    SIGNIFICAND_BITS,
)

from ..common.descriptor import DESCRIPTOR
from ..common.verilog import place
from .arithmetic import add_carry, any_above, register, shift_right, shift_right_sticky, wire
from .multiplier import Multiplier
from .turn import Product, kinds_layout

#: A code times a multiplier, after its bits below the point are gone.
_CODE_PRODUCT_BITS = 42


class BatchNorm(wiring.Component):
    """Products of values and multipliers, rounded as their operators do, with what is added to them.

    ``POOLED``: H(operand · multiplier, high_shift) + offset, or F(F(operand) · multiplier) + offset with
    `float_scale`. ``RESIDUAL``: A(H((operand − residual_zero) · residual_multiplier, residual_high_shift),
    residual_shift) + the value before it. ``OWN``: A(H(operand · own_multiplier, own_high_shift), own_shift) +
    total_offset. ``TOTAL``: H(operand · total_multiplier, total_high_shift). Modulo 2^64; ``docs/accelerator.md`` has
    H, A and F. Eq. 5 is the first one, with the bias that a sum brings along.

    Nothing rounds by an adder of its own: what rounds up is the carry of the next addition.

    Latency: `LATENCY` = 10 cycles. Scales are taken in the cycle of an operand, its high shift `HIGH_SHIFT_STAGE` = 5
    cycles later, its offset `OFFSET_STAGE` = 9 cycles later. Throughput: one product a cycle; nothing holds it up.

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant from the first operand to the last value.
    kinds : In(kinds_layout(LATENCY))
        What each stage works on: element k is the `Product` of the operand that came k cycles before.
    operand : In(signed(36))
    multiplier, residual_multiplier : In(signed(32))
    high_shift : In(6)
    offset : In(signed(48))
    value : Out(signed(64))
    """

    HIGH_SHIFT_STAGE = 1 + Multiplier.LATENCY
    OFFSET_STAGE = HIGH_SHIFT_STAGE + 4
    LATENCY = OFFSET_STAGE + 1

    layer: data.View
    kinds: data.View
    operand: Signal
    multiplier: Signal
    residual_multiplier: Signal
    high_shift: Signal
    offset: Signal
    value: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "kinds": In(kinds_layout(self.LATENCY)),
                "operand": In(signed(POOLED_BITS)),
                "multiplier": In(signed(MULTIPLIER_BITS)),
                "residual_multiplier": In(signed(MULTIPLIER_BITS)),
                "high_shift": In(SHIFT_BITS),
                "offset": In(signed(OFFSET_BITS)),
                "value": Out(signed(PRODUCT_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        product = self._multiply(m, platform)
        addend, rounds_up = self._round_code(m, *self._round(m, product))
        self._add(m, addend, rounds_up)
        return m

    def _is(self, stage: int, kind: Product) -> Value:
        return self.kinds[stage] == kind.value

    def _choice(self, stage: int, numbers: dict[Product, Value]) -> Value:
        """The number of the product in a stage, 0 for those that have none."""
        chosen: Value = Const(0)
        for kind, number in numbers.items():
            chosen = Mux(self._is(stage, kind), number, chosen)
        return chosen

    def _multiply(self, m: Module, platform: object) -> Value:
        """The operand as its kind has it, and its product."""
        layer, multiplier = self.layer, place(m, platform, "multiplier", Multiplier())
        is_float = layer.float_scale & self._is(0, Product.POOLED)
        operand = Value.cast(self.operand)
        dropped = _beyond_significand(m, "of_operand", operand, is_float)
        rounds_up = wire(m, "operand_rounds_up", _half_even(operand, dropped))
        kept = Cat(_fill(operand, dropped, rounds_up), operand[len(dropped) :])
        code = operand[:8] - layer.residual_zero
        operand = Mux(self._is(0, Product.RESIDUAL), code, kept.as_signed())
        numbers = {
            Product.POOLED: self.multiplier,
            Product.RESIDUAL: self.residual_multiplier,
            Product.OWN: layer.own_multiplier,
            Product.TOTAL: layer.total_multiplier,
        }
        m.d.comb += [
            multiplier.operand.eq(register(m, "multiplied", operand[:POOLED_BITS])),
            multiplier.rounds_up.eq(register(m, "multiplied_rounds_up", rounds_up)),
            multiplier.factor.eq(register(m, "factor", self._choice(0, numbers)[:MULTIPLIER_BITS])),
        ]
        return multiplier.product

    def _round(self, m: Module, product: Value) -> tuple[Value, Value, Signal]:
        """H: the number below, and whether it is to be rounded up; of a float the product, and what it has to drop."""
        layer, stage = self.layer, self.HIGH_SHIFT_STAGE
        is_float = [layer.float_scale & self._is(stage + at, Product.POOLED) for at in range(2)]
        numbers = {
            Product.POOLED: Mux(is_float[0], 0, self.high_shift),
            Product.RESIDUAL: layer.residual_high_shift,
            Product.OWN: layer.own_high_shift,
            Product.TOTAL: layer.total_high_shift,
        }
        amount = wire(m, "high_amount", self._choice(stage, numbers)[:SHIFT_BITS])
        # Bit 0 is the one below the point.
        coarse = register(m, "coarse", shift_right(m, "high", Cat(0, product), amount, 5, 4, 3))
        amount = register(m, "fine_high_amount", amount[:3])
        fine = shift_right(m, "high", coarse, amount, 2, 1, 0)
        dropped = _beyond_significand(m, "of_product", coarse[1:], is_float[1])
        return (
            register(m, "divided", fine[1:]),
            register(m, "divided_up", fine[0]),
            register(m, "dropped", dropped),
        )

    def _round_code(self, m: Module, number: Value, rounds_up: Value, dropped: Signal) -> tuple[Value, Value]:
        """F of a float, A of a code's product; others pass."""
        layer, stage = self.layer, self.HIGH_SHIFT_STAGE + 2
        is_code = [
            self._is(stage + at, Product.RESIDUAL) | self._is(stage + at, Product.OWN) for at in range(2)
        ]
        # H of a code's product is a number of its own before it is divided again.
        low = number[:_CODE_PRODUCT_BITS]
        low = wire(m, "code_product", (low + (rounds_up & is_code[0]))[:_CODE_PRODUCT_BITS])
        numbers = {Product.RESIDUAL: layer.residual_shift, Product.OWN: layer.own_shift}
        amount = wire(m, "code_amount", self._choice(stage, numbers)[:SHIFT_BITS])
        value, lost = shift_right_sticky(m, "code", Cat(0, low), Const(0, 1), amount, 5, 4, 3)
        # A float is not shifted, and nothing else drops bits.
        float_up = wire(m, "product_rounds_up", _half_even(number, dropped))
        kept = 1 + len(dropped)
        value = Cat(value[0], _fill(value[1:kept], dropped, float_up), value[kept:])
        value, lost = register(m, "coarse_code", value), register(m, "coarse_code_lost", lost)
        amount = register(m, "fine_code_amount", amount[:3])
        high = register(m, "above_code_product", number[_CODE_PRODUCT_BITS:])
        passed = register(m, "passed_up", (rounds_up & ~is_code[0]) | float_up)

        value, lost = shift_right_sticky(m, "code", value, lost, amount, 2, 1, 0)
        sign = value[-1]
        away = value[0] & (lost | ~sign)
        high = Mux(is_code[1], sign.replicate(len(high)), high)
        addend = register(m, "addend", Cat(value[1:], high))
        return addend, register(m, "addend_up", Mux(is_code[1], away, passed))

    def _add(self, m: Module, addend: Value, rounds_up: Value) -> None:
        layer, stage = self.layer, self.OFFSET_STAGE
        value = Signal.like(self.value, name="sum", reset_less=True)
        numbers = {Product.POOLED: self.offset, Product.OWN: layer.total_offset, Product.RESIDUAL: value}
        base = Signal(signed(PRODUCT_BITS), name="added_to")
        m.d.comb += [base.eq(self._choice(stage, numbers)), self.value.eq(value)]
        m.d.sync += value.eq(add_carry(addend, Value.cast(base), rounds_up)[:PRODUCT_BITS])


def _beyond_significand(m: Module, name: str, value: Value, is_float: Value) -> Signal:
    """Lower bits of a signed number for which 24 significant ones leave no room, if it is to become a float."""
    magnitude = value[:-1] ^ value[-1].replicate(len(value) - 1)
    above = any_above(m, name, magnitude[SIGNIFICAND_BITS:])
    return wire(m, f"dropped_{name}", above & is_float.replicate(len(above)))


def _half_even(value: Value, dropped: Signal) -> Value:
    """Whether `value` without the bits that are dropped is rounded up, halves to even."""
    half_at = dropped & ~(dropped >> 1)
    half = (half_at & value[: len(dropped)]).any()
    odd = (half_at & value[1 : 1 + len(dropped)]).any()
    below = ((dropped >> 1) & value[: len(dropped)]).any()
    return half & (odd | below)


def _fill(value: Value, dropped: Signal, rounds_up: Signal) -> Value:
    """Lower bits of `value`, those that are dropped 1 if it is rounded up: one more is then the rounded number."""
    return (value[: len(dropped)] & ~dropped) | (dropped & rounds_up.replicate(len(dropped)))
