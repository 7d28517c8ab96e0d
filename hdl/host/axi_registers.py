"""AXI4-Lite in front of the registers: a host starts programs, waits for them, and reads counters and log."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from spinplane.machine import COUNTER_BITS, Machine
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.descriptor import FORMAT_VERSION
from spinplane.machine.memory_map import ADDRESS_BITS, Response
from spinplane.machine.registers import (
    COUNTERS_BASE,
    IDENTITY,
    LOG_BASE,
    LOG_STRIDE,
    Control,
    Register,
    Status,
    machine_digest,
)

from ..common.bank import bank_read

#: All counters of the accelerator; an entry of the log is the same.
ACCELERATOR_COUNTERS = data.StructLayout(dict.fromkeys(ACCELERATOR_COUNTER_NAMES, COUNTER_BITS))

_REGISTER_BITS = 32
_ALL_STROBES = 0b1111
#: Bits of a register's number in a window of counters.
_WINDOW_BITS = exact_log2(LOG_STRIDE // 4)
_WINDOW_REGISTERS = 2 * len(ACCELERATOR_COUNTER_NAMES)


def axi4_lite() -> wiring.Signature:
    """AXI4-Lite with 32 bits of data and of address, as its manager sees it."""
    channels = {
        "aw": (Out, {"addr": ADDRESS_BITS, "prot": 3}),
        "w": (Out, {"data": _REGISTER_BITS, "strb": _REGISTER_BITS // 8}),
        "b": (In, {"resp": 2}),
        "ar": (Out, {"addr": ADDRESS_BITS, "prot": 3}),
        "r": (In, {"data": _REGISTER_BITS, "resp": 2}),
    }
    members: dict[str, wiring.Member] = {}
    for channel, (flow, payload) in channels.items():
        members |= {f"{channel}{name}": flow(bits) for name, bits in payload.items()}
        members |= {f"{channel}valid": flow(1), f"{channel}ready": flow.flip()(1)}
    return wiring.Signature(members)


class AxiRegisters(wiring.Component):
    """AXI4-Lite subordinate with the registers of `spinplane.machine.registers`.

    An address without a register is answered with DECERR. A write is answered with SLVERR, and has no effect, if the
    register can only be read, not all four strobes are set, ``PROGRAM`` is written with more than its 16 bits or while
    the accelerator is busy, or ``CONTROL`` starts a program while it is busy. Aborting while it is not busy does
    nothing. The lowest two bits of an address are ignored.

    The lower half of a counter keeps the upper one: what is read as an upper half belongs to the lower half that was
    read last, of whichever counter, in the log as well.

    ``DONE`` is set by ``done``, and cleared by a start or by writing 1 to it; ``FAILED`` and ``ERROR`` stay until the
    next start. While ``start`` is high STATUS shows BUSY already.

    No output of the bus depends on an input of the same cycle. Latency: a write's answer comes 2 cycles after the
    later one of its address and its data, what is read 3 cycles after its address. One access of each direction is on
    its way at a time.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    axil : In(axi4_lite())
    start, abort : Out(1)
        Pulses of a cycle. ``busy`` has to follow ``start`` in the next cycle.
    program : Out(16)
        Number of the header to start from; does not change while ``busy``.
    busy : In(1)
        From the cycle after ``start`` to the one of ``done``, or to the one before it.
    done : In(1)
        A pulse: the program has ended, with ``error`` and ``error_word``.
    error : In(8)
        Its `Error`, 0 if it did not fail.
    error_word : In(16)
        The word of the descriptor that is meant.
    descriptor : In(16)
        Number of the descriptor at work.
    resident : In(32)
        Tag of the program whose kernels lie in the array.
    counters : In(ACCELERATOR_COUNTERS)
    log : Out(bank_read(descriptors, 13 · 48))
        Reads the bank of the log: word d is ``counters`` after descriptor d.
    interrupt : Out(1)
        ``DONE``, if ``CONTROL`` lets it be told.
    """

    axil: wiring.PureInterface
    start: Signal
    abort: Signal
    program: Signal
    busy: Signal
    done: Signal
    error: Signal
    error_word: Signal
    descriptor: Signal
    resident: Signal
    interrupt: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "axil": In(axi4_lite()),
                "start": Out(1),
                "abort": Out(1),
                "program": Out(16),
                "busy": In(1),
                "done": In(1),
                "error": In(8),
                "error_word": In(16),
                "descriptor": In(16),
                "resident": In(32),
                "counters": In(ACCELERATOR_COUNTERS),
                "log": Out(bank_read(machine.descriptors, ACCELERATOR_COUNTERS.size)),
                "interrupt": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._interrupt_enable = Signal()
        self._done = Signal()
        self._at_work = Signal()
        self._error = Signal(_REGISTER_BITS)
        m.d.comb += [
            self._at_work.eq(self.busy | self.start),
            self.interrupt.eq(self._done & self._interrupt_enable),
        ]
        self._write(m)
        self._read(m)
        return m

    def _write(self, m: Module) -> None:
        bus = self.axil
        address = Signal(ADDRESS_BITS - 2)
        has_address = Signal()
        value = Signal(_REGISTER_BITS)
        strobes = Signal(4)
        has_value = Signal()
        act = Signal()
        m.d.comb += [
            bus.awready.eq(~has_address),
            bus.wready.eq(~has_value),
            act.eq(has_address & has_value & ~bus.bvalid),
        ]
        with m.If(act):
            m.d.sync += [has_address.eq(0), has_value.eq(0)]
        with m.If(bus.awvalid & bus.awready):
            m.d.sync += [address.eq(bus.awaddr >> 2), has_address.eq(1)]
        with m.If(bus.wvalid & bus.wready):
            m.d.sync += [value.eq(bus.wdata), strobes.eq(bus.wstrb), has_value.eq(1)]

        accepted = Signal()
        response = Signal(2)
        starts = Signal()
        m.d.comb += response.eq(Mux(accepted, Response.OKAY.value, Response.SLVERR.value))
        m.d.sync += [self.start.eq(starts), self.abort.eq(0)]
        with m.If(bus.bready):
            m.d.sync += bus.bvalid.eq(0)
        with m.If(act):
            m.d.sync += [bus.bvalid.eq(1), bus.bresp.eq(response)]
            self._write_register(m, address, value, strobes == _ALL_STROBES, accepted, starts)
            with m.If(~self._is_register(address)):
                m.d.comb += response.eq(Response.DECERR.value)
        with m.If(starts):
            m.d.sync += [self._done.eq(0), self._error.eq(0)]
        with m.If(self.done):
            m.d.sync += [self._done.eq(1), self._error.eq(Cat(self.error, Const(0, 8), self.error_word))]

    def _write_register(
        self, m: Module, address: Value, value: Value, whole: Value, accepted: Signal, starts: Signal
    ) -> None:
        with m.Switch(address):
            with m.Case(Register.CONTROL >> 2):
                start, abort = value & Control.START.value, value & Control.ABORT.value
                m.d.comb += [
                    accepted.eq(whole & ~(start.any() & self._at_work)),
                    starts.eq(accepted & start.any()),
                ]
                with m.If(accepted):
                    m.d.sync += [
                        self._interrupt_enable.eq((value & Control.INTERRUPT_ENABLE.value).any()),
                        self.abort.eq(abort.any() & self._at_work),
                    ]
            with m.Case(Register.STATUS >> 2):
                m.d.comb += accepted.eq(whole)
                with m.If(whole & (value & Status.DONE.value).any()):
                    m.d.sync += self._done.eq(0)
            with m.Case(Register.PROGRAM >> 2):
                fits = ~value[len(self.program) :].any()
                m.d.comb += accepted.eq(whole & fits & ~self._at_work)
                with m.If(accepted):
                    m.d.sync += self.program.eq(value)

    def _read(self, m: Module) -> None:
        bus = self.axil
        address = Signal(ADDRESS_BITS - 2)
        upper = Signal(COUNTER_BITS - _REGISTER_BITS)
        in_log, in_counters, entry = self._windows(address)
        numbers = data.View(ACCELERATOR_COUNTERS, Mux(in_log, self.log.data, self.counters.as_value()))
        m.d.comb += [self.log.enable.eq(0), self.log.address.eq(entry)]
        with m.FSM():
            with m.State("ADDRESS"):
                m.d.comb += bus.arready.eq(1)
                with m.If(bus.arvalid):
                    m.d.sync += address.eq(bus.araddr >> 2)
                    m.next = "LOOK"
            with m.State("LOOK"):
                m.d.comb += self.log.enable.eq(in_log)
                m.next = "TAKE"
            with m.State("TAKE"):
                exists = self._is_register(address)
                m.d.sync += [
                    bus.rvalid.eq(1),
                    bus.rresp.eq(Mux(exists, Response.OKAY.value, Response.DECERR.value)),
                    bus.rdata.eq(0),
                ]
                with m.If(in_log | in_counters):
                    number = Signal(COUNTER_BITS)
                    with m.Switch(address[1:_WINDOW_BITS]):
                        for index, name in enumerate(ACCELERATOR_COUNTER_NAMES):
                            with m.Case(index):
                                m.d.comb += number.eq(getattr(numbers, name))
                    m.d.sync += bus.rdata.eq(Mux(address[0], upper, number))
                    with m.If(~address[0]):
                        m.d.sync += upper.eq(number >> _REGISTER_BITS)
                with m.Else():
                    self._read_register(m, address)
                m.next = "DATA"
            with m.State("DATA"):
                with m.If(bus.rready):
                    m.d.sync += bus.rvalid.eq(0)
                    m.next = "ADDRESS"

    def _read_register(self, m: Module, address: Value) -> None:
        values = {
            Register.ID: Const(IDENTITY, _REGISTER_BITS),
            Register.VERSION: Const(FORMAT_VERSION, _REGISTER_BITS),
            Register.MACHINE: Const(machine_digest(self.machine), _REGISTER_BITS),
            Register.CONTROL: self._interrupt_enable << exact_log2(Control.INTERRUPT_ENABLE.value),
            Register.STATUS: Cat(self._at_work, self._done, self._error[:8].any()),
            Register.ERROR: self._error,
            Register.PROGRAM: self.program,
            Register.DESCRIPTOR: self.descriptor,
            Register.RESIDENT: self.resident,
        }
        with m.Switch(address):
            for register, value in values.items():
                with m.Case(register >> 2):
                    m.d.sync += self.axil.rdata.eq(value)

    def _windows(self, address: Value) -> tuple[Value, Value, Value]:
        """Whether a register's number (its address without the lowest two bits) is one of the log or of the
        counters, and the entry of the log.
        """
        window, place = address[_WINDOW_BITS:], address[:_WINDOW_BITS]
        first, last = LOG_BASE // LOG_STRIDE, LOG_BASE // LOG_STRIDE + self.machine.descriptors - 1
        is_counter = place < _WINDOW_REGISTERS
        in_log = (window >= first) & (window <= last) & is_counter
        return in_log, (window == COUNTERS_BASE // LOG_STRIDE) & is_counter, window - first

    def _is_register(self, address: Value) -> Value:
        in_log, in_counters, _ = self._windows(address)
        return in_log | in_counters | (address <= max(Register) >> 2)
