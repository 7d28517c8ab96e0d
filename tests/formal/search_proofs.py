"""Proof of when lanes read thresholds and tables."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Cat, Signal, Value

from spinplane.hdl.output.lookup_walk import LookupWalk
from spinplane.machine import Machine
from spinplane.machine.output_stage import MOST_SEARCH_READS

from .proof import Harness, Proof

_MACHINE = Machine(name="proven", sub_arrays=2, rows=64, columns=32, segments=2, results_per_cycle=2)
#: From a begin to the last code that can follow.
_LONGEST = 2 * (MOST_SEARCH_READS + 1)


class _Walk:
    """When beats began, and what they read, as a walk's interface says it."""

    def __init__(self, h: Harness, walk: LookupWalk) -> None:
        layer = walk.layer
        self.reads, self.table = layer.search_reads, layer.table
        self.lookups = Signal(3, name="lookups")
        h.m.d.comb += self.lookups.eq(self.reads + self.table)
        h.assume(self.reads <= MOST_SEARCH_READS, layer.as_value() == h.delayed(layer.as_value(), 1))
        #: Whether a beat began so many cycles ago.
        self.began: list[Value] = [Signal(name="began")]
        h.m.d.sync += self.began[0].eq(walk.next_begins)
        for cycles in range(1, _LONGEST + 1):
            stage = Signal(name=f"began_{cycles}")
            h.m.d.sync += stage.eq(self.began[-1])
            self.began.append(stage)
        # A beat may begin in the cycle before the one in which the beat before it ends.
        early = Cat(self.began[cycles - 1] & (cycles < 2 * self.lookups - 1) for cycles in range(1, _LONGEST))
        h.assume(~walk.next_begins | ~early.any())
        numbers = range(MOST_SEARCH_READS + 1)
        self.steps: dict[str, Value] = {
            "begins": self.began[0],
            "has_begun": self.began[1] | (self.reads == 0),
            "looks": Cat(self.began[2 * n] & (self.reads > n) for n in numbers).any(),
            "looks_up": Cat(self.began[2 * n] & self.table & (self.reads == n) for n in numbers).any(),
        }


def _lookup_walk(unit: Callable[..., Any]) -> Harness:
    walk = unit(_MACHINE)
    h = Harness(walk)
    ref = _Walk(h, walk)
    began = ref.began
    beats = [walk.beat.as_value()]
    for _ in range(_LONGEST):
        beats.append(h.delayed(beats[-1], 1))
    ending = [began[2 * n] & (ref.lookups == n) for n in range(MOST_SEARCH_READS + 2)]
    h.prove(
        *(~h.after(1) | (getattr(walk, name) == step) for name, step in ref.steps.items()),
        walk.ends == Cat(ending).any(),
        *(~ends | (walk.ended_beat.as_value() == beats[2 * n]) for n, ends in enumerate(ending)),
        *(
            ~(began[2 * n] & (ref.lookups > n)) | (walk.read_beat.as_value() == beats[2 * n])
            for n in range(MOST_SEARCH_READS + 1)
        ),
    )
    h.reach(ending[0], ending[-1], ending[2] & began[1], ref.steps["looks_up"] & began[0])
    works = [began[at] & (at < 2 * ref.lookups) for at in range(_LONGEST)]
    h.prove(
        h.local("works") == Cat(works).any(),
        *(~now | (at > 0) & began[0] | (h.local("cycle") == at) for at, now in enumerate(works)),
    )
    return h


PROOFS = {
    "lookup_walk": Proof(
        unit=LookupWalk,
        says="A beat reads 0, 2, 4, … cycles after its begin and ends 2 cycles behind the last read, with its own "
        "word beside it; the next one may begin in the cycle before.",
        harness=_lookup_walk,
        width="all numbers of reads, with a table or without one",
        inductive=True,
        steps=2,
        reached=14,
        sound="ends_soon.eq(works & (cycle + 1 == last))",
        faulty="ends_soon.eq(next_works & (next_cycle + 1 == last))",
    ),
}
