# amaranth: UnusedElaboratable=no
"""Bench of an `Accelerator` as a block of a hostile chip: stalls, wrong accesses, resets, aborts, wrong programs.

After each of them a network runs as ever, bit by bit and counter by counter.
"""

import os
from itertools import pairwise
from pathlib import Path
from random import Random

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiBurstType, AxiResp

from spinplane.machine.descriptor import FIELD_INDEX
from spinplane.machine.memory_map import REGION_BYTES, REGIONS, MemoryMap, region_address
from spinplane.machine.registers import (
    LOG_BASE,
    LOG_STRIDE,
    Control,
    Error,
    Register,
    Status,
    counter_address,
    log_address,
)

from .bus_cases import CASES_VARIABLE, load_cases
from .chip_driver import Chip

NETWORKS, WRONG_WORDS = load_cases(Path(os.environ[CASES_VARIABLE]))
MACHINE = NETWORKS[0].program.machine
MEMORY = MemoryMap.of(MACHINE)
BEAT_BYTES = MEMORY.bus_bits // 8


@cocotb.test()
async def stalls_on_every_channel(dut: HierarchyObject) -> None:
    """While the registers are read all the time."""
    chip = await Chip.begin(dut, MACHINE)

    async def look() -> None:
        while True:
            await chip.host.get(chip.rng.choice((Register.STATUS, Register.DESCRIPTOR, Register.ERROR)))

    for case, stall in zip(NETWORKS, (0.2, 0.7), strict=True):
        chip.host.stall(chip.rng, stall)
        await chip.load(case)
        await chip.runs_cold()
        looking = cocotb.start_soon(look())
        await chip.runs(chip.loaded.steady)
        looking.cancel()


@cocotb.test()
async def programs_change_places(dut: HierarchyObject) -> None:
    """Another network takes the kernels' rows; the same one finds them."""
    chip = await Chip.begin(dut, MACHINE)
    first, second = NETWORKS[:2]
    for case in (first, second, first, first, second):
        record = case.steady if case is chip.at_hand else case.cold
        await chip.load(case)
        await chip.runs(record)
        await chip.runs(case.steady)
        assert await chip.host.get(Register.RESIDENT) == int(case.program.descriptors[0, FIELD_INDEX["tag"]])


@cocotb.test()
async def interrupts(dut: HierarchyObject) -> None:
    """Told only if that is enabled, then or later, until ``DONE`` is cleared by a 1 or by the next start."""
    chip = await Chip.begin(dut, MACHINE)
    host, registers = chip.host, dut.interrupt
    await chip.load(NETWORKS[0])
    await chip.write_input()
    await host.put(Register.CONTROL, Control.START)
    seen = False
    while await host.get(Register.STATUS) & Status.BUSY:
        seen |= bool(registers.value)
    assert not seen
    assert await host.get(Register.STATUS) == Status.DONE
    assert not registers.value
    await host.put(Register.CONTROL, Control.INTERRUPT_ENABLE)
    assert await host.get(Register.CONTROL) == Control.INTERRUPT_ENABLE
    assert registers.value
    await host.put(Register.STATUS, Status.BUSY | Status.FAILED)
    assert registers.value, "only DONE is cleared, and only by a 1"
    await host.put(Register.CONTROL, 0)
    assert not registers.value
    await host.put(Register.CONTROL, Control.INTERRUPT_ENABLE)
    await host.put(Register.STATUS, Status.DONE)
    assert not registers.value
    await chip.has_outputs()
    await chip.runs_cold()
    await chip.start()
    assert await chip.ends(4 * chip.loaded.cold.counters.cycles)
    await chip.start()
    assert not registers.value, "a start clears DONE"
    await chip.abort()


@cocotb.test()
async def addresses_of_nothing(dut: HierarchyObject) -> None:
    """Answered with an error, with zeros, and without effect; the next access finds no trace."""
    chip = await Chip.begin(dut, MACHINE, 0.2)
    host = chip.host
    await chip.load(NETWORKS[0])
    for number, region in enumerate(REGIONS):
        end = region_address(region) + MEMORY.banks[region].size
        held = await host.read(end - 2 * BEAT_BYTES, 2 * BEAT_BYTES)
        junk = chip.rng.randbytes(4 * BEAT_BYTES)
        for address, size in ((end, 4 * BEAT_BYTES), (region_address(region) + REGION_BYTES - 8, 8)):
            assert (await host.banks.write(address, junk[:size])).resp == AxiResp.DECERR, region
            answer = await host.banks.read(address, size)
            assert (answer.resp, answer.data) == (AxiResp.DECERR, bytes(size)), region
        across = await host.banks.read(end - 2 * BEAT_BYTES, 4 * BEAT_BYTES)
        assert across.resp == AxiResp.DECERR
        assert across.data == held.tobytes() + bytes(2 * BEAT_BYTES)
        across = await host.banks.write(end - 2 * BEAT_BYTES, junk)
        assert across.resp == AxiResp.DECERR
        assert (await host.read(end - 2 * BEAT_BYTES, 2 * BEAT_BYTES)).tobytes() == junk[: 2 * BEAT_BYTES]
        await host.write(end - 2 * BEAT_BYTES, held)
        start = region_address(region)
        held = await host.read(start, 4 * BEAT_BYTES)
        refused = AxiBurstType.FIXED if number % 2 else AxiBurstType.WRAP
        assert (await host.banks.write(start, junk, burst=refused)).resp == AxiResp.SLVERR
        assert (await host.banks.write(start, junk, size=0)).resp == AxiResp.SLVERR
        assert (await host.banks.read(start, 4 * BEAT_BYTES, burst=refused)).resp == AxiResp.SLVERR
        assert (await host.read(start, 4 * BEAT_BYTES) == held).all()
    for address in (len(REGIONS) * REGION_BYTES, 0xFFFF_FFF8):
        assert (await host.banks.write(address, bytes(8))).resp == AxiResp.DECERR
        assert (await host.banks.read(address, 8)).resp == AxiResp.DECERR

    counters, log = max(map(counter_address, chip.loaded.cold.counters.as_dict())), LOG_BASE
    nothing = [max(Register) + 4, counters + 8, log - 4, log + LOG_STRIDE - 4, 0xFFFF_FFFC]
    nothing.append(LOG_BASE + LOG_STRIDE * MACHINE.descriptors)
    for address in nothing:
        assert (await host.registers.write(address, b"\xff" * 4)).resp == AxiResp.DECERR, f"{address:#x}"
        answer = await host.registers.read(address, 4)
        assert (answer.resp, answer.data) == (AxiResp.DECERR, bytes(4)), f"{address:#x}"
    fixed: list[int] = [Register.ID, Register.VERSION, Register.MACHINE, Register.ERROR, Register.DESCRIPTOR]
    fixed += [Register.RESIDENT, counter_address("cycles"), log_address(1, "ands") + 4]
    for address in fixed:
        value = await host.get(address)
        assert (await host.registers.write(address, b"\xff" * 4)).resp == AxiResp.SLVERR, f"{address:#x}"
        assert await host.get(address) == value
    assert (await host.registers.write(Register.CONTROL, b"\x01")).resp == AxiResp.SLVERR
    assert (await host.registers.write(Register.PROGRAM, b"\x00\x00\x01\x00")).resp == AxiResp.SLVERR
    assert await host.get(Register.STATUS) == 0
    await chip.runs_cold()


@cocotb.test()
async def accesses_while_busy(dut: HierarchyObject) -> None:
    """No bank can be read or written, no other program started; the run takes no notice."""
    chip = await Chip.begin(dut, MACHINE)
    host, met = chip.host, {"banks": 0, "registers": 0}
    await chip.load(NETWORKS[1])
    await chip.runs_cold()

    async def disturb_banks() -> None:
        while True:
            region = chip.rng.choice(REGIONS)
            address = region_address(region) + BEAT_BYTES * chip.rng.randrange(64)
            size = BEAT_BYTES * chip.rng.randint(1, 8)
            writing = cocotb.start_soon(host.banks.write(address, chip.rng.randbytes(size)))
            answer = await host.banks.read(address, size)
            written = await writing
            if dut_is_busy():
                assert (answer.resp, answer.data) == (AxiResp.SLVERR, bytes(size))
                assert written.resp == AxiResp.SLVERR
                met["banks"] += 1

    async def disturb_registers() -> None:
        while True:
            answers = [
                await host.registers.write(Register.CONTROL, (Control.START | 2).to_bytes(4, "little")),
                await host.registers.write(Register.PROGRAM, (7).to_bytes(4, "little")),
            ]
            if dut_is_busy():
                assert [answer.resp for answer in answers] == [AxiResp.SLVERR] * 2
                met["registers"] += 1

    def dut_is_busy() -> bool:
        return not dut.interrupt.value

    for record in (chip.loaded.steady, chip.loaded.steady):
        await chip.write_input()
        before = await host.counters(counter_address)
        await chip.start()
        disturbing = [cocotb.start_soon(disturb_banks()), cocotb.start_soon(disturb_registers())]
        # The last accesses end before the run does: what they met afterwards would be an answer of idle banks.
        await ClockCycles(dut.clk, record.counters.cycles - 120)
        for task in disturbing:
            task.cancel()
        assert await chip.ends(200)
        after = await host.counters(counter_address)
        assert {name: after[name] - before[name] for name in after} == record.counters.as_dict()
        assert await chip.failure() == (Error.NONE, len(chip.loaded.program.descriptors) - 1, 0)
        await chip.has_outputs()
    assert min(met.values()) > 10
    assert await host.get(Register.PROGRAM) == 0
    await chip.runs(chip.loaded.steady)


@cocotb.test()
async def resets_at_any_time(dut: HierarchyObject) -> None:
    """No pulse is cut, the banks keep their contents, the buses are there at once, and kernels count as lost."""
    chip = await Chip.begin(dut, MACHINE)
    host, width = chip.host, MACHINE.columns // 8
    await chip.load(NETWORKS[0])
    unused = region_address("kernel") + MEMORY.kernel.size - 128 * BEAT_BYTES
    guard_address = region_address("image") + MEMORY.image.size - 2 * width
    cycles = chip.loaded.cold.counters.cycles
    for at in _spread(chip.rng, cycles, _times(cycles)):
        await chip.write_input()
        guard = np.frombuffer(chip.rng.randbytes(2 * width), dtype=np.uint8)
        await host.write(guard_address, guard)
        # The bus keeps the place after the last beat: that of the second word.
        await host.write(guard_address, guard[:width])
        await chip.start()
        await ClockCycles(dut.clk, at)
        accesses = []
        if chip.rng.random() < 0.5:
            accesses = [
                cocotb.start_soon(host.banks.write(unused, bytes(128 * BEAT_BYTES))),
                cocotb.start_soon(host.banks.read(region_address("kernel"), 64 * BEAT_BYTES)),
                cocotb.start_soon(host.registers.read(Register.STATUS, 4)),
            ]
            await ClockCycles(dut.clk, chip.rng.randrange(1, 12))
        await chip.pulse_reset()
        for access in accesses:
            access.cancel()
        await host.put(Register.CONTROL, Control.START | Control.INTERRUPT_ENABLE)
        assert await chip.ends(4 * cycles), f"no end after a reset {at} cycles after the start"
        failure = await chip.failure()
        assert failure == (Error.NONE, len(chip.loaded.program.descriptors) - 1, 0), f"{at}: {failure}"
        await chip.has_outputs()
        assert (await host.read(guard_address, 2 * width) == guard).all(), f"reset after {at} cycles"
        await chip.pulse_reset()
        assert await host.get(Register.RESIDENT) == await host.get(Register.STATUS) == 0
        await chip.runs(chip.loaded.cold)


@cocotb.test()
async def aborts_at_any_time(dut: HierarchyObject) -> None:
    chip = await Chip.begin(dut, MACHINE)
    await chip.load(NETWORKS[0])
    await chip.host.put(Register.CONTROL, Control.ABORT)
    assert await chip.host.get(Register.STATUS) == 0, "an abort without a program does nothing"
    cycles = chip.loaded.steady.counters.cycles
    descriptors = len(chip.loaded.program.descriptors)
    # Some of them find their kernels, the others load them.
    for number, at in enumerate(_spread(chip.rng, cycles - 10, _times(cycles))):
        await chip.write_input()
        await chip.start()
        await ClockCycles(dut.clk, at)
        error, descriptor, word = await chip.abort()
        assert (error, word) == (Error.ABORTED, 0), f"abort {at} cycles after the start"
        assert 0 <= descriptor < descriptors
        if number % 2:
            await chip.runs(chip.loaded.cold)
    await chip.start()
    assert await chip.ends(4 * cycles)
    await chip.host.put(Register.CONTROL, Control.ABORT | Control.INTERRUPT_ENABLE)
    assert await chip.failure() == (Error.NONE, descriptors - 1, 0), "an abort after the end"


@cocotb.test()
async def programs_without_a_header_or_an_end(dut: HierarchyObject) -> None:
    chip = await Chip.begin(dut, MACHINE)
    await chip.load(NETWORKS[0])
    last = MACHINE.descriptors - 1
    for index, word in enumerate(NETWORKS[0].program.descriptors[0, :4].tolist()):
        await chip.put_word(last, index, word)
    wrong = {
        1: (Error.NO_HEADER, 1, 0),
        last: (Error.NO_END, last + 1, 0),
        last + 1: (Error.NO_END, last + 1, 0),
        0xFFFF: (Error.NO_END, 0xFFFF, 0),
    }
    for number, expected in wrong.items():
        await chip.start(number)
        assert await chip.ends(1000)
        assert await chip.failure() == expected
        await chip.runs_cold()


@cocotb.test()
async def wrong_words(dut: HierarchyObject) -> None:
    """Whatever a program asks for, it ends or can be ended, and tells what a descriptor alone is refused for."""
    chip = await Chip.begin(dut, MACHINE)
    await chip.load(NETWORKS[0])
    await chip.fill()
    assert WRONG_WORDS
    met = set()
    for number, wrong in enumerate(WRONG_WORDS):
        case = NETWORKS[wrong.network]
        if case is not chip.at_hand:
            await chip.load(case)
        await chip.write_input()
        await chip.put_word(wrong.descriptor, wrong.word, wrong.value)
        await chip.start()
        if await chip.ends(2 * case.cold.counters.cycles):
            failure = await chip.failure()
        else:
            failure = await chip.abort()
        met.add(failure[0])
        expected = (wrong.error, wrong.error_descriptor, wrong.error_word)
        if wrong.error >= 0:
            assert failure == expected, f"{wrong}: {failure}"
        else:
            assert failure[0] in (Error.NONE, Error.ABORTED) or failure[0] >= Error.ROW, f"{wrong}: {failure}"
        original = int(case.program.descriptors[wrong.descriptor, wrong.word])
        await chip.put_word(wrong.descriptor, wrong.word, original)
        if number % 4 == 3 or wrong is WRONG_WORDS[-1]:
            await chip.runs_cold()
    cocotb.log.info("errors met: %s", sorted(met))


def _times(cycles: int) -> int:
    """How often a run of so many cycles is disturbed: less often where that takes long."""
    return max(4, min(24, 12_000 // cycles))


def _spread(rng: Random, end: int, count: int) -> list[int]:
    """A random number in each of `count` equal parts up to `end`, in random order."""
    limits = [end * part // count for part in range(count + 1)]
    chosen = [rng.randint(low, max(low, high - 1)) for low, high in pairwise(limits)]
    rng.shuffle(chosen)
    return chosen
