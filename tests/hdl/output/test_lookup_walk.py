# amaranth: UnusedElaboratable=no
"""Lookup walk in RTL: when lanes read, and when a beat's codes are there."""

import pytest
from amaranth.sim import Simulator, SimulatorContext

from spinplane.hdl import LookupWalk
from spinplane.machine import Machine
from spinplane.machine.timing import LOOKUP_CYCLES

MACHINE = Machine(name="bench", sub_arrays=2, rows=8, columns=64, segments=1)


@pytest.mark.parametrize("search_reads", range(5))
@pytest.mark.parametrize("table", [0, 1])
@pytest.mark.parametrize("more", [0, 1, 3])
def test_reads_and_ends(search_reads: int, table: int, more: int) -> None:
    walk, beats, lookups = LookupWalk(MACHINE), 5, search_reads + table
    apart = max(1, LOOKUP_CYCLES * lookups - 1) + more
    looks: list[tuple[int, int]] = []
    looks_up: list[tuple[int, int]] = []
    ends: list[tuple[int, int]] = []

    async def bench(ctx: SimulatorContext) -> None:
        ctx.set(walk.layer.search_reads, search_reads)
        ctx.set(walk.layer.table, table)
        for cycle in range(-1, (beats + 1) * apart + LOOKUP_CYCLES * lookups):
            beat, rest = divmod(cycle + 1, apart)
            ctx.set(walk.next_begins, int(rest == 0 and beat < beats))
            beat, rest = divmod(cycle, apart)
            ctx.set(walk.beat.word, beat if rest == 0 else 15)
            for found, port, of_beat in (
                (looks, walk.looks, walk.read_beat),
                (looks_up, walk.looks_up, walk.read_beat),
                (ends, walk.ends, walk.ended_beat),
            ):
                if ctx.get(port):
                    found.append((cycle, ctx.get(of_beat.word)))
            await ctx.tick()

    simulator = Simulator(walk)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()

    def at(*reads: int) -> list[tuple[int, int]]:
        return [(beat * apart + LOOKUP_CYCLES * read, beat) for beat in range(beats) for read in reads]

    assert looks == at(*range(search_reads))
    assert looks_up == at(*[search_reads] * table)
    assert ends == at(lookups)
