"""Bit-counter: the ones of a sensed row, slot by slot, those of plane p counting 2^p."""

from amaranth.hdl import Module, Mux, ShapeLike, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, exact_log2

from spinplane.machine import LOG_FIELD_BITS, MOST_SLOTS
from spinplane.machine.machine import LEAF_COLUMNS

from ..common.checks import require_positive
from ..common.command import COUNT_MODE

#: By how much the upper half of a pair weighs more, in bits: within a plane, and where 2, 4 and 8 planes are joined.
_SHIFTS = (0, 1, 2, 4)


class BitCounter(wiring.Component):
    """Counts the ones of a row in each of its slots; the sub-block of plane p counts 2^p.

    Latency: 1 cycle (the counts are registered). Throughput: one row a cycle, each with a mode of its own.

    The ones of each leaf are counted first. A balanced tree joins the leaves in pairs, lower + (upper << 0, 1, 2
    or 4): within a sub-block they are added, and a slot's upper half of 1, 2 or 4 planes weighs 2^1, 2^2 or 2^4.
    Each slot is a node of the tree. The sums are plain additions, which synthesis turns into carry-save trees by
    itself: for 256 columns of one plane, in the cells of gscl45nm with full adders extracted, 2536 µm². Hand-made
    chains of full adders, whose carries ripple through every level, take 2386.

    Parameters
    ----------
    columns : int
        Bits of a row: `leaf` times a power of two.
    slots : int
        Counts of a row at most: a power of two up to `MOST_SLOTS` and columns ÷ leaf.
    leaf : int
        Columns that are counted first; a sub-block has at least as many.
    step : ShapeLike
        Side information that travels with a row to its counts.

    Members
    -------
    row : In(stream.Signature(StructLayout({"bits": columns, "mode": COUNT_MODE, "step": step})))
        ``mode`` has at most `slots` slots, and they at most columns ÷ leaf sub-blocks in all.
    count : Out(stream.Signature(StructLayout({"slots", "step"})))
        ``slots``: an array of `slots` counts, 0 from 2^log_slots on; ``step`` of the row that was counted.

    Raises
    ------
    TypeError
        If `columns`, `slots` or `leaf` is not a positive integer.
    ValueError
        If `columns` or `slots` is not a permitted number.
    """

    row: stream.Interface
    count: stream.Interface

    def __init__(
        self,
        columns: int,
        slots: int = 1,
        leaf: int = LEAF_COLUMNS,
        step: ShapeLike = unsigned(0),  # noqa: B008
    ) -> None:
        require_positive(columns=columns, slots=slots, leaf=leaf)
        leaves, rest = divmod(columns, leaf)
        if rest or leaves & (leaves - 1):
            raise ValueError(f"columns must be {leaf} times a power of two, which {columns} is not")
        if slots > min(leaves, MOST_SLOTS) or slots & (slots - 1):
            raise ValueError(
                f"slots must be a power of two up to {min(leaves, MOST_SLOTS)}, which {slots} is not"
            )
        self.columns = columns
        self.slots = slots
        self.leaf = leaf
        self._levels = exact_log2(leaves)
        count = {"slots": data.ArrayLayout(self.count_bits(0), slots), "step": step}
        row = {"bits": columns, "mode": COUNT_MODE, "step": step}
        super().__init__(
            {
                "row": In(stream.Signature(data.StructLayout(row))),
                "count": Out(stream.Signature(data.StructLayout(count))),
            }
        )

    def count_bits(self, slot: int) -> int:
        """Bits that the count of `slot` needs, in its widest mode."""
        return self._node_bits(self._levels - slot.bit_length())

    def _node_bits(self, level: int) -> int:
        """Bits of a node over 2^level leaves: with 2^p planes, each weighs as much as its leaves have columns."""
        planes = [1 << log_planes for log_planes in range(min(len(_SHIFTS) - 1, level) + 1)]
        return max(bits_for((self.leaf << level) // p * ((1 << p) - 1)) for p in planes)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        row, count = self.row.payload, self.count.payload

        nodes = [
            _ones(m, list(row.bits[at : at + self.leaf]), f"leaf_{at // self.leaf}")
            for at in range(0, self.columns, self.leaf)
        ]
        levels = [nodes]
        for level in range(1, self._levels + 1):
            levels.append(self._join(m, level, levels[-1]))

        # The payload is valid only with its bit; that alone is reset.
        held = Signal(count.shape(), reset_less=True)
        m.d.comb += [self.row.ready.eq(~self.count.valid | self.count.ready), count.eq(held)]
        with m.If(self.row.ready):
            m.d.sync += self.count.valid.eq(self.row.valid)
        with m.If(self.row.valid & self.row.ready):
            m.d.sync += [held.step.eq(row.step), held.slots.eq(0)]
            with m.Switch(row.mode.log_slots):
                for log_slots in range(exact_log2(self.slots) + 1):
                    with m.Case(log_slots):
                        for slot in range(1 << log_slots):
                            node = levels[self._levels - log_slots][slot]
                            m.d.sync += held.slots[slot].eq(node)
        return m

    def _join(self, m: Module, level: int, nodes: list[Value]) -> list[Value]:
        """Sums of pairs. In a node at depth d begin planes if the slots and planes take more than d levels."""
        mode, depth = self.row.payload.mode, self._levels - level
        taken = Signal(LOG_FIELD_BITS + 1, name=f"levels_of_slots_and_planes_{level}")
        m.d.comb += taken.eq(mode.log_slots + mode.log_planes)
        amounts = range(1, min(len(_SHIFTS) - 1, level) + 1)
        at_least = {amount: Signal(name=f"joins_{1 << amount}_planes_{level}") for amount in amounts}
        joined = []
        for amount, it_is in at_least.items():
            m.d.comb += it_is.eq(taken >= depth + amount)
        for pair, (low, high) in enumerate(zip(nodes[::2], nodes[1::2], strict=True)):
            weighed: Value = high
            for amount, it_is in at_least.items():
                weighed = Mux(it_is, high << _SHIFTS[amount], weighed)
            node = Signal(self._node_bits(level), name=f"node_{level}_{pair}")
            m.d.comb += node.eq(low + weighed)
            joined.append(node)
        return joined


def _ones(m: Module, bits: list[Value], name: str) -> Value:
    """Number of ones among `bits`, by a balanced tree."""
    if len(bits) == 1:
        return bits[0]
    half = len(bits) // 2
    low = _ones(m, bits[:half], f"{name}_low")
    high = _ones(m, bits[half:], f"{name}_high")
    total = Signal(bits_for(len(bits)), name=name)
    m.d.comb += total.eq(low + high)
    return total
