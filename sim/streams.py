"""Amaranth streams in cocotb benches: ports ``<name>__payload``, ``<name>__valid`` and ``<name>__ready``.

Values are driven right after a rising edge and sampled at the falling edge, when all that is combinational
has settled; what is sampled there is transferred by the next rising edge. `reset`, `send` and `receive`
return just after a rising edge and want to be called there, so calls in a row leave no gap.
"""

import os
from collections.abc import Iterable
from random import Random
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge, Timer

from .runner import INPUTS_VARIABLE

#: The array's standby comes with the reset of what drives its lines.
_HIGH_IN_A_RESET = frozenset({"rst", "standby"})


async def reset(dut: Any, period_ns: int = 10) -> None:
    """Set all inputs to 0, start the clock and reset the design for two cycles.

    Inputs settle before the clock starts: Icarus would see unknown ones at the first edge. A design without a
    clock is left with its inputs at 0.

    Parameters
    ----------
    dut : cocotb.handle.HierarchyObject
        The top, run by `spinplane.sim.run_bench`.
    period_ns : int
        Period of the clock.
    """
    inputs = os.environ[INPUTS_VARIABLE].split()
    for name in inputs:
        getattr(dut, name).value = 0
    for name in _HIGH_IN_A_RESET.intersection(inputs):
        getattr(dut, name).value = 1
    await Timer(1, "ns")
    if "clk" not in inputs:
        return
    Clock(dut.clk, period_ns, unit="ns").start()
    for _ in range(2):
        await RisingEdge(dut.clk)
    for name in _HIGH_IN_A_RESET.intersection(inputs):
        getattr(dut, name).value = 0


async def send(
    dut: Any, name: str, payloads: Iterable[int], stall: float = 0.0, rng: Random | None = None
) -> None:
    """Put `payloads` into the input stream `name`, one a cycle as long as the design is ready.

    ``valid`` never falls before its payload is taken.

    Parameters
    ----------
    dut : cocotb.handle.HierarchyObject
    name : str
    payloads : iterable of int
        The bits of each payload as an unsigned number; ignored where the payload has no bits.
    stall : float
        Chance that a cycle offers nothing, from 0 to less than 1.
    rng : Random, optional
        Decides on stalls; needed if there are any.
    """
    stalls = _Stalls(stall, rng)
    valid, ready, payload = _handles(dut, name)
    clk = dut.clk
    for value in payloads:
        while stalls.next():
            await RisingEdge(clk)
        if payload is not None:
            payload.value = int(value)
        valid.value = 1
        await FallingEdge(clk)
        while not ready.value:
            await FallingEdge(clk)
        await RisingEdge(clk)
        valid.value = 0


async def receive(
    dut: Any, name: str, count: int, stall: float = 0.0, rng: Random | None = None
) -> list[int]:
    """Take `count` payloads from the output stream `name`, one a cycle as long as the design offers them.

    Parameters
    ----------
    dut : cocotb.handle.HierarchyObject
    name : str
    count : int
    stall : float
        Chance that a cycle takes nothing, from 0 to less than 1.
    rng : Random, optional
        Decides on stalls; needed if there are any.

    Returns
    -------
    list of int
        The bits of each payload as an unsigned number; 0 where the payload has no bits.
    """
    stalls = _Stalls(stall, rng)
    valid, ready, payload = _handles(dut, name)
    clk = dut.clk
    received: list[int] = []
    while len(received) < count:
        if stalls.next():
            await RisingEdge(clk)
            continue
        ready.value = 1
        await FallingEdge(clk)
        if valid.value:
            received.append(0 if payload is None else payload.value.to_unsigned())
        await RisingEdge(clk)
        ready.value = 0
    return received


class _Stalls:
    def __init__(self, chance: float, rng: Random | None) -> None:
        if not 0 <= chance < 1:
            raise ValueError(f"the chance of a stall must be at least 0 and below 1, not {chance!r}")
        if chance and rng is None:
            raise ValueError("random stalls need a Random of the bench's seed")
        self._chance = chance
        self._rng = rng

    def next(self) -> bool:
        return self._rng is not None and self._rng.random() < self._chance


def _handles(dut: Any, name: str) -> tuple[Any, Any, Any]:
    return (
        getattr(dut, f"{name}__valid"),
        getattr(dut, f"{name}__ready"),
        getattr(dut, f"{name}__payload", None),
    )
