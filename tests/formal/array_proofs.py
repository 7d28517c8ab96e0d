"""Proofs of the array's decoders, shifter, bit-counter and sums."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Cat, Const, Mux, Signal, Value, signed

from spinplane.hdl.array.bit_counter import BitCounter
from spinplane.hdl.array.multi_line_row_decoder import MultiLineRowDecoder
from spinplane.hdl.array.reference_select import ReferenceSelect, Sense
from spinplane.hdl.array.row_decoder import RowDecoder
from spinplane.hdl.array.shifter import Shifter
from spinplane.hdl.array.sum import Sum

from .proof import Harness, Proof

_ROWS = 512


def _row_decoder(rows: int) -> Callable[[Callable[..., Any]], Harness]:
    def build(unit: Callable[..., Any]) -> Harness:
        decoder = unit(rows)
        h = Harness(decoder)
        line = Cat(decoder.enable & (decoder.address == row) for row in range(rows))
        h.prove(decoder.word_lines == line)
        h.reach(decoder.word_lines[0], decoder.word_lines[-1], ~decoder.word_lines.any())
        return h

    return build


def _multi_line(unit: Callable[..., Any]) -> Harness:
    decoder = unit(_ROWS)
    h = Harness(decoder)
    # A line of any number is that of one of the two addresses, so that three are never high.
    index = h.free(range(_ROWS), "index")
    lines, line = decoder.word_lines, Signal()
    h.m.d.comb += line.eq(decoder.word_lines.bit_select(index, 1))
    is_a = decoder.enable_a & (decoder.address_a == index)
    is_b = decoder.enable_b & (decoder.address_b == index)
    h.prove(line == (is_a | is_b))
    h.reach(is_a & ~is_b & line, lines[-1], lines == 0)
    return h


def _reference_select(unit: Callable[..., Any]) -> Harness:
    select = unit()
    h = Harness(select)
    enables = Cat(select.en_m, select.en_and, select.en_or)
    expected = {Sense.NONE: 0, Sense.M: 1, Sense.AND: 2, Sense.OR: 4}
    for sense, lines in expected.items():
        h.prove((Value.cast(select.sense) != sense.value) | (enables == lines))
        h.reach(enables == lines)
    return h


def _shifter(in_width: int, out_width: int, amount_bits: int) -> Callable[[Callable[..., Any]], Harness]:
    def build(unit: Callable[..., Any]) -> Harness:
        shifter = unit(in_width, out_width, amount_bits)
        h = Harness(shifter)
        product = (shifter.value << shifter.amount)[:out_width]
        h.prove(shifter.shifted == product ^ shifter.invert.replicate(out_width))
        h.reach(shifter.shifted[-1], shifter.invert & shifter.amount.all())
        return h

    return build


def _bit_counter(columns: int, slots: int, leaf: int) -> Callable[[Callable[..., Any]], Harness]:
    def build(unit: Callable[..., Any]) -> Harness:
        counter = unit(columns, slots, leaf)
        h = Harness(counter)
        row, most = counter.row.payload, (columns // leaf).bit_length() - 1
        wanted = Signal.like(counter.count.payload.slots, name="wanted")
        held = Signal.like(wanted, name="held", reset_less=True)
        known = Signal()
        for log_slots in range(slots.bit_length()):
            for log_planes in range(4):
                if log_slots + log_planes > most:
                    continue
                block = columns >> (log_slots + log_planes)
                is_mode = (row.mode.log_slots == log_slots) & (row.mode.log_planes == log_planes)
                h.reach(known & is_mode & (counter.count.payload.slots[0] != 0))
                with h.m.If(is_mode):
                    for slot in range(1 << log_slots):
                        total: Value = Const(0, 1)
                        for plane in range(1 << log_planes):
                            first = ((slot << log_planes) + plane) * block
                            total = total + (_ones(row.bits[first : first + block]) << plane)
                        h.m.d.comb += wanted[slot].eq(total)
        allowed = Cat(
            (row.mode.log_slots == s) & (row.mode.log_planes == p)
            for s in range(slots.bit_length())
            for p in range(4)
            if s + p <= most
        ).any()
        h.assume(allowed)
        with h.m.If(counter.row.valid & counter.row.ready):
            h.m.d.sync += [Value.cast(held).eq(Value.cast(wanted)), known.eq(1)]
        with h.m.Elif(counter.count.ready):
            h.m.d.sync += known.eq(0)
        found = Value.cast(counter.count.payload.slots)
        h.prove(counter.count.valid == known, ~known | (found == Value.cast(held)))
        return h

    return build


def _bit_counter_nodes(columns: int, slots: int, leaf: int) -> Callable[[Callable[..., Any]], Harness]:
    def build(unit: Callable[..., Any]) -> Harness:
        counter = unit(columns, slots, leaf)
        h = Harness(counter)
        row, levels = counter.row.payload, (columns // leaf).bit_length() - 1
        taken = Signal(4, name="taken")
        h.m.d.comb += taken.eq(row.mode.log_slots + row.mode.log_planes)
        h.assume(taken <= levels, row.mode.log_planes <= 3, row.mode.log_slots < slots.bit_length())
        nodes = [h.local(f"leaf_{at}") for at in range(columns // leaf)]
        for at, node in enumerate(nodes):
            h.prove(node == _ones(row.bits[at * leaf : (at + 1) * leaf]))
        taken_row = counter.row.valid & counter.row.ready
        h.reach(counter.count.valid & (counter.count.payload.slots[-1] == 3))
        of_slots: dict[int, list[Value]] = {levels: nodes}
        for depth in reversed(range(levels)):
            nodes = [
                _node(h, f"node_{levels - depth}_{at}", pair, row.mode.log_slots <= depth, taken - depth)
                for at, pair in enumerate(zip(nodes[::2], nodes[1::2], strict=True))
            ]
            of_slots[depth] = nodes
        begun = h.after(1)
        for slot in range(slots):
            wanted: Value = Const(0)
            for log_slots in range(slots.bit_length()):
                if slot < 1 << log_slots:
                    wanted = Mux(row.mode.log_slots == log_slots, of_slots[log_slots][slot], wanted)
            took = h.delayed(taken_row, 1)
            h.prove(~(begun & took) | (counter.count.payload.slots[slot] == h.delayed(wanted, 1)))
        return h

    return build


def _node(h: Harness, name: str, pair: tuple[Value, Value], is_used: Value, planes: Value) -> Signal:
    """A node of a bit-counter's tree, proven to be the sum of the two below it, the upper one with its weight."""
    low, high = pair
    node = h.local(name)
    for log_planes, weight in enumerate((0, 1, 2, 4)):
        is_it = (planes <= 0) if log_planes == 0 else (planes == log_planes)
        h.prove(~(is_used & is_it) | (node == low + (high << weight)))
    return node


def _ones(bits: Value) -> Value:
    """By another tree than the unit's: neighbours in pairs, from bit 0 on."""
    sums: list[Value] = list(bits)
    while len(sums) > 1:
        rest = sums[len(sums) & ~1 :]
        sums = [a + b for a, b in zip(sums[::2], sums[1::2], strict=False)] + rest
    return sums[0]


def _sum(lanes: int, width: int) -> Callable[[Callable[..., Any]], Harness]:
    def build(unit: Callable[..., Any]) -> Harness:
        sums = unit(lanes, width)
        h = Harness(sums)
        addends, results = sums.addends, sums.results
        took = addends.valid & addends.ready
        waits, expected = Signal(), [Signal(signed(width), name=f"result_{n}") for n in range(lanes)]
        cleared = Signal(init=1)
        own = h.local("accumulators")
        totals = [Signal(signed(width), name=f"total_{n}") for n in range(lanes)]
        for n in range(lanes):
            base = Mux(addends.payload.clear | cleared, 0, totals[n])
            total = Signal(signed(width), name=f"now_{n}")
            h.m.d.comb += total.eq(base + addends.payload.values[n] + addends.payload.carry)
            with h.m.If(took):
                h.m.d.sync += totals[n].eq(total)
                with h.m.If(addends.payload.emit):
                    h.m.d.sync += expected[n].eq(total)
            h.prove(~waits | (results.payload[n] == expected[n]))
            h.prove(cleared | (Value.cast(own)[n * width : (n + 1) * width] == totals[n].as_unsigned()))
        with h.m.If(took):
            h.m.d.sync += cleared.eq(0)
        with h.m.If(took & addends.payload.emit):
            h.m.d.sync += waits.eq(1)
        with h.m.Elif(results.ready):
            h.m.d.sync += waits.eq(0)
        h.prove(results.valid == waits, h.local("fresh") == cleared)
        h.prove(~(addends.valid & ~addends.payload.emit) | addends.ready)
        h.reach(waits & ~addends.ready, waits & (expected[0] == -1))
        return h

    return build


PROOFS = {
    "row_decoder": Proof(
        unit=RowDecoder,
        says="The word line of the address alone is high while enabled, else none.",
        harness=_row_decoder(_ROWS),
        width="512 rows",
        sound="selected & enable",
        faulty="selected | enable",
    ),
    "row_decoder_partial": Proof(
        unit=RowDecoder,
        says="With rows that are no power of two, an address beyond them raises no line.",
        harness=_row_decoder(100),
        width="100 rows",
        sound="zip(lines, (~address, address), strict=False)",
        faulty="zip(lines, (address, ~address), strict=False)",
    ),
    "multi_line_row_decoder": Proof(
        unit=MultiLineRowDecoder,
        says="The word lines of the enabled addresses are high and no others: never more than two.",
        harness=_multi_line,
        width="512 rows",
        sound="self.word_lines.eq(a | b)",
        faulty="self.word_lines.eq(a ^ b)",
    ),
    "reference_select": Proof(
        unit=ReferenceSelect,
        says="Each sense has its reference, and none but it.",
        harness=_reference_select,
        width="all",
        sound="self.sense == Sense.OR",
        faulty="self.sense == Sense.AND",
    ),
    "shifter": Proof(
        unit=Shifter,
        says="value · 2^amount modulo 2^out_width, or its ones' complement.",
        harness=_shifter(9, 32, 5),
        width="9 → 32 bits",
        sound="Cat(ones[:step], stage)",
        faulty="Cat(ones[:step] & 0, stage)",
    ),
    "shifter_wide": Proof(
        unit=Shifter,
        says="value · 2^amount modulo 2^out_width, or its ones' complement.",
        harness=_shifter(32, 64, 6),
        width="32 → 64 bits",
        sound="min(len(stage) + step, width)",
        faulty="min(len(stage) + step - 1, width)",
    ),
    "bit_counter": Proof(
        unit=BitCounter,
        says="The counts of each mode are the weighted numbers of ones, one cycle after the row, in order.",
        harness=_bit_counter(32, 4, 2),
        width="32 columns, leaves of 2, 4 slots",
        machine="256 columns, leaves of 16, 8 slots (next row)",
        inductive=True,
        reached=3,
        sound="taken >= depth + amount",
        faulty="taken > depth + amount",
    ),
    "bit_counter_nodes": Proof(
        unit=BitCounter,
        says="By composition: each leaf is the number of its ones, each node of a slot the sum of the two below it, "
        "the upper one with the weight of its planes, and each count a node. The tree follows by hand, node by node.",
        harness=_bit_counter_nodes(256, 8, 16),
        width="256 columns, leaves of 16, 8 slots",
        inductive=True,
        steps=2,
        reached=3,
        sound="weighed = Mux(it_is, high << _SHIFTS[amount], weighed)",
        faulty="weighed = Mux(it_is, high << amount, weighed)",
    ),
    "sum": Proof(
        unit=Sum,
        says="A result is the sum of what was accepted since the last clear; none is lost or made up.",
        harness=_sum(2, 32),
        width="2 accumulators of 32 bits",
        inductive=True,
        reached=4,
        sound="clear.eq(accept & (addends.clear | fresh))",
        faulty="clear.eq(accept & addends.clear)",
    ),
}
