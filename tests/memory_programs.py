"""Random memory operations, alone and between passes, and programs of them on the RTL."""

import numpy as np
from accelerator_layers import program_of, random_pass

from spinplane.behavioral.accelerator import Accelerator
from spinplane.machine import Machine, MemoryOperation, RowOperation, SpinplaneError
from spinplane.machine.memory_map import region_address
from spinplane.machine.memory_operation import row_operations
from spinplane.machine.passes import Pass
from spinplane.machine.registers import Error
from spinplane.sim.host_script import HostWrite, Step

Descriptor = Pass | MemoryOperation


def fill(machine: Machine) -> MemoryOperation:
    """Write all rows of all sub-arrays."""
    return MemoryOperation(
        machine=machine,
        operation=RowOperation.WRITE,
        rows=machine.rows,
        last_sub_array=machine.sub_arrays - 1,
    )


def random_operation(machine: Machine, rng: np.random.Generator) -> MemoryOperation:
    """One that no error ends."""
    kinds = row_operations(machine)
    kind, rows = kinds[rng.integers(len(kinds))], int(rng.integers(1, 6))
    first, last = sorted(rng.integers(0, machine.sub_arrays, 2).tolist())
    row_a, row_b = rng.choice(machine.rows - rows, 2, replace=False).tolist()
    senses = kind is not RowOperation.WRITE
    return MemoryOperation(
        machine=machine,
        operation=kind,
        rows=rows,
        row_a=row_a,
        row_b=row_b,
        row_d=int(rng.integers(machine.rows - rows)),
        first_sub_array=first,
        last_sub_array=last,
        kernel_word=int(rng.integers(machine.kernel_words - rows - 1)),
        masked=bool(rng.integers(2)),
        write_back=senses and bool(rng.integers(2)),
        store=senses and bool(rng.integers(2)),
        image_word=int(rng.integers(machine.image_words - rows * machine.sub_arrays)),
    )


def random_descriptors(machine: Machine, seed: int, passes: int, operations: int) -> list[Descriptor]:
    """All rows written, then passes and memory operations in any order."""
    rng = np.random.default_rng(seed)
    found: list[Descriptor] = [random_operation(machine, rng) for _ in range(operations)]
    while passes:
        drawn = _drawn_pass(machine, int(rng.integers(1 << 30)))
        if drawn is not None:
            found.insert(int(rng.integers(len(found) + 1)), drawn)
            passes -= 1
    return [fill(machine), *found]


def _drawn_pass(machine: Machine, seed: int) -> Pass | None:
    """A pass that the machine can run, and whose results fill their beats, or None."""
    # Of the clusters that `random_pass` knows, the first three are at most two sub-arrays.
    clusters = {} if machine.row_buses >= 4 else {"clusters": seed % 3}
    drawn = random_pass(machine, seed, **clusters)
    if any(part * drawn.slots % drawn.lanes for part in (drawn.sub_arrays, drawn.last_sub_arrays)):
        return None
    words = program_of(machine, fill(machine), drawn)
    accelerator = Accelerator(machine)
    accelerator.program[: len(words)] = words
    try:
        return drawn if accelerator.run().error is Error.NONE else None
    except SpinplaneError:
        return None


def without_room(machine: Machine) -> dict[str, tuple[MemoryOperation, Error]]:
    """Operations that meet a row or a word that does not exist, at once or after some steps, and what they end with."""
    last, steps = machine.rows - 1, {"rows": 4}
    some = {"row_a": 1, "row_b": 2, "row_d": 9}
    write, both = RowOperation.WRITE, RowOperation.AND
    image, kernel = machine.image_words, machine.kernel_words
    cases = {
        "row_a": (Error.ROW, {"operation": RowOperation.READ, "row_a": last - 2}),
        "row_b": (Error.ROW, {"operation": RowOperation.OR, "row_a": 3, "row_b": last - 1}),
        "row_d": (Error.ROW, {"operation": both, "row_d": last, "write_back": True}),
        "row_written": (Error.ROW, {"operation": write, "row_d": 4095}),
        "with_itself": (Error.ROW, {"operation": both, "row_a": 7, "row_b": 7}),
        "word": (Error.KERNEL_BANK, {"operation": write, "kernel_word": kernel - 3}),
        "mask": (Error.KERNEL_BANK, {"operation": both, "masked": True, "kernel_word": kernel}),
        "word_behind_mask": (
            Error.KERNEL_BANK,
            {"operation": write, "masked": True, "kernel_word": kernel - 4},
        ),
        "stored": (Error.IMAGE_BANK, {"operation": both, "store": True, "image_word": image - 5}),
        "stored_far_away": (Error.IMAGE_BANK, {"operation": both, "store": True, "image_word": 2**32 - 1}),
        "row_before_image": (Error.ROW, {"operation": both, "store": True, "image_word": image, "row_a": 2}),
        "mask_before_row": (
            Error.KERNEL_BANK,
            {"operation": write, "masked": True, "kernel_word": 2**24 - 1, "row_d": 4095},
        ),
    }
    where = {"first_sub_array": 0, "last_sub_array": 1}
    return {
        name: (MemoryOperation(machine=machine, **{**steps, **where, **some, **numbers}), error)  # type: ignore[arg-type]
        for name, (error, numbers) in cases.items()
    }


def functional(machine: Machine, banks: dict[str, np.ndarray], **options: object) -> Accelerator:
    """The functional machine with these banks."""
    accelerator = Accelerator(machine, **options)  # type: ignore[arg-type]
    for name, bank in banks.items():
        getattr(accelerator.state, name)[:] = bank
    return accelerator


def bank_steps(banks: dict[str, np.ndarray]) -> list[Step]:
    """Writes of all banks."""
    return [
        HostWrite(
            address=region_address(name),
            data=np.packbits(bank, bitorder="little") if name == "image" else bank.reshape(-1),
        )
        for name, bank in banks.items()
    ]


def program_step(words: np.ndarray) -> HostWrite:
    return HostWrite(address=region_address("program"), data=words.astype("<u4").view(np.uint8).reshape(-1))
