# amaranth: UnusedElaboratable=no
"""Asynchronous reset: an accelerator whose reset comes without a clock and leaves with it."""

from amaranth.hdl import ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.lib import wiring

from spinplane.machine import Machine

from .accelerator import Accelerator
from .common.verilog import place

#: Clock edges from the fall of the reset to its release inside.
RELEASE_CYCLES = 2


class AsynchronousReset(wiring.Component):
    """An `Accelerator` behind a reset synchronizer.

    Its reset is asserted at once, with no clock running, and released by the second rising edge after it has fallen. No
    bus is to be used until then.

    Parameters
    ----------
    machine : Machine

    Members
    -------
    As of `Accelerator`.
    """

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(Accelerator(machine).signature)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        released = ClockDomain("released", async_reset=True)
        m.domains += released
        first, last = Signal(init=1, name="first"), Signal(init=1, name="last")
        m.d.comb += [released.clk.eq(ClockSignal()), released.rst.eq(ResetSignal())]
        m.d.released += [first.eq(0), last.eq(first)]
        core = place(m, platform, "accelerator_core", Accelerator(self.machine), last)
        wiring.connect(m, wiring.flipped(self.axil), core.axil)
        wiring.connect(m, wiring.flipped(self.axi), core.axi)
        m.d.comb += self.interrupt.eq(core.interrupt)
        return m
