# amaranth: UnusedElaboratable=no
"""Bench of `WindowSum`: random bursts of rows that are written meanwhile, a row a cycle and slower, in time."""

import json
import os
from random import Random
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.hdl.common.beat import window_sums_layout
from spinplane.hdl.common.row_set import row_sum_bits, row_write_layout, window_burst_layout
from spinplane.machine import Machine
from spinplane.machine.output_stage import WINDOW_SUM_BITS

from ...packing import pack, unpack
from ...streams import reset

MACHINE = Machine(**json.loads(os.environ["BENCH_PARAMETERS"]))
ROW_WRITE, BURST, SUMS = row_write_layout(MACHINE), window_burst_layout(MACHINE), window_sums_layout(MACHINE)
LATENCY = 3
IDLE_WRITE = {"valid": 0, "row": 0, "sums": [0] * MACHINE.row_buses}
IDLE_BURST = {"valid": 0, "row": 0, "rows": 0, "shift": 0, "first": 0, "last": 0}


class Schedule:
    """What happens in each cycle, and the sums of each window with the cycle of their offer."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.stored = [[0] * MACHINE.row_buses for _ in range(MACHINE.rows)]
        self.writes: dict[int, dict[str, Any]] = {}
        self.bursts: dict[int, dict[str, int]] = {}
        self.windows: list[tuple[int, list[int]]] = []
        self.cycle = 0

    def write(self, row: int) -> None:
        """Random sums for a row, written in the present cycle."""
        largest = min(1 << row_sum_bits(MACHINE), 1 << WINDOW_SUM_BITS - 10) - 1
        self.stored[row] = [
            self.rng.choice((0, largest, self.rng.randint(0, largest))) for _ in self.stored[row]
        ]
        self.writes[self.cycle] = {"valid": 1, "row": row, "sums": self.stored[row]}

    def write_rows(self) -> None:
        """Several rows, a cycle each; the next window may begin with the last of them."""
        for index in range(count := self.rng.randint(1, 6)):
            self.write(self.rng.randrange(MACHINE.rows))
            self.cycle += index < count - 1

    def window(self, bursts: int, most_rows: int, sense_cycles: int) -> None:
        """Bursts back to back, each of which takes its rows' cycles."""
        totals = [0] * MACHINE.row_buses
        for index in range(bursts):
            rows, shift = self.rng.randint(1, most_rows), self.rng.randrange(8)
            row = self.rng.randrange(MACHINE.rows - rows + 1)
            self.bursts[self.cycle] = {
                "valid": 1,
                "row": row,
                "rows": rows - 1,
                "shift": shift,
                "first": int(index == 0),
                "last": int(index == bursts - 1),
            }
            for bus in range(MACHINE.row_buses):
                totals[bus] += sum(sums[bus] for sums in self.stored[row : row + rows]) << shift
            self.offer = self.cycle + LATENCY + rows - 1
            self.cycle += rows * sense_cycles
        half = 1 << (WINDOW_SUM_BITS - 1)
        self.windows.append((self.offer, [(total + half) % (2 * half) - half for total in totals]))


async def play(dut: HierarchyObject, schedule: Schedule, delay: int = 0) -> None:
    """Check when sums are first offered, and take them `delay` cycles later, or after those before."""
    takes: list[int] = []
    for offer, _ in schedule.windows:
        takes.append(max(offer + delay, takes[-1] + 1 if takes else 0))
    waiting = dict(zip(takes, schedule.windows, strict=True))
    offered = {
        cycle
        for (offer, _), take in zip(schedule.windows, takes, strict=True)
        for cycle in range(offer, take + 1)
    }
    for cycle in range(takes[-1] + 2):
        dut.row_write.value = pack(ROW_WRITE, schedule.writes.get(cycle, IDLE_WRITE))
        dut.burst.value = pack(BURST, schedule.bursts.get(cycle, IDLE_BURST))
        dut.sums__ready.value = int(cycle in waiting)
        await FallingEdge(dut.clk)
        assert bool(dut.sums__valid.value) == (cycle in offered), cycle
        if cycle in waiting:
            assert unpack(SUMS, dut.sums__payload.value.to_unsigned()) == waiting[cycle][1]
        await RisingEdge(dut.clk)
    dut.sums__ready.value = 0


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def windows_between_writes(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for sense_cycles in (1, 2, 3):
        schedule = Schedule(rng)
        for row in range(MACHINE.rows):
            schedule.write(row)
            schedule.cycle += 1
        for _ in range(40):
            schedule.write_rows()
            for _ in range(rng.randint(1, 3)):
                schedule.window(rng.randint(1, 4), rng.choice((1, 2, 9)), sense_cycles)
            if rng.random() < 0.3:
                schedule.cycle += rng.randrange(4)
        await play(dut, schedule)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_window_a_cycle(dut: HierarchyObject) -> None:
    """Sums may wait for results that come 3 cycles later."""
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    for delay in range(4):
        schedule = Schedule(rng)
        for row in range(MACHINE.rows):
            schedule.write(row)
            schedule.cycle += 1
        for _ in range(50):
            schedule.window(1, 1, 1)
        await play(dut, schedule, delay)


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def a_row_is_replaced_after_its_last_read(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    schedule = Schedule(rng)
    for row in range(MACHINE.rows):
        schedule.write(row)
        schedule.cycle += 1
    for _ in range(20):
        schedule.window(1, 5, 1)
        burst = max(schedule.bursts)
        # The burst is told in one cycle and reads its rows in the next ones; the write ends when the last one is read.
        schedule.write(schedule.bursts[burst]["row"] + schedule.bursts[burst]["rows"])
    await play(dut, schedule)
