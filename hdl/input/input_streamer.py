"""Input streamer: input rows, formed from bits of the image bank for all row buses at once."""

from itertools import product

from amaranth.hdl import Array, Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import LOG_FIELD_BITS, Machine

from ..common.bank import BIT_ADDRESS_BITS, wide_read
from ..common.descriptor import DESCRIPTOR
from ..common.pure_data import data_register
from ..common.row_set import row_set_layout
from ..common.verilog import place
from .input_address_generator import ROW_REQUEST, X_BITS, InputAddressGenerator
from .row_sum import RowSum

_ELEMENT_BITS = 8
_MOST_PLANES = 8


class InputStreamer(wiring.Component):
    """Reads the rows that `InputAddressGenerator` asks for, gives them their form, and offers them in sets of one a
    bus.

    A row lies in every slot alike; if it is spread, each slot has elements of its own, and the row is read plane by
    plane. Elements outside of the map are padded, what is beyond the row's length or the
    planes of the map is 0. A row without an element inside of the map is formed without a read.

    A request meets the bank in one cycle, and what is read is put in place in the next. A set that is complete waits
    until the one that is offered has been taken; the first row of the next set takes its place when it moves on. A
    request waits in front of a bank whose last data has not yet been taken.

    Latency: from `start` to the first request 6 cycles, from a set's last request to its offer 2. Throughput: a row, or
    a plane of a row that is spread, a cycle.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant while `busy`.
    start : In(1)
        Begin a layer anew.
    busy : Out(1)
        There are row sets to come.
    read : Out(wide_read(columns))
        Of the image bank. Data stays while ``enable`` is low; bits outside of the bank are not looked at.
    reads : Out(1)
        The bank is read, a word's width of bits.
    rows : Out(stream.Signature(row_set_layout(machine)))
        Bus b carries the row of cluster b div (row_buses / clusters).
    active : Out(1)
        While it is low no flip-flop changes.
    bank_error : Out(1)
        The next row has elements beyond the bank. No further row is read; stays until `start` or reset.
    """

    layer: data.View
    start: Signal
    busy: Signal
    reads: Signal
    rows: stream.Interface
    bank_error: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "start": In(1),
                "busy": Out(1),
                "read": Out(wide_read(machine.columns)),
                "reads": Out(1),
                "rows": Out(stream.Signature(row_set_layout(machine))),
                "bank_error": Out(1),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._walk = place(m, platform, "input_address_generator", InputAddressGenerator())
        m.d.comb += [self._walk.layer.eq(self.layer), self._walk.start.eq(self.start)]
        self._columns = self.machine.columns
        # Sub-blocks of a row, all slots together: 2^log_blocks.
        self._log_blocks = Signal(range(7))
        m.d.comb += self._log_blocks.eq(self.layer.log_slots + self.layer.log_planes)
        self._request(m)
        self._form(m)
        self._collect(m, platform)
        return m

    def _request(self, m: Module) -> None:
        """First stage: what of the row is inside of the map, and its read."""
        layer, request = self.layer, self._walk.rows.payload
        count = range(self._columns + 1)
        length = Signal(count)
        first = Signal(count)
        end = Signal(count, name="inside_end")
        line_inside = Signal()
        inside = Signal(name="any_inside")
        m.d.comb += [
            length.eq(Mux(request.last_piece, layer.last_length, layer.length) + 1),
            line_inside.eq((request.y >= 0) & (request.y < layer.in_height)),
        ]
        # Elements from `first` up to `end` are inside; in planes all of them, or none.
        beyond = Signal(signed(X_BITS + 1))
        m.d.comb += beyond.eq(request.x - layer.in_valid_bits)
        with m.If(~line_inside | (beyond >= 0) | (~layer.in_bytes & (request.x < 0))):
            m.d.comb += end.eq(0)
        with m.Elif(layer.in_bytes):
            m.d.comb += [
                first.eq(_least(-(request.x >> 3), length, request.x < 0)),
                end.eq(_least(-(beyond >> 3), length)),
            ]
        with m.Else():
            m.d.comb += end.eq(length)
        m.d.comb += inside.eq(first < end)

        # What the bank must have: up to the last element inside, in planes up to that of the map's last plane.
        first_plane = Signal(6)
        reads = Signal()
        planes_left = Signal(signed(7))
        last_block = Signal(range(_MOST_PLANES))
        size = Signal(range(2 * self._columns))
        row_end = Signal(signed(X_BITS + 1))
        m.d.comb += [
            first_plane.eq((request.plane_group << layer.log_planes) | request.plane),
            planes_left.eq(layer.in_planes - first_plane),
            last_block.eq(
                Mux((planes_left < 0) | layer.spread, 0, _least(planes_left, (1 << layer.log_planes) - 1))
            ),
            reads.eq(inside & ~(layer.spread & (planes_left < 0))),
            size.eq(
                Mux(
                    layer.in_bytes,
                    end * _ELEMENT_BITS,
                    (last_block * self._columns >> self._log_blocks) + length,
                )
            ),
            row_end.eq(request.x + size),
        ]
        bank_bits = min(self.machine.image_words * self._columns, 1 << BIT_ADDRESS_BITS)
        exceeds = Signal()
        m.d.comb += exceeds.eq(reads & (request.address + row_end > bank_bits))

        self._room = Signal()
        self._accepted = accepted = Signal()
        self._fails = fails = Signal()
        m.d.comb += [
            fails.eq(self._walk.rows.valid & exceeds),
            self._walk.rows.ready.eq(self._room & ~exceeds & ~self.bank_error & ~self.start),
            accepted.eq(self._walk.rows.valid & self._walk.rows.ready),
            self.reads.eq(accepted & reads),
            self.read.enable.eq(self.reads),
            self.read.address.eq(request.address + request.x),
        ]
        with m.If(self.start):
            m.d.sync += self.bank_error.eq(0)
        with m.Elif(fails):
            m.d.sync += self.bank_error.eq(1)

        self._asked = Signal(ROW_REQUEST, reset_less=True)
        self._asked_valid = Signal()
        self._length, self._first, self._end = (
            Signal(count, name=f"asked_{name}", reset_less=True) for name in ("length", "first", "end")
        )
        with m.If(self.start):
            m.d.sync += self._asked_valid.eq(0)
        with m.Elif(self._room):
            m.d.sync += self._asked_valid.eq(accepted)
        with m.If(accepted):
            m.d.sync += [
                self._asked.eq(request),
                self._length.eq(length),
                self._first.eq(first),
                self._end.eq(end),
            ]

    def _form(self, m: Module) -> None:
        """Second stage: the row of what was read."""
        layer, columns = self.layer, self._columns
        elements = columns // _ELEMENT_BITS
        first_plane = Signal(6)
        m.d.comb += first_plane.eq(self._asked.plane_group << layer.log_planes)
        read = [self.read.data[plane::_ELEMENT_BITS] for plane in range(_ELEMENT_BITS)]
        inside = Signal(elements, name="elements_inside")
        within = Signal(columns, name="columns_within")
        m.d.comb += [
            inside.eq(Cat((element >= self._first) & (element < self._end) for element in range(elements))),
            within.eq(Cat(column < self._length for column in range(columns))),
        ]

        byte_planes = []
        exists = Signal(_MOST_PLANES)
        padding = Signal(_MOST_PLANES)
        for block in range(_MOST_PLANES):
            # Planes of a group begin at a multiple of their number, so no carry is needed.
            plane = Signal(6, name=f"plane_{block}")
            bits = Signal(elements, name=f"byte_plane_{block}")
            m.d.comb += [
                plane.eq(first_plane | block),
                exists[block].eq(plane <= layer.in_planes),
                padding[block].eq(layer.pad_code.bit_select(plane[:3], 1)),
                bits.eq((Array(read)[plane[:3]] & inside) | (padding[block].replicate(elements) & ~inside)),
            ]
            byte_planes.append(bits)

        # Blocks beyond those of slot 0 may hold anything: they are replaced by slot 0.
        of_bytes = Signal(columns)
        pads = Signal(columns)
        present = Signal(columns)
        with m.Switch(self._log_blocks):
            for log_blocks in range(min(6, exact_log2(self.machine.leaves)) + 1):
                width = columns >> log_blocks
                blocks = [block % _MOST_PLANES for block in range(1 << log_blocks)]
                with m.Case(log_blocks):
                    m.d.comb += [
                        of_bytes.eq(Cat(_fit(byte_planes[block], width) for block in blocks)),
                        pads.eq(Cat(padding[block].replicate(width) for block in blocks)),
                        present.eq(Cat(exists[block].replicate(width) & within[:width] for block in blocks)),
                    ]
        slots = Signal(columns)
        alike = Signal(columns)
        self._formed_bits = Signal(columns)
        m.d.comb += slots.eq(
            present & Mux(layer.in_bytes, of_bytes, Mux(self._end == 0, pads, self.read.data))
        )
        with m.Switch(layer.log_slots):
            for log_slots in range(min(3, exact_log2(self.machine.leaves)) + 1):
                with m.Case(log_slots):
                    m.d.comb += alike.eq(slots[: columns >> log_slots].replicate(1 << log_slots))
        plane = (first_plane | self._asked.plane)[:3]
        exists_here, pads_here = exists.bit_select(self._asked.plane, 1), layer.pad_code.bit_select(plane, 1)
        of_plane = Signal(columns)
        m.d.comb += [
            of_plane.eq(
                Mux(self._end == 0, pads_here.replicate(columns), self.read.data)
                & within
                & exists_here.replicate(columns)
            ),
            self._formed_bits.eq(Mux(layer.spread, self._spread(m, of_plane), alike)),
        ]

    def _spread(self, m: Module, elements: Value) -> Signal:
        """A plane of a row: elements in the sub-blocks of this plane, one slot's after the other's."""
        layer, columns = self.layer, self._columns
        most_slots, leaves = min(3, exact_log2(self.machine.leaves)), exact_log2(self.machine.leaves)
        row = Signal(columns, name="spread_row")
        is_plane = Signal(_MOST_PLANES)
        m.d.comb += is_plane.eq(1 << self._asked.plane)
        with m.Switch(Cat(layer.log_slots, layer.log_planes)):
            for log_slots, log_planes in product(range(most_slots + 1), range(4)):
                if log_slots + log_planes > leaves:
                    continue
                width = columns >> log_slots + log_planes
                of_slots = [elements[slot * width :][:width] for slot in range(1 << log_slots)]
                with m.Case(log_slots | log_planes << LOG_FIELD_BITS):
                    m.d.comb += row.eq(
                        Cat(
                            of_slot & is_plane[plane].replicate(width)
                            for of_slot in of_slots
                            for plane in range(1 << log_planes)
                        )
                    )
        return row

    def _collect(self, m: Module, platform: object) -> None:
        """Rows by bus until the set is complete, and its way to the output, which a last row may take by itself."""
        rows, asked, buses = self.rows.payload, self._asked, self.machine.row_buses
        bits = data_register(m, rows.bits, "bits")
        forming = Signal(data.ArrayLayout(self._columns, buses), reset_less=True)
        row = Signal.like(rows.row, reset_less=True)
        last = Signal(reset_less=True)
        complete = Signal()
        free = Signal()
        forms = Signal()
        moves = Signal()
        passes = Signal()
        m.d.comb += [
            free.eq(~self.rows.valid | self.rows.ready),
            moves.eq(complete & free),
            forms.eq(self._asked_valid & (~complete | moves)),
            passes.eq(forms & asked.last_of_set & free & ~complete),
            self._room.eq(~self._asked_valid | forms),
        ]
        asked_row = _least(asked.row, self.machine.rows)
        cluster = Signal.like(asked.cluster, reset_less=True)
        with m.If(forms):
            m.d.sync += [row.eq(asked_row), last.eq(asked.last_of_region), cluster.eq(asked.cluster)]
            m.d.sync += complete.eq(asked.last_of_set & ~passes)
        with m.Elif(moves):
            m.d.sync += complete.eq(0)

        # A row is counted in the cycle after it was formed, which may be the first one in which its set is offered.
        row_sum = place(m, platform, "row_sum", RowSum(self.machine))
        counts = Signal()
        fresh = Signal()
        m.d.sync += [counts.eq(forms), fresh.eq(passes)]
        m.d.comb += [
            row_sum.log_slots.eq(self.layer.log_slots),
            row_sum.log_planes.eq(self.layer.log_planes),
            row_sum.bits.eq(
                forming[((cluster << exact_log2(buses)) >> self.layer.log_clusters)[: exact_log2(buses)]]
            ),
        ]
        for bus in range(buses):
            cluster_of_bus = Signal(3, name=f"cluster_of_bus_{bus}")
            takes = Signal(name=f"bus_{bus}_takes")
            counted, offered = (
                Signal.like(rows.sums[bus], name=f"{name}_sum_{bus}", reset_less=True)
                for name in ("counted", "offered")
            )
            total = Signal.like(counted, name=f"sum_{bus}")
            m.d.comb += [
                cluster_of_bus.eq((bus << self.layer.log_clusters) >> exact_log2(buses)),
                takes.eq(asked.cluster == cluster_of_bus),
                total.eq(Mux(counts & (cluster == cluster_of_bus), row_sum.total, counted)),
                rows.sums[bus].eq(Mux(fresh, total, offered)),
            ]
            m.d.sync += counted.eq(total)
            # Planes that are formed one by one join those before them.
            joined = Signal(self._columns, name=f"joined_{bus}")
            kept = forming[bus] & (asked.plane != 0).replicate(self._columns)
            m.d.comb += joined.eq(self._formed_bits | kept)
            with m.If(forms & takes):
                m.d.sync += forming[bus].eq(joined)
            with m.If(moves | passes):
                m.d.sync += bits[bus].eq(Mux(passes & takes, joined, forming[bus]))
            with m.If(moves | fresh):
                m.d.sync += offered.eq(total)

        with m.If(moves | passes):
            m.d.sync += [
                self.rows.valid.eq(1),
                rows.row.eq(Mux(passes, asked_row, row)),
                rows.last.eq(Mux(passes, asked.last_of_region, last)),
            ]
        with m.Elif(self.rows.ready):
            m.d.sync += self.rows.valid.eq(0)
        with m.If(self.start):
            m.d.sync += [complete.eq(0), counts.eq(0), fresh.eq(0), self.rows.valid.eq(0)]
        m.d.comb += [
            self.busy.eq(self._walk.busy | self._asked_valid | complete | self.rows.valid),
            self.active.eq(
                Cat(
                    *(self._walk.changes, self._accepted, self._fails, forms, moves, counts, fresh),
                    self.rows.valid & self.rows.ready,
                ).any()
            ),
        ]


def _least(value: Value, limit: Value | int, unless_zero: Value | int = 1) -> Value:
    """The smaller of both, or 0."""
    return Mux(unless_zero, Mux(value < limit, value, limit), 0)


def _fit(bits: Value, width: int) -> Value:
    """As many bits as `width`, with zeros above."""
    return Cat(bits, Signal(width))[:width]
