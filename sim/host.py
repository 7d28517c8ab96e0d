"""A host of the accelerator: its accesses to buses and interrupt, on any simulator."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from spinplane.machine import AcceleratorCounters
from spinplane.machine.counters import ACCELERATOR_COUNTER_NAMES
from spinplane.machine.registers import Control, Error, Register, Status, counter_address, log_address

from .host_script import HostRead, HostReset, HostRun, HostWrite, Record, RunRecord, Step

_POLL_CYCLES = 20_000


class Host(ABC):
    """The operations of every host, in terms of the few that each simulator provides.

    Parameters
    ----------
    tell : callable
        Is given the number of the descriptor at work, now and then.
    """

    def __init__(self, tell: Callable[[int], None] = lambda descriptor: None) -> None:
        self._tell = tell

    @abstractmethod
    async def get(self, address: int) -> int:
        """Read a register."""

    @abstractmethod
    async def put(self, address: int, value: int) -> None:
        """Write a register."""

    @abstractmethod
    async def write(self, address: int, data: np.ndarray) -> None:
        """Write bytes to the banks."""

    @abstractmethod
    async def read(self, address: int, size: int) -> np.ndarray:
        """Read bytes from the banks."""

    @abstractmethod
    async def interrupted(self, cycles: int) -> bool:
        """Wait for the interrupt; False if it has not come within so many cycles."""

    @abstractmethod
    async def reset(self) -> None:
        """Two cycles of reset, and one more."""

    @abstractmethod
    async def cycles(self, count: int) -> None:
        """Let cycles pass."""

    async def start(self, program: int) -> None:
        """Start a program."""
        await self.put(Register.PROGRAM, program)
        await self.put(Register.CONTROL, Control.START | Control.INTERRUPT_ENABLE)

    async def wait(self, limit: int) -> None:
        """Wait for the interrupt, telling of the descriptor at work meanwhile."""
        for _ in range(0, limit, _POLL_CYCLES):
            if await self.interrupted(_POLL_CYCLES):
                return
            self._tell(await self.get(Register.DESCRIPTOR))
        raise AssertionError(f"no interrupt within {limit} cycles")

    async def counters(self, address_of: Callable[[str], int]) -> dict[str, int]:
        """All counters of a window of registers."""
        values = {}
        for name in ACCELERATOR_COUNTER_NAMES:
            low = await self.get(address_of(name))
            values[name] = low | (await self.get(address_of(name) + 4)) << 32
        return values

    async def run(self, step: HostRun) -> RunRecord:
        """Start a program, wait for the interrupt, and read what the registers say."""
        before = await self.counters(counter_address)
        await self.start(step.program)
        await self.wait(step.limit)
        status = await self.get(Register.STATUS)
        assert status & (Status.BUSY | Status.DONE) == Status.DONE, f"status {status:#x} after the interrupt"
        error = await self.get(Register.ERROR)
        descriptor = await self.get(Register.DESCRIPTOR)
        assert bool(status & Status.FAILED) == bool(error & 0xFF)
        await self.put(Register.STATUS, Status.DONE)
        assert not await self.interrupted(0), "the interrupt stays when DONE is cleared"
        after = await self.counters(counter_address)
        layers = []
        if not error:
            logged = before
            for number in range(step.program, step.program + step.descriptors):
                now = await self.counters(lambda name, number=number: log_address(number, name))  # type: ignore[misc]
                layers.append(_difference(now, logged))
                logged = now
        return RunRecord(
            counters=_difference(after, before),
            layers=tuple(layers),
            error=Error(error & 0xFF),
            descriptor=descriptor,
            word=error >> 16,
        )

    async def play(self, steps: Sequence[Step]) -> Record:
        """Do all of a script."""
        runs, reads = [], []
        for step in steps:
            match step:
                case HostWrite():
                    await self.write(step.address, step.data)
                case HostRun():
                    runs.append(await self.run(step))
                case HostRead():
                    reads.append(await self.read(step.address, step.size))
                case HostReset():
                    if step.program is not None:
                        await self.start(step.program)
                        await self.cycles(step.after)
                    await self.reset()
        return Record(runs=tuple(runs), reads=tuple(reads))


def _difference(after: dict[str, int], before: dict[str, int]) -> AcceleratorCounters:
    return AcceleratorCounters(**{name: after[name] - before[name] for name in after})
