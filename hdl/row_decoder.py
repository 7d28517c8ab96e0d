"""Row decoder: an address becomes one word line."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from .parameters import require_positive


class RowDecoder(wiring.Component):
    """Single-line row decoder, predecoded.

    Combinational: no latency, an address a cycle. The address is halved until one bit is left, and each level
    ANDs the lines of its two halves, so that a word line costs one two-input gate and the decoders below it
    are shared. The enable joins at the smallest decoder.

    Parameters
    ----------
    rows : int
        Number of word lines.

    Members
    -------
    address : In(bits_for(rows - 1))
        Row to select. No word line is high for an address that is not below `rows`.
    enable : In(1)
    word_lines : Out(rows)
        Word line `address` alone while `enable` is high, else none.

    Raises
    ------
    TypeError
        If `rows` is not a positive integer.
    """

    address: Signal
    enable: Signal
    word_lines: Signal

    def __init__(self, rows: int) -> None:
        require_positive(rows=rows)
        self.rows = rows
        super().__init__({"address": In(bits_for(rows - 1)), "enable": In(1), "word_lines": Out(rows)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lines = self._decode(m, self.address, self.enable, "lines")
        m.d.comb += self.word_lines.eq(lines)
        return m

    def _decode(self, m: Module, address: Value, enable: Value | None, name: str) -> Signal:
        """One-hot lines of `address`, none of them high where an `enable` is given and low."""
        lines = Signal(min(1 << len(address), self.rows), name=name)
        if len(address) == 1:
            pair = (~address, address)
            for line, selected in zip(lines, pair, strict=False):
                m.d.comb += line.eq(selected if enable is None else selected & enable)
            return lines
        half = (len(address) + 1) // 2
        low = self._decode(m, address[:half], None, f"{name}_low")
        high = self._decode(m, address[half:], enable, f"{name}_high")
        for row, line in enumerate(lines):
            m.d.comb += line.eq(low[row % len(low)] & high[row // len(low)])
        return lines
