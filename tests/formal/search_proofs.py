"""Proofs of a lane's search: when it reads, and that it counts the thresholds that are at most the value."""

from collections.abc import Callable
from functools import partial
from typing import Any

from amaranth.hdl import Cat, Const, Mux, Signal, Value, signed
from amaranth.lib import data

from spinplane.hdl.common.beat import threshold_word_layout
from spinplane.hdl.output.activation import LEVEL_BITS, Activation
from spinplane.hdl.output.arithmetic import wire
from spinplane.hdl.output.lookup_walk import LookupWalk
from spinplane.machine import Machine
from spinplane.machine.output_stage import MOST_SEARCH_READS, SEARCH_NODES

from .proof import Harness, Proof

_MACHINE = Machine(name="proven", sub_arrays=2, rows=64, columns=32, segments=2, results_per_cycle=2)
#: Words of a lane's memory, and bits of the number of one, or of one beyond them.
_WORDS, _WORD_BITS = 65_600, 17
#: From a begin to the last code that can follow.
_LONGEST = 2 * (MOST_SEARCH_READS + 1)


class _Walk:
    """When beats began, and what they read, as a walk's interface says it."""

    def __init__(self, h: Harness, walk: LookupWalk, reads: Value) -> None:
        layer = walk.layer
        self.reads, self.table = reads, layer.table
        self.lookups = Signal(3, name="lookups")
        h.m.d.comb += self.lookups.eq(self.reads + self.table)
        h.assume(layer.search_reads == reads, layer.as_value() == h.delayed(layer.as_value(), 1))
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
    ref = _Walk(h, walk, walk.layer.search_reads)
    h.assume(ref.reads <= MOST_SEARCH_READS)
    began = ref.began
    beats = [walk.beat.as_value()]
    for _ in range(_LONGEST):
        beats.append(h.delayed(beats[-1], 1))
    unended = [now & (at <= 2 * ref.lookups) for at, now in enumerate(began)]
    ending = [began[2 * n] & (ref.lookups == n) for n in range(MOST_SEARCH_READS + 2)]
    h.prove(
        *(~h.after(1) | (getattr(walk, name) == step) for name, step in ref.steps.items()),
        walk.ends == Cat(ending).any(),
        ~h.after(1) | (walk.wakes == (walk.next_begins | Cat(unended).any())),
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


def _search(unit: Callable[..., Any], reads: int) -> Harness:
    lane, walk = unit(_WORDS), LookupWalk(_MACHINE)
    h = Harness(lane)
    h.beside(walk)
    ref = _Walk(h, walk, Const(reads))
    layer, began = walk.layer, ref.began
    step, bounds, value = lane.step, lane.bounds, lane.kept_value.as_signed()
    h.assume(
        lane.configuration.as_value() == walk.configuration.as_value(),
        *(step[name] == ref.steps[name] for name in ref.steps),
    )
    # What is looked at stays from the first read to the last one.
    searches = wire(h.m, "searches", ~layer.multiplies | bounds.search)
    for at in range(1, 2 * reads):
        h.assume(~began[at] | (searches == h.delayed(searches, 1)))
        if at < 2 * reads - 1:
            h.assume(~began[at] | ~(step.keeps | step.takes_value))
    for at in range(1, _LONGEST - 1):
        h.assume(~(began[at] & (at < 2 * ref.lookups - 1)) | (lane.base == h.delayed(lane.base, 1)))

    # Any threshold of a channel, counted from 1: those that are read are in their order with it.
    number, threshold = h.constant(10, "number"), h.constant(signed(32), "threshold")
    h.assume(number > 0, number < max(5**reads, 2))
    words = data.View(threshold_word_layout(), lane.thresholds.data)
    path, counted = Signal(10, reset_less=True), Signal(10, reset_less=True)
    further = wire(h.m, "further", (path * 5 + sum(word <= value for word in words))[:10])
    h.m.d.sync += path.eq(further)
    h.prove(*(h.local(f"threshold_{place}_28") == (word <= value) for place, word in enumerate(words)))
    for depth in range(reads):
        looks, compares = began[2 * depth], began[2 * depth + 1]
        # So many thresholds lie below a node of the next level, with the one behind them.
        below = 5 ** (reads - depth - 1)
        with h.m.If(looks):
            h.m.d.sync += path.eq(path if depth else 0)
        if depth == reads - 1:
            with h.m.If(compares):
                h.m.d.sync += counted.eq(further)
        for place, word in enumerate(words):
            at = wire(h.m, f"at_{depth}_{place}", (5 * path + place + 1) * below)
            h.assume(
                ~(compares & searches & (at <= number)) | (word <= threshold),
                ~(compares & searches & (at >= number)) | (word >= threshold),
            )
        node = SEARCH_NODES[depth] + (path if depth else 0)
        h.prove(~(looks & searches) | (lane.thresholds.address == (lane.base + node)[:_WORD_BITS]))
        # What makes it inductive: where the threshold lies among those that the path leads to.
        for now in (looks, compares):
            if depth:
                known = wire(h.m, f"known_{depth}", now & searches)
                h.prove(
                    ~known | (path < 5**depth),
                    ~(known & (number <= path * 5 * below)) | (threshold <= value),
                    ~(known & (number >= (path + 1) * 5 * below)) | (threshold > value),
                )
        if depth:
            first = h.local("first_below")
            h.prove(~(looks & searches) | (h.local("below") == node))
            h.prove(~(compares & searches) | (first == (5 * node + 1)[:LEVEL_BITS]))

    # What is found, told of the lane's own number of a node: that of the leaf in which a search ends.
    is_found = wire(h.m, "is_found", began[2 * reads])
    searched, before = h.delayed(searches, 1), bounds.shape()(h.delayed(bounds.as_value(), 1))
    low, high = (
        Mux(layer.own_code, layer.total_low, before.low),
        Mux(layer.own_code, layer.total_high, before.high),
    )
    level = h.local("found_level")
    leaf = 5 * SEARCH_NODES[reads - 1] + 1 if reads else 1
    passed = wire(h.m, "passed", (h.local("below") - leaf)[:LEVEL_BITS])
    code = Mux(before.falling, high - passed, low + passed)
    code = Mux(layer.table, code, Mux(layer.level_shift, code << 1, code) + layer.out_zero)
    h.prove(
        ~(is_found & searched) | (level == code[:LEVEL_BITS]),
        ~(is_found & searched) | (passed == (counted[:LEVEL_BITS] if reads else 0)),
        ~(is_found & ~searched) | (level == lane.kept_level),
    )
    if reads:
        h.prove(
            ~(is_found & searched) | (counted < 5**reads),
            ~(is_found & searched) | ((threshold <= h.delayed(value, 1)) == (number <= counted)),
        )
    h.reach(is_found & searched & (passed == (5**reads - 1) % (1 << LEVEL_BITS)))
    entry = (lane.base + (level >> 4) + layer.table_offset)[:_WORD_BITS]
    looked_up = h.delayed(lane.thresholds.data.word_select(h.delayed(level, 1)[:4], 8), 1)
    h.prove(
        ~(is_found & ~layer.table) | (lane.code == level[:8]),
        ~(is_found & layer.table) | (lane.thresholds.address == entry),
        ~(h.after(3) & h.delayed(is_found, 2) & layer.table) | (lane.code == looked_up),
    )
    # The memory is asked where it has a word, and the value is kept as it is told.
    looks = step.looks_up | (step.looks & searches)
    pooled, beyond = lane.pooled, h.local("word") >= _WORDS
    limited = Mux(pooled < -(1 << 31), -(1 << 31), Mux(pooled > (1 << 31) - 2, (1 << 31) - 2, pooled))
    kept = Mux(step.keeps, Mux(layer.raw, pooled, limited), Mux(step.takes_value, lane.value, value))
    h.prove(
        lane.thresholds.enable == (looks & ~beyond),
        ~h.after(1) | (lane.beyond == h.delayed(looks & beyond, 1)),
        ~h.after(1) | (lane.kept_value == h.delayed(kept[:32], 1)),
        ~h.after(1) | (lane.kept_level == h.delayed(Mux(step.takes_level, lane.level, lane.kept_level), 1)),
    )
    h.reach(
        is_found & searched & before.falling & layer.level_shift & began[1],
        h.delayed(is_found, 2) & layer.table & (lane.code == 3),
        lane.beyond,
    )
    return h


#: A fault in the way down the tree; a search of less than two reads has none.
_FAULTS = (
    *(("first_below.eq(1)", "first_below.eq(0)"),) * 2,
    *(("first_below.eq(below * 5 + 1)", "first_below.eq(below * 5)"),) * 3,
)


def _search_proof(reads: int) -> Proof:
    sound, faulty = _FAULTS[reads]
    return Proof(
        unit=Activation,
        says="The code is low + n, high − n or the table's entry of it, where n is the number of a channel's "
        "thresholds, in their order, that are at most the value. The next beat may begin in the cycle before the "
        "code.",
        harness=partial(_search, reads=reads),
        width=f"{5**reads - 1} thresholds of 32 bits (reads: {reads}), 65 600 words",
        inductive=True,
        steps=3,
        reached=13,
        apart=True,
        sound=sound,
        faulty=faulty,
    )


PROOFS = {
    **{f"search_{reads}": _search_proof(reads) for reads in range(MOST_SEARCH_READS + 1)},
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
