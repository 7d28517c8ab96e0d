# amaranth: UnusedElaboratable=no
"""Bench of `LayerController` with memory operations: which are refused, and what becomes of resident kernels."""

from random import Random

import cocotb
from cocotb.handle import HierarchyObject

from spinplane.machine.codec import raw_words
from spinplane.machine.descriptor import DESCRIPTOR_FIELDS, MEMORY_WORDS, Kind, Load
from spinplane.machine.registers import Error

from ...streams import reset
from .bench_layer_controller import (
    MACHINE,
    Held,
    Surroundings,
    end,
    expect_refusal,
    expect_success,
    header,
    random_layer,
    refusal,
)

#: Words ``operation`` of a READ that is stored, an OR that is written back, and a WRITE.
READS, WRITES_BACK, WRITES = 0b10001, 0b01011, 0b00000


def random_operation(rng: Random, operation: int) -> Held:
    """Any values in the words that a memory operation does not look at."""
    values = {field.name: rng.choice((field.smallest, field.largest, 0)) for field in DESCRIPTOR_FIELDS}
    first, last = sorted(rng.randrange(MACHINE.sub_arrays) for _ in range(2))
    where = {MEMORY_WORDS["first_sub_array"]: first, MEMORY_WORDS["last_sub_array"]: last}
    return values | where | {"kind": Kind.MEMORY.value, "operation": operation}


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def the_first_of_several_refusals(dut: HierarchyObject) -> None:
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    around, met = Surroundings(dut), set()
    for _ in range(40):
        operation = random_operation(rng, rng.randrange(32))
        for name in ("first_sub_array", "last_sub_array"):
            if rng.random() < 0.3:
                operation[MEMORY_WORDS[name]] = rng.randrange(MACHINE.sub_arrays + 2)
        words = raw_words(**operation)
        error, word = refusal(words, is_first=False)
        met.add((error, word))
        around.load([header(1), words, end()])
        found = await around.run([1])
        if error is Error.NONE:
            expect_success(found, [operation], [1], 0, [found.starts[0][2]])
        else:
            expect_refusal(found, error, word, 1)
    assert len(met) == 4


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def rows_that_are_written_leave_no_kernels_resident(dut: HierarchyObject) -> None:
    """Neither for the layers behind them nor for the next program of that tag."""
    rng = Random(cocotb.RANDOM_SEED)
    await reset(dut)
    around = Surroundings(dut)
    layer = random_layer(rng) | {"load": Load.UNLESS_RESIDENT.value}
    resident = 0
    for operation in (READS, READS, WRITES_BACK, READS, READS, WRITES, READS):
        held = [layer, random_operation(rng, operation), layer]
        around.load([header(9), *(raw_words(**one) for one in held), end()])
        found = await around.run([2])
        before, _, after = (load for _, _, load in found.starts)
        assert before == (resident != 9)
        assert after == (resident != 9 or operation != READS)
        expect_success(found, held, [2], 0, [load for _, _, load in found.starts])
        resident = 9 if operation == READS else 0
        assert found.resident == resident
