"""Lanes in cocotb benches: units without back-pressure, whose results come a fixed number of cycles later."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from cocotb.triggers import FallingEdge, RisingEdge


def drive(handle: Any, value: int) -> None:
    """Set an input of `handle`'s width to a signed or unsigned number.

    Raises
    ------
    ValueError
        If the number does not fit.
    """
    width = len(handle)
    if not -(1 << (width - 1)) <= value < 1 << width:
        raise ValueError(f"{value} does not fit in {width} bits")
    handle.value = value & ((1 << width) - 1)


async def run_lane(
    dut: Any,
    items: Sequence[Mapping[str, int] | None],
    inputs: Sequence[str],
    outputs: Sequence[str],
    latency: int,
    rng: Random,
) -> list[dict[str, int]]:
    """Give a lane one item a cycle and take its results, each exactly `latency` cycles later.

    Parameters
    ----------
    dut : cocotb.handle.HierarchyObject
        With ``in_valid`` and ``out_valid``; called just after a rising edge.
    items : sequence of mapping or None
        Inputs by name; for None a cycle without a valid item, in which the inputs are random.
    inputs, outputs : sequence of str
        Names of the ports; outputs are read as signed numbers.
    latency : int
        In cycles.
    rng : Random

    Returns
    -------
    list of dict
        Outputs by name for each item that is not None.

    Raises
    ------
    AssertionError
        If ``out_valid`` is not ``in_valid`` of `latency` cycles before, in any cycle.
    """
    results = []
    for cycle in range(len(items) + latency):
        item = items[cycle] if cycle < len(items) else None
        dut.in_valid.value = int(item is not None)
        for name in inputs:
            handle = getattr(dut, name)
            drive(handle, item[name] if item is not None else rng.getrandbits(len(handle)))
        await FallingEdge(dut.clk)
        expected = cycle >= latency and items[cycle - latency] is not None
        assert bool(dut.out_valid.value) == expected, f"out_valid in cycle {cycle}"
        if expected:
            results.append({name: getattr(dut, name).value.to_signed() for name in outputs})
        await RisingEdge(dut.clk)
    dut.in_valid.value = 0
    return results


def with_gaps(items: Sequence[Mapping[str, int]], chance: float, rng: Random) -> list[Any]:
    """`items` with None between them, after each as often as a throw below `chance` follows another."""
    found: list[Any] = []
    for item in items:
        found.append(item)
        while rng.random() < chance:
            found.append(None)
    return found


def extremes(bits: int, rng: Random) -> int:
    """One of the ends, −1, 0 and 1, or a random signed number of up to `bits` bits of any magnitude."""
    end = 1 << (bits - 1)
    reach = 1 << rng.randrange(bits)
    low, high = -min(reach, end), min(reach, end) - 1
    return rng.choice(
        (-end, end - 1, rng.choice((-1, 0, 1 if bits > 1 else 0)), *[rng.randint(low, high)] * 3)
    )
