# amaranth: UnusedElaboratable=no
"""Memory operations: the contract, the functional machine, the prediction and the RTL, alone and between passes."""

from dataclasses import replace

import numpy as np
import pytest
from accelerator_layers import FEW, fill_banks, program_of
from contract_interpreter import Interpreter
from memory_programs import (
    Descriptor,
    bank_steps,
    fill,
    functional,
    program_step,
    random_descriptors,
    random_operation,
    without_room,
)

from spinplane.behavioral import ArrayError
from spinplane.compiler.predict import predict_descriptors
from spinplane.hdl.export.machine_verilog import machine_verilog
from spinplane.machine import FaultMap, Machine, MemoryOperation, RowOperation, load_machine
from spinplane.machine.descriptor import Load
from spinplane.machine.registers import Error
from spinplane.sim.host_script import HostRead, HostReset, HostRun, Step
from spinplane.sim.script_run import play_script

TINY = load_machine("tiny")
MEMORY = replace(FEW, name="memory", memory_operations=True)
#: Pulses of several cycles, rows of four sub-arrays that take longer to store than to sense.
SLOW = replace(MEMORY, name="slow-memory", rows=40, sense_cycles=2, write_cycles=3)
OVERLAP = replace(TINY, name="tiny-overlap", write_overlap="same_array")
EXCLUSIVE = replace(MEMORY, name="exclusive", xor_sensing=True)
LIMIT = 100_000


def plain(descriptors: list[Descriptor], contract: Interpreter) -> None:
    """Run them through the loops of the contract; no kernels count as resident behind rows that are written."""
    for descriptor in descriptors:
        if isinstance(descriptor, MemoryOperation):
            contract.run_memory_operation(descriptor)
        else:
            contract.run_pass(descriptor, load=descriptor.load is not Load.NEVER)


@pytest.mark.parametrize("machine", [MEMORY, EXCLUSIVE], ids=lambda machine: machine.name)
@pytest.mark.parametrize("faulty", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_they_are_what_the_contract_says(seed: int, faulty: bool, machine: Machine) -> None:
    faults = some_faults(machine, seed) if faulty else None
    descriptors = random_descriptors(machine, seed, passes=3, operations=12)
    banks = fill_banks(machine, seed)
    accelerator, contract = (
        functional(machine, banks, faults=faults),
        Interpreter(machine, **banks, faults=faults),
    )
    words = program_of(machine, *descriptors)
    accelerator.program[: len(words)] = words
    run = accelerator.run()
    assert run.error is Error.NONE
    plain(descriptors, contract)
    np.testing.assert_array_equal(accelerator.state.image, contract.image)
    np.testing.assert_array_equal(accelerator.state.array.cells, contract.cells)
    counted = run.counters.as_dict()
    names = (
        "row_writes",
        "row_reads",
        "ands",
        "ors",
        "image_reads",
        "image_writes",
        "kernel_reads",
        "additions",
    )
    assert {name: counted[name] for name in names} == {name: contract.events[name] for name in names}
    assert run.layers == predict_descriptors(machine, descriptors, resident=False).passes


def some_faults(machine: Machine, seed: int) -> FaultMap:
    """Stuck cells, and amplifiers of all three operations that have drifted."""
    rng = np.random.default_rng(seed)
    sizes = [machine.sub_arrays, machine.rows, machine.columns]
    cells = np.unique(rng.integers(0, sizes, (400, 3)), axis=0)
    shape = (machine.sub_arrays, machine.columns)
    return FaultMap(
        sub_arrays=machine.sub_arrays,
        rows=machine.rows,
        columns=machine.columns,
        stuck=np.column_stack([cells, rng.integers(0, 2, len(cells))]),
        read_thresholds=rng.choice(3, shape, p=[0.05, 0.9, 0.05]),
        and_thresholds=rng.choice(4, shape, p=[0.02, 0.1, 0.8, 0.08]),
        or_thresholds=rng.choice(4, shape, p=[0.05, 0.85, 0.08, 0.02]),
    )


@pytest.mark.parametrize(
    ("machine", "simulator", "passes", "operations"),
    [
        (TINY, "verilator", 8, 30),
        pytest.param(OVERLAP, "verilator", 4, 20, marks=pytest.mark.thorough),
        pytest.param(SLOW, "icarus", 0, 40, marks=pytest.mark.thorough),
        (EXCLUSIVE, "icarus", 0, 40),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
@pytest.mark.parametrize("faulty", [False, True])
def test_the_rtl_gives_the_same_bits_events_and_cycles(
    machine: Machine, simulator: str, passes: int, operations: int, faulty: bool
) -> None:
    faults = some_faults(machine, 1) if faulty else None
    banks = fill_banks(machine, 0)
    accelerator = functional(machine, banks, faults=faults)
    steps, expected = bank_steps(banks), []
    image = HostRead(address=0, size=machine.image_words * machine.columns // 8)
    for seed in range(1 if faulty else 2):
        descriptors = random_descriptors(machine, seed, passes, operations)
        words = program_of(machine, *descriptors)
        accelerator.program[: len(words)] = words
        steps += [program_step(words), HostRun(program=0, descriptors=len(words), limit=LIMIT), image]
        run = accelerator.run()
        assert run.error is Error.NONE
        assert run.layers == predict_descriptors(machine, descriptors, resident=False).passes
        expected.append((run, accelerator.state.image.copy()))
    record = play_script(machine, steps, simulator=simulator, faults=faults).record
    for found, data, (run, bits) in zip(record.runs, record.reads, expected, strict=True):
        assert (found.error, found.counters, found.layers) == (Error.NONE, run.counters, run.layers)
        np.testing.assert_array_equal(np.unpackbits(data, bitorder="little"), bits)


CASES = {machine.name: without_room(machine) for machine in (TINY, SLOW)}


@pytest.mark.parametrize("name", CASES["tiny"])
def test_rows_and_words_that_do_not_exist(name: str) -> None:
    operation, error = CASES["tiny"][name]
    accelerator = functional(TINY, fill_banks(TINY, 0))
    words = program_of(TINY, fill(TINY), operation)
    accelerator.program[: len(words)] = words
    run = accelerator.run()
    assert (run.error, run.error_descriptor, run.error_word) == (error, 2, 0)
    assert accelerator.resident == 0


@pytest.mark.parametrize(
    ("machine", "simulator"),
    [(TINY, "verilator"), pytest.param(SLOW, "icarus", marks=pytest.mark.thorough)],
    ids=["tiny", "slow"],
)
def test_hostile_programs_and_resets_on_the_rtl(machine: Machine, simulator: str) -> None:
    """Each wrong operation ends with its error, each reset leaves a machine that works."""
    rng, banks = np.random.default_rng(5), fill_banks(machine, 0)
    good = program_of(machine, fill(machine), *(random_operation(machine, rng) for _ in range(12)))
    accelerator = functional(machine, banks)
    accelerator.program[: len(good)] = good
    expected = accelerator.run()
    at_the_end = HostRun(program=0, descriptors=len(good), limit=LIMIT)
    steps: list[Step] = [*bank_steps(banks), program_step(good), at_the_end]
    for operation, _ in CASES.get(machine.name, CASES["tiny"]).values():
        wrong = program_of(machine, fill(machine), operation)
        steps += [program_step(wrong), HostRun(program=0, descriptors=len(wrong), limit=LIMIT)]
        steps += [program_step(good), at_the_end]
    for after in rng.integers(100, expected.counters.cycles, 6).tolist():
        steps += [HostReset(program=0, after=after), at_the_end]
    record = play_script(machine, steps, simulator=simulator).record
    runs = iter(record.runs)
    assert next(runs).layers == expected.layers
    for name, (_, error) in CASES[machine.name].items():
        found = next(runs)
        assert (found.error, found.descriptor, found.word) == (error, 2, 0), name
        assert next(runs).layers == expected.layers, name
    for found in runs:
        assert (found.error, found.layers) == (Error.NONE, expected.layers)


@pytest.mark.thorough
def test_a_machine_without_them_has_nothing_of_them() -> None:
    modules = machine_verilog(replace(TINY, memory_operations=False))
    assert set(machine_verilog(TINY)) - set(modules) == {"reference_select", "row_store", "sense_walk"}
    assert not {name for name, text in modules.items() if "write_back" in text}


def test_a_machine_without_them_is_asked_for_one() -> None:
    without = replace(TINY, name="without", memory_operations=False)
    accelerator = functional(without, fill_banks(without, 0))
    words = program_of(without, fill(without))
    accelerator.program[: len(words)] = words
    run = accelerator.run()
    assert (run.error, run.error_descriptor, run.error_word) == (Error.KIND, 1, 0)


@pytest.mark.parametrize("kind", list(RowOperation))
@pytest.mark.parametrize("write_back", [False, True])
def test_rows_that_are_written_leave_no_kernels_resident(kind: RowOperation, write_back: bool) -> None:
    layers = random_descriptors(EXCLUSIVE, 3, passes=1, operations=0)
    operation = MemoryOperation(machine=EXCLUSIVE, operation=kind, row_b=1, row_d=2)
    if kind is not RowOperation.WRITE:
        operation = replace(operation, write_back=write_back)
    layer = replace(layers[-1], load=Load.UNLESS_RESIDENT)  # type: ignore[type-var]
    accelerator = functional(EXCLUSIVE, fill_banks(EXCLUSIVE, 3))

    def kernel_reads(*descriptors: Descriptor) -> list[int]:
        words = program_of(EXCLUSIVE, *descriptors, tag=7)
        accelerator.program[: len(words)] = words
        run = accelerator.run()
        assert run.error is Error.NONE
        return [counters.kernel_reads for counters in run.layers[1:-1]]

    words = layer.load_rows * layer.load_sub_arrays  # type: ignore[union-attr]
    assert kernel_reads(fill(EXCLUSIVE), layer)[1] == words
    assert accelerator.resident == 0
    assert kernel_reads(layer, layer) == [words, words]
    assert accelerator.resident == 7
    assert kernel_reads(layer) == [0]
    kept = not operation.writes_rows
    assert kernel_reads(layer, operation, layer)[::2] == [0, 0 if kept else words]
    assert accelerator.resident == (7 if kept else 0)
    assert kernel_reads(layer) == [0 if kept else words]


def test_cells_that_nobody_has_written_are_refused() -> None:
    accelerator = functional(TINY, fill_banks(TINY, 0))
    words = program_of(TINY, MemoryOperation(machine=TINY, operation=RowOperation.READ, row_a=5))
    accelerator.program[: len(words)] = words
    with pytest.raises(ArrayError, match=r"^EN_M senses an unknown cell: sub-array 0, row 5, column 0"):
        accelerator.run()
