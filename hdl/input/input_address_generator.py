"""Input address generator: the next row of a feature map to write, and its address."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..common.descriptor import DESCRIPTOR

#: Wide enough for every position up to the first array row that no machine has.
X_BITS = 38
Y_BITS = 27
ROW_BITS = 22
#: Bit addresses of lines, modulo 2^42: those of lines of the map are exact.
LINE_ADDRESS_BITS = 42
_DIGIT_BITS = 4

#: A row of one cluster: the array ``row``, line ``y`` and bit ``x`` of it with which the row begins, the ``address`` of
#: the line's first bit. With ``spread`` a request is for plane number ``plane`` of the row's plane group alone, and the
#: address that much further. ``last_of_set`` ends a row set.
ROW_REQUEST = data.StructLayout(
    {
        "row": ROW_BITS,
        "y": signed(Y_BITS),
        "x": signed(X_BITS),
        "address": LINE_ADDRESS_BITS,
        "plane_group": 3,
        "last_piece": 1,
        "cluster": 3,
        "plane": 3,
        "last_of_set": 1,
        "last_of_region": 1,
    }
)

#: Where a line of units stands: its place in the ring, the rows before it, and its line of the map.
_LINE = data.StructLayout({"ring": 8, "rows": ROW_BITS, "y": signed(Y_BITS), "address": LINE_ADDRESS_BITS})


class InputAddressGenerator(wiring.Component):
    """Offers the rows of a layer in the order of `spinplane.behavioral.walk_rows`.

    Positions move by adders alone. The two products of a line's bits, with the first line and with the lines from
    cluster to cluster, are added up of digits of 4 bits before the first row.

    Latency: 6 cycles from `start` to the first row. Throughput: one row, or plane of a row, a cycle. The first line
    of the next row of regions is looked for meanwhile, one line a cycle: the last row before it waits until as many
    cycles have passed since the first one as there are new lines and lines that are left out.

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant while `busy`; `first_lines` and `first_columns` are at least 1.
    start : In(1)
        Begin anew.
    busy : Out(1)
        There are rows to come.
    rows : Out(stream.Signature(ROW_REQUEST))
    changes : Out(1)
        While it is low no flip-flop changes.
    """

    start: Signal
    busy: Signal
    rows: stream.Interface

    def __init__(self) -> None:
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "start": In(1),
                "busy": Out(1),
                "rows": Out(stream.Signature(ROW_REQUEST)),
                "changes": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._prepare(m)
        self._count_loops(m)
        self._follow_x(m)
        self._follow_lines(m)
        self._follow_rows(m)
        return m

    def _prepare(self, m: Module) -> None:
        """Multiply digit by digit, the lowest first, then let the walk begin."""
        layer = self.layer
        digits = len(layer.start_y) // _DIGIT_BITS
        self._walking = Signal()
        self._begins = Signal()
        done = Signal(range(digits + 1), reset_less=True)
        shifted = Signal(LINE_ADDRESS_BITS, reset_less=True)
        first_line = Signal.like(layer.start_y, name="first_line_left", reset_less=True)
        cluster_lines = Signal.like(layer.cluster_y_lines, name="cluster_lines_left", reset_less=True)
        self._first_address = Signal(LINE_ADDRESS_BITS, reset_less=True)
        self._cluster_bits = Signal(LINE_ADDRESS_BITS, reset_less=True)
        m.d.comb += self._begins.eq(self.busy & ~self._walking & (done == digits) & ~self.start)
        with m.If(self.start):
            m.d.sync += [
                self.busy.eq(1),
                self._walking.eq(0),
                done.eq(0),
                shifted.eq(layer.in_line_bits),
                first_line.eq(layer.start_y),
                cluster_lines.eq(layer.cluster_y_lines),
                self._first_address.eq(layer.in_base),
                self._cluster_bits.eq(0),
            ]
        with m.Elif(self._begins):
            m.d.sync += self._walking.eq(1)
        with m.Elif(self.busy & ~self._walking):
            # The first line may lie above the map: its last digit has the sign.
            digit = Signal(signed(_DIGIT_BITS + 1))
            sign = first_line[_DIGIT_BITS - 1] & (done == digits - 1)
            m.d.comb += digit.eq(Cat(first_line[:_DIGIT_BITS], sign))
            m.d.sync += [
                self._first_address.eq(self._first_address + digit * shifted),
                self._cluster_bits.eq(self._cluster_bits + cluster_lines[:_DIGIT_BITS] * shifted),
                shifted.eq(shifted << _DIGIT_BITS),
                first_line.eq(first_line >> _DIGIT_BITS),
                cluster_lines.eq(cluster_lines >> _DIGIT_BITS),
                done.eq(done + 1),
            ]

    def _count_loops(self, m: Module) -> None:
        """The loops, innermost first; an `..._ends` tells that a loop is left, with all loops inside it."""
        layer, row = self.layer, self.rows.payload
        self._first_region_row = Signal()
        self._first_region_column = Signal()
        self._searching = Signal()
        lines = Mux(self._first_region_row, layer.first_lines, layer.next_lines)
        columns = Mux(self._first_region_column, layer.first_columns, layer.next_columns)
        # Regions that need nothing new have no rows: they are left out.
        region_columns = Mux(layer.next_columns == 0, 0, layer.region_columns)
        region_rows = Mux(layer.next_lines == 0, 0, layer.region_rows)

        moves = Signal()
        waits = Signal()
        m.d.comb += [
            self.rows.valid.eq(self._walking & ~waits),
            moves.eq(self.rows.valid & self.rows.ready),
            self.changes.eq(self.start | (self.busy & ~self._walking) | moves | self._searching),
        ]
        self._cluster_moves = moves
        cluster, last_cluster, self._cluster_ends = self._loop(
            m, "cluster", moves, (1 << layer.log_clusters) - 1, 3
        )
        planes = Mux(layer.spread, (1 << layer.log_planes) - 1, 0)
        plane, last_plane, self._set_ends = self._loop(m, "plane", self._cluster_ends, planes, 3)
        _, last_piece, self._piece_ends = self._loop(m, "piece", self._set_ends, layer.pieces, 8)
        plane_group, last_plane_group, self._unit_ends = self._loop(
            m, "plane_group", self._piece_ends, layer.plane_groups, 3
        )
        _, last_line, self._column_ends = self._loop(m, "line", self._unit_ends, lines - 1, 8)
        _, last_column, region_ends = self._loop(m, "column", self._column_ends, columns - 1, 16)
        region_column, last_region, self._row_ends = self._loop(m, "region", region_ends, region_columns, 16)
        region_row, last_region_row, walk_ends = self._loop(m, "region_row", self._row_ends, region_rows, 16)

        self._cluster = cluster
        self._lines = lines
        m.d.comb += [
            self._first_region_row.eq(region_row == 0),
            self._first_region_column.eq(region_column == 0),
            row.plane_group.eq(plane_group),
            row.last_piece.eq(last_piece),
            row.cluster.eq(cluster),
            row.plane.eq(plane),
            row.last_of_set.eq(last_cluster & last_plane),
            row.last_of_region.eq(last_piece & last_plane_group & last_line & last_column),
        ]
        ends = row.last_of_set & row.last_of_region & last_region & ~last_region_row
        m.d.comb += waits.eq(ends & self._searching)
        with m.If(walk_ends & ~self.start):
            m.d.sync += [self.busy.eq(0), self._walking.eq(0)]

    def _loop(
        self, m: Module, name: str, moves: Value, last: Value, bits: int
    ) -> tuple[Signal, Signal, Signal]:
        """A counter from 0 to `last` that goes on when `moves`: its count, and whether it is and leaves the last."""
        count = Signal(bits, name=name, reset_less=True)
        is_last, ends = Signal(name=f"last_{name}"), Signal(name=f"{name}_ends")
        m.d.comb += [is_last.eq(count == last), ends.eq(moves & is_last)]
        with m.If(self._begins):
            m.d.sync += count.eq(0)
        with m.Elif(moves):
            m.d.sync += count.eq(Mux(is_last, 0, count + 1))
        return count, is_last, ends

    def _follow_x(self, m: Module) -> None:
        """A position for each loop that moves in x: where its present turn begins."""
        layer = self.layer
        unit, plane_group, piece, x = (
            Signal(signed(X_BITS), name=f"{name}_x", reset_less=True)
            for name in ("unit", "plane_group", "piece", "cluster")
        )
        moved = Signal(signed(X_BITS))
        m.d.comb += self.rows.payload.x.eq(x)

        def move(base: Value, step: Value, *levels: Signal) -> None:
            m.d.comb += moved.eq(base + step)
            m.d.sync += [level.eq(moved) for level in (*levels, x)]

        # Clusters of one line stand at gx = 0 … 2^log_clusters_x − 1.
        self._line_of_clusters_ends = Signal()
        columns = (1 << layer.log_clusters_x) - 1
        m.d.comb += self._line_of_clusters_ends.eq((self._cluster & columns) == columns)
        with m.If(self._begins | self._row_ends):
            move(layer.start_x, 0, unit, plane_group, piece)
        with m.Elif(self._column_ends):
            move(unit, layer.unit_bits, unit, plane_group, piece)
        with m.Elif(self._unit_ends):
            move(unit, 0, plane_group, piece)
        with m.Elif(self._piece_ends):
            move(plane_group, Mux(layer.in_bytes, 0, layer.plane_group_bits), plane_group, piece)
        with m.Elif(self._set_ends):
            move(piece, layer.piece_bits, piece)
        with m.Elif(self._cluster_ends):
            move(piece, 0)
        with m.Elif(self._cluster_moves):
            with m.If(self._line_of_clusters_ends):
                move(piece, 0)
            with m.Else():
                move(x, layer.cluster_x_bits)

    def _follow_lines(self, m: Module) -> None:
        """Lines: the first new one of the regions' row, the present one, and the one from which the next row begins."""
        layer, row = self.layer, self.rows.payload
        first, line, search = (
            Signal(_LINE, name=f"{name}_line", reset_less=True) for name in ("first", "present", "searched")
        )
        start, after_line, after_search = (
            Signal(_LINE, name=f"{name}_line") for name in ("start", "next", "found")
        )
        m.d.comb += [start.y.eq(layer.start_y), start.address.eq(self._first_address)]
        self._advance(m, line, after_line)
        self._advance(m, search, after_search)
        self._line_rows = line.rows

        # As long as more than one line is left to go, the search goes on by one a cycle.
        left = Signal(9, reset_less=True)
        m.d.comb += self._searching.eq(left > 1)
        with m.If(self._begins):
            m.d.sync += [search.eq(start), left.eq(layer.first_lines + layer.line_skip)]
        with m.Elif(self._row_ends):
            m.d.sync += [search.eq(after_search), left.eq(layer.next_lines + layer.line_skip)]
        with m.Elif(self._searching):
            m.d.sync += [search.eq(after_search), left.eq(left - 1)]

        # The same line for the clusters below.
        y, address = (
            Signal.like(row.y, name="cluster_y", reset_less=True),
            Signal.like(row.address, name="cluster_address", reset_less=True),
        )
        m.d.comb += [row.y.eq(y), row.address.eq(address)]
        target = Signal(_LINE)
        with m.If(self._begins):
            m.d.comb += target.eq(start)
            m.d.sync += first.eq(start)
        with m.Elif(self._row_ends):
            m.d.comb += target.eq(after_search)
            m.d.sync += first.eq(after_search)
        with m.Elif(self._column_ends):
            m.d.comb += target.eq(first)
        with m.Elif(self._unit_ends):
            m.d.comb += target.eq(after_line)
        with m.Else():
            m.d.comb += target.eq(line)
        m.d.sync += line.eq(target)
        # Of the line for the first cluster, with the planes of a spread row that came before.
        plane_address, next_plane = (
            Signal.like(row.address, name=name, reset_less=True) for name in ("plane_address", "next_plane")
        )
        m.d.comb += next_plane.eq(plane_address + (layer.plane_group_bits >> layer.log_planes))
        with m.If(self._begins | self._set_ends):
            m.d.sync += [y.eq(target.y), address.eq(target.address), plane_address.eq(target.address)]
        with m.Elif(self._cluster_ends):
            m.d.sync += [y.eq(target.y), address.eq(next_plane), plane_address.eq(next_plane)]
        with m.Elif(self._cluster_moves & self._line_of_clusters_ends):
            m.d.sync += [y.eq(y + layer.cluster_y_lines), address.eq(address + self._cluster_bits)]

    def _advance(self, m: Module, line: data.View, after: data.View) -> None:
        wraps = line.ring == self.layer.ring_lines
        m.d.comb += [
            after.ring.eq(Mux(wraps, 0, line.ring + 1)),
            after.rows.eq(Mux(wraps, 0, line.rows + self.layer.line_rows)),
            after.y.eq(line.y + 1),
            after.address.eq(line.address + self.layer.in_line_bits),
        ]

    def _follow_rows(self, m: Module) -> None:
        """The array row: of the column's first unit, of the line in it, of the row in the unit."""
        layer = self.layer
        column, plane_group, in_unit = (
            Signal(ROW_BITS, name=f"{name}_row", reset_less=True)
            for name in ("column", "plane_group", "unit")
        )
        m.d.comb += self.rows.payload.row.eq(column + self._line_rows + in_unit)
        with m.If(self._begins | self._row_ends):
            m.d.sync += column.eq(layer.input_row)
        with m.Elif(self._column_ends):
            m.d.sync += column.eq(column + layer.pieces + 1)
        with m.If(self._begins | self._unit_ends):
            m.d.sync += [plane_group.eq(0), in_unit.eq(0)]
        with m.Elif(self._piece_ends):
            m.d.sync += [
                plane_group.eq(plane_group + layer.group_rows),
                in_unit.eq(plane_group + layer.group_rows),
            ]
        with m.Elif(self._set_ends):
            m.d.sync += in_unit.eq(in_unit + 1)
