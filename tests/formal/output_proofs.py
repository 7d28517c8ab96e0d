"""Proofs of the output stage's steps: pooling, limits and codes."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Const, Mux, Signal, Value, signed

from spinplane.hdl.output.limiter import Limiter
from spinplane.hdl.output.pool_lane import PoolLane
from spinplane.hdl.output.quantizer import Quantizer
from spinplane.machine import Rounding

from .proof import Harness, Proof


def _limiter(unit: Callable[..., Any]) -> Harness:
    limiter = unit()
    h = Harness(limiter)
    value, raw, wide = h.delayed(limiter.value, 2), h.delayed(limiter.raw, 1), h.delayed(limiter.wide, 1)

    def clip(low: int, high: int) -> Value:
        return Mux(value < low, low, Mux(value > high, high, value))

    known = h.after(2)
    within, search = clip(-(1 << 35), (1 << 35) - 1), clip(-(1 << 31), (1 << 31) - 2)
    h.prove(
        ~(known & wide) | (limiter.limited == within[:36]),
        ~(known & ~wide & ~raw) | (limiter.limited[:32] == search[:32]),
        ~(known & ~wide & raw) | (limiter.limited[:32] == value[:32]),
    )
    h.reach(
        known & wide & (value > 1 << 40), known & ~wide & ~raw & (value < -(1 << 40)), known & raw & ~wide
    )
    return h


def _pool_lane(unit: Callable[..., Any]) -> Harness:
    lane = unit()
    h = Harness(lane)
    way = {name: h.delayed(getattr(lane.way, name), 1) for name in lane.way.shape().members}
    ways = way["adds"] + way["compares"] + way["takes_value"] + way["takes_held"]
    known = h.after(1)
    h.assume(~known | (ways <= 1))
    held = Mux(way["passes_on"], lane.pooled, lane.stored).as_signed()
    total, value = Signal(signed(36)), lane.value
    h.m.d.comb += total.eq(held + value)
    greater, lesser = Mux(value >= held, value, held), Mux(value <= held, value, held)
    for name, expected in {
        "adds": total,
        "compares": Mux(lane.least, lesser, greater),
        "takes_value": value,
        "takes_held": held,
    }.items():
        h.prove(~(known & way[name]) | (lane.joined == expected))
        h.reach(known & way[name] & (lane.joined < 0))
    h.prove(~known | (ways != 0) | (lane.joined == 0))
    h.prove(~known | (lane.pooled == h.delayed(lane.joined, 1)))
    return h


def _quantizer(unit: Callable[..., Any]) -> Harness:
    quantizer = unit()
    h = Harness(quantizer)
    known = h.after(2)
    shift = quantizer.shift
    # Twice the quotient and a bit for what is below, made of the value by a plain shift.
    doubled = (quantizer.value << 1).as_signed()
    twice = Signal(signed(65))
    h.m.d.comb += twice.eq(doubled >> shift)
    below = Signal(65)
    h.m.d.comb += below.eq(((Const(1, 65) << shift) - 1)[:65] & doubled.as_unsigned())
    q = h.delayed(twice, 1)
    lost = h.delayed(below.any(), 1)
    quotient, half, sign = (q >> 1), q[0], q[-1]
    odd = q[1]
    ups = {
        Rounding.FLOOR: Const(0),
        Rounding.CEIL: half | lost,
        Rounding.TO_ZERO: sign & (half | lost),
        Rounding.AWAY: ~sign & (half | lost),
        Rounding.HALF_EVEN: half & (lost | odd),
        Rounding.HALF_UP: half,
        Rounding.HALF_DOWN: half & lost,
        Rounding.HALF_AWAY: half & (lost | ~sign),
        Rounding.HALF_TO_ZERO: half & (lost | sign),
    }
    up = Signal()
    for rounding, value in ups.items():
        with h.m.If(quantizer.rounding == rounding.value):
            h.m.d.comb += up.eq(value)
        h.reach(known & (h.delayed(quantizer.rounding, 1) == rounding.value) & (quantizer.code == 3))
    h.assume(quantizer.rounding <= max(rounding.value for rounding in ups))
    rounded = Signal(signed(66))
    h.m.d.comb += rounded.eq(quotient + up)
    level = h.delayed(rounded, 1)
    low, high = quantizer.low, quantizer.high
    raised = Mux(level < low, low, level)
    clipped = Mux(raised > high, high, raised)
    expected = Mux(quantizer.level_shift, clipped << 1, clipped) + quantizer.zero
    h.prove(~known | (quantizer.code == expected[:9]))
    return h


PROOFS = {
    "limiter": Proof(
        unit=Limiter,
        says="A value is clipped to 36 bits or to what a search looks at, or its lower 32 bits stay as they are.",
        harness=_limiter,
        width="64 bits",
        inductive=True,
        steps=3,
        reached=4,
        sound='sign = register(m, "sign", value[-1])',
        faulty='sign = register(m, "sign", value[-2])',
    ),
    "pool_lane": Proof(
        unit=PoolLane,
        says="A lane alone: the sum, the greater or lesser one, the value or what is held, each as told.",
        harness=_pool_lane,
        width="36 bits",
        inductive=True,
        steps=2,
        reached=4,
        sound="total[-1] ^ self.least",
        faulty="total[-2] ^ self.least",
    ),
    "quantizer": Proof(
        unit=Quantizer,
        says="clip(round(value / 2^shift), low, high) << level_shift, and zero, in each of nine roundings.",
        harness=_quantizer,
        width="64 bits",
        inductive=True,
        steps=3,
        reached=4,
        sound="half & (lost | odd)",
        faulty="half",
    ),
}
