"""Proofs of batch-norm and scaler around a multiplier that is proven alone: its product is free."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from amaranth.hdl import Array, Cat, Const, Mux, Signal, Value, signed

from spinplane.hdl.output.arithmetic import wire
from spinplane.hdl.output.batch_norm import BatchNorm
from spinplane.hdl.output.limiter import Limiter
from spinplane.hdl.output.multiplier import Multiplier
from spinplane.hdl.output.quantizer import Quantizer
from spinplane.hdl.output.scaler import QUANTIZED, SCALE_STAGES, Scaler
from spinplane.hdl.output.turn import Product
from spinplane.machine import Machine
from spinplane.machine.output_stage import POOLED_BITS, PRODUCT_BITS, RAW_BITS, SIGNIFICAND_BITS

from .proof import Harness, Proof

_MACHINE = Machine(
    name="proven", sub_arrays=8, rows=64, columns=32, segments=2, results_per_cycle=8, multipliers=2
)
#: Least and greatest product of a code of 9 bits and a multiplier of 32.
_CODE_PRODUCT, _CODE_BITS = 1 << 39, 42
#: Stage of a turn in which its product is rounded.
_SCALED = SCALE_STAGES["offsets"] + 1


def _follow(h: Harness, stages: Sequence[Any]) -> None:
    """What is told of each stage is what was told of the one before a cycle ago."""
    for before, now in pairwise(stages):
        h.assume(Value.cast(now) == h.delayed(Value.cast(before), 1))


def _rounded(h: Harness, name: str, number: Value, mask: Value, at_half: Value) -> Value:
    """Whether what `mask` leaves below is more than half of it, or half of it and `at_half`."""
    half = wire(h.m, f"{name}_half", mask & ~(mask >> 1))
    rest = wire(h.m, f"{name}_rest", number[: len(mask)] & mask)
    return wire(h.m, f"{name}_up", (rest & half).any() & ((rest != half) | at_half))


def _away(h: Harness, number: Value, amount: Value) -> Signal:
    """The quotient by 2^amount, to the nearest integer, halves away from 0."""
    quotient = wire(h.m, "code_quotient", number.as_signed() >> amount).as_signed()
    mask = wire(h.m, "code_mask", ((Const(1, len(number)) << amount) - 1)[: len(number)])
    found = Signal(signed(len(number)), name="wanted_code")
    h.m.d.comb += found.eq(quotient + _rounded(h, "code", number, mask, number.as_signed() >= 0))
    return found


def _float(h: Harness, name: str, number: Value) -> tuple[Signal, Signal]:
    """A number to 24 significant bits, halves to even, which may have a bit more; and a mask of what it loses."""
    bits = len(number)
    magnitude = wire(h.m, f"{name}_magnitude", number ^ number[-1].replicate(bits))
    beyond = bits - 1 - SIGNIFICAND_BITS
    mask = wire(h.m, f"{name}_mask", Cat(magnitude >= 1 << (SIGNIFICAND_BITS + at) for at in range(beyond)))
    last = wire(h.m, f"{name}_last", Cat(mask, 0) + 1)
    odd = (last & number[: len(last)]).any()
    up = _rounded(h, name, number, mask, odd)
    floor = Cat(number[:beyond] & ~mask, number[beyond:]).as_signed()
    found = Signal(signed(bits + 1), name=name)
    h.m.d.comb += found.eq(floor + Mux(up, last, 0))
    return found, mask


def _batch_norm(unit: Callable[..., Any]) -> Harness:
    batch_norm = unit()
    h = Harness(batch_norm, boxes=(Multiplier,))
    b, layer, (multiplier,) = batch_norm, batch_norm.layer, h.boxes
    _follow(h, list(b.kinds))
    h.assume(layer.as_value() == h.delayed(layer.as_value(), 1))

    def of(stage: int, numbers: dict[Product, Value]) -> Value:
        return Array(numbers.get(kind, Const(0)) for kind in Product)[b.kinds[stage]]

    # What is multiplied, a cycle after it came.
    operand = b.operand.as_unsigned()
    operands: dict[Product, Value] = {
        Product.POOLED: Mux(layer.float_scale, _float(h, "float_operand", operand)[0], b.operand),
        Product.RESIDUAL: operand[:8] - layer.residual_zero,
        Product.OWN: b.operand,
        Product.TOTAL: b.operand,
    }
    factors = {
        Product.POOLED: b.multiplier,
        Product.RESIDUAL: b.residual_multiplier,
        Product.OWN: layer.own_multiplier,
        Product.TOTAL: layer.total_multiplier,
    }
    for kind in Product:
        is_it = b.kinds[1] == kind.value
        wanted = Signal(signed(POOLED_BITS + 1), name=f"wanted_{kind.name}")
        h.m.d.comb += wanted.eq(operands[kind])
        h.prove(
            ~is_it | (multiplier.operand + multiplier.rounds_up == h.delayed(wanted, 1)),
            ~is_it | (multiplier.factor == h.delayed(factors[kind], 1)),
        )

    # H, or the product as it is; a code's product is small.
    stage, product = BatchNorm.HIGH_SHIFT_STAGE, multiplier.product
    is_code = wire(h.m, "is_code", of(stage, {Product.RESIDUAL: Const(1), Product.OWN: Const(1)}))
    h.assume(~is_code | ((product >= -_CODE_PRODUCT) & (product <= _CODE_PRODUCT)))
    is_float = layer.float_scale & (b.kinds[stage] == Product.POOLED.value)
    shifts = {
        Product.POOLED: b.high_shift,
        Product.RESIDUAL: layer.residual_high_shift,
        Product.OWN: layer.own_high_shift,
        Product.TOTAL: layer.total_high_shift,
    }
    amount = wire(h.m, "wanted_shift", Mux(is_float, 0, of(stage, shifts)))
    # The bits down to the one below the point.
    twice = wire(h.m, "twice", Cat(0, product).as_signed() >> amount)
    twice, known = h.delayed(twice, 2), h.after(2)
    h.prove(~known | (Cat(h.local("divided_up"), h.local("divided")) == twice))
    # A of a code, F of a float, or H alone.
    stage += 2
    is_code = of(stage, {Product.RESIDUAL: Const(1), Product.OWN: Const(1)})
    is_float = layer.float_scale & (b.kinds[stage] == Product.POOLED.value)
    small = (twice.as_signed() >= -2 * _CODE_PRODUCT) & (twice.as_signed() <= 2 * _CODE_PRODUCT)
    h.prove(~(known & is_code) | small, ~(known & is_float) | ~twice[0])
    as_float, lost = _float(h, "float_product", twice[1:])
    h.prove(~known | (h.local("dropped") == Mux(is_float, lost, 0)))
    high = wire(h.m, "high", (twice[1:] + twice[0])[:PRODUCT_BITS])
    code_shift = of(stage, {Product.RESIDUAL: layer.residual_shift, Product.OWN: layer.own_shift})
    code = _away(h, high[:_CODE_BITS], wire(h.m, "wanted_code_shift", code_shift))
    wanted = Signal(PRODUCT_BITS, name="wanted")
    h.m.d.comb += wanted.eq(Mux(is_code, code, Mux(is_float, as_float, high.as_signed())))
    wanted, known = h.delayed(wanted, 2), known & h.delayed(known, 2)
    addend, up = h.local("addend"), h.local("addend_up")
    for kind in Product:
        is_it = known & (b.kinds[BatchNorm.OFFSET_STAGE] == kind.value)
        h.prove(~is_it | ((addend + up)[:PRODUCT_BITS] == wanted))
    # What is added to it.
    added = {
        Product.POOLED: b.offset,
        Product.RESIDUAL: b.value,
        Product.OWN: layer.total_offset,
    }
    base = Signal(signed(PRODUCT_BITS), name="wanted_base")
    h.m.d.comb += base.eq(of(BatchNorm.OFFSET_STAGE, added))
    total = (addend + base + up)[:PRODUCT_BITS]
    h.prove(~h.after(1) | (b.value.as_unsigned() == h.delayed(total, 1)))
    of_stage = b.kinds[BatchNorm.OFFSET_STAGE]
    h.reach(
        *(known & (of_stage == kind.value) & (wanted == (1 << PRODUCT_BITS) - 3) for kind in Product),
        known & layer.float_scale & (of_stage == Product.POOLED.value) & (wanted == 1 << 40),
    )
    return h


def _scaler(unit: Callable[..., Any]) -> Harness:
    scaler = unit(_MACHINE)
    h = Harness(scaler, boxes=(BatchNorm, Quantizer, Limiter))
    layer, turns, scales, lanes = scaler.layer, scaler.turns, scaler.scales, list(scaler.lanes)
    batch_norm, quantizer, limiter = (
        next(box for box in h.boxes if isinstance(box, kind)) for kind in (BatchNorm, Quantizer, Limiter)
    )
    _follow(h, list(turns))
    h.assume(layer.as_value() == h.delayed(layer.as_value(), 1))

    def of_lane(turn: Any, name: str) -> Value:
        return Array(Value.cast(lane[name]) for lane in lanes)[turn.lane]

    def is_own(turn: Any) -> Value:
        return layer.own_code & (turn.kind == Product.POOLED.value)

    # What is multiplied: taken in a turn's first stage, with its scales where batch-norm looks at them.
    turn, level = turns[0], of_lane(turns[0], "level")
    operands: dict[Product, Value] = {
        Product.POOLED: of_lane(turn, "pooled"),
        Product.RESIDUAL: of_lane(turn, "residual"),
        Product.OWN: level.as_signed(),
        Product.TOTAL: Cat(of_lane(turn, "value"), level[: POOLED_BITS - RAW_BITS]),
    }
    for kind in Product:
        operand = wire(h.m, f"operand_{kind.name}", Cat(operands[kind], Const(0, POOLED_BITS))[:POOLED_BITS])
        if kind is Product.OWN:
            operand = wire(h.m, "own_operand", Cat(level, level[-1].replicate(POOLED_BITS))[:POOLED_BITS])
        h.prove((turns[1].kind != kind.value) | (batch_norm.operand.as_unsigned() == h.delayed(operand, 1)))
    h.prove(
        *(now == turns[1 + stage].kind for stage, now in enumerate(batch_norm.kinds)),
        batch_norm.multiplier == scales.products.multiplier,
        batch_norm.residual_multiplier == scales.products.residual_multiplier,
        batch_norm.high_shift == scales.high_shifts.high_shift,
        batch_norm.offset == scales.offsets.offset,
        (quantizer.value == batch_norm.value) & (limiter.value == batch_norm.value),
    )

    # How it is rounded, each number in its stage; what follows is known two cycles after a reset.
    turn = turns[_SCALED]
    of_total = layer.own_code & ~is_own(turn)
    h.prove(
        quantizer.shift == Mux(of_total, layer.total_shift, h.delayed(scales.offsets.shift, 1)),
    )
    turn = turns[_SCALED + 1]
    h.prove(
        quantizer.rounding == Mux(is_own(turn), layer.own_rounding, layer.rounding),
        limiter.raw == layer.raw,
        limiter.wide == (layer.multiplies_total & (turn.kind != Product.TOTAL.value)),
    )
    turn = turns[QUANTIZED]
    of_total, is_plain = layer.own_code & ~is_own(turn), layer.table | is_own(turn)
    goes_on = of_total & layer.multiplies_total & (turn.kind != Product.TOTAL.value)
    bounds = Array(lane.bounds.as_value() for lane in lanes)[turn.lane]
    bounds = lanes[0].bounds.shape()(bounds)
    takes = [turn.valid & turn.closes & (turn.lane == number) for number in range(len(lanes))]
    h.prove(
        quantizer.low == Mux(of_total, layer.total_low, bounds.low),
        quantizer.high == Mux(of_total, layer.total_high, bounds.high),
        quantizer.level_shift == (layer.level_shift & ~is_plain),
        quantizer.zero == Mux(is_plain, 0, layer.out_zero),
        scaler.level == Mux(goes_on, limiter.limited[RAW_BITS:], quantizer.code),
        scaler.takes_level == Cat(takes),
        scaler.value == h.delayed(limiter.limited[:RAW_BITS], 1),
        ~h.after(1) | (scaler.takes_value == h.delayed(Mux(is_own(turn), 0, Cat(takes)), 1)),
    )
    h.reach(
        goes_on & takes[-1],
        of_total & ~goes_on & takes[0] & (layer.total_low < 0),
        is_own(turn) & takes[1],
        *(turns[1].kind == kind.value for kind in Product),
        scaler.takes_value[-1] & (scaler.value == 3),
    )
    return h


PROOFS = {
    "batch_norm": Proof(
        unit=BatchNorm,
        says="Around a multiplier that is right: an operand is rounded to 24 significant bits with float_scale, a code "
        "loses its zero point; the product is divided by 2^shift with halves up, a code's once more with halves away "
        "from 0, or rounded to a float; its offset, or the value before, is added.",
        harness=_batch_norm,
        width="64 bits, any product",
        inductive=True,
        steps=2,
        reached=6,
        apart=True,
        sound="away = value[0] & (lost | ~sign)",
        faulty="away = value[0]",
    ),
    "scaler": Proof(
        unit=Scaler,
        says="Each lane's turn takes its operand, scales, shift, rounding and bounds in their stages, and the lane "
        "takes the level and the value that are its own: an own code, the total, or what is multiplied again.",
        harness=_scaler,
        width="4 lanes; batch-norm, quantizer and limiter by their own proofs",
        machine="32 lanes",
        inductive=True,
        steps=2,
        reached=15,
        sound="limiter.wide.eq(layer.multiplies_total & (turns[_SCALED + 1].kind",
        faulty="limiter.wide.eq(layer.multiplies_total & (turns[_SCALED].kind",
    ),
}
