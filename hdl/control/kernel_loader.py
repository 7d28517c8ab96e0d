"""Kernel loader: words of the kernel bank in order, each for a row of the array."""

from amaranth.hdl import Const, Module, Mux, Signal, Value
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine, RowOperation, bits_for
from spinplane.machine.descriptor import Kind, OperationBit
from spinplane.machine.registers import Error

from ..common.bank import bank_read
from ..common.descriptor import DESCRIPTOR
from ..common.pure_data import data_register

#: Bits of an error's code.
ERROR_BITS = 8
#: Rows that a descriptor can name, and as many more.
_ROW_BITS = bits_for((1 << 13) - 2)


def kernel_write_layout(machine: Machine) -> data.StructLayout:
    """The array ``row`` that a word is for, in sub-arrays ``first`` to ``last`` of every cluster."""
    sub_array = bits_for(machine.sub_arrays - 1)
    return data.StructLayout({"row": bits_for(machine.rows - 1), "first": sub_array, "last": sub_array})


class _State(enum.Enum, shape=2):
    IDLE = 0
    MASK = 1
    LOAD = 2


class KernelLoader(wiring.Component):
    """Offers the words of a load in the order of their writes, and those of a memory operation.

    The next word is read when one is accepted, so writes follow one another as fast as they are taken. With
    ``memory_operations`` the mask of a memory operation is read first.

    Latency: the first word is offered 2 cycles after ``start``, behind a mask 3; ``done`` of a mask alone comes 1
    cycle after ``start``, and ``columns`` are those of the mask 2 cycles after that.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    layer : In(DESCRIPTOR)
        Held constant while there are words to come.
    start : In(1)
        A descriptor begins.
    due : In(1)
        It has a word or a mask to read; looked at with ``start``.
    kernel : Out(bank_read(machine.kernel_words, machine.columns))
        Its data is the word that is offered.
    writes : Out(stream.Signature(kernel_write_layout(machine)))
    columns : Out(columns)
        Columns that the descriptor at hand senses and writes. With ``memory_operations``.
    done : Out(1)
        The last word is accepted in this cycle, or a mask is read behind which there is none.
    error : Out(8)
        ``Error.ROW`` in place of a word for a row beyond the array, ``Error.KERNEL_BANK`` in place of the read of a
        word beyond the bank.
    active : Out(1)
        While it is low no flip-flop changes.
    """

    layer: data.View
    start: Signal
    due: Signal
    kernel: wiring.PureInterface
    writes: stream.Interface
    columns: Signal
    done: Signal
    error: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "layer": In(DESCRIPTOR),
                "start": In(1),
                "due": In(1),
                "kernel": Out(bank_read(machine.kernel_words, machine.columns)),
                "writes": Out(stream.Signature(kernel_write_layout(machine))),
                "done": Out(1),
                "error": Out(ERROR_BITS),
                "active": Out(1),
                **({"columns": Out(machine.columns)} if machine.memory_operations else {}),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer, machine, write = self.layer, self.machine, self.writes.payload
        address = Signal(layer.load_base.shape())
        state = Signal(_State)
        index = Signal.like(layer.load_rows)
        row = Signal(_ROW_BITS)
        sub_array = Signal.like(layer.load_sub_arrays)
        at_hand = Signal()
        is_memory = layer.kind == Kind.MEMORY.value if machine.memory_operations else Const(0)
        ends_row = (sub_array == layer.load_sub_arrays) | is_memory
        is_last = ends_row & (index == Mux(is_memory, layer.burst_rows, layer.load_rows - 1))
        accepted = Signal()
        wanted = Signal()
        row_is_outside = row >= machine.rows
        loads = state == _State.LOAD
        m.d.comb += [
            self.writes.valid.eq(loads & at_hand & ~row_is_outside),
            accepted.eq(self.writes.valid & self.writes.ready),
            write.row.eq(row),
            write.first.eq(Mux(is_memory, layer.load_sub_arrays, sub_array)),
            write.last.eq(Mux(is_memory, layer.last_sub_arrays, sub_array)),
            wanted.eq(Mux(at_hand, accepted & ~is_last, state != _State.IDLE)),
            self.kernel.enable.eq(wanted & (address < machine.kernel_words)),
            self.kernel.address.eq(address),
            self.done.eq(accepted & is_last),
        ]
        with m.If(self.kernel.enable):
            m.d.sync += [address.eq(address + 1), at_hand.eq(loads)]
        with m.If(accepted):
            m.d.sync += sub_array.eq(Mux(ends_row, 0, sub_array + 1))
            m.d.sync += [index.eq(index + ends_row), row.eq(row + ends_row)]
        with m.If(wanted & ~self.kernel.enable):
            m.d.comb += self.error.eq(Error.KERNEL_BANK.value)
        with m.Elif(loads & at_hand & row_is_outside):
            m.d.comb += self.error.eq(Error.ROW.value)
        with m.If(self.done | (self.error != Error.NONE.value)):
            m.d.sync += state.eq(_State.IDLE)
        with m.If(self.start & self.due):
            m.d.sync += [address.eq(layer.load_base), row.eq(layer.kernel_row), state.eq(_State.LOAD)]
            m.d.sync += [index.eq(0), sub_array.eq(0), at_hand.eq(0)]
        active = self.start | (state != _State.IDLE)
        if machine.memory_operations:
            active |= self._take_mask(m, state, is_memory)
        m.d.comb += self.active.eq(active)
        return m

    def _take_mask(self, m: Module, state: Signal, is_memory: Value) -> Signal:
        """The mask, if there is one; returns whether it is read in this cycle."""
        layer = self.layer
        comes = Signal()
        columns = data_register(m, self.columns, "mask")
        is_write = layer.operation[:2] == RowOperation.WRITE.value
        reads_mask = (state == _State.MASK) & self.kernel.enable
        m.d.sync += comes.eq(reads_mask)
        with m.If(reads_mask):
            m.d.comb += self.done.eq(~is_write)
            m.d.sync += state.eq(Mux(is_write, _State.LOAD, _State.IDLE))
        with m.If(comes):
            m.d.sync += columns.eq(self.kernel.data)
        with m.If(self.start):
            m.d.sync += columns.eq(~0)
            with m.If(is_memory & layer.operation[OperationBit.MASKED]):
                m.d.sync += state.eq(_State.MASK)
        return comes
