"""Window sum: the sum of a window's codes, from the sums of its rows."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import Machine

from ..common.bank import Bank
from ..common.beat import window_sums_layout
from ..common.row_set import row_sum_bits, row_write_layout, window_burst_layout
from ..common.verilog import place

_DEPTH = 4


class WindowSum(wiring.Component):
    """Keeps the sum of each array row, and adds up those of the rows that a window senses in one kernel plane.

    Latency: the sums of a window are offered 3 cycles after its last burst was told, and as many more as that run has
    rows besides the first. Throughput: one row a cycle.

    A burst is told when the engine accepts it, so not before the one before it has been sensed, a cycle or more a
    row: none is told before the last row of the one before is read. A row that is written in the cycle in which a
    burst is told is read with its new sum.

    Sums wait for the window's last results, which leave the engine at most 3 cycles after them, or for those
    of the windows before. No window's first kernel tile is started before the output stage has had its cycles for the
    kernel tile before. So there are never more than 4 windows whose sums wait, even with a window a cycle.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    row_write : In(row_write_layout(machine))
        A row is written with these sums.
    burst : In(window_burst_layout(machine))
        A burst of a window's first kernel tile and first kernel plane is begun.
    sums : Out(stream.Signature(window_sums_layout(machine)))
        Modulo 2^25; a program keeps them below 2^24.
    active : Out(1)
        While it is low no flip-flop changes and the bank of row sums is not used.
    """

    row_write: data.View
    burst: data.View
    sums: stream.Interface

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "row_write": In(row_write_layout(machine)),
                "burst": In(window_burst_layout(machine)),
                "sums": Out(stream.Signature(window_sums_layout(machine))),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        machine = self.machine
        sums = data.ArrayLayout(row_sum_bits(machine), machine.row_buses)
        row_sums = place(m, platform, "row_sum_bank", Bank(machine.rows, sums.size))
        m.d.comb += [
            row_sums.write.enable.eq(self.row_write.valid),
            row_sums.write.address.eq(self.row_write.row),
            row_sums.write.data.eq(self.row_write.sums),
            row_sums.write.mask.eq(~0),
        ]

        # A row of the burst a cycle; the next burst takes over when the last one is read.
        burst = Signal.like(self.burst, reset_less=True)
        active = Signal()
        at_last_row = burst.rows == 0
        with m.If(self.burst.valid):
            m.d.sync += [burst.eq(self.burst), active.eq(1)]
        with m.Elif(active):
            m.d.sync += [burst.row.eq(burst.row + 1), burst.rows.eq(burst.rows - 1), burst.first.eq(0)]
            with m.If(at_last_row):
                m.d.sync += active.eq(0)
        m.d.comb += [row_sums.read.enable.eq(active), row_sums.read.address.eq(burst.row)]
        read = data.View(sums, row_sums.read.data)

        adds = Signal()
        ends = Signal()
        clears = Signal(reset_less=True)
        shift = Signal.like(burst.shift, reset_less=True)
        m.d.sync += [
            adds.eq(active),
            ends.eq(active & burst.last & at_last_row),
        ]
        with m.If(active):
            m.d.sync += [clears.eq(burst.first), shift.eq(burst.shift)]
        layout = window_sums_layout(machine)
        held = Signal(layout, reset_less=True)
        total = Signal(layout)
        for bus in range(machine.row_buses):
            m.d.comb += total[bus].eq(Mux(clears, 0, held[bus]) + (read[bus] << shift))
        with m.If(adds):
            m.d.sync += held.eq(total)

        # Sums that wait, the oldest first.
        waiting = Signal(data.ArrayLayout(layout, _DEPTH), reset_less=True)
        count = Signal(range(_DEPTH + 1))
        left = Signal(range(_DEPTH + 1))
        taken = Signal()
        m.d.comb += [
            self.sums.valid.eq(count != 0),
            self.sums.payload.eq(waiting[0]),
            taken.eq(self.sums.valid & self.sums.ready),
            left.eq(count - taken),
        ]
        m.d.sync += count.eq(left + ends)
        for index in range(_DEPTH):
            with m.If(ends & (left == index)):
                m.d.sync += waiting[index].eq(total)
            with m.Elif(taken):
                m.d.sync += waiting[index].eq(waiting[min(index + 1, _DEPTH - 1)])
        m.d.comb += self.active.eq(self.row_write.valid | self.burst.valid | active | adds | ends | taken)
        return m
