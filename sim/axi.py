"""AXI managers for benches: the channels of `cocotbext.axi`, with random pauses on each."""

from collections.abc import Iterator
from random import Random
from typing import Any

from cocotb.triggers import FallingEdge, RisingEdge
from cocotbext.axi import AxiBus
from cocotbext.axi.axi_channels import AxiARSource, AxiAWSource, AxiBSink, AxiRSink, AxiWSource


def pauses(rng: Random, chance: float) -> Iterator[bool]:
    """Whether a channel rests in a cycle, for `set_pause_generator`."""
    while True:
        yield rng.random() < chance


class AxiChannels:
    """The five channels of an AXI4 port, and their transfers.

    Parameters
    ----------
    dut : cocotb.handle.HierarchyObject
        With ports ``axi__awid``, …, ``busy``; called just after a rising edge.
    rng : Random
    stall : float
        Chance that a channel rests in a cycle.

    Attributes
    ----------
    writes_met_busy, reads_met_busy : list of bool
        ``busy`` when each beat was written, and when it was read from the bank.
    """

    def __init__(self, dut: Any, rng: Random, stall: float) -> None:
        self.dut = dut
        bus = AxiBus.from_prefix(dut, "axi_")
        self.aw = AxiAWSource(bus.write.aw, dut.clk, dut.rst)
        self.w = AxiWSource(bus.write.w, dut.clk, dut.rst)
        self.b = AxiBSink(bus.write.b, dut.clk, dut.rst)
        self.ar = AxiARSource(bus.read.ar, dut.clk, dut.rst)
        self.r = AxiRSink(bus.read.r, dut.clk, dut.rst)
        self.all = (self.aw, self.w, self.b, self.ar, self.r)
        self.stall(rng, stall)
        self.writes_met_busy: list[bool] = []
        self.reads_met_busy: list[bool] = []

    def stall(self, rng: Random, chance: float) -> None:
        """Let every channel rest with another chance."""
        for channel in self.all:
            channel.set_pause_generator(pauses(rng, chance) if chance else None)
            channel.pause = False

    def clear(self) -> None:
        """Forget what is queued and what was met."""
        for channel in self.all:
            channel.clear()
        self.writes_met_busy.clear()
        self.reads_met_busy.clear()

    async def watch(self) -> None:
        """Note ``busy`` of each beat, for ever.

        A beat is read from the bank in the cycle before the one in which it is offered first.
        """
        dut = self.dut
        waiting = was_busy = False
        while True:
            await FallingEdge(dut.clk)
            busy = bool(dut.busy.value)
            if dut.axi__wvalid.value and dut.axi__wready.value:
                self.writes_met_busy.append(busy)
            offered = bool(dut.axi__rvalid.value)
            if offered and not waiting:
                self.reads_met_busy.append(was_busy)
            waiting = offered and not dut.axi__rready.value
            was_busy = busy

    async def cycles(self, count: int) -> None:
        """Let cycles pass."""
        for _ in range(count):
            await RisingEdge(self.dut.clk)
