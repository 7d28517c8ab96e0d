# amaranth: UnusedElaboratable=no
"""Bench of `Pooling`: random windows at few places, so that the same is read, written and passed on."""

import json
import os
from random import Random

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral import pool
from spinplane.hdl import Pooling
from spinplane.machine import Machine
from spinplane.machine.descriptor import Pool
from spinplane.machine.output_stage import VALUE_BITS

from ...lanes import extremes
from ...packing import pack, pack_bits, unpack
from ...streams import reset

MACHINE = Machine(**json.loads(os.environ["BENCH_PARAMETERS"]))
LANES = MACHINE.results_per_cycle


class Driver:
    """Beats of a pass, with values that come `Pooling.VALUE_DELAY` later, and pooled sums that stay."""

    def __init__(self, dut: HierarchyObject, rng: Random) -> None:
        self.dut, self.rng = dut, rng
        self.layouts = {name: Pooling(MACHINE).signature.members[name].shape for name in ("values", "pooled")}
        self.values: dict[int, tuple[list[int], list[bool]]] = {}
        self.expected: dict[int, list[int]] = {}
        self.cycle = 0

    async def tick(self) -> None:
        """The values that are due, and the pooled sums that are there."""
        dut = self.dut
        values, least = self.values.get(self.cycle, (None, None))
        dut.values.value = (
            pack(self.layouts["values"], values) if values else self.rng.getrandbits(VALUE_BITS * LANES)
        )
        dut.least.value = pack_bits(least) if least else self.rng.getrandbits(LANES)
        await FallingEdge(dut.clk)
        if self.cycle in self.expected:
            found = unpack(self.layouts["pooled"], dut.pooled.value.to_unsigned())
            assert found == self.expected[self.cycle], self.cycle
        await RisingEdge(dut.clk)
        dut.in_valid.value = 0
        self.cycle += 1

    def send(
        self, place: int, counts: bool, seen: bool, outer: bool, values: list[int], least: list[bool]
    ) -> None:
        """A beat in the next cycle."""
        dut = self.dut
        dut.in_valid.value = 1
        dut.address.value = place
        dut.counts.value = int(counts)
        dut.seen.value = int(seen)
        dut.outer.value = int(outer)
        self.values[self.cycle + Pooling.VALUE_DELAY] = values, least


async def run_regions(dut: HierarchyObject, mode: Pool, gaps: float, rng: Random) -> int:
    """Compare outer beats with the golden model; returns how many there were."""
    dut.mode.value = mode.value
    driver, outers = Driver(dut, rng), 0
    for _ in range(20):
        first = rng.randrange(MACHINE.pool_beats)
        places = range(first, min(MACHINE.pool_beats, first + rng.randint(1, 3)))
        values: dict[int, list[list[int]]] = {place: [] for place in places}
        windows = 1 if mode is Pool.NONE else rng.randint(1, 5)
        least = {place: [rng.random() < 0.5 for _ in range(LANES)] for place in places}
        counted: list[bool] = []
        for window in range(windows):
            seen = any(counted)
            counted.append(rng.random() < 0.7)
            for place in places:
                values[place].append([extremes(VALUE_BITS, rng) for _ in range(LANES)])
                outer = window == windows - 1
                driver.send(place, counted[-1], seen, outer, values[place][-1], least[place])
                stays = 1
                if outer:
                    of_lanes = list(zip(*values[place], strict=True))
                    wanted = pool(of_lanes, mode, counts=counted, least=least[place]).tolist()
                    at, outers = driver.cycle + Pooling.LATENCY, outers + 1
                await driver.tick()
                while rng.random() < gaps:
                    await driver.tick()
                    stays += 1
                if outer:
                    driver.expected |= dict.fromkeys(range(at, at + stays), wanted)
    for _ in range(Pooling.LATENCY):
        await driver.tick()
    return outers


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_mode(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for mode in Pool:
        for gaps in (0, 0.4):
            assert await run_regions(dut, mode, gaps, rng) >= 20
