"""Drives an `Engine` through its streams: the same loop for every simulator."""

import random
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from spinplane.behavioral import EngineRun
from spinplane.machine import COUNTER_BITS, COUNTER_NAMES, Counters, Program, pack_commands

# Cycles until the last event has reached its counter.
_COUNTER_LATENCY = 3


class Pins(Protocol):
    """Ports of the simulated block, as unsigned integers."""

    def put(self, name: str, value: int) -> None:
        """Set an input."""

    def get(self, name: str) -> int:
        """Read an output."""

    async def settle(self) -> None:
        """Let what is combinational follow the inputs."""

    async def step(self) -> None:
        """Go on to just after the next rising edge."""


async def drive(pins: Pins, program: Program, *, stall: float = 0.0, seed: int = 0) -> EngineRun:
    """Stream a program into an idle engine and collect what leaves it, until it is idle again.

    Parameters
    ----------
    pins : Pins
    program : Program
    stall : float
        Chance that a cycle offers no command, no row, or takes no result: each by itself.
    seed : int
        Of the stalls.

    Returns
    -------
    EngineRun
        Counters are those of this program alone.
    """
    machine = program.machine
    rng = random.Random(seed)
    before = _read_counters(pins)
    sources = {
        "command": iter(pack_commands(machine, program.commands)),
        "write": _row_words(program),
    }
    offered = {name: next(source, None) for name, source in sources.items()}
    results: list[int] = []
    rows: list[int] = []
    sinks = {"result": results, "row": rows}
    shown = dict.fromkeys(sources, False)
    last: dict[str, int] = {}

    def put(name: str, value: int) -> None:
        # A simulator takes longer to be told what it knows than to step.
        if last.get(name) != value:
            pins.put(name, value)
            last[name] = value

    while True:
        for name, word in offered.items():
            # A payload that is shown stays until it is taken.
            shown[name] = word is not None and (shown[name] or rng.random() >= stall)
            put(f"{name}__valid", int(shown[name]))
            if word is not None and shown[name]:
                put(f"{name}__payload", word)
        takes = {name: rng.random() >= stall for name in sinks}
        for name, ready in takes.items():
            put(f"{name}__ready", int(ready))
        await pins.settle()
        for name, sink in sinks.items():
            if takes[name] and pins.get(f"{name}__valid"):
                sink.append(pins.get(f"{name}__payload"))
        taken = [name for name in sources if shown[name] and pins.get(f"{name}__ready")]
        idle = offered["command"] is None and not pins.get("busy")
        await pins.step()
        for name in taken:
            offered[name] = next(sources[name], None)
            shown[name] = False
        if idle:
            break
    for _ in range(_COUNTER_LATENCY):
        await pins.step()
    after = _read_counters(pins)
    return EngineRun(
        results=_results(results, machine.accumulator_bits, machine.results_per_cycle),
        rows=_row_bits(rows, machine.columns),
        counters=Counters(**{name: after[name] - before[name] for name in COUNTER_NAMES}),
    )


def _read_counters(pins: Pins) -> dict[str, int]:
    word = pins.get("counters")
    mask = (1 << COUNTER_BITS) - 1
    return {name: word >> (COUNTER_BITS * at) & mask for at, name in enumerate(COUNTER_NAMES)}


def _row_words(program: Program) -> Iterator[int]:
    writes = len(program.rows)
    buses = program.bus_rows().reshape(writes, program.machine.row_buses * program.machine.columns)
    for packed in np.packbits(np.concatenate([buses, program.masks], axis=1), axis=1, bitorder="little"):
        yield int.from_bytes(packed.tobytes(), "little")


def _row_bits(words: list[int], columns: int) -> np.ndarray:
    packed = b"".join(word.to_bytes(columns // 8, "little") for word in words)
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), bitorder="little")
    return bits.reshape(len(words), columns)


def _results(beats: list[int], bits: int, lanes: int) -> np.ndarray:
    """The valid results of beats, in their order."""
    words = [
        beat >> bits * lane & ((1 << bits) - 1)
        for beat in beats
        for lane in range(lanes)
        if beat >> (bits * lanes + lane) & 1
    ]
    values = np.array(words, dtype=np.int64)
    return values - ((values >> (bits - 1)) << bits)
