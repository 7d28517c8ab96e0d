"""The host of an `Accelerator` in Amaranth's own simulator, where no other simulator is installed."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import numpy as np
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator, SimulatorContext

from spinplane.hdl.accelerator import Accelerator
from spinplane.machine import Machine
from spinplane.machine.memory_map import Burst, Response

from .host import Host
from .host_script import Record, Step

_PERIOD_S = 10e-9
_LONGEST_BURST = 256


class AmaranthHost(Host):
    """A host that does one access after the other.

    Parameters
    ----------
    ctx : SimulatorContext
    accelerator : Accelerator
    reset : Signal
        Of the accelerator.
    stall : float
        Chance that a channel of a bus rests in a cycle.
    seed : int
    tell : callable
        See `Host`.
    """

    def __init__(
        self,
        ctx: SimulatorContext,
        accelerator: Accelerator,
        reset: Signal,
        *,
        stall: float,
        seed: int,
        tell: Callable[[int], None],
    ) -> None:
        super().__init__(tell)
        self._ctx, self._accelerator, self._reset = ctx, accelerator, reset
        self._stall, self._rng = stall, Random(seed)
        self._beat_bytes = accelerator.machine.bus_bits // 8

    async def reset(self) -> None:
        self._ctx.set(self._reset, 1)
        await self.cycles(2)
        self._ctx.set(self._reset, 0)
        await self.cycles(1)

    async def cycles(self, count: int) -> None:
        await self._ctx.tick().repeat(count)

    async def interrupted(self, cycles: int) -> bool:
        for _ in range(cycles):
            if self._ctx.get(self._accelerator.interrupt):
                return True
            await self._ctx.tick()
        return bool(self._ctx.get(self._accelerator.interrupt))

    async def get(self, address: int) -> int:
        await self._give("axil", "ar", addr=address)
        data, answer = await self._take("axil", "r", "data", "resp")
        assert answer == Response.OKAY, f"register {address:#x}: {answer}"
        return data

    async def put(self, address: int, value: int) -> None:
        await self._give("axil", "aw", addr=address)
        await self._give("axil", "w", data=value, strb=0b1111)
        (answer,) = await self._take("axil", "b", "resp")
        assert answer == Response.OKAY, f"register {address:#x}: {answer}"

    async def write(self, address: int, data: np.ndarray) -> None:
        for at, beats in self._bursts(address, len(data)):
            await self._give("axi", "aw", **self._burst(at, beats))
            for beat in range(beats):
                first = at - address + beat * self._beat_bytes
                word = int.from_bytes(data[first : first + self._beat_bytes].tobytes(), "little")
                await self._give("axi", "w", data=word, strb=-1, last=beat == beats - 1)
            (answer,) = await self._take("axi", "b", "resp")
            assert answer == Response.OKAY, f"address {at:#x}: {answer}"

    async def read(self, address: int, size: int) -> np.ndarray:
        words = []
        for at, beats in self._bursts(address, size):
            await self._give("axi", "ar", **self._burst(at, beats))
            for _ in range(beats):
                data, answer = await self._take("axi", "r", "data", "resp")
                assert answer == Response.OKAY, f"address {at:#x}: {answer}"
                words.append(data.to_bytes(self._beat_bytes, "little"))
        return np.frombuffer(b"".join(words), dtype=np.uint8)

    def _bursts(self, address: int, size: int) -> list[tuple[int, int]]:
        """Address and beats of the bursts that cover some bytes; banks are read and written in whole beats."""
        assert address % self._beat_bytes == size % self._beat_bytes == 0
        longest = _LONGEST_BURST * self._beat_bytes
        return [
            (at, min(longest, address + size - at) // self._beat_bytes)
            for at in range(address, address + size, longest)
        ]

    def _burst(self, address: int, beats: int) -> dict[str, int]:
        size = self._beat_bytes.bit_length() - 1
        return {"addr": address, "len": beats - 1, "size": size, "burst": Burst.INCR}

    async def _give(self, bus: str, channel: str, **payload: int) -> None:
        """Offer a payload until it is taken."""
        await self._rest()
        ports = getattr(self._accelerator, bus)
        for name, value in payload.items():
            self._ctx.set(getattr(ports, f"{channel}{name}"), value)
        self._ctx.set(getattr(ports, f"{channel}valid"), 1)
        await self._ctx.tick().until(getattr(ports, f"{channel}ready"))
        self._ctx.set(getattr(ports, f"{channel}valid"), 0)

    async def _take(self, bus: str, channel: str, *names: str) -> tuple[int, ...]:
        """Wait for a payload and take it."""
        await self._rest()
        ports = getattr(self._accelerator, bus)
        self._ctx.set(getattr(ports, f"{channel}ready"), 1)
        taken = self._ctx.tick().sample(*(getattr(ports, f"{channel}{name}") for name in names))
        payload = await taken.until(getattr(ports, f"{channel}valid"))
        self._ctx.set(getattr(ports, f"{channel}ready"), 0)
        return tuple(payload)

    async def _rest(self) -> None:
        while self._rng.random() < self._stall:
            await self._ctx.tick()


def play_in_amaranth(
    machine: Machine,
    steps: Sequence[Step],
    *,
    stall: float,
    seed: int,
    waves: Path | None,
    tell: Callable[[int], None],
) -> Record:
    """Do all of a script at the buses of a machine's accelerator.

    Parameters
    ----------
    machine : Machine
    steps : sequence of Step
    stall, seed, tell
        See `AmaranthHost`.
    waves : Path, optional
        VCD to write.
    """
    accelerator, reset = Accelerator(machine), Signal()
    simulation = Simulator(ResetInserter(reset)(accelerator))
    simulation.add_clock(_PERIOD_S)
    records: list[Record] = []

    async def bench(ctx: SimulatorContext) -> None:
        host = AmaranthHost(ctx, accelerator, reset, stall=stall, seed=seed, tell=tell)
        await host.reset()
        records.append(await host.play(steps))

    simulation.add_testbench(bench)
    with simulation.write_vcd(str(waves)) if waves else contextlib.nullcontext():
        simulation.run()
    return records[0]
