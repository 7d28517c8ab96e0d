"""Residual loader: gathers the planes of a beat's residual operand from the image bank."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, Machine

from ..common.bank import wide_read
from .output_address_generator import ADDRESS_BITS

_PLANES = CODE_BITS - 1


class ResidualLoader(wiring.Component):
    """Reads plane p of a beat at its address + p · plane_bits, one plane a cycle.

    Latency: the residuals are there, and `valid` high, last_plane + 1 cycles after `start`. Throughput: one beat in
    as many cycles, without gaps.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    last_plane : In(3)
        Planes less one. With `plane_bits` held constant from the first start to the last residuals.
    plane_bits : In(24)
        Bits from a plane to the next.
    start : In(1)
        Reads the first plane in the same cycle.
    skip : In(1)
        With `start`: the beat takes its time, but nothing is read.
    address : In(44)
        Bit address of the beat's plane 0.
    read : Out(wide_read(columns))
        The lowest ``results_per_cycle`` bits are looked at.
    beyond : Out(1)
        Those bits are not all in the bank: nothing is read.
    valid : Out(1)
    residuals : Out(ArrayLayout(8, results_per_cycle))
        Planes beyond the last are 0.
    """

    last_plane: Signal
    plane_bits: Signal
    start: Signal
    skip: Signal
    address: Signal
    read: wiring.PureInterface
    beyond: Signal
    valid: Signal
    residuals: data.View

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "last_plane": In(3),
                "plane_bits": In(24),
                "start": In(1),
                "skip": In(1),
                "address": In(ADDRESS_BITS),
                "read": Out(wide_read(machine.columns)),
                "beyond": Out(1),
                "valid": Out(1),
                "residuals": Out(data.ArrayLayout(_PLANES, machine.results_per_cycle)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.machine.results_per_cycle
        bank_bits = self.machine.image_words * self.machine.columns

        active, reads, skips, in_bank, last = Signal(), Signal(), Signal(), Signal(), Signal()
        left, plane = Signal.like(self.last_plane, name="left"), Signal.like(self.last_plane, name="plane")
        address, following = Signal(ADDRESS_BITS), Signal(ADDRESS_BITS, reset_less=True)
        m.d.comb += [
            active.eq(self.start | (left != 0)),
            reads.eq(active & ~Mux(self.start, self.skip, skips)),
            last.eq(Mux(self.start, self.last_plane, left - 1) == 0),
            address.eq(Mux(self.start, self.address, following)),
            in_bank.eq(address <= bank_bits - lanes),
            self.read.enable.eq(reads & in_bank),
            self.read.address.eq(address),
            self.beyond.eq(reads & ~in_bank),
        ]
        m.d.sync += [
            following.eq(address + self.plane_bits),
            plane.eq(Mux(self.start, 0, plane + 1)),
            self.valid.eq(active & last),
        ]
        with m.If(self.start):
            m.d.sync += skips.eq(self.skip)
        with m.If(active):
            m.d.sync += left.eq(Mux(self.start, self.last_plane, left - 1))

        arrived = self.read.data[:lanes]
        kept = [Signal(lanes, name=f"plane_{index}", reset_less=True) for index in range(_PLANES)]
        bits = []
        for index, earlier in enumerate(kept):
            with m.If(plane == index):
                m.d.sync += earlier.eq(arrived)
            bits.append(Mux(plane == index, arrived, Mux(plane > index, earlier, 0)))
        m.d.comb += [self.residuals[lane].eq(Cat(plane[lane] for plane in bits)) for lane in range(lanes)]
        return m
