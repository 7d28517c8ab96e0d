"""Row pair generator: the bursts of a layer, every pair of input and kernel rows to AND, in order."""

from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import SHIFT_FIELD_BITS, Machine, bits_for

from ..common.descriptor import DESCRIPTOR

_RING_BITS = 9
_LINE_BITS = 8

#: A line of the ring, and the array rows before it: line · line_rows.
_POSITION = data.StructLayout({"line": _LINE_BITS, "rows": _LINE_BITS + 12})

#: Bits of a number of lines that are worked off in a cycle: of the ring's, and of a step's.
_RING_DIGIT, _STEP_DIGIT = 3, 2

#: Cycles from ``start`` to the first burst.
WALK_LATENCY = _RING_BITS // _RING_DIGIT + _LINE_BITS // _STEP_DIGIT + 2


def burst_layout(machine: Machine) -> data.StructLayout:
    """A burst: first input row and kernel row, and where it stands.

    ``subtract``: its counts are taken off. ``clear`` and ``emit`` mark the first and the last burst of a kernel tile,
    ``last_kernel_tile`` those of the last kernel tile of a window, ``outer`` those of the last window of a region.
    ``sums`` marks the bursts of a window's first kernel tile and first kernel plane, ``first`` and ``last`` the first
    and the last of them. ``needs_rows``: row sets are to be written before it. ``ends``: the last one of the pass.
    ``outside``: it goes beyond the array, or ANDs rows with themselves. With ``write_overlap``, ``ends_row`` marks
    the last burst of a row of regions.
    """
    row = bits_for(machine.rows - 1)
    flags = [
        "subtract",
        "clear",
        "emit",
        "last_kernel_tile",
        "outer",
        "sums",
        "first",
        "last",
        "needs_rows",
        "ends",
        "outside",
    ]
    flags += ["ends_row"] if machine.overlaps_writes else []
    return data.StructLayout(
        {"row_a": row, "row_b": row, "shift": SHIFT_FIELD_BITS, **dict.fromkeys(flags, 1)}
    )


class _State(enum.Enum, shape=2):
    IDLE = 0
    RING = 1
    STEPS = 2
    WALK = 3


@dataclass(frozen=True)
class _Loop:
    """One of the nested loops: its index, whether that is 0, and whether it and all inner ones are at their end."""

    index: Signal
    is_first: Value
    is_last: Value
    ends: Signal


class RowPairGenerator(wiring.Component):
    """The loops of a layer from the regions down to the bursts, one burst a cycle.

    Pointers of the loops are saved and stepped, so there are neither multiplications nor divisions. Lines go
    around the ring by compare and subtract; what a step of lines is in rows of the ring is found, digit by digit,
    before the first burst. Rows beyond the array are kept apart from those in it: a pointer that overflows stays at
    its largest number.

    Latency: `WALK_LATENCY` cycles from ``start`` to the first burst. Throughput: one burst a cycle.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant during a walk.
    start : In(1)
        Begin a walk; not while ``bursts`` has some of the walk before.
    bursts : Out(stream.Signature(burst_layout(machine)))
    active : Out(1)
        While it is low no flip-flop changes.
    """

    layer: data.View
    start: Signal
    bursts: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "start": In(1),
                "bursts": Out(stream.Signature(burst_layout(machine))),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._pointer_bits = bits_for(self.machine.rows)
        self._state = Signal(_State)
        self._advance, self._prepares = Signal(), Signal()
        self._ring = Signal(_RING_BITS)
        self._ring_rows = Signal(_RING_BITS + 12)
        m.d.comb += [
            self._ring.eq(self.layer.ring_lines + 1),
            self._prepares.eq((self._state == _State.RING) | (self._state == _State.STEPS)),
            self.active.eq(
                self.start | self._prepares | self._advance | (self.bursts.valid & self.bursts.ready)
            ),
        ]

        steps = self._prepare_steps(m)
        self._nest_loops(m)
        line_rows, column_rows = self._walk_input_rows(m, *steps)
        kernel_row = self._walk_kernel_rows(m)
        self._offer_bursts(m, line_rows, column_rows, kernel_row)
        return m

    def _prepare_steps(self, m: Module) -> list[data.View]:
        """Rows of the whole ring, then the steps of lines modulo the ring, from the highest digit on."""
        layer = self.layer
        lines = (layer.region_lines, layer.window_lines, layer.tap_lines)
        names = ("region", "window", "tap")
        steps = [Signal(_POSITION, name=f"{name}_step") for name in names]
        digit = Signal(range(_LINE_BITS // _STEP_DIGIT))
        with m.Switch(self._state):
            with m.Case(_State.IDLE):
                with m.If(self.start):
                    m.d.sync += [digit.eq(_RING_BITS // _RING_DIGIT - 1), self._ring_rows.eq(0)]
                    m.d.sync += [step.eq(_POSITION.const({})) for step in steps]
                    m.d.sync += self._state.eq(_State.RING)
            with m.Case(_State.RING):
                added = self._ring.word_select(digit, _RING_DIGIT) * layer.line_rows
                m.d.sync += [
                    self._ring_rows.eq((self._ring_rows << _RING_DIGIT) + added),
                    digit.eq(digit - 1),
                ]
                with m.If(digit == 0):
                    m.d.sync += [digit.eq(_LINE_BITS // _STEP_DIGIT - 1), self._state.eq(_State.STEPS)]
            with m.Case(_State.STEPS):
                for step, number in zip(steps, lines, strict=True):
                    found = step
                    for bit in reversed(range(_STEP_DIGIT)):
                        found = self._twice(m, found, number.word_select(digit, _STEP_DIGIT)[bit])
                    m.d.sync += step.eq(found)
                m.d.sync += digit.eq(digit - 1)
                with m.If(digit == 0):
                    m.d.sync += self._state.eq(_State.WALK)
        return steps

    def _twice(self, m: Module, step: data.View, one_more: Value) -> data.View:
        """Twice the lines of a step, and one more, around the ring."""
        found = Signal(_POSITION)
        rows = (step.rows << 1) + Mux(one_more, self.layer.line_rows, 0)
        m.d.comb += found.eq(self._around_the_ring((step.line << 1) + one_more, rows))
        return found

    def _around_the_ring(self, line: Value, rows: Value) -> Value:
        """A position less than two rings on, in the ring; as the bits of `_POSITION`."""
        wraps = line >= self._ring
        line_bits, row_bits = (_POSITION[name].width for name in ("line", "rows"))
        return Cat(
            (line - Mux(wraps, self._ring, 0))[:line_bits], (rows - Mux(wraps, self._ring_rows, 0))[:row_bits]
        )

    def _nest_loops(self, m: Module) -> None:
        layer = self.layer
        limits = {
            "burst": layer.bursts,
            "tap": layer.taps_y,
            "plane_group": layer.plane_groups,
            "kernel_plane": layer.kernel_planes,
            "kernel_tile": layer.kernel_tiles,
            "window_x": layer.region_width,
            "window_y": layer.region_height,
            "region_x": layer.region_columns,
            "region_y": layer.region_rows,
        }
        self._loops: dict[str, _Loop] = {}
        inner_end: Value = Const(1, 1)
        for name, limit in limits.items():
            index, ends = Signal.like(limit, name=name), Signal(name=f"{name}_ends")
            is_last = index == limit
            m.d.comb += ends.eq(inner_end & is_last)
            with m.If(self.start):
                m.d.sync += index.eq(0)
            with m.Elif(self._advance & inner_end):
                m.d.sync += index.eq(Mux(is_last, 0, index + 1))
            self._loops[name] = _Loop(index, index == 0, is_last, ends)
            inner_end = ends
        with m.If(self._advance & inner_end):
            m.d.sync += self._state.eq(_State.IDLE)

    def _walk_input_rows(
        self, m: Module, region_step: data.View, window_step: data.View, tap_step: data.View
    ) -> tuple[Value, Signal]:
        """Rows before the line of a burst, and its row in that line."""
        layer, loops = self.layer, self._loops
        region_line, window_line, tap_line = (
            Signal(_POSITION, name=name) for name in ("region_line", "window_line", "tap_line")
        )
        names = ("region_row", "window_row", "group_row", "burst_row")
        region_row, window_row, group_row, burst_row = (
            Signal(self._pointer_bits, name=name) for name in names
        )

        def go_on(position: data.View, step: data.View) -> Value:
            return self._around_the_ring(position.line + step.line, position.rows + step.rows)

        def set_all(targets: list[Signal], value: Value) -> None:
            m.d.sync += [target.eq(value) for target in targets]

        rows, lines = [region_row, window_row, group_row, burst_row], [region_line, window_line, tap_line]
        first_row = self._saturated(layer.input_row)
        with m.If(self.start):
            set_all(lines, _POSITION.const({}))
        with m.Elif(self._prepares):
            set_all(rows, first_row)
        with m.Elif(self._advance):
            with m.If(~loops["burst"].ends):
                set_all(rows[3:], self._saturated(burst_row + layer.burst_step))
            with m.Elif(~loops["tap"].ends):
                set_all(rows[3:], group_row)
                set_all(lines[2:], go_on(tap_line, tap_step))
            with m.Elif(~loops["plane_group"].ends):
                set_all(rows[2:], self._saturated(group_row + layer.group_rows))
                set_all(lines[2:], window_line)
            with m.Elif(~loops["kernel_tile"].ends):
                set_all(rows[2:], window_row)
                set_all(lines[2:], window_line)
            with m.Elif(~loops["window_x"].ends):
                set_all(rows[1:], self._saturated(window_row + layer.window_step))
                set_all(lines[2:], window_line)
            with m.Elif(~loops["window_y"].ends):
                set_all(rows[1:], region_row)
                set_all(lines[1:], go_on(window_line, window_step))
            with m.Elif(~loops["region_x"].ends):
                set_all(rows, self._saturated(region_row + layer.region_step))
                set_all(lines[1:], region_line)
            with m.Else():
                set_all(rows, first_row)
                set_all(lines, go_on(region_line, region_step))
        return tap_line.rows, burst_row

    def _walk_kernel_rows(self, m: Module) -> Signal:
        """Kernel row of a burst: on and on, but back to those of the plane for each further group of input planes."""
        loops = self._loops
        row, plane_row = (Signal(self._pointer_bits, name=name) for name in ("kernel_row", "plane_row"))
        next_row = self._saturated(row + self.layer.burst_rows + 1)
        first_row = self._saturated(self.layer.kernel_row)
        with m.If(self._prepares | (self._advance & loops["kernel_tile"].ends)):
            m.d.sync += [row.eq(first_row), plane_row.eq(first_row)]
        with m.Elif(self._advance):
            with m.If(loops["plane_group"].ends):
                m.d.sync += [row.eq(next_row), plane_row.eq(next_row)]
            with m.Else():
                m.d.sync += row.eq(Mux(loops["tap"].ends, plane_row, next_row))
        return row

    def _offer_bursts(self, m: Module, line_rows: Value, column_row: Signal, kernel_row: Signal) -> None:
        layer, loops, burst = self.layer, self._loops, self.bursts.payload
        is_first = {name: loop.is_first for name, loop in loops.items()}
        opens_group = is_first["burst"] & is_first["tap"]
        opens_kernel_tile = opens_group & is_first["plane_group"] & is_first["kernel_plane"]
        opens_region = (
            opens_kernel_tile & is_first["kernel_tile"] & is_first["window_x"] & is_first["window_y"]
        )
        new_lines = Mux(is_first["region_y"], layer.first_lines, layer.next_lines)
        new_columns = Mux(is_first["region_x"], layer.first_columns, layer.next_columns)
        input_row = Signal(self._pointer_bits)
        planes = Signal(SHIFT_FIELD_BITS)
        m.d.comb += [
            self._advance.eq((self._state == _State.WALK) & (~self.bursts.valid | self.bursts.ready)),
            input_row.eq(self._saturated(line_rows + column_row)),
            planes.eq(loops["plane_group"].index << layer.log_planes),
        ]
        with m.If(self._advance):
            m.d.sync += [
                self.bursts.valid.eq(1),
                burst.row_a.eq(input_row),
                burst.row_b.eq(kernel_row),
                burst.shift.eq(loops["kernel_plane"].index + planes),
                burst.subtract.eq(layer.subtracts & loops["kernel_plane"].is_last),
                burst.clear.eq(opens_kernel_tile),
                burst.emit.eq(loops["kernel_plane"].ends),
                burst.last_kernel_tile.eq(loops["kernel_tile"].is_last),
                burst.outer.eq(loops["window_x"].is_last & loops["window_y"].is_last),
                burst.sums.eq(is_first["kernel_tile"] & is_first["kernel_plane"]),
                burst.first.eq(opens_group & is_first["plane_group"]),
                burst.last.eq(loops["plane_group"].ends),
                burst.needs_rows.eq(opens_region & (new_lines != 0) & (new_columns != 0)),
                burst.ends.eq(loops["region_y"].ends),
                burst.outside.eq(
                    self._ends_outside(input_row) | self._ends_outside(kernel_row) | (input_row == kernel_row)
                ),
            ]
            if self.machine.overlaps_writes:
                m.d.sync += burst.ends_row.eq(loops["region_x"].ends)
        with m.Elif(self.bursts.ready):
            m.d.sync += self.bursts.valid.eq(0)

    def _ends_outside(self, row: Value) -> Value:
        return row + self.layer.burst_rows >= self.machine.rows

    def _saturated(self, row: Value) -> Value:
        """`row`, or the largest number of a pointer, which is not a row of the array, where it does not fit."""
        bits = self._pointer_bits
        if len(row) <= bits:
            return row
        return Mux(row[bits:].any(), (1 << bits) - 1, row[:bits])
