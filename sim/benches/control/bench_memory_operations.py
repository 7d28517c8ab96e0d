# amaranth: UnusedElaboratable=no
"""Bench of `Sequencer` with memory operations: commands, rows, columns, cycles and refusals."""

from dataclasses import replace
from random import Random

import cocotb
from cocotb.handle import HierarchyObject

from spinplane.behavioral.control.memory_operation import memory_error
from spinplane.machine import OP_FIELDS, MemoryOperation, Op, RowOperation
from spinplane.machine.codec import encode
from spinplane.machine.memory_operation import row_operations
from spinplane.machine.registers import Error
from spinplane.machine.timing import COMMAND_CYCLES, KERNEL_CYCLES, LAUNCH_CYCLES, memory_time

from ...packing import pack_descriptor
from ...streams import reset
from .bench_sequencer import MACHINE, Fields, Surroundings, kernel_word, reset_again

ALL_COLUMNS = (1 << MACHINE.columns) - 1


def random_operation(rng: Random) -> MemoryOperation:
    """Of any kind; some of them meet a row or a word that does not exist."""
    kind, rows = rng.choice(row_operations(MACHINE)), rng.randint(1, 6)
    first, last = sorted(rng.randrange(MACHINE.sub_arrays) for _ in range(2))
    senses = kind is not RowOperation.WRITE

    def some(end: int) -> int:
        return rng.randint(end - rows - 1, end) if rng.random() < 0.08 else rng.randrange(end - rows)

    return MemoryOperation(
        machine=MACHINE,
        operation=kind,
        rows=rows,
        **{name: some(MACHINE.rows) for name in ("row_a", "row_b", "row_d")},
        first_sub_array=first,
        last_sub_array=last,
        kernel_word=some(MACHINE.kernel_words),
        masked=rng.random() < 0.5,
        write_back=senses and rng.random() < 0.5,
        store=senses and rng.random() < 0.5,
        image_word=some(MACHINE.image_words),
    )


def commands(operation: MemoryOperation) -> list[Fields]:
    """What each step sends, without the fields that its operation ignores."""
    op = Op[operation.operation.name]
    where = {
        "op": op.value,
        "first": operation.first_sub_array,
        "last": operation.last_sub_array,
        "log_clusters": 0,
    }
    steps = []
    for step in range(operation.rows):
        rows = {name: getattr(operation, name) + step for name in OP_FIELDS[op] & {"row_a", "row_b", "row_d"}}
        steps.append(where | rows)
        if op is not Op.WRITE:
            steps[-1]["write_back"] = int(operation.write_back)
            if not operation.write_back:
                del steps[-1]["row_d"]
    return steps


async def run_operation(dut: HierarchyObject, operation: MemoryOperation, rng: Random, stall: float) -> Error:
    """Run an operation and compare it with its golden model; returns what it was refused for."""
    around, error = Surroundings(dut, rng, 0, stall), memory_error(operation)
    dut.layer.value = pack_descriptor(encode(operation))
    dut.start.value = 1
    await around.step()
    dut.start.value = 0
    await around.step()
    while around.busy_cycles[-1] == around.cycle - 1 and not around.error:
        await around.step()
    for _ in range(40):
        await around.step()
    assert around.error == error
    expected = commands(operation)
    assert [
        {name: command[name] for name in wanted}
        for wanted, (_, command) in zip(expected, around.accepted, strict=False)
    ] == expected[: len(around.accepted)]
    if error is not Error.NONE:
        assert len(around.accepted) < len(expected)
        return error
    assert len(around.accepted) == len(expected)
    mask = kernel_word(operation.kernel_word) if operation.masked else ALL_COLUMNS
    assert dut.columns.value.to_unsigned() == mask
    if operation.operation is RowOperation.WRITE:
        first = operation.kernel_word + operation.masked
        words = [kernel_word(first + step) for step in range(operation.rows)]
        assert around.written == [[word] * MACHINE.row_buses for word in words]
    assert around.kernel_reads == operation.kernel_words
    if not stall:
        check_cycles(operation, around)
    return error


def check_cycles(operation: MemoryOperation, around: Surroundings) -> None:
    """The first command comes when it can, the others as far apart as the contract says."""
    writes = operation.operation is RowOperation.WRITE
    first = LAUNCH_CYCLES + KERNEL_CYCLES * (operation.masked + writes)
    apart = memory_time(replace(operation, rows=2)).cycles - memory_time(replace(operation, rows=1)).cycles
    assert [cycle for cycle, _ in around.accepted] == [first + apart * step for step in range(operation.rows)]
    assert around.stalled == memory_time(operation).stalled
    array = around.accepted[-1][0] + COMMAND_CYCLES
    array += MACHINE.write_cycles if writes else MACHINE.sense_cycles
    assert array <= memory_time(operation).cycles


async def run_operations(dut: HierarchyObject, count: int, stall: float) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    endings = dict.fromkeys((Error.NONE, Error.ROW, Error.KERNEL_BANK, Error.IMAGE_BANK), 0)
    while endings[Error.NONE] < count or not all(endings.values()):
        error = await run_operation(dut, random_operation(rng), rng, stall)
        endings[error] += 1
        if error is not Error.NONE:
            await reset_again(dut)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def every_step_in_the_first_cycle_that_is_allowed(dut: HierarchyObject) -> None:
    await run_operations(dut, 40, 0)


@cocotb.test(timeout_time=10, timeout_unit="ms")
async def an_engine_that_waits(dut: HierarchyObject) -> None:
    await run_operations(dut, 20, 0.5)
