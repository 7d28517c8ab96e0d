"""Residual loader: gathers the planes of a beat's residual operand from the image bank."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from spinplane.machine import CODE_BITS, Machine

from ..common.bank import wide_read
from .arithmetic import wire
from .map_address import added, map_address_bits, narrowed

_PLANES = CODE_BITS - 1


class ResidualLoader(wiring.Component):
    """Reads plane p of a beat at its address + p · plane_bits, one plane a cycle.

    Latency: the first plane is read 2 cycles after `start`, and the residuals are there last_plane + 4 cycles after it.
    They stay until 4 cycles after the next start. Throughput: one beat in last_plane + 2 cycles.

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
    skip : In(1)
        With `start`: nothing is read.
    address : In(map_address_bits(machine))
        Bit address of the beat's plane 0, looked at with `start`.
    read : Out(wide_read(columns))
        The lowest ``results_per_cycle`` bits are looked at.
    beyond : Out(1)
        Those bits are not all in the bank: nothing is read.
    residuals : Out(ArrayLayout(8, results_per_cycle))
        Planes beyond the last are 0.
    active : Out(1)
        While it is low no flip-flop changes, and the bank is not read.
    """

    last_plane: Signal
    plane_bits: Signal
    start: Signal
    skip: Signal
    address: Signal
    read: wiring.PureInterface
    beyond: Signal
    residuals: data.View
    active: Signal

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(
            {
                "last_plane": In(3),
                "plane_bits": In(24),
                "start": In(1),
                "skip": In(1),
                "address": In(map_address_bits(machine)),
                "read": Out(wide_read(machine.columns)),
                "beyond": Out(1),
                "residuals": Out(data.ArrayLayout(_PLANES, machine.results_per_cycle)),
                "active": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self.machine.results_per_cycle
        bank_bits = self.machine.image_words * self.machine.columns

        started = Signal()
        reads = Signal()
        arrives = Signal()
        plane, arrived_plane = (
            Signal.like(self.last_plane, name=name, reset_less=True) for name in ("plane", "arrived_plane")
        )
        address = Signal.like(self.address, name="plane_address", reset_less=True)
        following = added(address, narrowed(self.plane_bits, len(address)))
        in_bank = wire(m, "in_bank", address <= bank_bits - lanes)
        m.d.comb += [
            self.read.enable.eq(reads & in_bank),
            self.read.address.eq(address),
            self.beyond.eq(reads & ~in_bank),
            self.active.eq(self.start | started | reads | arrives),
        ]
        m.d.sync += [started.eq(self.start & ~self.skip), arrives.eq(reads)]
        with m.If(self.start):
            m.d.sync += address.eq(self.address)
        with m.Elif(reads):
            m.d.sync += address.eq(following)
        with m.If(reads):
            m.d.sync += arrived_plane.eq(plane)
        with m.If(started):
            m.d.sync += [reads.eq(1), plane.eq(0)]
        with m.Elif(reads):
            m.d.sync += [reads.eq(plane != self.last_plane), plane.eq(plane + 1)]

        planes = [Signal(lanes, name=f"plane_{index}", reset_less=True) for index in range(_PLANES)]
        with m.If(arrives):
            for index, bits in enumerate(planes):
                with m.If(arrived_plane == index):
                    m.d.sync += bits.eq(self.read.data[:lanes])
                with m.Elif(arrived_plane == 0):
                    m.d.sync += bits.eq(0)
        m.d.comb += [self.residuals[lane].eq(Cat(bits[lane] for bits in planes)) for lane in range(lanes)]
        return m
