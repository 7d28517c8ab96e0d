"""The paper's modified row decoder: one or two word lines at once."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from ..common.checks import require_positive
from .row_decoder import decode_lines


class MultiLineRowDecoder(wiring.Component):
    """Two single-line row decoders whose outputs are ORed.

    Combinational: no latency, a pair of addresses a cycle. Both on the same row raise that one line. The two
    decoders are not modules of their own: where hierarchy is kept, their last gates could not merge with the
    OR, which for 512 rows in the cells of gscl45nm makes 4033 µm² of 2747.

    Parameters
    ----------
    rows : int
        Number of word lines.

    Members
    -------
    address_a, address_b : In(bits_for(rows - 1))
        Rows to select. No word line is high for an address that is not below `rows`.
    enable_a, enable_b : In(1)
    word_lines : Out(rows)
        Word line `address_a` while `enable_a` is high and word line `address_b` while `enable_b` is high.

    Raises
    ------
    TypeError
        If `rows` is not a positive integer.
    """

    address_a: Signal
    enable_a: Signal
    address_b: Signal
    enable_b: Signal
    word_lines: Signal

    def __init__(self, rows: int) -> None:
        require_positive(rows=rows)
        self.rows = rows
        address = In(bits_for(rows - 1))
        super().__init__(
            {
                "address_a": address,
                "enable_a": In(1),
                "address_b": address,
                "enable_b": In(1),
                "word_lines": Out(rows),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a = decode_lines(m, self.address_a, self.enable_a, self.rows, "a")
        b = decode_lines(m, self.address_b, self.enable_b, self.rows, "b")
        m.d.comb += self.word_lines.eq(a | b)
        return m
