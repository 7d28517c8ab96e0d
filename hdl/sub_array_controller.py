"""Sub-array controller: turns a command into word lines, references and steps of the dot product."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import MOST_SLOTS, Machine, Op, bits_for

from .command import STEP, command_layout, driven_row_layout
from .reference_select import Sense


class Route(enum.Enum, shape=2):
    """Where a sensed row goes."""

    ROW = 0
    COUNT = 1
    LOAD = 2


class State(enum.Enum, shape=2):
    """What the controller does with its command."""

    IDLE = 0
    SENSE = 1
    WRITE = 2
    WRITE_BACK = 3


#: A sensed row's way and what becomes of its count; the bits themselves wait in the sense amplifiers.
SENSED = data.StructLayout({"route": Route, "step": STEP})


class SubArrayController(wiring.Component):
    """Runs one command at a time: writes, single senses, and all plane pairs and row tiles of a dot product.

    Latency: a command accepted in one cycle holds its first word lines in the next. Throughput: one row
    operation every ``sense_cycles`` or ``write_cycles`` cycles, without a gap between commands. A sense waits
    while the row before it has not been taken, a write while no row is offered. Fields that a command's `Op`
    does not name are ignored.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    command : In(stream.Signature(command_layout(machine)))
        ``first``, ``last`` and ``log_groups`` are the engine's; here every command is obeyed.
    write : In(stream.Signature(StructLayout({"bits": columns, "mask": columns})))
        Rows for ``WRITE``; one is taken at the end of its pulse.
    sensed : Out(stream.Signature(SENSED))
        A row has reached the sense amplifiers, which keep it until it is taken.
    write_address, write_enable : Out
        For the decoder of the write word lines.
    write_back : Out(1)
        The row to write is the one in the sense amplifiers.
    address_a, enable_a, address_b, enable_b : Out
        For the decoder of the read word lines.
    sense : Out(Sense)
        For the reference select.
    columns : Out(columns)
        Columns that are sensed, or written back.
    wrote, finished : Out(1)
        A write pulse, or a sense, is in its last cycle.
    stalled, busy : Out(1)
    pulse : Out(1)
        Word lines are held and the coming clock edge does not end it: a reset now would cut a pulse.
    """

    command: stream.Interface
    write: stream.Interface
    sensed: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        row = bits_for(machine.rows - 1)
        super().__init__(
            {
                "command": In(stream.Signature(command_layout(machine))),
                "write": In(stream.Signature(driven_row_layout(machine))),
                "sensed": Out(stream.Signature(SENSED)),
                "write_address": Out(row),
                "write_enable": Out(1),
                "write_back": Out(1),
                "address_a": Out(row),
                "enable_a": Out(1),
                "address_b": Out(row),
                "enable_b": Out(1),
                "sense": Out(Sense),
                "columns": Out(machine.columns),
                "wrote": Out(1),
                "finished": Out(1),
                "stalled": Out(1),
                "busy": Out(1),
                "pulse": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._command = Signal(command_layout(self.machine))
        self._state = Signal(State)
        self._is_last_tile = Signal()
        self._is_last_step = Signal()
        self._done = Signal()

        self._accept_commands(m)
        self._run_senses(m)
        self._walk_planes_and_tiles(m)
        self._run_writes(m)
        m.d.comb += [
            self.columns.eq(self._sensed_columns(m)),
            self.pulse.eq((self.write_enable & ~self.wrote) | (self.enable_a & ~self.finished)),
        ]
        return m

    def _is(self, *ops: Op) -> Value:
        return Cat(self._command.op == op.value for op in ops).any()

    def _accept_commands(self, m: Module) -> None:
        m.d.comb += [
            self.command.ready.eq((self._state == State.IDLE) | self._done),
            self.busy.eq(self._state != State.IDLE),
        ]
        with m.If(self.command.valid & self.command.ready):
            self._keep_named_fields(m)
            with m.If(self.command.payload.op == Op.WRITE.value):
                m.d.sync += self._state.eq(State.WRITE)
            with m.Else():
                m.d.sync += self._state.eq(State.SENSE)
        with m.Elif(self._done):
            m.d.sync += self._state.eq(State.IDLE)
        with m.Elif(self.finished & self._is_last_step):
            m.d.sync += self._state.eq(State.WRITE_BACK)

    def _keep_named_fields(self, m: Module) -> None:
        """Store the command; what its operation does not name is stored as 0."""
        new, kept = self.command.payload, self._command
        is_dot = new.op == Op.DOT.value
        counts = is_dot | (new.op == Op.COUNT.value)
        m.d.sync += kept.eq(new)
        with m.If(~counts):
            m.d.sync += [kept.planes_a.eq(0), kept.tiles.eq(0)]
        with m.If(~is_dot):
            m.d.sync += [kept.planes_b.eq(0), kept.signed_b.eq(0)]
        with m.If(counts | (new.op == Op.LOAD.value)):
            m.d.sync += kept.write_back.eq(0)

    def _run_senses(self, m: Module) -> None:
        active, waits = Signal(), Signal()
        begun = self._hold(m, active, self.finished, self.machine.sense_cycles)
        counted = self._is(Op.DOT, Op.COUNT)
        in_sense = self._state == State.SENSE
        m.d.comb += [
            waits.eq(~begun & self.sensed.valid & ~self.sensed.ready),
            active.eq(in_sense & ~waits),
            self.stalled.eq((in_sense & waits) | ((self._state == State.WRITE) & ~self.write.valid)),
            self.enable_a.eq(active),
            self.enable_b.eq(active & self._is(Op.AND, Op.OR, Op.DOT)),
        ]
        with m.If(active):
            with m.Switch(self._command.op):
                with m.Case(Op.AND.value, Op.DOT.value):
                    m.d.comb += self.sense.eq(Sense.AND)
                with m.Case(Op.OR.value):
                    m.d.comb += self.sense.eq(Sense.OR)
                with m.Default():
                    m.d.comb += self.sense.eq(Sense.M)
        with m.If(self.finished):
            m.d.sync += self.sensed.valid.eq(counted | self._is(Op.LOAD) | self._command.emit)
            with m.If(counted):
                m.d.sync += self.sensed.payload.route.eq(Route.COUNT)
            with m.Elif(self._is(Op.LOAD)):
                m.d.sync += self.sensed.payload.route.eq(Route.LOAD)
            with m.Else():
                m.d.sync += self.sensed.payload.route.eq(Route.ROW)
        with m.Elif(self.sensed.ready):
            m.d.sync += self.sensed.valid.eq(0)

    def _walk_planes_and_tiles(self, m: Module) -> None:
        """Tiles run fastest, then the planes of operand a, then those of operand b."""
        command, step = self._command, self.sensed.payload.step
        plane_a, plane_b = Signal.like(command.planes_a), Signal.like(command.planes_b)
        tile, base_b = Signal.like(command.tiles), Signal.like(command.row_b)
        begun = Signal()
        top_a, top_b = plane_a == command.planes_a, plane_b == command.planes_b
        m.d.comb += [
            self._is_last_tile.eq(tile == command.tiles),
            self._is_last_step.eq(self._is_last_tile & top_a & top_b),
        ]
        with m.If(self.command.valid & self.command.ready):
            new = self.command.payload
            m.d.sync += [self.address_a.eq(new.row_a), self.address_b.eq(new.row_b), base_b.eq(new.row_b)]
            m.d.sync += [plane_a.eq(0), plane_b.eq(0), tile.eq(0), begun.eq(0)]
        with m.Elif(self.finished):
            m.d.sync += [begun.eq(1), tile.eq(tile + 1)]
            m.d.sync += [self.address_a.eq(self.address_a + 1), self.address_b.eq(self.address_b + 1)]
            with m.If(self._is_last_tile):
                m.d.sync += [tile.eq(0), plane_a.eq(plane_a + 1), self.address_b.eq(base_b)]
                with m.If(top_a):
                    m.d.sync += [plane_a.eq(0), plane_b.eq(plane_b + 1), self.address_a.eq(command.row_a)]
                    m.d.sync += [base_b.eq(self.address_b + 1), self.address_b.eq(self.address_b + 1)]
        with m.If(self.finished):
            m.d.sync += [
                step.shift.eq(command.shift + plane_a + plane_b),
                step.negate.eq(command.negate ^ (command.signed_a & top_a) ^ (command.signed_b & top_b)),
                step.mode.log_slots.eq(command.log_slots),
                step.mode.log_planes.eq(command.log_planes),
                step.clear.eq(command.clear & ~begun),
                step.emit.eq(command.emit & self._is_last_step),
            ]

    def _run_writes(self, m: Module) -> None:
        from_stream = self._state == State.WRITE
        m.d.comb += [
            self.write_back.eq(self._state == State.WRITE_BACK),
            self.write_enable.eq((from_stream & self.write.valid) | self.write_back),
            self.write_address.eq(self._command.row_d),
            self.write.ready.eq(from_stream & self.wrote),
        ]
        self._hold(m, self.write_enable, self.wrote, self.machine.write_cycles)
        ends_here = self.finished & self._is_last_step & ~self._command.write_back
        m.d.comb += self._done.eq(self.wrote | ends_here)

    def _hold(self, m: Module, active: Value, last: Signal, cycles: int) -> Value:
        """Raise `last` in the last of `cycles` active cycles; returns whether an earlier one has passed."""
        passed = Signal(range(cycles))
        m.d.comb += last.eq(active & (passed == cycles - 1))
        with m.If(active):
            m.d.sync += passed.eq(Mux(last, 0, passed + 1))
        return passed != 0

    def _sensed_columns(self, m: Module) -> Value:
        """All columns of a tile but the last, of which ``length`` + 1 are sensed in each slot.

        The row is seen as blocks, the slots of the finest mode; a coarser slot has several of them, and the upper
        bits of ``length`` tell in which one it ends.
        """
        blocks = min(self.machine.segments, MOST_SLOTS)
        width = self.machine.columns // blocks
        within = exact_log2(width)
        inside, above = self._command.length[:within], self._command.length[within:]
        head, end, of_slot = Signal(width), Signal.like(above), Signal(len(above))
        finest = exact_log2(blocks)
        m.d.comb += [
            head.eq(Cat(_thermometer(inside))),
            of_slot.eq(Cat(self._command.log_slots < finest - bit for bit in range(finest))),
            end.eq(above & of_slot),
        ]
        columns = []
        for block in range(blocks):
            number = Signal(len(above), name=f"number_of_block_{block}")
            all_of_it = Signal(name=f"all_of_block_{block}")
            head_of_it = Signal(name=f"head_of_block_{block}")
            m.d.comb += [
                number.eq(block & of_slot),
                all_of_it.eq(~self._is_last_tile | (number < end)),
                head_of_it.eq(number == end),
            ]
            columns.append(all_of_it.replicate(width) | (head & head_of_it.replicate(width)))
        return Cat(columns)


def _thermometer(number: Value) -> list[Value]:
    """Bits 0 to `number` high: halves that share the thermometer of the lower bits."""
    if len(number) == 0:
        return [Const(1, 1)]
    lower, top = _thermometer(number[:-1]), number[-1]
    return [bit | top for bit in lower] + [bit & top for bit in lower]
