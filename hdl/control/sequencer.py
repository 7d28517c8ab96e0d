"""Sequencer: the commands of a pass, each in the cycle in which the engine can take it."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, Op, RowOperation
from spinplane.machine.descriptor import MEMORY_XOR_WORD, Kind, OperationBit
from spinplane.machine.registers import Error

from ..common.bank import bank_read
from ..common.command import command_layout, row_layout, write_command_layout
from ..common.descriptor import DESCRIPTOR
from ..common.pure_data import data_register
from ..common.row_set import row_set_layout, row_write_layout, window_burst_layout
from ..common.verilog import place
from .kernel_loader import ERROR_BITS, KernelLoader
from .row_pair_generator import RowPairGenerator
from .sense_walk import SenseWalk


class _State(enum.Enum, shape=3):
    IDLE = 0
    LOAD = 1
    WALK = 2
    FAILED = 3
    SENSE = 4


class Sequencer(wiring.Component):
    """Loads kernels if that is due, then writes the row sets of each region and runs its windows; or does a memory
    operation.

    A row set, and a word of the kernel bank, moves on to ``write`` when its ``WRITE`` is accepted, and stays there
    until the end of the pulse, while the next one is offered. So writes follow one another every ``write_cycles``
    cycles, and bursts without a gap. A kernel tile's first burst is offered no sooner than the cycles of the output
    stage of the kernel tile before have passed since that kernel tile's first burst was accepted.

    With ``write_overlap`` the writes go by ``write_command``, beside the bursts. The row sets of a row of regions are
    written as soon as they are there and the bursts of the row of regions before have been sensed; a region's bursts
    begin when its row sets have been written.

    Latency: the first ``WRITE`` of the load 2 cycles after ``start``, or without one the first row set's 1 cycle after;
    the first burst `spinplane.hdl.control.row_pair_generator.WALK_LATENCY` cycles after it or later. ``busy`` from the
    cycle after ``start`` until the one in which the last burst is accepted.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Of kind LAYER, or with ``memory_operations`` MEMORY. Held constant while ``busy``.
    start : In(1)
        Begin a pass or a memory operation; only while not ``busy``.
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
    columns : Out(columns)
        Columns that are sensed and written. With ``memory_operations``.
    row_write : Out(row_write_layout(machine))
        In the last cycle of a row set's pulse; a burst with that row is accepted then or later.
    burst : Out(window_burst_layout(machine))
        In the cycle in which a burst of a window's first kernel tile and first kernel plane is accepted.
    kernel_read : Out(1)
        A word of the kernel bank is read.
    stalled : Out(1)
        The engine could take a command, but the next ``WRITE`` has no row set yet, or the next kernel tile waits for
        the output stage. With ``write_overlap``: it could take a burst, but the region's rows are not written yet, or
        the next kernel tile waits for the output stage. In a memory operation: it could take a step, but the one before
        it is being stored.
    error : Out(8)
        ``Error.ROW`` in place of a command with a row beyond the array, ``Error.KERNEL_BANK`` in place of the read
        of a word beyond the kernel bank, ``Error.IMAGE_BANK`` in place of a step whose words are beyond the image bank;
        held until the reset, without another command.
    """

    layer: data.View
    rows: stream.Interface
    command: stream.Interface
    write: stream.Interface
    write_command: stream.Interface
    columns: Signal

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
                "burst": Out(window_burst_layout(machine)),
                "kernel_read": Out(1),
                "stalled": Out(1),
                "error": Out(ERROR_BITS),
                **(writes if machine.overlaps_writes else {}),
                **({"columns": Out(machine.columns)} if machine.memory_operations else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._walk = place(m, platform, "row_pair_generator", RowPairGenerator(self.machine))
        self._loader = place(m, platform, "kernel_loader", KernelLoader(self.machine))
        self._state = Signal(_State)
        self._offers_kernel = Signal()
        self._offers_set = Signal()
        self._offers_burst = Signal()
        self._offers_step = Signal()
        self._accepted = Signal()
        is_memory = self.layer.kind == Kind.MEMORY.value
        self._is_memory = is_memory if self.machine.memory_operations else Const(0)
        m.d.comb += [
            self._walk.layer.eq(self.layer),
            self._walk.start.eq(self.start & ~self._is_memory & (self._state == _State.IDLE)),
            self.busy.eq(self._state != _State.IDLE),
        ]
        if self.machine.overlaps_writes:
            self._write_port = self.write_command
            self._write_accepted = Signal()
            m.d.comb += [
                self.command.valid.eq(self._offers_burst | self._offers_step),
                self.write_command.valid.eq(self._offers_kernel | self._offers_set),
                self._write_accepted.eq(self.write_command.valid & self.write_command.ready),
            ]
        else:
            self._write_port, self._write_accepted = self.command, self._accepted
            offers = (self._offers_kernel, self._offers_set, self._offers_burst, self._offers_step)
            m.d.comb += self.command.valid.eq(Cat(offers).any())
        m.d.comb += self._accepted.eq(self.command.valid & self.command.ready)
        self._load_kernels(m)
        waits = self._walk_regions(m)
        self._form_commands(m)
        if self.machine.memory_operations:
            waits |= self._walk_steps(m, platform)
        m.d.comb += self.stalled.eq(self.command.ready & waits)
        self._hold_rows(m)
        return m

    def _fail(self, m: Module, error: Error | Value) -> None:
        m.d.sync += [self.error.eq(error), self._state.eq(_State.FAILED)]

    def _load_kernels(self, m: Module) -> None:
        """Kernels if they are due; the mask of a memory operation, and the rows that it writes."""
        layer, loader = self.layer, self._loader
        writes = layer.operation[:2] == RowOperation.WRITE.value
        is_due = Mux(
            self._is_memory,
            writes | layer.operation[OperationBit.MASKED],
            self.load & (layer.load_rows != 0),
        )
        wiring.connect(m, loader.kernel, wiring.flipped(self.kernel))
        m.d.comb += [
            loader.layer.eq(layer),
            loader.start.eq(self.start),
            loader.due.eq(is_due),
            self._offers_kernel.eq(loader.writes.valid),
            loader.writes.ready.eq(self._write_port.ready),
            self.kernel_read.eq(self.kernel.enable),
        ]
        after = Mux(self._is_memory, Mux(writes, _State.IDLE, _State.SENSE), _State.WALK)
        with m.If(self.start):
            m.d.sync += self._state.eq(Mux(is_due, _State.LOAD, after))
        with m.If(loader.done):
            m.d.sync += self._state.eq(after)
        with m.If(loader.error != Error.NONE.value):
            self._fail(m, loader.error)

    def _walk_steps(self, m: Module, platform: object) -> Value:
        """Steps of a memory operation that senses; returns whether the next one waits for the one before it."""
        walk = place(m, platform, "sense_walk", SenseWalk(self.machine))
        command, step, at_work = self.command.payload, walk.steps.payload, self._state == _State.SENSE
        m.d.comb += [
            walk.layer.eq(self.layer),
            walk.start.eq(self.start),
            walk.steps.ready.eq(self._offers_step & self.command.ready),
            self._offers_step.eq(at_work & walk.steps.valid & ~step.outside & ~step.beyond),
            self.columns.eq(self._loader.columns),
        ]
        with m.If(self._offers_step & self._accepted & step.ends):
            m.d.sync += self._state.eq(_State.IDLE)
        with m.If(at_work & step.outside):
            self._fail(m, Error.ROW)
        with m.Elif(at_work & step.beyond):
            self._fail(m, Error.IMAGE_BANK)
        with m.If(at_work):
            m.d.comb += [
                command.op.eq(self._sense_op()),
                command.first.eq(self.layer.load_sub_arrays),
                command.last.eq(self.layer.last_sub_arrays),
                *(command[name].eq(step[name]) for name in ("row_a", "row_b", "row_d")),
                command.write_back.eq(self.layer.operation[OperationBit.WRITE_BACK]),
            ]
        return at_work & ~walk.steps.valid

    def _sense_op(self) -> Value:
        """Op of the steps of a memory operation that senses."""
        # Codes of both are in the same order, but for the XOR.
        op = self.layer.operation[:2] + (Op.READ.value - RowOperation.READ.value)
        return Mux(self.layer[MEMORY_XOR_WORD], Op.XOR.value, op) if self.machine.xor_sensing else op

    def _walk_regions(self, m: Module) -> Value:
        """Row sets and bursts; returns whether the next one waits for a row set or the output stage."""
        burst, layer = self._walk.bursts.payload, self.layer
        # As long as the walk prepares itself, the first region is at hand, which begins with row sets.
        needs_rows = ~self._walk.bursts.valid | burst.needs_rows
        waits_for_rows = Signal()
        due = Signal()
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
            due.eq((self._state == _State.WALK) & self._walk.bursts.valid & ~waits_for_rows),
            self._offers_set.eq(takes_set & self.rows.valid & ~set_is_outside),
            self.rows.ready.eq(self._offers_set & self._write_port.ready),
            self._walk.bursts.ready.eq(self._offers_burst & self.command.ready),
        ]
        kernel_tile_waits = self._time_kernel_tiles(m)
        m.d.comb += self._offers_burst.eq(due & ~burst.outside & ~kernel_tile_waits)
        if not overlaps:
            with m.If(self._offers_set & self._accepted):
                m.d.sync += written.eq(self.rows.payload.last)
        with m.If(self._offers_burst & self._accepted):
            m.d.sync += [] if overlaps else written.eq(0)
            with m.If(burst.ends):
                m.d.sync += self._state.eq(_State.IDLE)
        with m.If((takes_set & self.rows.valid & set_is_outside) | (due & burst.outside)):
            self._fail(m, Error.ROW)
        m.d.comb += [
            self.burst.valid.eq(self._offers_burst & self._accepted & burst.sums),
            self.burst.row.eq(burst.row_a),
            self.burst.rows.eq(layer.burst_rows),
            self.burst.shift.eq(burst.shift),
            self.burst.first.eq(burst.first),
            self.burst.last.eq(burst.last),
        ]
        return missing | (due & ~burst.outside & kernel_tile_waits)

    def _follow_writes(self, m: Module) -> tuple[Value, Value]:
        """Writes that run ahead of the bursts, up to the end of a row of regions.

        The rows of a region are no rows that another region of its row of regions senses before; those of the next
        row of regions are.

        Returns
        -------
        tuple of Value
            Whether the rows of the region at hand are written, and whether the next row set may be.
        """
        layer, burst = self.layer, self._walk.bursts.payload
        # Regions whose rows are written and whose bursts have not begun, but for the one that is written in this cycle.
        self._ahead = ahead = Signal(len(layer.region_columns) + 1)
        ends_region = Signal()
        last = Signal()
        begins = self._offers_burst & self._accepted & burst.needs_rows
        # Whether the next row set opens another row of regions, and whether the bursts of this one have been issued.
        self._opens_row = opens_row = Signal()
        column = Signal.like(layer.region_columns)
        row_ran = Signal()
        ends_row = (layer.next_columns == 0) | (column == layer.region_columns)
        m.d.comb += ends_region.eq(self.row_write.valid & last)
        m.d.sync += ahead.eq(ahead + ends_region - begins)
        with m.If(self._offers_burst & self._accepted & burst.ends_row):
            m.d.sync += row_ran.eq(1)
        with m.If(self._offers_set & self._write_accepted):
            m.d.sync += [last.eq(self.rows.payload.last), opens_row.eq(0), row_ran.eq(0)]
            with m.If(self.rows.payload.last):
                m.d.sync += [column.eq(Mux(ends_row, 0, column + 1)), opens_row.eq(ends_row)]
        with m.If(self._state == _State.IDLE):
            m.d.sync += [ahead.eq(0), column.eq(0), opens_row.eq(0), row_ran.eq(0)]
        # The engine takes a command in the last cycle of the one before.
        waits_for_bursts = opens_row & ~(row_ran & self.command.ready)
        return (ahead != 0) | ends_region, (self._state == _State.WALK) & ~waits_for_bursts

    def _time_kernel_tiles(self, m: Module) -> Value:
        """Whether the burst at hand begins a kernel tile for which the output stage is not ready."""
        burst, layer = self._walk.bursts.payload, self.layer
        left = Signal.like(layer.inner_cycles)
        cycles = Signal.like(layer.inner_cycles)
        m.d.comb += cycles.eq(
            Mux(
                burst.outer,
                Mux(burst.last_kernel_tile, layer.last_outer_cycles, layer.outer_cycles),
                Mux(burst.last_kernel_tile, layer.last_inner_cycles, layer.inner_cycles),
            )
        )
        with m.If(self._state == _State.IDLE):
            m.d.sync += left.eq(0)
        with m.Elif(self._offers_burst & self._accepted & burst.clear):
            m.d.sync += left.eq(Mux(cycles == 0, 0, cycles - 1))
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return burst.clear & (left != 0)

    def _form_commands(self, m: Module) -> None:
        command, write, layer = self.command.payload, self._write_port.payload, self.layer
        log_clusters = Mux(self._is_memory, 0, layer.log_clusters)
        m.d.comb += [
            command.log_slots.eq(layer.log_slots),
            command.log_planes.eq(layer.log_planes),
            command.spread.eq(layer.spread),
            command.log_clusters.eq(log_clusters),
        ]
        shared = not self.machine.overlaps_writes
        is_write = [command.op.eq(Op.WRITE.value)] if shared else [write.log_clusters.eq(log_clusters)]
        kernel = self._loader.writes.payload
        if not shared:
            self._form_burst(m)
        with m.If(self._state == _State.LOAD):
            m.d.comb += [
                *is_write,
                write.first.eq(kernel.first),
                write.last.eq(kernel.last),
                write.row_d.eq(kernel.row),
            ]
        with m.Elif(self._offers_set):
            m.d.comb += [
                *is_write,
                write.last.eq(layer.sub_arrays),
                write.row_d.eq(self.rows.payload.row),
            ]
        if shared:
            with m.Else():
                self._form_burst(m)

    def _form_burst(self, m: Module) -> None:
        command, layer, burst = self.command.payload, self.layer, self._walk.bursts.payload
        m.d.comb += [
            command.op.eq(Op.DOT.value),
            command.last.eq(Mux(burst.last_kernel_tile, layer.last_sub_arrays, layer.sub_arrays)),
            command.row_a.eq(burst.row_a),
            command.row_b.eq(burst.row_b),
            command.tiles.eq(layer.burst_rows),
            command.shift.eq(burst.shift),
            command.subtract.eq(burst.subtract),
            command.clear.eq(burst.clear),
            command.emit.eq(burst.emit),
        ]

    def _hold_rows(self, m: Module) -> None:
        """The row of an accepted ``WRITE``, until the engine takes it at the end of the pulse."""
        write, rows = data_register(m, self.write.payload, "bits"), self.rows.payload
        row = Signal.like(rows.row, reset_less=True)
        sums = Signal.like(rows.sums, reset_less=True)
        from_set = Signal(reset_less=True)
        m.d.comb += [
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
            m.d.sync += write.as_value().eq(Mux(self._offers_set, rows.bits.as_value(), word))
        with m.Elif(self.write.ready):
            m.d.sync += self.write.valid.eq(0)
