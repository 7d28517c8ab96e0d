# amaranth: UnusedElaboratable=no
"""Bench of `Sequencer`: random layers before an engine's timing; order, operands, cycles and refusals."""

import json
import os
from dataclasses import dataclass
from random import Random
from typing import Any

import cocotb
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge

from spinplane.behavioral.control.sequencer import Region, RowBurst, load_writes, walk_regions
from spinplane.hdl.common.command import command_layout, row_layout
from spinplane.hdl.common.row_set import row_set_layout, row_write_layout, window_burst_layout
from spinplane.hdl.control.row_pair_generator import WALK_LATENCY
from spinplane.machine import Machine, Op
from spinplane.machine.codec import encode
from spinplane.machine.passes import Pass
from spinplane.machine.registers import Error

from ...packing import pack, pack_descriptor, unpack
from ...streams import reset

MACHINE = Machine(**json.loads(os.environ["BENCH_MACHINE"]))
COMMAND, ROW, ROW_SET = command_layout(MACHINE), row_layout(MACHINE), row_set_layout(MACHINE)
ROW_WRITE, WINDOW_BURST = row_write_layout(MACHINE), window_burst_layout(MACHINE)
LOAD_LATENCY = 2

Fields = dict[str, Any]


@dataclass(frozen=True)
class Duty:
    """A command that is due: its fields, what is written, the row set, the output stage's cycles if a kernel tile
    begins.
    """

    command: Fields
    bits: list[int] | None = None
    row_set: Fields | None = None
    kernel_tile_cycles: int | None = None
    window_burst: Fields | None = None

    @property
    def cycles(self) -> int:
        """How long it keeps the engine."""
        if self.bits is not None:
            return MACHINE.write_cycles
        return int(self.command["tiles"] + 1) * MACHINE.sense_cycles


def kernel_word(address: int) -> int:
    """What the bench's kernel bank holds."""
    return (address * 0x9E3779B97F4A7C15 + 12345) % (1 << MACHINE.columns)


def random_pass(rng: Random) -> Pass:
    """Loops of a hundred bursts or so, rings and steps of any kind; some of them leave the array or the kernel bank."""
    while True:
        clusters = 1 << rng.randrange(MACHINE.row_buses.bit_length())
        cluster_size = MACHINE.sub_arrays // clusters
        layer_pass = Pass(
            machine=MACHINE,
            bursts=rng.choice((1, 1, 2, 3)),
            taps_y=rng.choice((1, 1, 2, 3)),
            plane_groups=rng.choice((1, 1, 2, 3)),
            kernel_planes=rng.choice((1, 1, 2, 3)),
            burst_rows=rng.choice((1, 1, 2, 3, 4)),
            kernel_tiles=rng.choice((1, 1, 2, 3)),
            region_rows=rng.randint(1, 4),
            region_columns=rng.randint(1, 4),
            region_height=rng.choice((1, 1, 2)),
            region_width=rng.choice((1, 1, 2)),
            region_lines=rng.choice((0, 1, 2, 7, 255)),
            window_lines=rng.choice((0, 1, 2, 7, 255)),
            tap_lines=rng.choice((0, 1, 2, 7, 255)),
            ring_lines=rng.randint(1, 5),
            line_rows=rng.randrange(4),
            group_rows=rng.randrange(4),
            burst_step=rng.randrange(4),
            region_step=rng.randrange(3),
            window_step=rng.randrange(3),
            input_row=rng.randrange(8),
            kernel_row=rng.randrange(MACHINE.rows // 2),
            next_lines=rng.choice((0, 1, 2)),
            next_columns=rng.choice((0, 1, 2)),
            first_lines=rng.choice((1, 2)),
            first_columns=rng.choice((1, 2)),
            clusters=clusters,
            slots=1 << rng.randrange(MACHINE.segments.bit_length()),
            planes=rng.choice((1, 2)),
            spread=rng.choice((False, True)),
            subtracts=rng.choice((False, True)),
            sub_arrays=rng.randint(1, cluster_size),
            last_sub_arrays=rng.randint(1, cluster_size),
            load_sub_arrays=rng.randint(1, cluster_size),
            load_base=rng.choice(
                (
                    rng.randrange(MACHINE.kernel_words),
                    MACHINE.kernel_words - rng.randint(1, min(16, MACHINE.kernel_words)),
                )
            ),
            load_rows=rng.randrange(6),
            inner_cycles=rng.randrange(24),
            last_inner_cycles=rng.randrange(24),
            outer_cycles=rng.randrange(24),
            last_outer_cycles=rng.randrange(24),
        )
        kernel_tiles = layer_pass.regions * layer_pass.windows * layer_pass.kernel_tiles
        bursts = layer_pass.kernel_planes * layer_pass.plane_groups * layer_pass.taps_y * layer_pass.bursts
        if kernel_tiles * bursts <= 150:
            return layer_pass


def random_row_sets(region: Region, rng: Random) -> list[Fields]:
    number = rng.randint(1, 4) if region.has_rows else 0
    return [
        {
            "row": rng.randrange(MACHINE.rows),
            "bits": [rng.getrandbits(MACHINE.columns) for _ in range(MACHINE.row_buses)],
            "sums": [rng.getrandbits(ROW_SET["sums"].shape.elem_shape) for _ in range(MACHINE.row_buses)],
            "last": int(index == number - 1),
        }
        for index in range(number)
    ]


def command_of(layer_pass: Pass, **fields: int) -> Fields:
    shared = {
        f"log_{name}": getattr(layer_pass, name).bit_length() - 1 for name in ("slots", "planes", "clusters")
    } | {"spread": int(layer_pass.spread)}
    return dict.fromkeys(dict(COMMAND), 0) | shared | fields


def burst_duty(layer_pass: Pass, burst: RowBurst, cycles: int) -> Duty:
    command = command_of(
        layer_pass,
        op=Op.DOT.value,
        last=burst.last_sub_array,
        row_a=burst.row_a,
        row_b=burst.row_b,
        tiles=burst.rows - 1,
        shift=burst.shift,
        subtract=int(burst.subtract),
        clear=int(burst.clear),
        emit=int(burst.emit),
    )
    window_burst = {
        "valid": 1,
        "row": burst.row_a,
        "rows": burst.rows - 1,
        "shift": burst.shift,
        "first": int(burst.is_first),
        "last": int(burst.is_last),
    }
    return Duty(
        command,
        kernel_tile_cycles=cycles if burst.clear else None,
        window_burst=window_burst if burst.summed else None,
    )


def duties(layer_pass: Pass, load: bool, rng: Random) -> tuple[list[Duty], Error]:
    """All commands of a pass in order, or those before the first one that is refused, and why."""
    found: list[Duty] = []
    for word, row, sub_array in load_writes(layer_pass) if load else ():
        if word >= MACHINE.kernel_words:
            return found, Error.KERNEL_BANK
        if row >= MACHINE.rows:
            return found, Error.ROW
        command = command_of(layer_pass, op=Op.WRITE.value, first=sub_array, last=sub_array, row_d=row)
        found.append(Duty(command, [kernel_word(word)] * MACHINE.row_buses))
    for region in walk_regions(layer_pass):
        for row_set in random_row_sets(region, rng):
            command = command_of(
                layer_pass, op=Op.WRITE.value, last=layer_pass.sub_arrays - 1, row_d=row_set["row"]
            )
            found.append(Duty(command, row_set["bits"], row_set))
        for bursts, cycles in region.kernel_tiles:
            for burst in bursts:
                if max(burst.row_a, burst.row_b) + burst.rows > MACHINE.rows or burst.row_a == burst.row_b:
                    return found, Error.ROW
                found.append(burst_duty(layer_pass, burst, cycles))
    return found, Error.NONE


class Surroundings:
    """An engine that takes commands and rows at its own pace, an input streamer, and a kernel bank."""

    def __init__(self, dut: HierarchyObject, rng: Random, row_stall: float, engine_stall: float) -> None:
        self._dut, self._rng = dut, rng
        self._row_stall, self._engine_stall = row_stall, engine_stall
        self.cycle = 0
        self.row_sets: list[Fields] = []
        self.accepted: list[tuple[int, Fields]] = []
        self.written: list[list[int]] = []
        self.offered: list[int] = []
        self.row_writes: list[Fields] = []
        self.window_bursts: list[tuple[int, Fields]] = []
        self.stalled = self.kernel_reads = self.error = 0
        self.busy_cycles: list[int] = []
        self._left, self._writes, self._pulse = 0, False, None
        self._offers = False
        self._kernel_data: int | None = None

    async def step(self) -> None:
        """One cycle, from just after an edge to just after the next."""
        dut = self._dut
        if self.row_sets and not self._offers and self._rng.random() >= self._row_stall:
            self._offers = True
            self.offered.append(self.cycle)
        if self._kernel_data is not None:
            dut.kernel__data.value = self._kernel_data
        dut.rows__valid.value = int(self._offers)
        if self._offers:
            dut.rows__payload.value = pack(ROW_SET, self.row_sets[0])
        dut.command__ready.value = int(self._left <= 1 and self._rng.random() >= self._engine_stall)
        dut.write__ready.value = int(self._writes and self._left == 1)
        await FallingEdge(dut.clk)
        self._watch_pulse()
        self._watch_strobes()
        self.error = dut.error.value.to_unsigned()
        if dut.busy.value:
            self.busy_cycles.append(self.cycle)
        self._left = max(0, self._left - 1)
        if dut.command__valid.value and dut.command__ready.value:
            self._accept(unpack(COMMAND, dut.command__payload.value.to_unsigned()))
        if dut.rows__valid.value and dut.rows__ready.value:
            self.row_sets.pop(0)
            self._offers = False
        await RisingEdge(dut.clk)
        self.cycle += 1

    def _accept(self, command: Fields) -> None:
        self.accepted.append((self.cycle, command))
        self._writes, self._pulse = command["op"] == Op.WRITE.value, None
        pairs = command["tiles"] + 1 if command["op"] == Op.DOT.value else 1
        self._left = MACHINE.write_cycles if self._writes else pairs * MACHINE.sense_cycles
        self._left += MACHINE.write_cycles * command.get("write_back", 0)

    def _watch_pulse(self) -> None:
        if not (self._writes and self._left):
            return
        assert self._dut.write__valid.value, "a pulse without a row"
        row = unpack(ROW, self._dut.write__payload.value.to_unsigned())
        assert self._pulse in (None, row), "the row changed within its pulse"
        self._pulse = row
        if self._left == 1:
            self.written.append(row)

    def _watch_strobes(self) -> None:
        dut = self._dut
        row_write = unpack(ROW_WRITE, dut.row_write.value.to_unsigned())
        if row_write["valid"]:
            assert dut.write__ready.value, "a row is told before its pulse has ended"
            self.row_writes.append(row_write)
        burst = unpack(WINDOW_BURST, dut.burst.value.to_unsigned())
        if burst["valid"]:
            self.window_bursts.append((self.cycle, burst))
        self.stalled += int(dut.stalled.value)
        self.kernel_reads += int(dut.kernel_read.value)
        if dut.kernel__enable.value:
            address = dut.kernel__address.value.to_unsigned()
            assert address < MACHINE.kernel_words
            self._kernel_data = kernel_word(address)


def check_cycles(around: Surroundings, expected: list[Duty], start: int) -> None:
    """Each command is accepted in the first cycle that the contract allows, and the others count as stalled."""
    free, stalled = start + 1, 0
    kernel_tile_due = 0
    offered = iter(around.offered)
    for at, (duty, (cycle, _)) in enumerate(zip(expected, around.accepted, strict=True)):
        if duty.bits is None:
            free = max(free, start + WALK_LATENCY)
        elif duty.row_set is None:
            free = max(free, start + LOAD_LATENCY)
        due = free
        if duty.row_set is not None:
            due = max(due, next(offered))
        if duty.kernel_tile_cycles is not None:
            due = max(due, kernel_tile_due)
            kernel_tile_due = due + duty.kernel_tile_cycles
        assert cycle == due, f"command {at} was accepted in cycle {cycle - start}, due in {due - start}"
        stalled += due - free
        free = due + duty.cycles
    assert around.stalled == stalled


async def run_pass(
    dut: HierarchyObject, layer_pass: Pass, rng: Random, row_stall: float = 0, engine_stall: float = 0
) -> Error:
    """Run a pass and compare it with the golden model; returns what it was refused for."""
    load = rng.random() < 0.5
    expected, error = duties(layer_pass, load, rng)
    around = Surroundings(dut, rng, row_stall, engine_stall)
    around.row_sets = [duty.row_set for duty in expected if duty.row_set is not None]
    dut.layer.value = pack_descriptor(encode(layer_pass))
    dut.load.value = int(load)
    dut.start.value = 1
    await around.step()
    dut.start.value = 0
    dut.load.value = int(not load)
    await around.step()
    while around.busy_cycles[-1] == around.cycle - 1 and not around.error:
        await around.step()
    assert around.error == error
    for _ in range(rng.choice((0, 40)) if error is Error.NONE else 40):
        await around.step()
    assert around.error == error
    last = around.accepted[-1][0] if error is Error.NONE else around.cycle - 1
    assert around.busy_cycles == list(range(1, last + 1))
    for at, (duty, (_, command)) in enumerate(zip(expected, around.accepted, strict=True)):
        assert command == duty.command, f"command {at}"
    assert around.written == [duty.bits for duty in expected if duty.bits is not None]
    sets = [duty.row_set for duty in expected if duty.row_set is not None]
    assert around.row_writes == [{"valid": 1, "row": s["row"], "sums": s["sums"]} for s in sets]
    cycles = [cycle for cycle, _ in around.accepted]
    assert around.window_bursts == [
        (cycle, duty.window_burst) for cycle, duty in zip(cycles, expected, strict=True) if duty.window_burst
    ]
    if error is Error.NONE:
        loaded = sum(duty.bits is not None and duty.row_set is None for duty in expected)
        assert around.kernel_reads == loaded
        if not engine_stall:
            check_cycles(around, expected, 0)
    return error


async def run_layers(dut: HierarchyObject, count: int, row_stall: float, engine_stall: float) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    endings = dict.fromkeys((Error.NONE, Error.ROW, Error.KERNEL_BANK), 0)
    while endings[Error.NONE] < count or not all(endings.values()):
        error = await run_pass(dut, random_pass(rng), rng, row_stall, engine_stall)
        endings[error] += 1
        if error is not Error.NONE:
            await reset_again(dut)


async def reset_again(dut: HierarchyObject) -> None:
    dut.rst.value = 1
    await RisingEdge(dut.clk)
    dut.rst.value = 0


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def every_command_in_the_first_cycle_that_is_allowed(dut: HierarchyObject) -> None:
    await run_layers(dut, 10, 0, 0)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def row_sets_that_come_late(dut: HierarchyObject) -> None:
    await run_layers(dut, 8, 0.6, 0)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def an_engine_that_waits(dut: HierarchyObject) -> None:
    await run_layers(dut, 5, 0.3, 0.5)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_row_set_beyond_the_array(dut: HierarchyObject) -> None:
    await reset(dut)
    layer_pass = Pass(machine=MACHINE, first_lines=1, first_columns=1)
    dut.layer.value = pack_descriptor(encode(layer_pass))
    around = Surroundings(dut, Random(cocotb.RANDOM_SEED), 0, 0)
    nothing = {"bits": [0] * MACHINE.row_buses, "sums": [0] * MACHINE.row_buses}
    around.row_sets = [{"row": MACHINE.rows, "last": 1, **nothing}]
    dut.start.value = 1
    await around.step()
    dut.start.value = 0
    for _ in range(60):
        await around.step()
    assert around.error == Error.ROW
    assert not around.accepted
    assert len(around.row_sets) == 1
