"""Proof of pooling: each mode, at whatever place of a window, with what is passed on around the memory."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Mux, Signal, Value, signed

from spinplane.hdl.common.bank import Bank
from spinplane.hdl.output.pooling import Pooling
from spinplane.machine import Machine
from spinplane.machine.descriptor import Pool

from .proof import Harness, Proof

_MACHINE = Machine(
    name="proven", sub_arrays=2, rows=64, columns=32, segments=2, results_per_cycle=1, bus_bits=32
)
_WIDTH = 36


def _pooling(unit: Callable[..., Any]) -> Harness:
    pooling = unit(_MACHINE)
    h = Harness(pooling, boxes=(Bank,))
    p, (bank,) = pooling, h.boxes
    # A place of the window, any one, and the mode of the pass.
    place, mode, begun = h.free(p.address.shape(), "place"), p.mode, h.after(1)
    h.assume(
        ~begun | ((place == h.delayed(place, 1)) & (mode == h.delayed(mode, 1))),
        mode <= max(pool.value for pool in Pool),
    )
    pools = mode != Pool.NONE.value

    # The word of that place in the memory, and what a read of it gives.
    word, answer = Signal(_WIDTH, reset_less=True), Signal(_WIDTH, reset_less=True)
    answers = Signal(reset_less=True)
    with h.m.If(bank.write.enable & (bank.write.address == place)):
        h.m.d.sync += word.eq((word & ~bank.write.mask) | (bank.write.data & bank.write.mask))
    with h.m.If(bank.read.enable):
        h.m.d.sync += [answers.eq(bank.read.address == place), answer.eq(word)]
    h.assume(~answers | (bank.read.data == answer))

    # What is to be held there.
    beat, counts, seen, outer, here = (
        h.delayed(value, 1) for value in (p.in_valid, p.counts, p.seen, p.outer, p.address == place)
    )
    held, known = Signal(signed(_WIDTH), reset_less=True), Signal()
    value: Value = p.values[0]
    greater, lesser = Mux(value >= held, value, held), Mux(value <= held, value, held)
    joined = Mux(mode == Pool.SUM.value, held + value, Mux(p.least[0], lesser, greater))
    among = Mux(counts, Mux(seen, joined, value), Mux(seen, held, 0))
    result = Signal(signed(_WIDTH))
    h.m.d.comb += result.eq(Mux(pools, among, value))
    takes = begun & beat & here
    h.assume(~(takes & pools & seen) | known)
    with h.m.If(takes & pools & counts & ~outer):
        h.m.d.sync += [held.eq(result), known.eq(1)]

    expected, waits = Signal(signed(_WIDTH), reset_less=True), Signal()
    with h.m.If(begun & beat):
        h.m.d.sync += [expected.eq(result), waits.eq(here)]
    h.prove(~waits | (p.pooled[0] == expected), ~known | (word == held.as_unsigned()))
    for pool in Pool:
        h.reach(waits & (mode == pool.value) & (expected < 0))
    h.reach(waits & known & (expected != held) & pools)
    return h


PROOFS = {
    "pooling": Proof(
        unit=Pooling,
        says="The pooled value of a beat is the sum, the greatest, the least or the beat's own value as the mode says, "
        "with what the beats before it at its place have left; 0 if none counts. At equal places in a row, too.",
        harness=_pooling,
        width="36 bits, 1 lane, all places; the memory by its contract",
        inductive=True,
        steps=4,
        reached=8,
        sound="same.eq(keeps & (address == self.address))",
        faulty="same.eq(0)",
    ),
}
