"""Sub-array controller: turns a command into word lines, references and steps of the dot product."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import enum, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, Op, bits_for

from ..common.command import ROW_OFFER, STEP, command_layout
from ..common.pure_data import data_register
from .reference_select import Sense


class ControllerState(enum.Enum, shape=2):
    """What the controller does with its command."""

    IDLE = 0
    SENSE = 1
    WRITE = 2
    WRITE_BACK = 3


class SubArrayController(wiring.Component):
    """Runs one command at a time: writes, single senses, and all pairs of rows of a dot product.

    Latency: a command accepted in one cycle holds its first word lines in the next. Throughput: one row
    operation every ``sense_cycles`` or ``write_cycles`` cycles, without a gap between commands. A sense waits
    while a row to count has not been taken, a write while no row is offered. Fields that a command's `Op`
    does not name are ignored.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    command : In(stream.Signature(command_layout(machine)))
        ``first``, ``last`` and ``log_clusters`` are the engine's; here every command is obeyed.
    write : In(ROW_OFFER)
        A row for ``WRITE`` is there; it is taken at the end of its pulse. Not with ``write_overlap``.
    counted : Out(stream.Signature(STEP))
        A row to count has reached the sense amplifiers, which keep it until it is taken.
    write_address, write_enable : Out
        For the decoder of the write word lines; with ``write_overlap``, only on machines with ``memory_operations``.
    write_back : Out(1)
        The row to write is the one in the sense amplifiers. With ``memory_operations``.
    address_a, enable_a, address_b, enable_b : Out
        For the decoder of the read word lines.
    sense : Out(Sense)
        For the reference select. With ``memory_operations``; else all senses are ANDs.
    exclusive : Out(1)
        For the reference select, with ``xor_sensing``: the OR beside the AND.
    wrote, finished : Out(1)
        A write pulse, or a sense, is in its last cycle.
    sensed : Out(1)
        Like ``finished``, of all but ``DOT``. With ``memory_operations``.
    stalled, busy : Out(1)
    pulse : Out(1)
        Word lines are held and the coming clock edge does not end it: a reset now would cut a pulse.
    """

    command: stream.Interface
    write: wiring.PureInterface
    counted: stream.Interface
    write_address: Signal
    write_enable: Signal
    write_back: Signal
    wrote: Signal
    exclusive: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._takes_rows = not machine.overlaps_writes
        self._is_memory = machine.memory_operations
        row = bits_for(machine.rows - 1)
        takes_rows = {"write": In(ROW_OFFER)} if self._takes_rows else {}
        writes = {"write_address": Out(row), "write_enable": Out(1), "wrote": Out(1)} if self.writes else {}
        super().__init__(
            {
                "command": In(stream.Signature(command_layout(machine))),
                "counted": Out(stream.Signature(STEP)),
                "address_a": Out(row),
                "enable_a": Out(1),
                "address_b": Out(row),
                "enable_b": Out(1),
                "finished": Out(1),
                "stalled": Out(1),
                "busy": Out(1),
                "pulse": Out(1),
                **takes_rows,
                **writes,
                **({"write_back": Out(1), "sense": Out(Sense), "sensed": Out(1)} if self._is_memory else {}),
                **({"exclusive": Out(1)} if machine.xor_sensing else {}),
            }
        )

    @property
    def writes(self) -> bool:
        """Whether it holds write word lines."""
        return self._takes_rows or self._is_memory

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._command = Signal(command_layout(self.machine), reset_less=True)
        self._state = Signal(ControllerState)
        self._is_last = Signal()
        self._done = Signal()
        self._is_dot = self._command.op == Op.DOT.value if self._is_memory else Const(1)

        self._accept_commands(m)
        self._run_senses(m)
        self._count_sensed_rows(m)
        pulse, ends = self.enable_a & ~self.finished, self.finished & self._is_last
        if self.writes:
            pulse |= self.write_enable & ~self.wrote
            ends = self._run_writes(m, ends)
        m.d.comb += [self.pulse.eq(pulse), self._done.eq(ends)]
        return m

    def _accept_commands(self, m: Module) -> None:
        """Keep the command; its rows, pairs and ``clear`` are those of the pair at hand."""
        new, kept = self.command.payload, self._command
        m.d.comb += [
            self.command.ready.eq((self._state == ControllerState.IDLE) | self._done),
            self.busy.eq(self._state != ControllerState.IDLE),
            self._is_last.eq(kept.tiles == 0),
        ]
        with m.If(self.command.valid & self.command.ready):
            m.d.sync += [kept.eq(new), self._state.eq(ControllerState.SENSE)]
            if self._takes_rows:
                with m.If(new.op == Op.WRITE.value):
                    m.d.sync += self._state.eq(ControllerState.WRITE)
            if self._is_memory:
                with m.If(new.op == Op.DOT.value):
                    m.d.sync += kept.write_back.eq(0)
                with m.Else():
                    m.d.sync += kept.tiles.eq(0)
        with m.Else():
            with m.If(self._done):
                m.d.sync += self._state.eq(ControllerState.IDLE)
            if self._is_memory:
                with m.Elif(self.finished & kept.write_back):
                    m.d.sync += self._state.eq(ControllerState.WRITE_BACK)
            with m.If(self.finished):
                m.d.sync += [
                    kept.row_a.eq(kept.row_a + 1),
                    kept.row_b.eq(kept.row_b + 1),
                    kept.tiles.eq(kept.tiles - 1),
                    kept.clear.eq(0),
                ]

    def _run_senses(self, m: Module) -> None:
        active = Signal()
        waits = Signal()
        in_sense = self._state == ControllerState.SENSE
        begun = self._hold(m, active, self.finished, self.machine.sense_cycles)
        waits_for_row = (
            (self._state == ControllerState.WRITE) & ~self.write.valid if self._takes_rows else Const(0)
        )
        m.d.comb += [
            waits.eq(~begun & self.counted.valid & ~self.counted.ready),
            active.eq(in_sense & ~waits),
            self.stalled.eq((in_sense & waits) | waits_for_row),
            self.address_a.eq(self._command.row_a),
            self.address_b.eq(self._command.row_b),
            self.enable_a.eq(active),
        ]
        if not self._is_memory:
            m.d.comb += self.enable_b.eq(active)
            return
        m.d.comb += [
            self.enable_b.eq(active & (self._command.op != Op.READ.value)),
            self.sensed.eq(self.finished & ~self._is_dot),
        ]
        with m.If(active):
            with m.Switch(self._command.op):
                with m.Case(Op.READ.value):
                    m.d.comb += self.sense.eq(Sense.M)
                with m.Case(Op.OR.value):
                    m.d.comb += self.sense.eq(Sense.OR)
                with m.Default():
                    m.d.comb += self.sense.eq(Sense.AND)
        if self.machine.xor_sensing:
            m.d.comb += self.exclusive.eq(active & (self._command.op == Op.XOR.value))

    def _count_sensed_rows(self, m: Module) -> None:
        command, step = self._command, data_register(m, self.counted.payload, "step")
        with m.If(self.finished):
            m.d.sync += [
                self.counted.valid.eq(self._is_dot),
                step.shift.eq(command.shift),
                step.subtract.eq(command.subtract),
                step.mode.log_slots.eq(command.log_slots),
                step.mode.log_planes.eq(command.log_planes),
                step.clear.eq(command.clear),
                step.emit.eq(command.emit & self._is_last),
            ]
        with m.Elif(self.counted.ready):
            m.d.sync += self.counted.valid.eq(0)

    def _run_writes(self, m: Module, ends_sense: Value) -> Value:
        """Hold write word lines; returns whether the command ends in this cycle."""
        from_stream = self._state == ControllerState.WRITE
        enable: Value = Const(0)
        if self._takes_rows:
            enable = from_stream & self.write.valid
            m.d.comb += self.write.ready.eq(from_stream & self.wrote)
        if self._is_memory:
            m.d.comb += self.write_back.eq(self._state == ControllerState.WRITE_BACK)
            enable |= self.write_back
            ends_sense &= ~self._command.write_back
        m.d.comb += [self.write_enable.eq(enable), self.write_address.eq(self._command.row_d)]
        self._hold(m, self.write_enable, self.wrote, self.machine.write_cycles)
        return self.wrote | ends_sense

    def _hold(self, m: Module, active: Value, last: Signal, cycles: int) -> Value:
        """Raise `last` in the last of `cycles` active cycles; returns whether an earlier one has passed."""
        passed = Signal(range(cycles))
        m.d.comb += last.eq(active & (passed == cycles - 1))
        with m.If(active):
            m.d.sync += passed.eq(Mux(last, 0, passed + 1))
        return passed != 0
