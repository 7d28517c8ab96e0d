"""Activation: from a value to a code by thresholds or a table; one lane, with a memory of its own."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, bits_for
from spinplane.machine.machine import CHANNEL_BITS
from spinplane.machine.output_stage import CODES_PER_WORD, POOLED_BITS, RAW_BITS

from ..common.bank import bank_read
from ..common.beat import parameters_layout, threshold_word_layout
from ..common.checks import require_positive
from .arithmetic import add_carry, is_at_most, register, wire
from .limiter import is_beyond_search

#: A number that wraps at the entries of a table, and of which a code's planes are the lower bits.
LEVEL_BITS = CODE_BITS
_WORD_BITS = 17
_NODE_BITS = 8
_ENTRY_BITS = bits_for(CODES_PER_WORD - 1)

LANE_STEP = data.StructLayout(
    {
        "keeps": 1,
        "begins": 1,
        "has_begun": 1,
        "looks": 1,
        "looks_up": 1,
        "takes_level": 1,
        "takes_value": 1,
        "wakes": 1,
    }
)
"""What a lane does in a cycle: it keeps its pooled sum; begins a search; has begun one in the cycle before, or has
none; reads a word of thresholds, or of a table; takes a level, or a value, from its multiplier. ``wakes``: a beat
begins in the next cycle, or has not ended before this one."""

LANE_CONFIGURATION = data.StructLayout(
    {
        "raw": 1,
        "searches": 1,
        "compares": 1,
        "table": 1,
        "table_offset": 8,
        "has_bounds": 1,
        "rises": LEVEL_BITS,
        "falls": LEVEL_BITS,
        "doubles": 1,
        "is_odd": 1,
    }
)
"""What lanes do in a pass. ``searches``: all channels do; ``compares``: a search has reads; ``has_bounds``: it counts
from the channel's low or high; ``rises``, ``falls``: what else is added; ``doubles``, ``is_odd``: of a code that a
search has found."""


class Activation(wiring.Component):
    """Code of the value that the lane keeps: low + n, high − n, or what its multiplier has made of it.

    n is the number of thresholds that are at most the value, found by a walk down a tree: node w of a channel has four
    thresholds and the nodes 5·w + 1 … 5·w + 5 below it. What `begins` in cycle k reads node 0 in that cycle, further
    nodes in cycles k + 2, k + 4, …, and has its code 2 cycles after its last read. A level that `looks_up` is the
    number of an entry in the table, whose code is there 2 cycles later. The lane's value, base and bounds are looked at
    while they are needed: the value 1 cycle after each read, the base with each read, the bounds 1 cycle before the
    code.

    Latency: none from a level to its code, 2 cycles a read. Throughput: one search in as many cycles as it has reads
    and one less than that between them; nothing holds it up.

    Parameters
    ----------
    words : int
        Words of its memory.

    Members
    -------
    configuration : In(LANE_CONFIGURATION)
        Held constant from the first step to the last code.
    step : In(LANE_STEP)
    pooled : In(signed(36))
        Kept with `raw` as it is, else limited to what a search looks at.
    level : In(9)
        From the multiplier, as is `value`.
    value : In(32)
    bounds : In(parameters_layout("levels", 1)[0])
    base : In(16)
    thresholds : Out(bank_read(words, 128))
    beyond : Out(1)
        A word that the lane looked into a cycle ago does not exist, and was not read.
    kept_level : Out(9)
    kept_value : Out(32)
    code : Out(8)
    active : Out(1)
        While it is low the clock may stop: value and level stay, and no code is looked at that rests on others.

    Raises
    ------
    TypeError
        If `words` is not a positive integer.
    """

    configuration: data.View
    step: data.View
    pooled: Signal
    level: Signal
    value: Signal
    bounds: data.View
    base: Signal
    thresholds: wiring.PureInterface
    beyond: Signal
    kept_level: Signal
    kept_value: Signal
    code: Signal
    active: Signal

    def __init__(self, words: int) -> None:
        require_positive(words=words)
        self.words = words
        super().__init__(
            {
                "configuration": In(LANE_CONFIGURATION),
                "step": In(LANE_STEP),
                "pooled": In(signed(POOLED_BITS)),
                "level": In(LEVEL_BITS),
                "value": In(RAW_BITS),
                "bounds": In(parameters_layout("levels", 1).elem_shape),
                "base": In(16),
                "thresholds": Out(bank_read(words, CHANNEL_BITS)),
                "beyond": Out(1),
                "kept_level": Out(LEVEL_BITS),
                "kept_value": Out(RAW_BITS),
                "code": Out(CODE_BITS - 1),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._keep(m)
        level = self._search(m)
        self._read(m, level)
        step = self.step
        takes = step.keeps | step.takes_level | step.takes_value
        m.d.comb += self.active.eq(step.wakes | takes | self.beyond)
        return m

    def _keep(self, m: Module) -> None:
        value = Signal(RAW_BITS, name="value_register", reset_less=True)
        level = Signal(LEVEL_BITS, name="level_register", reset_less=True)
        pooled = Value.cast(self.pooled)
        sign = pooled[-1]
        beyond = wire(m, "beyond_search", is_beyond_search(pooled) & ~self.configuration.raw)
        limit = Cat(0, (~sign).replicate(RAW_BITS - 2), sign)
        with m.If(self.step.keeps):
            m.d.sync += value.eq(Mux(beyond, limit, pooled[:RAW_BITS]))
        with m.Elif(self.step.takes_value):
            m.d.sync += value.eq(self.value)
        with m.If(self.step.takes_level):
            m.d.sync += level.eq(self.level)
        m.d.comb += [self.kept_value.eq(value), self.kept_level.eq(level)]

    def _search(self, m: Module) -> Signal:
        """The level: found in the cycle in which the next node would be read."""
        step, configuration, bounds = self.step, self.configuration, self.bounds
        thresholds = data.View(threshold_word_layout(), self.thresholds.data)
        reached = register(
            m,
            "reached",
            Cat(
                is_at_most(m, f"threshold_{number}", threshold, self.kept_value) & configuration.compares
                for number, threshold in enumerate(thresholds)
            ),
        )
        first_below = Signal(LEVEL_BITS, reset_less=True)
        below = wire(m, "below", (first_below + sum(reached))[:LEVEL_BITS])
        self._next_node = wire(m, "next_node", Mux(step.begins, 0, below[:_NODE_BITS]))
        # The beat before may end in the cycle behind the begin of this one.
        with m.If(step.has_begun):
            m.d.sync += first_below.eq(1)
        with m.Elif(step.looks & ~step.begins):
            m.d.sync += first_below.eq(below * 5 + 1)

        bound = Mux(bounds.falling, bounds.high, bounds.low) & configuration.has_bounds.replicate(CODE_BITS)
        added = Mux(bounds.falling, configuration.falls, configuration.rises)
        end = register(m, "end", (bound + added)[:LEVEL_BITS])
        falls = register(m, "falls", bounds.falling)
        searches = register(m, "searches", bounds.search | configuration.searches)
        found = wire(m, "found", add_carry(end, below ^ falls.replicate(LEVEL_BITS), falls)[:LEVEL_BITS])
        doubled = Cat(configuration.is_odd, found)[:LEVEL_BITS]
        return wire(
            m, "found_level", Mux(searches, Mux(configuration.doubles, doubled, found), self.kept_level)
        )

    def _read(self, m: Module, level: Signal) -> None:
        """Words of thresholds and of the table; the code."""
        step, configuration = self.step, self.configuration
        index = Mux(step.looks_up, level[_ENTRY_BITS:], self._next_node)
        offset = Mux(step.looks_up, configuration.table_offset, 0)
        word = wire(m, "word", (self.base + index + offset)[:_WORD_BITS])
        is_there = wire(m, "is_there", word < self.words)
        looks = wire(m, "looks", step.looks_up | (step.looks & (self.bounds.search | configuration.searches)))
        entry = register(m, "entry", level[:_ENTRY_BITS])
        looked_up = register(m, "looked_up", self.thresholds.data.word_select(entry, CODE_BITS - 1))
        m.d.sync += self.beyond.eq(looks & ~is_there)
        m.d.comb += [
            self.thresholds.enable.eq(looks & is_there),
            self.thresholds.address.eq(word),
            self.code.eq(Mux(configuration.table, looked_up, level[: CODE_BITS - 1])),
        ]
