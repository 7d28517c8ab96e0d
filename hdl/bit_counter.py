"""Bit-counter: the ones of a sensed row, in each segment and in all."""

from amaranth.hdl import Cat, Module, ShapeLike, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from .parameters import require_positive


class BitCounter(wiring.Component):
    """Counts the ones of a row, segment by segment and in total.

    Latency: 1 cycle (the counts are registered). Throughput: one row a cycle.

    The sums are plain additions in balanced trees, of which synthesis makes carry-save trees by itself: for
    256 columns in one segment, in the cells of gscl45nm with full adders extracted, 2536 µm². Hand-made
    chains of full adders, whose carries ripple through every level, take 2386.

    Parameters
    ----------
    columns : int
        Bits of a row.
    segments : int
        Groups of neighbouring columns with a count of their own; divides `columns`. Segment s has the columns
        s·columns/segments and up.
    step : ShapeLike
        Side information that travels with a row to its counts.

    Members
    -------
    row : In(stream.Signature(StructLayout({"bits": columns, "step": step})))
    count : Out(stream.Signature(StructLayout({"total", "segments", "step"})))
        ``total``: bits_for(columns) wide; ``segments``: an array of `segments` counts, each
        bits_for(columns // segments) wide; ``step`` of the row that was counted.

    Raises
    ------
    TypeError
        If `columns` or `segments` is not a positive integer.
    ValueError
        If `segments` does not divide `columns`.
    """

    row: stream.Interface
    count: stream.Interface

    def __init__(self, columns: int, segments: int = 1, step: ShapeLike = unsigned(0)) -> None:  # noqa: B008
        require_positive(columns=columns, segments=segments)
        if columns % segments:
            raise ValueError(f"segments must divide columns = {columns}, which {segments} does not")
        self.columns = columns
        self.segments = segments
        segment_count = bits_for(columns // segments)
        count = {
            "total": bits_for(columns),
            "segments": data.ArrayLayout(segment_count, segments),
            "step": step,
        }
        super().__init__(
            {
                "row": In(stream.Signature(data.StructLayout({"bits": columns, "step": step}))),
                "count": Out(stream.Signature(data.StructLayout(count))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        row, count = self.row.payload, self.count.payload

        width = self.columns // self.segments
        segments = [
            _sum(m, list(row.bits[s * width : (s + 1) * width]), f"segment_{s}") for s in range(self.segments)
        ]
        total = _sum(m, segments, "total")

        # The payload is valid only with its bit; that alone is reset.
        held = Signal(count.shape(), reset_less=True)
        m.d.comb += [self.row.ready.eq(~self.count.valid | self.count.ready), count.eq(held)]
        with m.If(self.row.ready):
            m.d.sync += [
                self.count.valid.eq(self.row.valid),
                held.total.eq(total),
                held.segments.eq(Cat(segments)),
                held.step.eq(row.step),
            ]
        return m


def _sum(m: Module, terms: list[Value], name: str) -> Value:
    """Sum of `terms` by a balanced tree."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    low = _sum(m, terms[:half], f"{name}_low")
    high = _sum(m, terms[half:], f"{name}_high")
    total = Signal(low.shape().width + 1, name=name)
    m.d.comb += total.eq(low + high)
    return total
