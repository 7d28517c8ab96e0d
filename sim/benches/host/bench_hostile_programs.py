# amaranth: UnusedElaboratable=no
"""Bench of an `Accelerator` with programs of any words: each ends or can be ended at once, and leaves no trace.

The array's model ends the simulation at an illegal operation. After each program a network runs as ever, bit by bit,
cycle by cycle and counter by counter.
"""

import json
import os
from collections import Counter
from pathlib import Path

import cocotb
import numpy as np
from cocotb.handle import HierarchyObject
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiResp

from spinplane.machine.memory_map import region_address
from spinplane.machine.registers import Control, Error, Register

from .bus_cases import CASES_VARIABLE, load_cases
from .chip_driver import DESCRIPTOR_BYTES, Chip
from .hostile_cases import HOSTILE_VARIABLE, SEEN_FILE, Disturbance, HostileProgram, load_programs

NETWORK = load_cases(Path(os.environ[CASES_VARIABLE]))[0][0]
MACHINE = NETWORK.program.machine
PROGRAMS = load_programs(Path(os.environ[HOSTILE_VARIABLE]))
#: A program that is not done after so many cycles is aborted.
PATIENCE = 1500
#: Errors of a descriptor alone; of those that a layer meets while it runs, and of nothing else.
OF_DESCRIPTORS = {Error.KIND, Error.FIELD, Error.VERSION, Error.MACHINE, Error.NO_HEADER, Error.NO_END}
OF_LAYERS = {Error.ROW, Error.IMAGE_BANK, Error.KERNEL_BANK, Error.PARAMETER_BANK}
#: Beats of an access while a program runs.
ACCESS_BEATS = 8
#: Banks that only a host writes.
HELD = ("kernel", "parameters", "scales", "thresholds")

#: Error, descriptor and word at the end of a program.
End = tuple[Error, int, int]


@cocotb.test()
async def hostile_programs(dut: HierarchyObject) -> None:
    chip, seen = await Chip.begin(dut, MACHINE), Counter[str]()
    held = await fill_banks(chip)
    await chip.load(NETWORK)
    await chip.fill()
    for number, program in enumerate(PROGRAMS):
        address = region_address("program") + DESCRIPTOR_BYTES * program.first
        await chip.host.write(address, program.words.astype("<u4").view(np.uint8).reshape(-1))
        chip.host.stall(chip.rng, 0.5 * (program.disturbance is Disturbance.STALLS))
        ended = await disturbed(chip, program)
        chip.host.stall(chip.rng, 0.0)
        where = f"program {number}, {program.disturbance.name}"
        if ended is None:
            seen["resets"] += 1
        else:
            check(ended, program, where)
            seen[f"ends with {ended[0].name}"] += 1
        seen[f"disturbed by {program.disturbance.name.lower()}"] += 1
        await chip.runs_cold()
        seen["good runs afterwards"] += 1
        if ended is None:
            await (
                chip.fill()
            )  # a reset leaves a row unknown whose pulse it has cut: the network does without, others do not
    for region, (first, data) in held.items():
        found = await chip.host.read(region_address(region), chip.memory.banks[region].size)
        np.testing.assert_array_equal(found[first : first + len(data)], data, err_msg=region)
    seen.update(f"aborts that take {cycles} cycles" for cycles in chip.aborts)
    Path(SEEN_FILE).write_text(json.dumps(seen), encoding="utf-8")


async def fill_banks(chip: Chip) -> dict[str, tuple[int, np.ndarray]]:
    """Random bits in all banks but the program's; where they begin and what they are in the banks that stay."""
    own, held = NETWORK.program, {}
    used = (own.kernel_rows.size, own.parameters.size, own.scales.size, own.thresholds.size)
    for region, first in {"image": 0, **dict(zip(HELD, used, strict=True))}.items():
        size = chip.memory.banks[region].size
        data = np.frombuffer(chip.rng.randbytes(size), dtype=np.uint8)
        await chip.host.write(region_address(region), data)
        if region in HELD:
            held[region] = (first, data[first : size - free_bytes(chip, region)])
    return held


def free_bytes(chip: Chip, region: str) -> int:
    """Bytes at the end of a bank that the bench writes: some beats, and in the kernel bank what fills the array."""
    rows = MACHINE.rows * MACHINE.sub_arrays * MACHINE.columns // 8
    return max(ACCESS_BEATS * chip.memory.bus_bits // 8, rows * (region == "kernel"))


async def disturbed(chip: Chip, program: HostileProgram) -> End | None:
    """How a program ends, by itself or by an abort; None for one that a reset ends."""
    await chip.start(program.first)
    match program.disturbance:
        case Disturbance.RESET:
            await ClockCycles(chip.dut.clk, program.after)
            await chip.pulse_reset()
            assert not chip.dut.interrupt.value
            assert await chip.host.get(Register.STATUS) == await chip.host.get(Register.RESIDENT) == 0
            return None
        case Disturbance.ABORT:
            if not await chip.ends(program.after):
                return await chip.abort()
        case Disturbance.ACCESSES:
            await accesses(chip)
    return await chip.failure() if await chip.ends(PATIENCE) else await chip.abort()


async def accesses(chip: Chip) -> None:
    """Starts and accesses to banks, which nothing answers but with an error while the program runs."""
    host, beat = chip.host, chip.memory.bus_bits // 8
    start = (Control.START | Control.INTERRUPT_ENABLE).to_bytes(4, "little")
    for region in chip.rng.sample(HELD, 3):
        size = beat * chip.rng.randint(1, ACCESS_BEATS)
        address = region_address(region) + chip.memory.banks[region].size - size
        writing = cocotb.start_soon(host.banks.write(address, chip.rng.randbytes(size)))
        reading = cocotb.start_soon(host.banks.read(address, size))
        started = await host.registers.write(Register.CONTROL, start)
        written, read = await writing, await reading
        if started.resp == AxiResp.OKAY or chip.dut.interrupt.value:
            return  # it had ended, and may run once more
        assert written.resp == read.resp == started.resp == AxiResp.SLVERR
        assert not any(read.data)


def check(ended: End, program: HostileProgram, where: str) -> None:
    """The error is the one that descriptors are refused with, or one that a layer meets, or that of the abort."""
    judged = program.judgement
    error, descriptor, word = ended
    if error in OF_DESCRIPTORS or error is Error.NONE:
        assert ended == (judged.error, judged.descriptor, judged.word), f"{where}: {ended}, not {judged}"
    elif error is Error.ABORTED:
        assert program.first <= descriptor <= judged.descriptor, f"{where}: {ended}, beyond {judged}"
        assert word == 0
    else:
        assert error in OF_LAYERS
        of_operation = ended == (judged.error, judged.descriptor, 0)
        assert of_operation or descriptor in program.layers, f"{where}: {ended}, not of {program.layers}"
        assert word == 0
