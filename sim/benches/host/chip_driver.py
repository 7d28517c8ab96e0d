"""The accelerator on a bench of its bus: what a host does with it, checked at every step."""

from random import Random

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import RisingEdge, SimTimeoutError, with_timeout
from cocotb.utils import get_sim_time

from spinplane.machine import Machine
from spinplane.machine.descriptor import DESCRIPTOR_WORDS, FIELD_INDEX
from spinplane.machine.memory_map import MemoryMap, region_address
from spinplane.machine.registers import Control, Error, Register, Status

from ...accelerator import input_step, output_codes, output_step, program_steps
from ...cocotb_host import PERIOD_NS, CocotbHost
from ...host_script import HostRun
from .bus_cases import NetworkCase, filling_program

DESCRIPTOR_BYTES = 4 * DESCRIPTOR_WORDS


class Chip:
    """The accelerator with a host, and the tag that its program has next.

    Parameters
    ----------
    dut : HierarchyObject
    host : CocotbHost
    machine : Machine
    rng : Random

    Attributes
    ----------
    memory : MemoryMap
    spare : int
        Number of the first entry of the program memory that no network uses; there are four of them.
    abort_cycles : int
        In which an abort has ended a program: the longest pulse, and some more.
    aborts : list of int
        Cycles from the answer to each abort to the interrupt.
    """

    def __init__(self, dut: HierarchyObject, host: CocotbHost, machine: Machine, rng: Random) -> None:
        self.dut, self.host, self.machine, self.rng = dut, host, machine, rng
        self.memory = MemoryMap.of(machine)
        self.spare = machine.descriptors - 4
        self.abort_cycles = machine.write_cycles + machine.sense_cycles + 10
        self.aborts: list[int] = []
        self.at_hand: NetworkCase | None = None
        self._tag = rng.getrandbits(30)

    @property
    def loaded(self) -> NetworkCase:
        """The program that lies in the banks."""
        assert self.at_hand is not None
        return self.at_hand

    @classmethod
    async def begin(cls, dut: HierarchyObject, machine: Machine, stall: float = 0.0) -> "Chip":
        """Start clock and host, and reset."""
        rng = Random(cocotb.RANDOM_SEED)
        return cls(dut, await CocotbHost.begin(dut, stall, rng.getrandbits(32)), machine, rng)

    async def load(self, case: NetworkCase) -> None:
        """Write a program into the banks."""
        for step in program_steps(case.program):
            await self.host.write(step.address, step.data)
        self.at_hand = case

    async def write_input(self) -> None:
        """Write the image of the program at hand, and something else where its results will lie."""
        for layer in self.loaded.program.layers:
            junk = output_step(layer.output, self.machine)
            await self.host.write(junk.address, np.frombuffer(self.rng.randbytes(junk.size), dtype=np.uint8))
        step = input_step(self.loaded.program, self.loaded.codes)
        await self.host.write(step.address, step.data)

    async def runs_cold(self) -> None:
        """A run under a new tag, so that it loads its kernels."""
        self._tag += 1
        await self.put_word(0, FIELD_INDEX["tag"], self._tag)
        await self.runs(self.loaded.cold)

    async def runs(self, expected: object) -> None:
        """Run the program that is loaded, and compare counters, log and results."""
        program = self.loaded.program
        await self.write_input()
        limit = 4 * self.loaded.cold.counters.cycles
        record = await self.host.run(HostRun(program=0, descriptors=len(program.descriptors), limit=limit))
        assert record == expected, f"{record}\nis not\n{expected}"
        await self.has_outputs()

    async def has_outputs(self) -> None:
        """Compare all maps that are kept."""
        kept = [layer for layer in self.loaded.program.layers if layer.kept]
        for layer, expected in zip(kept, self.loaded.outputs, strict=True):
            step = output_step(layer.output, self.machine)
            data = await self.host.read(step.address, step.size)
            found = output_codes(layer.output, self.machine, data)
            np.testing.assert_array_equal(found, expected, err_msg=layer.name)

    async def put_word(self, descriptor: int, word: int, value: int) -> None:
        """Write a word of the program memory."""
        address = region_address("program") + DESCRIPTOR_BYTES * descriptor + 4 * word
        await self.host.write(address, np.frombuffer(value.to_bytes(4, "little"), dtype=np.uint8))

    async def start(self, program: int = 0) -> None:
        """Start a program, which may tell its end by the interrupt."""
        await self.host.start(program)

    async def ends(self, limit: int) -> bool:
        """Wait so many cycles for the interrupt."""
        if self.dut.interrupt.value:
            return True
        try:
            await with_timeout(RisingEdge(self.dut.interrupt), PERIOD_NS * limit, "ns")
        except SimTimeoutError:
            return False
        await RisingEdge(self.dut.clk)
        return True

    async def failure(self) -> tuple[Error, int, int]:
        """Error, descriptor and word of a program that has ended; clears ``DONE``."""
        host = self.host
        status, error = await host.get(Register.STATUS), await host.get(Register.ERROR)
        assert status == Status.DONE | (Status.FAILED if error else 0)
        await host.put(Register.STATUS, Status.DONE)
        assert await host.get(Register.STATUS) == (Status.FAILED if error else 0)
        assert not self.dut.interrupt.value
        assert bool(await host.get(Register.RESIDENT)) <= (not error)
        return Error(error & 0xFF), await host.get(Register.DESCRIPTOR), error >> 16

    async def abort(self) -> tuple[Error, int, int]:
        """Abort, which ends a program within the longest pulse."""
        await self.host.put(Register.CONTROL, Control.ABORT | Control.INTERRUPT_ENABLE)
        answered = get_sim_time("ns")
        assert await self.ends(self.abort_cycles), "an abort that does not end the program"
        self.aborts.append(int(get_sim_time("ns") - answered) // PERIOD_NS)
        return await self.failure()

    async def pulse_reset(self) -> None:
        """One cycle of reset."""
        self.dut.rst.value = 1
        await RisingEdge(self.dut.clk)
        self.dut.rst.value = 0
        await RisingEdge(self.dut.clk)

    async def fill(self) -> None:
        """Write all cells of the array, so that none is unknown whatever a program does next."""
        rows = self.machine.rows * self.machine.sub_arrays * self.machine.columns // 8
        address = region_address("kernel") + self.memory.kernel.size - rows
        await self.host.write(address, np.frombuffer(self.rng.randbytes(rows), dtype=np.uint8))
        words = filling_program(self.machine)
        address = region_address("program") + DESCRIPTOR_BYTES * self.spare
        await self.host.write(address, words.astype("<u4").view(np.uint8).reshape(-1))
        await self.start(self.spare)
        assert await self.ends(
            4 * self.machine.rows * self.machine.sub_arrays * self.machine.write_cycles + 1000
        )
        assert await self.failure() == (Error.NONE, self.spare + 2, 0)
