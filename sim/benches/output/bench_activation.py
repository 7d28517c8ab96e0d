# amaranth: UnusedElaboratable=no
"""Bench of `Activation`: searches of every length, beats as close as they may be, tables, levels of the multiplier."""

import json
import os
from dataclasses import dataclass
from random import Random
from typing import Any

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral.output.activation import look_up, search_thresholds
from spinplane.hdl import LANE_CONFIGURATION, LANE_STEP, Activation
from spinplane.machine.output_stage import (
    MOST_SEARCH_READS,
    POOLED_BITS,
    RAW_BITS,
    SEARCH_NODES,
    TABLE_CODES,
    THRESHOLDS_PER_WORD,
)
from spinplane.machine.timing import LOOKUP_CYCLES

from ...lanes import drive, extremes
from ...packing import pack
from ...streams import reset

WORDS = json.loads(os.environ["BENCH_PARAMETERS"])["words"]
SEARCH_END, LEVELS = 1 << 31, TABLE_CODES
#: Words that are left for a table, or for a search from its base on.
REACH = 64
OFFSETS = min(WORDS - REACH, 1 << LANE_CONFIGURATION["table_offset"].width)
BASES = WORDS - REACH - OFFSETS + 31


@dataclass(frozen=True)
class Lane:
    """What a lane does in a pass, with its memory."""

    reads: int
    table: bool
    doubles: bool
    multiplies: bool
    table_offset: int
    zero: int
    memory: np.ndarray

    @property
    def lookups(self) -> int:
        return self.reads + self.table

    @property
    def configuration(self) -> dict[str, int]:
        """Of `LANE_CONFIGURATION`."""
        passed = [1, *(5 * node + 1 for node in SEARCH_NODES)][self.reads]
        added = 0 if self.table else self.zero >> self.doubles
        return {
            "raw": 0,
            "searches": int(not self.multiplies),
            "compares": int(self.reads > 0),
            "table": int(self.table),
            "table_offset": self.table_offset,
            "has_bounds": 1,
            "rises": (added - passed) % LEVELS,
            "falls": (added + passed) % LEVELS,
            "doubles": int(self.doubles and not self.table),
            "is_odd": self.zero & 1,
        }


@dataclass(frozen=True)
class Beat:
    """What comes in for one beat."""

    value: int
    level: int
    low: int
    high: int
    search: int
    falling: int
    base: int

    def code(self, lane: Lane) -> int:
        """What the golden models make of it."""
        thresholds = lane.memory.view("<i4").reshape(-1, THRESHOLDS_PER_WORD)
        level = self.level
        if self.search or not lane.multiplies:
            number = int(search_thresholds(self.value, thresholds, base=self.base, reads=lane.reads))
            level = self.high - number if self.falling else self.low + number
            if not lane.table:
                level = (level << lane.doubles) + lane.zero
        if lane.table:
            return int(look_up(level, lane.memory, base=self.base + lane.table_offset))
        return level % 256


def random_lane(multiplies: bool, reads: int, table: bool, rng: Random) -> Lane:
    draws = np.random.default_rng(rng.getrandbits(32))
    bits = int(draws.choice([8, 20, 32]))
    thresholds = np.sort(draws.integers(-(1 << (bits - 1)), 1 << (bits - 1), (WORDS, THRESHOLDS_PER_WORD)))
    some = draws.integers(0, 8, thresholds.shape) == 0
    thresholds = np.where(some, 2**31 - 1, thresholds)
    return Lane(
        reads,
        table,
        rng.random() < 0.5,
        multiplies,
        rng.randrange(OFFSETS),
        rng.randrange(256),
        thresholds.astype("<i4").view(np.uint8),
    )


def random_beat(lane: Lane, rng: Random) -> Beat:
    thresholds = lane.memory.view("<i4")
    near = int(rng.choice(thresholds.reshape(-1))) + rng.choice((-1, 0, 1))
    return Beat(
        value=rng.choice((near, extremes(POOLED_BITS, rng))),
        level=rng.randrange(LEVELS),
        low=extremes(9, rng),
        high=extremes(9, rng),
        search=rng.randrange(2),
        falling=rng.randrange(2),
        base=rng.randrange(BASES),
    )


async def run_beats(
    dut: HierarchyObject, lane: Lane, beats: list[Beat], apart: int, rng: Random
) -> list[int]:
    """Codes of beats that begin `apart` cycles one after the other."""
    words = [int.from_bytes(word.tobytes(), "little") for word in lane.memory]
    dut.configuration.value = pack(LANE_CONFIGURATION, lane.configuration)
    bounds = Activation(WORDS).bounds.shape()
    last = LOOKUP_CYCLES * lane.lookups
    # Bounds are looked at 1 cycle before the level, which is there after the search.
    bounds_at = LOOKUP_CYCLES * lane.reads - 1
    codes: list[int] = []
    for cycle in range(-1, len(beats) * apart + last + 1):
        step: dict[str, Any] = dict.fromkeys(dict(LANE_STEP), 0)

        def at(since: int, cycle: int = cycle) -> Beat | None:
            """The beat that began so many cycles ago."""
            begun, rest = divmod(cycle - since, apart)
            return beats[begun] if rest == 0 and 0 <= begun < len(beats) else None

        if (beat := at(0)) is not None:
            step["begins"] = 1
            step["keeps"] = int(not lane.multiplies)
            drive(dut.pooled, beat.value)
        step["has_begun"] = int(at(1) is not None or not lane.reads)
        for read in range(lane.reads):
            step["looks"] |= int(at(LOOKUP_CYCLES * read) is not None)
        if lane.table:
            step["looks_up"] = int(at(LOOKUP_CYCLES * lane.reads) is not None)
        # A multiplier's results are there in the cycle after the begin, its levels in that of the begin.
        if (beat := at(-1)) is not None and lane.multiplies:
            step["takes_level"] = 1
            drive(dut.level, beat.level)
        if (beat := at(0)) is not None and lane.multiplies:
            step["takes_value"] = 1
            value = min(max(beat.value, -SEARCH_END), SEARCH_END - 2)
            drive(dut.value, value % (1 << RAW_BITS))
        # From its first lookup to its last a beat's base stays; its bounds then, or in one cycle alone.
        for since in range(last - 1 if last else 1):
            if (beat := at(since)) is not None:
                drive(dut.base, beat.base)
        searching = range(bounds_at + 1) if lane.multiplies else ()
        for since in (*searching, bounds_at):
            if (beat := at(since)) is not None:
                names = ("low", "high", "search", "falling")
                dut.bounds.value = pack(bounds, {name: getattr(beat, name) for name in names})
        dut.step.value = pack(LANE_STEP, step)
        await FallingEdge(dut.clk)
        if at(last) is not None:
            codes.append(dut.code.value.to_unsigned())
        word = None
        if dut.thresholds__enable.value:
            word = words[dut.thresholds__address.value.to_unsigned()]
        assert not dut.beyond.value
        await RisingEdge(dut.clk)
        if word is not None:
            dut.thresholds__data.value = word
    return codes


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def every_search_and_table(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    seen: set[int] = set()
    for multiplies in (False, True):
        for reads in range(MOST_SEARCH_READS + 1):
            for table in (False, True):
                for _ in range(4):
                    lane = random_lane(multiplies, reads, table, rng)
                    beats = [random_beat(lane, rng) for _ in range(24)]
                    nearest = max(1, LOOKUP_CYCLES * lane.lookups - 1)
                    if multiplies and reads:
                        nearest += 2
                    apart = nearest + rng.choice((0, 0, 1, 4))
                    codes = await run_beats(dut, lane, beats, apart, rng)
                    wanted = [beat.code(lane) for beat in beats]
                    assert codes == wanted, (lane, beats, apart)
                    seen |= set(codes)
    # A bench that sees few codes would prove little.
    assert len(seen) > 200


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def words_that_do_not_exist(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    lane = random_lane(True, 1, False, rng)
    dut.configuration.value = pack(LANE_CONFIGURATION, lane.configuration)
    bounds = Activation(WORDS).bounds.shape()
    for base in (0, WORDS - 1, WORDS, (1 << 16) - 1):
        for search in (0, 1):
            dut.base.value = base
            dut.bounds.value = pack(bounds, {"low": 0, "high": 0, "falling": 0, "search": search})
            step = dict.fromkeys(dict(LANE_STEP), 0) | {"begins": 1, "looks": 1}
            dut.step.value = pack(LANE_STEP, step)
            await FallingEdge(dut.clk)
            assert dut.thresholds__enable.value == (search and base < WORDS)
            await RisingEdge(dut.clk)
            await FallingEdge(dut.clk)
            assert dut.beyond.value == (search and base >= WORDS)
            await RisingEdge(dut.clk)
