"""Bench of `AxiBank` with banks behind it: bursts of every kind against the golden model.

While ``busy`` is high the banks are read by someone else, at random places.
"""

import json
import os
from random import Random
from typing import NamedTuple

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import FallingEdge, RisingEdge
from cocotb.utils import get_sim_time
from cocotbext.axi import AxiBus, AxiMaster
from numpy.typing import NDArray

from spinplane.behavioral.host.axi_banks import Address, AxiBanks
from spinplane.machine.memory_map import (
    REGION_BYTES,
    REGIONS,
    BankSize,
    Burst,
    MemoryMap,
    Response,
    region_address,
)

from ...axi import AxiChannels, pauses
from ...streams import reset

PARAMETERS = json.loads(os.environ["BENCH_PARAMETERS"])
MEMORY = MemoryMap(
    bus_bits=PARAMETERS["bus_bits"], **{name: BankSize(**bank) for name, bank in PARAMETERS["banks"].items()}
)
BEAT_BYTES = MEMORY.bus_bits // 8
FULL_SIZE = BEAT_BYTES.bit_length() - 1
PERIOD_NS = 10
IDS = 16


class WriteBurst(NamedTuple):
    """An address with its ID, and the beats up to WLAST."""

    identity: int
    address: Address
    beats: NDArray[np.uint8]
    strobes: NDArray[np.bool_]


def random_address(rng: Random, region: str) -> Address:
    """Mostly a burst that is carried out, often up to the end of the bank or past it, at times refused."""
    size = MEMORY.banks[region].size
    first = rng.choice((0, size - BEAT_BYTES, rng.randrange(size), rng.randrange(size), size, size + 4096))
    if rng.random() < 0.1:
        first = REGION_BYTES - 1 - rng.randrange(2 * BEAT_BYTES)
    length = rng.choice((0, 0, rng.randrange(4), rng.randrange(16)))
    kind = rng.choice((Burst.FIXED, Burst.WRAP, 3)) if rng.random() < 0.1 else Burst.INCR
    beat_size = rng.randrange(8) if rng.random() < 0.1 else FULL_SIZE
    return Address(region_address(region) + first, length, beat_size, kind)


def random_write(rng: Random, region: str, address: Address | None = None) -> WriteBurst:
    """Random beats and strobes; at times WLAST comes too early or too late."""
    chosen = address or random_address(rng, region)
    count = chosen.length + 1
    if address is None and rng.random() < 0.1:
        count = max(1, count + rng.choice((-2, -1, 1, 2)))
    beats = np.frombuffer(rng.randbytes(count * BEAT_BYTES), dtype=np.uint8).reshape(count, BEAT_BYTES)
    strobes = np.ones((count, BEAT_BYTES), dtype=bool)
    if address is None and rng.random() < 0.5:
        strobes = np.array([rng.random() < 0.5 for _ in range(count * BEAT_BYTES)]).reshape(count, BEAT_BYTES)
    return WriteBurst(rng.randrange(IDS), chosen, beats, strobes)


async def send_write(channels: AxiChannels, burst: WriteBurst) -> None:
    """Queue a burst: its data may come before its address."""
    where = burst.address
    await channels.aw.send(
        channels.aw._transaction_obj(
            awid=burst.identity,
            awaddr=where.address,
            awlen=where.length,
            awsize=where.size,
            awburst=where.burst,
        )
    )
    for beat, (data, strobe) in enumerate(zip(burst.beats, burst.strobes, strict=True)):
        await channels.w.send(
            channels.w._transaction_obj(
                wdata=int.from_bytes(data.tobytes(), "little"),
                wstrb=sum(int(on) << lane for lane, on in enumerate(strobe)),
                wlast=int(beat == len(burst.beats) - 1),
            )
        )


async def send_read(channels: AxiChannels, identity: int, where: Address) -> None:
    """Queue the address of a read."""
    await channels.ar.send(
        channels.ar._transaction_obj(
            arid=identity,
            araddr=where.address,
            arlen=where.length,
            arsize=where.size,
            arburst=where.burst,
        )
    )


async def check_write(channels: AxiChannels, model: AxiBanks, burst: WriteBurst) -> Response:
    """Write a burst and compare its answer; the model takes what was written."""
    await send_write(channels, burst)
    answer = await channels.b.recv()
    busy = channels.writes_met_busy[:]
    channels.writes_met_busy.clear()
    assert len(busy) == len(burst.beats)
    expected = model.write(burst.address, burst.beats, burst.strobes, busy)
    assert (int(answer.bid), int(answer.bresp)) == (burst.identity, expected), f"{burst.address}"
    return expected


async def check_read(channels: AxiChannels, model: AxiBanks, identity: int, where: Address) -> list[Response]:
    """Read a burst and compare all its beats."""
    await send_read(channels, identity, where)
    beats = [await channels.r.recv() for _ in range(where.length + 1)]
    busy = channels.reads_met_busy[:]
    channels.reads_met_busy.clear()
    expected = model.read(where, busy)
    assert [(int(b.rid), int(b.rdata), int(b.rresp), int(b.rlast)) for b in beats] == [
        (identity, int.from_bytes(data.tobytes(), "little"), answer, int(beat == where.length))
        for beat, (data, answer) in enumerate(expected)
    ], f"{where}"
    return [answer for _, answer in expected]


def whole(region: str) -> list[Address]:
    """Bursts of up to 256 beats over a whole bank."""
    beats = MEMORY.banks[region].bits // MEMORY.bus_bits
    start = region_address(region)
    return [
        Address(start + first * BEAT_BYTES, min(256, beats - first) - 1, FULL_SIZE)
        for first in range(0, beats, 256)
    ]


async def check_all(channels: AxiChannels, model: AxiBanks) -> None:
    """Read all banks."""
    for region in REGIONS:
        for where in whole(region):
            answers = await check_read(channels, model, 0, where)
            assert set(answers) == {Response.OKAY}


async def start(dut: HierarchyObject, rng: Random, stall: float = 0.0) -> tuple[AxiChannels, AxiBanks]:
    """Reset, and write all banks."""
    await reset(dut, PERIOD_NS)
    channels, model = AxiChannels(dut, rng, 0), AxiBanks(MEMORY)
    cocotb.start_soon(channels.watch())
    for region in REGIONS:
        for where in whole(region):
            answer = await check_write(channels, model, random_write(rng, region, where))
            assert answer == Response.OKAY
    channels.stall(rng, stall)
    return channels, model


async def random_bursts(channels: AxiChannels, model: AxiBanks, count: int, rng: Random) -> set[Response]:
    """Write one bank and read another at the same time, again and again; returns the answers met."""
    met = set()
    for _ in range(count):
        written, read = rng.sample(REGIONS, 2)
        reading = cocotb.start_soon(
            check_read(channels, model, rng.randrange(IDS), random_address(rng, read))
        )
        met.add(await check_write(channels, model, random_write(rng, written)))
        met.update(await reading)
    return met


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def bursts_of_every_kind(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    channels, model = await start(dut, rng)
    for stall in (0.0, 0.5, 0.2):
        channels.stall(rng, stall)
        met = await random_bursts(channels, model, 60, rng)
        assert met == {Response.OKAY, Response.SLVERR, Response.DECERR}
    await check_all(channels, model)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def a_beat_a_cycle(dut: HierarchyObject) -> None:
    """From the address to the last answer: n + 3 cycles for n beats, of which 1 is the manager's own."""
    rng = Random(cocotb.RANDOM_SEED)
    channels, model = await start(dut, rng)
    dut.axi__bready.value = dut.axi__rready.value = 1
    for region in REGIONS:
        where = whole(region)[0]
        await channels.cycles(2)
        begin = get_sim_time("ns")
        await check_write(channels, model, random_write(rng, region, where))
        written = get_sim_time("ns")
        await check_read(channels, model, 0, where)
        read = get_sim_time("ns")
        assert (round(written - begin), round(read - written)) == (
            PERIOD_NS * (where.length + 4),
            PERIOD_NS * (where.length + 4),
        )


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def bursts_without_a_gap(dut: HierarchyObject) -> None:
    """Addresses wait beside the data: from the first to the last answer every cycle has a beat."""
    rng = Random(cocotb.RANDOM_SEED)
    channels, model = await start(dut, rng)
    for longest in (1, 2, 9):
        bursts = []
        handshakes: dict[str, list[float]] = {"w": [], "r": []}
        for _ in range(12):
            region = rng.choice(REGIONS)
            fits = MEMORY.banks[region].bits // MEMORY.bus_bits
            length = rng.randint(1, min(longest, fits)) - 1
            address = region_address(region) + BEAT_BYTES * rng.randrange(fits - length)
            bursts.append(random_write(rng, region, Address(address, length, FULL_SIZE)))

        async def watch(handshakes: dict[str, list[float]] = handshakes) -> None:
            while True:
                await FallingEdge(dut.clk)
                for channel, times in handshakes.items():
                    valid, ready = (getattr(dut, f"axi__{channel}{end}") for end in ("valid", "ready"))
                    if valid.value and ready.value:
                        times.append(get_sim_time("ns"))

        watching = cocotb.start_soon(watch())
        for burst in bursts:
            await send_write(channels, burst)
        for burst in bursts:
            answer = await channels.b.recv()
            assert (int(answer.bid), int(answer.bresp)) == (burst.identity, Response.OKAY)
            assert model.write(burst.address, burst.beats, burst.strobes) == Response.OKAY
        for burst in bursts:
            await send_read(channels, burst.identity, burst.address)
        for burst in bursts:
            for data, _ in model.read(burst.address):
                answer = await channels.r.recv()
                assert int(answer.rdata) == int.from_bytes(data.tobytes(), "little")
        watching.cancel()
        channels.writes_met_busy.clear()
        channels.reads_met_busy.clear()
        beats = sum(len(burst.beats) for burst in bursts)
        for times in handshakes.values():
            assert len(times) == beats
            assert round(times[-1] - times[0]) == PERIOD_NS * (beats - 1)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def beats_that_meet_busy(dut: HierarchyObject) -> None:
    """Refused beat by beat, and a beat that waits keeps its data when others read the bank."""
    rng = Random(cocotb.RANDOM_SEED)
    channels, model = await start(dut, rng, 0.4)

    async def disturb() -> None:
        while True:
            dut.other_address.value = rng.getrandbits(len(dut.other_address))
            if rng.random() < 0.15:
                dut.busy.value = 1 - int(dut.busy.value)
            await RisingEdge(dut.clk)

    disturbance = cocotb.start_soon(disturb())
    mixed = 0
    for _ in range(60):
        region = rng.choice(REGIONS)
        where = whole(region)[0]
        await check_write(channels, model, random_write(rng, region, where))
        answers = await check_read(channels, model, 1, where)
        mixed += len(set(answers)) == 2
    assert mixed > 5, "bursts that busy has cut"
    disturbance.cancel()
    await RisingEdge(dut.clk)
    dut.busy.value = 1
    for region in REGIONS:
        where = whole(region)[0]
        assert await check_write(channels, model, random_write(rng, region, where)) == Response.SLVERR
        assert set(await check_read(channels, model, 2, where)) == {Response.SLVERR}
    dut.busy.value = 0
    await check_all(channels, model)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_reset_in_the_middle_of_bursts(dut: HierarchyObject) -> None:
    """The port is idle again, the banks keep what was written, and the next burst finds no trace of the last."""
    rng = Random(cocotb.RANDOM_SEED)
    channels, model = await start(dut, rng, 0.3)
    cut = 0
    for _ in range(25):
        region = max(REGIONS, key=lambda name: MEMORY.banks[name].bits)
        where = whole(region)[0]
        burst = random_write(rng, region, where)
        sending = cocotb.start_soon(send_write(channels, burst))
        await send_read(channels, 3, where)
        await channels.cycles(rng.randrange(2, 40))
        dut.rst.value = 1
        await channels.cycles(1)
        sending.cancel()
        await channels.cycles(1)
        assert not dut.axi__bvalid.value
        assert not dut.axi__rvalid.value
        taken = len(channels.writes_met_busy)
        cut += 0 < taken < len(burst.beats)
        model.write(where, burst.beats[:taken], burst.strobes[:taken])
        channels.clear()
        dut.rst.value = 0
        await channels.cycles(1)
        await random_bursts(channels, model, 2, rng)
    assert cut > 5, "bursts that a reset has cut"
    channels.stall(rng, 0)
    await check_all(channels, model)


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_manager_of_others(dut: HierarchyObject) -> None:
    """`cocotbext.axi`'s own manager cuts transfers of any bytes into bursts, several on their way at once."""
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut, PERIOD_NS)
    master = AxiMaster(AxiBus.from_prefix(dut, "axi_"), dut.clk, dut.rst)
    for channel in (master.write_if.aw_channel, master.write_if.w_channel, master.write_if.b_channel):
        channel.set_pause_generator(pauses(rng, 0.3))
    for channel in (master.read_if.ar_channel, master.read_if.r_channel):
        channel.set_pause_generator(pauses(rng, 0.3))
    for region in REGIONS:
        start_address, size = region_address(region), MEMORY.banks[region].size
        held = bytearray(rng.randbytes(size))
        assert (await master.write(start_address, bytes(held))).resp == Response.OKAY
        pieces = []
        for _ in range(8):
            first = rng.randrange(size)
            piece = rng.randbytes(rng.randint(1, size - first))
            held[first : first + len(piece)] = piece
            pieces.append(cocotb.start_soon(master.write(start_address + first, piece)))
        for piece_written in pieces:
            assert (await piece_written).resp == Response.OKAY
        reads = []
        for _ in range(8):
            first = rng.randrange(size)
            length = rng.randint(1, size - first)
            reads.append((first, length, cocotb.start_soon(master.read(start_address + first, length))))
        for first, length, reading in reads:
            answer = await reading
            assert (bytes(answer.data), answer.resp) == (bytes(held[first : first + length]), Response.OKAY)
        beyond = await master.read(start_address + REGION_BYTES // 2, 2 * BEAT_BYTES)
        assert beyond.resp == Response.DECERR
