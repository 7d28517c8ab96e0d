"""The host of an `Accelerator` in a cocotb bench: AXI4 and AXI4-Lite masters of `cocotbext.axi`."""

from collections.abc import Callable
from random import Random

import numpy as np
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge, SimTimeoutError, with_timeout
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiMaster, AxiResp

from .axi import pauses
from .host import Host

PERIOD_NS = 10
_PIECE = 1 << 16


class CocotbHost(Host):
    """A host of the accelerator, with nothing but its buses and its interrupt.

    Parameters
    ----------
    dut : cocotb.handle.HierarchyObject
    stall : float
        Chance that a channel of a bus rests in a cycle.
    seed : int
    tell : callable
        See `Host`.
    """

    def __init__(
        self,
        dut: HierarchyObject,
        stall: float = 0.0,
        seed: int = 0,
        tell: Callable[[int], None] = lambda descriptor: None,
    ) -> None:
        super().__init__(tell)
        self.dut = dut
        self.banks = AxiMaster(AxiBus.from_prefix(dut, "axi_"), dut.clk, dut.rst)
        self.registers = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "axil_"), dut.clk, dut.rst)
        self.stall(Random(seed), stall)

    @classmethod
    async def begin(
        cls,
        dut: HierarchyObject,
        stall: float = 0.0,
        seed: int = 0,
        tell: Callable[[int], None] = lambda descriptor: None,
    ) -> "CocotbHost":
        """A running clock, and a host after a reset; the parameters are the host's."""
        dut.rst.value = 1
        host = cls(dut, stall, seed, tell)
        Clock(dut.clk, PERIOD_NS, unit="ns").start(start_high=False)
        await FallingEdge(dut.clk)
        await host.reset()
        return host

    def stall(self, rng: Random, chance: float) -> None:
        """Let every channel rest with another chance."""
        for master in (self.banks, self.registers):
            for channel in (
                *(master.write_if.aw_channel, master.write_if.w_channel, master.write_if.b_channel),
                *(master.read_if.ar_channel, master.read_if.r_channel),
            ):
                channel.set_pause_generator(pauses(rng, chance) if chance else None)
                channel.pause = False

    async def reset(self) -> None:
        self.dut.rst.value = 1
        await ClockCycles(self.dut.clk, 2)
        self.dut.rst.value = 0
        await ClockCycles(self.dut.clk, 1)

    async def cycles(self, count: int) -> None:
        await ClockCycles(self.dut.clk, count)

    async def get(self, address: int) -> int:
        answer = await self.registers.read(address, 4)
        assert answer.resp == AxiResp.OKAY, f"register {address:#x}: {answer.resp!r}"
        return int.from_bytes(answer.data, "little")

    async def put(self, address: int, value: int) -> None:
        answer = await self.registers.write(address, value.to_bytes(4, "little"))
        assert answer.resp == AxiResp.OKAY, f"register {address:#x}: {answer.resp!r}"

    async def write(self, address: int, data: np.ndarray) -> None:
        for start in range(0, len(data), _PIECE):
            answer = await self.banks.write(address + start, data[start : start + _PIECE].tobytes())
            assert answer.resp == AxiResp.OKAY, f"address {address + start:#x}: {answer.resp!r}"

    async def read(self, address: int, size: int) -> np.ndarray:
        pieces = []
        for start in range(0, size, _PIECE):
            answer = await self.banks.read(address + start, min(_PIECE, size - start))
            assert answer.resp == AxiResp.OKAY, f"address {address + start:#x}: {answer.resp!r}"
            pieces.append(np.frombuffer(answer.data, dtype=np.uint8))
        return np.concatenate(pieces)

    async def interrupted(self, cycles: int) -> bool:
        if self.dut.interrupt.value:
            return True
        if not cycles:
            return False
        try:
            await with_timeout(RisingEdge(self.dut.interrupt), PERIOD_NS * cycles, "ns")
        except SimTimeoutError:
            return False
        await RisingEdge(self.dut.clk)
        return True
