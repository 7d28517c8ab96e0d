"""Proof of the output stage's multiplier."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Signal, signed

from spinplane.hdl.output.multiplier import Multiplier

from .proof import Harness, Proof


def _multiplier(bits: int) -> Callable[[Callable[..., Any]], Harness]:
    def build(unit: Callable[..., Any]) -> Harness:
        multiplier = unit()
        h = Harness(multiplier)
        least, most = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        for number in (multiplier.operand, multiplier.factor):
            h.assume(number >= least, number <= most)
        product = Signal(signed(64), name="wanted")
        h.m.d.comb += product.eq((multiplier.operand + multiplier.rounds_up) * multiplier.factor)
        known = h.after(multiplier.LATENCY)
        wanted = h.delayed(product, multiplier.LATENCY)
        h.prove(~known | (multiplier.product == wanted.as_signed()))
        h.reach(known & (multiplier.product == least * least), known & (multiplier.product == -1))
        return h

    return build


PROOFS = {
    "multiplier": Proof(
        unit=Multiplier,
        says="(operand + rounds_up) · factor.",
        harness=_multiplier(4),
        width="numbers of 4 bits, sign-extended: products of wider unknown numbers do not close",
        machine="36 × 32 bits",
        inductive=True,
        steps=5,
        reached=7,
        sound="placed[2 * number - 2] = bits[0]",
        faulty="placed[2 * number - 2] = bits[1]",
    ),
}
