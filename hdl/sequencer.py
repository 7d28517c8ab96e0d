"""Sequencer: the commands of a pass, each in the cycle in which the engine can take it."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, Op, bits_for
from spinplane.machine.registers import Error

from .bank import bank_read
from .command import command_layout, row_layout, write_command_layout
from .descriptor import DESCRIPTOR
from .row_set import row_set_layout, row_write_layout, window_run_layout
from .run_walk import RunWalk
from .verilog import place

#: Bits of an error's code.
ERROR_BITS = 8


class _State(enum.Enum, shape=2):
    IDLE = 0
    LOAD = 1
    WALK = 2
    FAILED = 3


class Sequencer(wiring.Component):
    """Loads kernels if that is due, then writes the row sets of each region and runs its windows.

    A row set, and a word of the kernel bank, moves on to ``write`` when its ``WRITE`` is accepted, and stays there
    until the end of the pulse, while the next one is offered. So writes follow one another every ``write_cycles``
    cycles, and runs without a gap. A round's first run is offered no sooner than the cycles of the way out of the
    round before have passed since that round's first run was accepted.

    With ``write_overlap`` the writes go by ``write_command``, beside the runs. The row sets of a row of regions are
    written as soon as they are there and the runs of the row of regions before have been sensed; a region's runs begin
    when its row sets have been written.

    Latency: the first ``WRITE`` of the load 2 cycles after ``start``, or without one the first row set's 1 cycle after;
    the first run `spinplane.hdl.run_walk.WALK_LATENCY` cycles after it or later. ``busy`` from the cycle after
    ``start`` until the one in which the last run is accepted.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant while ``busy``.
    start : In(1)
        Begin a pass; only while not ``busy``.
    load : In(1)
        Whether kernels are to be loaded; looked at with ``start``.
    busy : Out(1)
    rows : In(stream.Signature(row_set_layout(machine)))
        One is taken when its ``WRITE`` is accepted. The first region has some, a region without new lines or new
        columns has none.
    kernel : Out(bank_read(machine.kernel_words, machine.columns))
    command : Out(stream.Signature(command_layout(machine)))
    write : Out(stream.Signature(row_layout(machine)))
    write_command : Out(stream.Signature(write_command_layout(machine)))
        With ``write_overlap`` alone.
    row_write : Out(row_write_layout(machine))
        In the last cycle of a row set's pulse; a run with that row is accepted then or later.
    run : Out(window_run_layout(machine))
        In the cycle in which a run of a window's first round and first kernel plane is accepted.
    kernel_read : Out(1)
        A word of the kernel bank is read.
    stalled : Out(1)
        The engine could take a command, but the next ``WRITE`` has no row set yet, or the next round waits for the
        way out. With ``write_overlap``: it could take a run, but the region's rows are not written yet, or the next
        round waits for the way out.
    error : Out(8)
        ``Error.ROW`` in place of a command with a row beyond the array, ``Error.KERNEL_BANK`` in place of the read
        of a word beyond the kernel bank; held until the reset, without another command.
    """

    layer: data.View
    rows: stream.Interface
    command: stream.Interface
    write: stream.Interface
    write_command: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        writes = {"write_command": Out(stream.Signature(write_command_layout(machine)))}
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "start": In(1),
                "load": In(1),
                "busy": Out(1),
                "rows": In(stream.Signature(row_set_layout(machine))),
                "kernel": Out(bank_read(machine.kernel_words, machine.columns)),
                "command": Out(stream.Signature(command_layout(machine))),
                "write": Out(stream.Signature(row_layout(machine))),
                "row_write": Out(row_write_layout(machine)),
                "run": Out(window_run_layout(machine)),
                "kernel_read": Out(1),
                "stalled": Out(1),
                "error": Out(ERROR_BITS),
                **(writes if machine.overlaps_writes else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._walk = place(m, platform, "run_walk", RunWalk(self.machine))
        self._state = Signal(_State)
        self._offers_kernel, self._offers_set, self._offers_run = Signal(), Signal(), Signal()
        self._accepted = Signal()
        m.d.comb += [
            self._walk.layer.eq(self.layer),
            self._walk.start.eq(self.start & (self._state == _State.IDLE)),
            self.busy.eq(self._state != _State.IDLE),
        ]
        if self.machine.overlaps_writes:
            self._write_port, self._write_accepted = self.write_command, Signal()
            m.d.comb += [
                self.command.valid.eq(self._offers_run),
                self.write_command.valid.eq(self._offers_kernel | self._offers_set),
                self._write_accepted.eq(self.write_command.valid & self.write_command.ready),
            ]
        else:
            self._write_port, self._write_accepted = self.command, self._accepted
            m.d.comb += self.command.valid.eq(self._offers_kernel | self._offers_set | self._offers_run)
        m.d.comb += self._accepted.eq(self.command.valid & self.command.ready)
        kernel_row, kernel_sub_array = self._load_kernels(m)
        self._walk_regions(m)
        self._form_commands(m, kernel_row, kernel_sub_array)
        self._hold_rows(m)
        return m

    def _fail(self, m: Module, error: Error) -> None:
        m.d.sync += [self.error.eq(error), self._state.eq(_State.FAILED)]

    def _load_kernels(self, m: Module) -> tuple[Signal, Signal]:
        """Words of the kernel bank lie in the order of their writes; the next is read when one is accepted.

        Returns
        -------
        tuple of Signal
            The row and the sub-array of each group that the word at hand is for.
        """
        layer, machine = self.layer, self.machine
        address = Signal(layer.load_base.shape())
        index, row = Signal.like(layer.load_rows), Signal(bits_for((1 << 13) - 2))
        sub_array, at_hand = Signal.like(layer.load_sub_arrays), Signal()
        ends_row = sub_array == layer.load_sub_arrays
        is_last = ends_row & (index == layer.load_rows - 1)
        wanted, row_is_outside = Signal(), row >= machine.rows
        m.d.comb += [
            self._offers_kernel.eq((self._state == _State.LOAD) & at_hand & ~row_is_outside),
            wanted.eq(
                Mux(
                    at_hand, self._offers_kernel & self._write_accepted & ~is_last, self._state == _State.LOAD
                )
            ),
            self.kernel.enable.eq(wanted & (address < machine.kernel_words)),
            self.kernel.address.eq(address),
            self.kernel_read.eq(self.kernel.enable),
        ]
        with m.If(self._state == _State.IDLE):
            m.d.sync += [address.eq(layer.load_base), row.eq(layer.kernel_row)]
            m.d.sync += [index.eq(0), sub_array.eq(0), at_hand.eq(0)]
            with m.If(self.start):
                is_due = self.load & (layer.load_rows != 0)
                m.d.sync += self._state.eq(Mux(is_due, _State.LOAD, _State.WALK))
        with m.Elif(self.kernel.enable):
            m.d.sync += [address.eq(address + 1), at_hand.eq(1)]
        with m.If(self._offers_kernel & self._write_accepted):
            m.d.sync += sub_array.eq(Mux(ends_row, 0, sub_array + 1))
            m.d.sync += [index.eq(index + ends_row), row.eq(row + ends_row)]
            with m.If(is_last):
                m.d.sync += self._state.eq(_State.WALK)
        with m.If(wanted & ~self.kernel.enable):
            self._fail(m, Error.KERNEL_BANK)
        with m.If((self._state == _State.LOAD) & at_hand & row_is_outside):
            self._fail(m, Error.ROW)
        return row, sub_array

    def _walk_regions(self, m: Module) -> None:
        run, layer = self._walk.runs.payload, self.layer
        # As long as the walk prepares itself, the first region is at hand, which begins with row sets.
        needs_rows = ~self._walk.runs.valid | run.needs_rows
        waits_for_rows, due = Signal(), Signal()
        set_is_outside = self.rows.payload.row >= self.machine.rows
        overlaps = self.machine.overlaps_writes
        if overlaps:
            written, takes_set = self._follow_writes(m)
            missing = waits_for_rows
        else:
            # Whether the row sets of the region at hand have been issued.
            written = Signal(name="written")
            takes_set = waits_for_rows
            missing = waits_for_rows & ~self.rows.valid
        m.d.comb += [
            waits_for_rows.eq((self._state == _State.WALK) & needs_rows & ~written),
            due.eq((self._state == _State.WALK) & self._walk.runs.valid & ~waits_for_rows),
            self._offers_set.eq(takes_set & self.rows.valid & ~set_is_outside),
            self.rows.ready.eq(self._offers_set & self._write_port.ready),
            self._walk.runs.ready.eq(self._offers_run & self.command.ready),
        ]
        round_waits = self._time_rounds(m)
        m.d.comb += [
            self._offers_run.eq(due & ~run.outside & ~round_waits),
            self.stalled.eq(self.command.ready & (missing | (due & ~run.outside & round_waits))),
        ]
        if not overlaps:
            with m.If(self._offers_set & self._accepted):
                m.d.sync += written.eq(self.rows.payload.last)
        with m.If(self._offers_run & self._accepted):
            m.d.sync += [] if overlaps else written.eq(0)
            with m.If(run.ends):
                m.d.sync += self._state.eq(_State.IDLE)
        with m.If((takes_set & self.rows.valid & set_is_outside) | (due & run.outside)):
            self._fail(m, Error.ROW)
        m.d.comb += [
            self.run.valid.eq(self._offers_run & self._accepted & run.sums),
            self.run.row.eq(run.row_a),
            self.run.rows.eq(layer.run_rows),
            self.run.shift.eq(run.shift),
            self.run.first.eq(run.first),
            self.run.last.eq(run.last),
        ]

    def _follow_writes(self, m: Module) -> tuple[Value, Value]:
        """Writes that run ahead of the runs, up to the end of a row of regions.

        The rows of a region are no rows that another region of its row of regions senses before; those of the next
        row of regions are.

        Returns
        -------
        tuple of Value
            Whether the rows of the region at hand are written, and whether the next row set may be.
        """
        layer, run = self.layer, self._walk.runs.payload
        # Regions whose rows are written and whose runs have not begun, but for the one that is written in this cycle.
        self._ahead = ahead = Signal(len(layer.region_columns) + 1)
        ends_region, last = Signal(), Signal()
        begins = self._offers_run & self._accepted & run.needs_rows
        # Whether the next row set opens another row of regions, and whether the runs of this one have been issued.
        self._opens_row = opens_row = Signal()
        column, row_ran = Signal.like(layer.region_columns), Signal()
        ends_row = (layer.next_columns == 0) | (column == layer.region_columns)
        m.d.comb += ends_region.eq(self.row_write.valid & last)
        m.d.sync += ahead.eq(ahead + ends_region - begins)
        with m.If(self._offers_run & self._accepted & run.ends_row):
            m.d.sync += row_ran.eq(1)
        with m.If(self._offers_set & self._write_accepted):
            m.d.sync += [last.eq(self.rows.payload.last), opens_row.eq(0), row_ran.eq(0)]
            with m.If(self.rows.payload.last):
                m.d.sync += [column.eq(Mux(ends_row, 0, column + 1)), opens_row.eq(ends_row)]
        with m.If(self._state == _State.IDLE):
            m.d.sync += [ahead.eq(0), column.eq(0), opens_row.eq(0), row_ran.eq(0)]
        # The engine takes a command in the last cycle of the one before.
        waits_for_runs = opens_row & ~(row_ran & self.command.ready)
        return (ahead != 0) | ends_region, (self._state == _State.WALK) & ~waits_for_runs

    def _time_rounds(self, m: Module) -> Value:
        """Whether the run at hand begins a round for which the way out is not ready."""
        run, layer = self._walk.runs.payload, self.layer
        left, cycles = Signal.like(layer.inner_cycles), Signal.like(layer.inner_cycles)
        m.d.comb += cycles.eq(
            Mux(
                run.outer,
                Mux(run.last_round, layer.last_outer_cycles, layer.outer_cycles),
                Mux(run.last_round, layer.last_inner_cycles, layer.inner_cycles),
            )
        )
        with m.If(self._state == _State.IDLE):
            m.d.sync += left.eq(0)
        with m.Elif(self._offers_run & self._accepted & run.clear):
            m.d.sync += left.eq(Mux(cycles == 0, 0, cycles - 1))
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return run.clear & (left != 0)

    def _form_commands(self, m: Module, kernel_row: Signal, kernel_sub_array: Signal) -> None:
        command, write, layer = self.command.payload, self._write_port.payload, self.layer
        m.d.comb += [
            command.log_slots.eq(layer.log_slots),
            command.log_planes.eq(layer.log_planes),
            command.log_groups.eq(layer.log_groups),
            command.length.eq((self.machine.columns - 1) >> layer.log_slots),
        ]
        shared = not self.machine.overlaps_writes
        is_write = [command.op.eq(Op.WRITE.value)] if shared else [write.log_groups.eq(layer.log_groups)]
        if not shared:
            self._form_run(m)
        with m.If(self._state == _State.LOAD):
            m.d.comb += [
                *is_write,
                write.first.eq(kernel_sub_array),
                write.last.eq(kernel_sub_array),
                write.row_d.eq(kernel_row),
            ]
        with m.Elif(self._offers_set):
            m.d.comb += [
                *is_write,
                write.last.eq(layer.sub_arrays),
                write.row_d.eq(self.rows.payload.row),
            ]
        if shared:
            with m.Else():
                self._form_run(m)

    def _form_run(self, m: Module) -> None:
        command, layer, run = self.command.payload, self.layer, self._walk.runs.payload
        m.d.comb += [
            command.op.eq(Op.DOT.value),
            command.last.eq(Mux(run.last_round, layer.last_sub_arrays, layer.sub_arrays)),
            command.row_a.eq(run.row_a),
            command.row_b.eq(run.row_b),
            command.tiles.eq(layer.run_rows),
            command.shift.eq(run.shift),
            command.clear.eq(run.clear),
            command.emit.eq(run.emit),
        ]

    def _hold_rows(self, m: Module) -> None:
        """The row of an accepted ``WRITE``, until the engine takes it at the end of the pulse."""
        write, rows = self.write.payload, self.rows.payload
        row, sums, from_set = Signal.like(rows.row), Signal.like(rows.sums), Signal()
        m.d.comb += [
            write.mask.eq(~0),
            self.row_write.valid.eq(self.write.valid & self.write.ready & from_set),
            self.row_write.row.eq(row),
            self.row_write.sums.eq(sums),
        ]
        with m.If((self._offers_kernel | self._offers_set) & self._write_accepted):
            m.d.sync += [
                self.write.valid.eq(1),
                from_set.eq(self._offers_set),
                row.eq(rows.row),
                sums.eq(rows.sums),
            ]
            word = Cat(self.kernel.data for _ in range(self.machine.row_buses))
            m.d.sync += write.bits.as_value().eq(Mux(self._offers_set, rows.bits.as_value(), word))
        with m.Elif(self.write.ready):
            m.d.sync += self.write.valid.eq(0)
