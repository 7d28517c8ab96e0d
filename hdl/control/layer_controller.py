"""Layer controller: reads a program descriptor by descriptor and has the units run its passes."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, enum, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import Machine, RowOperation, bits_for
from spinplane.machine.descriptor import (
    DESCRIPTOR_FIELDS,
    DESCRIPTOR_WORDS,
    FIELD_INDEX,
    FORMAT_VERSION,
    Field,
    Kind,
    Load,
    OperationBit,
)
from spinplane.machine.registers import Error, machine_digest

from ..common.bank import bank_read
from ..common.descriptor import DESCRIPTOR
from ..common.pure_data import data_register
from .descriptor_checks import layer_refusals, memory_refusals
from .kernel_loader import ERROR_BITS

WORD_BITS = 32
_NUMBER_BITS = 16


def program_width(machine: Machine) -> int:
    """Bits of a word of the program memory."""
    return max(machine.columns, WORD_BITS)


def program_words(machine: Machine) -> int:
    """Words of the program memory."""
    return machine.descriptors * DESCRIPTOR_WORDS * WORD_BITS // program_width(machine)


class _State(enum.Enum, shape=3):
    IDLE = 0
    READ = 1
    FIELDS = 2
    CHECK = 3
    START = 4
    RUN = 5
    HALT = 6
    DONE = 7


class LayerController(wiring.Component):
    """Takes a program from its header to END, and stops it at the first error.

    A word of the program memory is taken and checked in a cycle, with all fields that lie in it.

    Latency: a descriptor takes F = `spinplane.machine.timing.fetch_cycles`. ``unit_start`` of the first layer comes
    2 · F + 1 cycles after ``start``; that of the next one F + 1 cycles after the first cycle without ``units_busy``,
    as does ``done`` if END is next. ``halt`` follows an error or ``abort`` in the
    next cycle in which ``pulse`` is low, and ``done`` comes one cycle after it.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    start : In(1)
        Ignored while ``busy``.
    program : In(16)
        Number of the header; looked at with ``start``.
    abort : In(1)
        Ends a program with ``Error.ABORTED``; ignored while not ``busy``.
    memory : Out(bank_read(program_words(machine), program_width(machine)))
    busy : Out(1)
        From the cycle after ``start`` to the one of ``done``.
    done : Out(1)
        A strobe at the end of a program; what follows is valid with it and kept until the next ``start``.
    failed : Out(1)
    error : Out(8)
    error_word : Out(16)
        Number of the word of a descriptor that ``Error.FIELD`` is about, else 0.
    descriptor : Out(16)
        Number of the descriptor at hand.
    resident : Out(32)
        Tag of the program whose kernels are in the array, or 0.
    layer : Out(DESCRIPTOR)
        Constant from ``unit_start`` until no unit is busy.
    unit_start : Out(1)
    load : Out(1)
        Whether kernels are to be loaded; valid with ``unit_start``.
    units_busy : In(1)
        High from the cycle after ``unit_start`` until all that a pass does has been done.
    unit_error : In(8)
        Code of an error of a unit, or 0; looked at from the cycle after ``unit_start`` until ``units_busy`` falls.
    pulse : In(1)
        Cells are being written or sensed: the coming edge must not reset the units.
    halt : Out(1)
        A strobe: the coming edge resets all units.
    active : Out(1)
        While it is low no flip-flop changes.
    log : Out(1)
        The descriptor at hand is done: this is its last cycle, that of END the one of ``done``.
    """

    layer: data.View
    start: Signal
    program: Signal
    abort: Signal
    unit_error: Signal
    units_busy: Signal
    pulse: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "start": In(1),
                "program": In(_NUMBER_BITS),
                "abort": In(1),
                "memory": Out(bank_read(program_words(machine), program_width(machine))),
                "busy": Out(1),
                "done": Out(1),
                "failed": Out(1),
                "error": Out(ERROR_BITS),
                "error_word": Out(_NUMBER_BITS),
                "descriptor": Out(_NUMBER_BITS),
                "resident": Out(WORD_BITS),
                "layer": Out(DESCRIPTOR),
                "unit_start": Out(1),
                "load": Out(1),
                "units_busy": In(1),
                "unit_error": In(ERROR_BITS),
                "pulse": In(1),
                "halt": Out(1),
                "active": Out(1),
                "log": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._state = Signal(_State)
        self._is_first = Signal()
        self._tag = Signal(WORD_BITS)
        # Which of the memory's words of the descriptor is at hand.
        self._index = Signal(exact_log2(DESCRIPTOR_WORDS * WORD_BITS // program_width(self.machine)))
        self._refusal = Signal(ERROR_BITS)
        self._refused_word = Signal(_NUMBER_BITS)
        self._stops = Signal()
        self._fields = data_register(m, self.layer, "fields")
        m.d.comb += [
            self.busy.eq(self._state != _State.IDLE),
            self.unit_start.eq(self._state == _State.START),
            self.done.eq(self._state == _State.DONE),
            self.load.eq(self._load_is_due()),
        ]
        with m.Switch(self._state):
            with m.Case(_State.IDLE):
                self._await_start(m)
            with m.Case(_State.READ, _State.FIELDS):
                self._read_descriptor(m)
            with m.Case(_State.CHECK):
                self._check_descriptor(m)
            with m.Case(_State.START):
                m.d.sync += self._state.eq(_State.RUN)
            with m.Case(_State.RUN):
                self._run_units(m)
            with m.Case(_State.HALT):
                m.d.comb += self.halt.eq(~self.pulse)
                with m.If(~self.pulse):
                    m.d.sync += self._state.eq(_State.DONE)
            with m.Case(_State.DONE):
                m.d.comb += self.log.eq(~self.failed)
                m.d.sync += self._state.eq(_State.IDLE)
        self._stop_at_errors(m)
        with m.Switch(self._state):
            with m.Case(_State.IDLE):
                m.d.comb += self.active.eq(self.start)
            with m.Case(_State.RUN):
                m.d.comb += self.active.eq(~self.units_busy | self._stops)
            with m.Default():
                m.d.comb += self.active.eq(1)
        return m

    def _await_start(self, m: Module) -> None:
        with m.If(self.start):
            m.d.sync += [
                self._state.eq(_State.READ),
                self._is_first.eq(1),
                self.descriptor.eq(self.program),
                self.failed.eq(0),
                self.error.eq(0),
                self.error_word.eq(0),
            ]

    def _load_is_due(self) -> Value:
        is_resident = (self.resident == self._tag) & (self._tag != 0)
        unless = (self.layer.load == Load.UNLESS_RESIDENT.value) & ~is_resident
        return unless | (self.layer.load == Load.ALWAYS.value)

    def _read_descriptor(self, m: Module) -> None:
        """One word of the memory a cycle, each asked for in the cycle before it is taken."""
        lanes = program_width(self.machine) // WORD_BITS
        index = self._index
        is_last = Signal()
        following = Signal.like(self._index)
        exists = self.descriptor < self.machine.descriptors
        number = self.descriptor[: bits_for(self.machine.descriptors - 1)]
        m.d.comb += self.memory.address.eq(Cat(following, number))
        with m.If(self._state == _State.READ):
            m.d.comb += self.memory.enable.eq(exists)
            m.d.sync += [index.eq(0), self._state.eq(_State.FIELDS)]
            with m.If(~exists):
                self._refuse(m, Error.NO_END)
        with m.Else():
            m.d.comb += [
                is_last.eq(index == (len(DESCRIPTOR_FIELDS) - 1) // lanes),
                following.eq(index + 1),
                self.memory.enable.eq(~is_last),
            ]
            m.d.sync += index.eq(following)
            with m.If(is_last):
                m.d.sync += self._state.eq(_State.CHECK)
            with m.Switch(index):
                for first in range(0, len(DESCRIPTOR_FIELDS), lanes):
                    with m.Case(first // lanes):
                        self._take_fields(m, first, DESCRIPTOR_FIELDS[first : first + lanes])

    def _take_fields(self, m: Module, first: int, fields: Sequence[Field]) -> None:
        """Those of the word at hand, from number `first` on."""
        # In reverse, as the last assignment holds and the first refusal is named.
        for lane, field in reversed(list(enumerate(fields))):
            word = self.memory.data.word_select(lane, WORD_BITS)
            m.d.sync += self._fields[field.name].eq(word)
            with m.If(~_fits(word, field)):
                self._refuse(m, Error.FIELD, first + lane)

    def _check_descriptor(self, m: Module) -> None:
        kind, layer = self.layer.kind, self.layer
        with m.If(self._is_first):
            self._check_header(m)
        with m.Elif(kind == Kind.LAYER.value):
            self._begin_unless(m, layer_refusals(self.machine, layer))
        if self.machine.memory_operations:
            with m.Elif(kind == Kind.MEMORY.value):
                self._check_memory_operation(m)
        with m.Elif(kind == Kind.END.value):
            m.d.sync += [self.resident.eq(self._tag), self._state.eq(_State.DONE)]
        with m.Else():
            self._refuse(m, Error.KIND)

    def _begin_unless(self, m: Module, refusals: dict[str, Value]) -> None:
        """Start the units, unless one of the fields is refused."""
        m.d.sync += self._state.eq(_State.START)
        # In reverse, as the last assignment holds and the first refusal is named.
        for name, is_refused in reversed(refusals.items()):
            with m.If(is_refused):
                self._refuse(m, Error.FIELD, FIELD_INDEX[name])

    def _check_memory_operation(self, m: Module) -> None:
        """Where rows are written, kernels may have been: none of the program's count as resident any more."""
        operation = self.layer.operation
        writes = (operation[:2] == RowOperation.WRITE.value) | operation[OperationBit.WRITE_BACK]
        with m.If(writes):
            m.d.sync += [self.resident.eq(0), self._tag.eq(0)]
        self._begin_unless(m, memory_refusals(self.machine, self.layer))

    def _check_header(self, m: Module) -> None:
        layer = self.layer
        with m.If(layer.kind != Kind.HEADER.value):
            self._refuse(m, Error.NO_HEADER)
        with m.Elif(layer.version != FORMAT_VERSION):
            self._refuse(m, Error.VERSION)
        with m.Elif(layer.machine != machine_digest(self.machine)):
            self._refuse(m, Error.MACHINE)
        m.d.sync += [self._is_first.eq(0), self._tag.eq(layer.tag)]
        with m.If(self.resident != layer.tag):
            m.d.sync += self.resident.eq(0)
        self._go_on(m)

    def _run_units(self, m: Module) -> None:
        with m.If(self.unit_error != 0):
            m.d.comb += self._refusal.eq(self.unit_error)
        with m.Elif(~self.units_busy):
            self._go_on(m)

    def _go_on(self, m: Module) -> None:
        """To the next descriptor."""
        m.d.comb += self.log.eq(~self._stops)
        m.d.sync += [self.descriptor.eq(self.descriptor + 1), self._state.eq(_State.READ)]

    def _refuse(self, m: Module, error: Error, word: int = 0) -> None:
        m.d.comb += [self._refusal.eq(error), self._refused_word.eq(word)]

    def _stop_at_errors(self, m: Module) -> None:
        """Leave what the states have decided, if there is an error or an abort; the number stays as it is."""
        can_stop = self.busy & (self._state != _State.HALT) & (self._state != _State.DONE)
        m.d.comb += self._stops.eq(can_stop & (self.abort | (self._refusal != 0)))
        with m.If(self._stops):
            m.d.sync += [
                self._state.eq(_State.HALT),
                self.descriptor.eq(self.descriptor),
                self.resident.eq(0),
                self.failed.eq(1),
                self.error.eq(Mux(self._refusal != 0, self._refusal, Error.ABORTED)),
                self.error_word.eq(self._refused_word),
            ]


def _fits(word: Value, field: Field) -> Value:
    """Whether a word is a number of the field: what is above its bits is its sign, or 0."""
    if field.signed:
        above = word[field.bits - 1 :]
        return above.all() | ~above.any()
    return ~word[field.bits :].any()
