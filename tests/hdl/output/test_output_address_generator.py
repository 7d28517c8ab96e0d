# amaranth: UnusedElaboratable=no
"""Addresses of beats in RTL: the formula of the contract, beat after beat, also beyond the bank."""

from itertools import product
from random import Random

import pytest
from amaranth.sim import Simulator, SimulatorContext

from spinplane.hdl import ClusterSteps, OutputAddressGenerator
from spinplane.hdl.output.map_address import map_address_bits
from spinplane.machine import Machine

MACHINE = Machine(name="bench", sub_arrays=4, rows=8, columns=64, segments=1, image_words=1000)
BITS = map_address_bits(MACHINE)
BEYOND = 1 << (BITS - 1)

Map = dict[str, int]


def narrow(address: int) -> int:
    """What is told of an address: where it is in the bank, or only that it is beyond."""
    return address if address < BEYOND else BEYOND


def random_map(rng: Random) -> Map:
    most = rng.choice((2**10, 2**16))
    numbers = {
        name: rng.randrange(min(bits, most))
        for name, bits in (
            ("first_bit", 2**16),
            ("line_bits", 2**24),
            ("pixel_bits", 2**16),
            ("beat_bits", 2**16),
            ("slot_bits", 2**21),
        )
    }
    return numbers | {"base": rng.choice((rng.randrange(2**15), rng.randrange(2**32)))}


@pytest.mark.parametrize("seed", range(12))
def test_every_beat_of_a_pass(seed: int) -> None:
    rng = Random(seed)
    unit, steps = OutputAddressGenerator(MACHINE), random_map(rng)
    rows, columns, tiles, beats, last_beats = (rng.randint(1, 3) for _ in range(5))
    slots = 1 if seed % 2 else rng.choice((2, 4))
    beats, last_beats = beats * slots, last_beats * slots
    clusters_y, clusters_x = rng.randint(1, 2), rng.randint(1, 2)
    clusters = list(product(range(clusters_y), range(clusters_x)))
    found, expected = [], []

    async def bench(ctx: SimulatorContext) -> None:
        for name, value in steps.items():
            ctx.set(unit.steps[name], value)
        ctx.set(unit.cluster_steps.pixels, narrow(columns * steps["pixel_bits"]))
        ctx.set(unit.cluster_steps.lines, narrow(rows * steps["line_bits"]))
        ctx.set(unit.start, 1)
        await ctx.tick()
        ctx.set(unit.start, 0)
        for row, column, tile, (y, x) in product(range(rows), range(columns), range(tiles), clusters):
            of_tile = last_beats if tile == tiles - 1 else beats
            for beat in range(of_tile):
                while rng.random() < 0.3:
                    await ctx.tick()
                at_end = beat == of_tile - 1
                of_kernel_tile = at_end and (y, x) == clusters[-1]
                of_window = of_kernel_tile and tile == tiles - 1
                ends = {
                    "slots": beat % slots == slots - 1,
                    "cluster": at_end,
                    "line": at_end and x == clusters_x - 1,
                    "kernel_tile": of_kernel_tile,
                    "window": of_window,
                    "column": of_window and column == columns - 1,
                }
                for name, value in ends.items():
                    ctx.set(unit.ends[name], int(value))
                oy, ox = y * rows + row, x * columns + column
                address = steps["base"] + oy * steps["line_bits"] + ox * steps["pixel_bits"]
                number, slot = divmod(tile * beats + beat, slots)
                address += number * steps["beat_bits"] + slot * steps["slot_bits"] + steps["first_bit"]
                expected.append(narrow(address))
                at = ctx.get(unit.address)
                found.append(at if at < BEYOND else BEYOND)
                ctx.set(unit.next, 1)
                await ctx.tick()
                ctx.set(unit.next, 0)

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    assert found == expected


@pytest.mark.parametrize("seed", range(6))
def test_distances_of_clusters(seed: int) -> None:
    rng = Random(seed)
    unit, maps = ClusterSteps(MACHINE), [random_map(rng) for _ in range(2)]
    rows, columns = (rng.choice((1, 65536, rng.randint(1, 99))) for _ in range(2))

    async def bench(ctx: SimulatorContext) -> None:
        for index, steps in enumerate(maps):
            for name, value in steps.items():
                ctx.set(unit.maps[index][name], value)
        ctx.set(unit.last_row, rows - 1)
        ctx.set(unit.last_column, columns - 1)
        for _ in range(2):
            ctx.set(unit.start, 1)
            await ctx.tick()
            ctx.set(unit.start, 0)
            for index, steps in enumerate(maps):
                await ctx.tick().repeat(8)
                for name, number, bits in (
                    ("pixels", columns, steps["pixel_bits"]),
                    ("lines", rows, steps["line_bits"]),
                ):
                    step = ctx.get(unit.steps[index][name])
                    assert (step if step < BEYOND else BEYOND) == narrow(number * bits), (index, name)

    simulator = Simulator(unit)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
