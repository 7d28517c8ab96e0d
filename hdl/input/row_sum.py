"""Row sum: the codes of an input row summed up from its bits."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for, exact_log2

from spinplane.machine import Machine
from spinplane.machine.machine import LEAF_COLUMNS

from ..common.row_set import row_sum_bits

_LOG_MOST_PLANES = 3


class RowSum(wiring.Component):
    """Counts the ones of slot 0, those of its sub-block p times 2^p.

    A tree of pairs: the ones of 16 columns are counted first; where two parts of a sub-block meet they are added, and
    where planes meet the upper half weighs 2, 4 or 16 times as much.

    Combinational.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    bits : In(columns)
    log_slots, log_planes : In(2)
    total : Out(row_sum_bits(machine))
    """

    bits: Signal
    log_slots: Signal
    log_planes: Signal
    total: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "bits": In(machine.columns),
                "log_slots": In(2),
                "log_planes": In(2),
                "total": Out(row_sum_bits(machine)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        levels = exact_log2(self.machine.leaves)
        block_level = Signal(range(-6, levels + 1))
        m.d.comb += block_level.eq(levels - self.log_slots - self.log_planes)

        nodes = [
            self._count(m, self.bits[leaf * LEAF_COLUMNS :][:LEAF_COLUMNS], f"leaf_{leaf}")
            for leaf in range(self.machine.leaves)
        ]
        by_slots = [nodes[0]]
        for level in range(levels):
            joins = [block_level == level - above for above in range(_LOG_MOST_PLANES)]
            joined = []
            for index, (low, high) in enumerate(zip(nodes[::2], nodes[1::2], strict=True)):
                weighted = Mux(joins[0], high << 1, Mux(joins[1], high << 2, Mux(joins[2], high << 4, high)))
                node = Signal(_node_bits(level + 1), name=f"level_{level}_{index}")
                m.d.comb += node.eq(low + weighted)
                joined.append(node)
            nodes = joined
            by_slots.insert(0, nodes[0])
        with m.Switch(self.log_slots):
            for log_slots, node in enumerate(by_slots[:4]):
                with m.Case(log_slots):
                    m.d.comb += self.total.eq(node)
        return m

    def _count(self, m: Module, bits: Signal, name: str) -> Signal:
        count = Signal(LEAF_COLUMNS.bit_length(), name=name)
        m.d.comb += count.eq(sum(bits))
        return count


def _node_bits(levels: int) -> int:
    """Bits of a node that `levels` levels of pairs lead to, up to three of them of planes."""
    return bits_for(
        max(
            (LEAF_COLUMNS << levels - joins) * (2 ** (1 << joins) - 1)
            for joins in range(min(levels, _LOG_MOST_PLANES) + 1)
        )
    )
