"""The array as a memory that computes: rows written, read, ANDed, ORed and XORed by the accelerator of a machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spinplane.behavioral import Accelerator
from spinplane.behavioral.control.memory_operation import memory_error
from spinplane.device.technology import Technology
from spinplane.machine import (
    AcceleratorCounters,
    FaultMap,
    Machine,
    MachineClock,
    MemoryOperation,
    RowOperation,
    SpinplaneError,
    load_machine,
)
from spinplane.machine.memory_operation import row_operations
from spinplane.machine.registers import Error
from spinplane.machine.reporting.brief import brief
from spinplane.machine.reporting.records import Record, record_of
from spinplane.machine.reporting.shown import Shown
from spinplane.sim import BenchFailure
from spinplane.sim.memory_program import MemoryProgram, run_memory_program

from ..arguments import as_fault_map
from .clock import clock_of, time_us
from .simulators import usable_simulator

#: What stands for the functional machine where a simulator is asked for.
FUNCTIONAL = "functional"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RowCommand:
    """An operation on consecutive rows; made by `write_rows`, `read_rows`, `and_rows`, `or_rows` and `xor_rows`.

    Parameters
    ----------
    operation : RowOperation
    rows : int
    row_a, row_b : int
        First rows to sense.
    to : int or None
        First row to write.
    bits : ndarray of shape (rows, columns), uint8, or None
        What is written.
    read : bool
        Whether the host gets what is sensed.
    sub_arrays : range or None
        Those that take part; all if None.
    columns : ndarray of shape (columns,), uint8, or None
        1 in those that take part; all if None.
    """

    operation: RowOperation
    rows: int
    row_a: int = 0
    row_b: int = 0
    to: int | None = None
    bits: NDArray[np.uint8] | None = None
    read: bool = False
    sub_arrays: range | None = None
    columns: NDArray[np.uint8] | None = None

    def __repr__(self) -> str:
        return brief(self, f"{self.operation.name} of {self.rows} rows from {self.row_a}")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class InMemoryRun(Shown):
    """Rows that a machine has computed in its memory.

    Parameters
    ----------
    machine : Machine
    simulator : str
        ``"functional"`` for the functional machine.
    rows : tuple of ndarray of shape (rows, sub_arrays, columns), uint8, or None
        What each command has read; None where it reads nothing.
    counters : AcceleratorCounters
        From the start register to the interrupt.
    commands : tuple of AcceleratorCounters
        Of each command, the fetch of its descriptor included.
    clock : MachineClock or None
        None where nothing is said of the technology, and the default one cannot be the machine's.
    """

    machine: Machine
    simulator: str
    rows: tuple[NDArray[np.uint8] | None, ...]
    counters: AcceleratorCounters
    commands: tuple[AcceleratorCounters, ...]
    clock: MachineClock | None

    @property
    def heading(self) -> str:
        """What ran where."""
        return f"{len(self.commands)} commands in the memory of {self.machine.name} ({self.simulator})"

    @property
    def main_figure(self) -> str:
        """Cycles."""
        return f"{self.counters.cycles:,} cycles"

    def records(self) -> tuple[Record, ...]:
        """A record for each command."""
        return tuple({"command": at} | record_of(one) for at, one in enumerate(self.commands))

    def __str__(self) -> str:
        lines = [f"{self.heading}: {self.main_figure}"]
        lines += [
            f"command {at}: {one.cycles:,} cycles" + ("" if rows is None else f", {len(rows)} rows read")
            for at, (one, rows) in enumerate(zip(self.commands, self.rows, strict=True))
        ]
        return "\n".join(lines)

    @property
    def time_us(self) -> float | None:
        """From the start register to the interrupt, in µs."""
        return time_us(self.clock, self.counters.cycles)


def write_rows(
    row: int, bits: ArrayLike, *, sub_arrays: range | None = None, columns: ArrayLike | None = None
) -> RowCommand:
    """Write `bits` to rows from `row` on, the same in all sub-arrays that take part.

    Parameters
    ----------
    row : int
    bits : array_like of shape (columns,) or (rows, columns)
        0 and 1, column 0 first.
    sub_arrays : range, optional
        Neighbours that take part; all if not given.
    columns : array_like of shape (columns,), optional
        1 in the columns that are written; all if not given.

    Raises
    ------
    SpinplaneError
        If there is something else than 0 and 1.
    """
    rows = np.atleast_2d(_bits("bits", bits))
    return RowCommand(
        operation=RowOperation.WRITE,
        rows=len(rows),
        to=row,
        bits=rows,
        sub_arrays=sub_arrays,
        columns=_mask(columns),
    )


def read_rows(
    row: int,
    *,
    rows: int = 1,
    to: int | None = None,
    read: bool = True,
    sub_arrays: range | None = None,
    columns: ArrayLike | None = None,
) -> RowCommand:
    """Read `rows` rows from `row` on, or copy them.

    Parameters
    ----------
    row, rows : int
    to : int, optional
        Write what is sensed to rows from this one on.
    read : bool
        Whether the host gets what is sensed.
    sub_arrays, columns
        As of `write_rows`; columns that take no part read 0.
    """
    return _sense(RowOperation.READ, row, 0, rows, to, read, sub_arrays, columns)


def and_rows(
    a: int,
    b: int,
    *,
    rows: int = 1,
    to: int | None = None,
    read: bool = True,
    sub_arrays: range | None = None,
    columns: ArrayLike | None = None,
) -> RowCommand:
    """AND rows from `a` on with those from `b` on, in pairs; the rest as of `read_rows`."""
    return _sense(RowOperation.AND, a, b, rows, to, read, sub_arrays, columns)


def or_rows(
    a: int,
    b: int,
    *,
    rows: int = 1,
    to: int | None = None,
    read: bool = True,
    sub_arrays: range | None = None,
    columns: ArrayLike | None = None,
) -> RowCommand:
    """OR rows from `a` on with those from `b` on, in pairs; the rest as of `read_rows`."""
    return _sense(RowOperation.OR, a, b, rows, to, read, sub_arrays, columns)


def xor_rows(
    a: int,
    b: int,
    *,
    rows: int = 1,
    to: int | None = None,
    read: bool = True,
    sub_arrays: range | None = None,
    columns: ArrayLike | None = None,
) -> RowCommand:
    """XOR rows from `a` on with those from `b` on, in pairs, with ``xor_sensing``; the rest as of `read_rows`."""
    return _sense(RowOperation.XOR, a, b, rows, to, read, sub_arrays, columns)


def compute_in_memory(
    machine: Machine | str | Path,
    commands: Sequence[RowCommand],
    *,
    technology: Technology | str | Path | None = None,
    clock: str | None = None,
    simulator: str | None = None,
    faults: FaultMap | str | Path | None = None,
) -> InMemoryRun:
    """Have the accelerator of a machine do commands to the rows of its array, one after the other.

    The functional machine does them first: a row or a cell that does not exist is told before anything is simulated.

    Parameters
    ----------
    machine : Machine, str or Path
        See `load_machine`; one with ``memory_operations``.
    commands : sequence of RowCommand
    technology : Technology, str or Path, optional
        Of the array, see `clock_of`.
    clock : str, optional
        See `clock_of`.
    simulator : {"verilator", "icarus", "functional"}, optional
        By default the fastest that runs the RTL; ``"functional"`` stays with the functional machine.
    faults : FaultMap, str or Path, optional
        Of the cells and the sense amplifiers, or the file that `FaultMap.save` wrote.

    Raises
    ------
    SpinplaneError
        If the machine has no memory operations or its clock does not fit, or a command is not for it; its number is
        told, from 0.
    ArrayError
        If a command senses a cell that was never written.
    BenchFailure
        If the RTL differs from the functional machine.
    """
    machine = load_machine(machine)
    of_machine, faults = clock_of(machine, technology, clock), as_fault_map(faults)
    if simulator != FUNCTIONAL:
        simulator = usable_simulator(simulator)
    program = _program(machine, commands)
    functional = Accelerator(machine, faults)
    functional.state.kernel[: len(program.kernel_rows)] = program.kernel_rows
    functional.program[: len(program.words)] = program.words
    run = functional.run()
    counters, layers = run.counters, run.layers
    stored = functional.state.image.reshape(-1, machine.columns)[: program.image_words]
    if simulator != FUNCTIONAL:
        record, words = run_memory_program(
            program, simulator=simulator, limit=2 * run.counters.cycles + 1000, faults=faults
        )
        if record.layers != layers or not np.array_equal(words, stored):
            raise BenchFailure(f"the RTL on {simulator} differs from the functional machine")
        counters, layers, stored = record.counters, record.layers, words
    return InMemoryRun(
        machine=machine,
        simulator=simulator,
        rows=tuple(_read(operation, stored) for operation in program.operations),
        counters=counters,
        commands=layers[1:-1],
        clock=of_machine,
    )


def _sense(
    operation: RowOperation,
    a: int,
    b: int,
    rows: int,
    to: int | None,
    read: bool,
    sub_arrays: range | None,
    columns: ArrayLike | None,
) -> RowCommand:
    return RowCommand(
        operation=operation,
        rows=rows,
        row_a=a,
        row_b=b,
        to=to,
        read=read,
        sub_arrays=sub_arrays,
        columns=_mask(columns),
    )


def _bits(name: str, values: ArrayLike) -> NDArray[np.uint8]:
    array = np.asarray(values)
    if array.ndim > 2 or not np.isin(array, (0, 1)).all():
        raise SpinplaneError(f"{name}: must be rows of 0 and 1")
    return array.astype(np.uint8)


def _mask(columns: ArrayLike | None) -> NDArray[np.uint8] | None:
    return None if columns is None else _bits("columns", columns)


def _program(machine: Machine, commands: Sequence[RowCommand]) -> MemoryProgram:
    """Operations one after the other, their words in the kernel bank and what they read in the image bank."""
    if not machine.memory_operations:
        raise SpinplaneError(f"machine {machine.name} has no memory operations (memory_operations)")
    if len(commands) > machine.descriptors - 2:
        raise SpinplaneError(
            f"{len(commands)} commands: machine {machine.name} takes at most {machine.descriptors - 2} (descriptors)"
        )
    operations: list[MemoryOperation] = []
    words: list[NDArray[np.uint8]] = []
    image_word = 0
    for number, command in enumerate(commands):
        try:
            operation = _operation(machine, command, len(words), image_word)
            _check(operation)
        except SpinplaneError as error:
            raise SpinplaneError(f"command {number} ({command.operation.name}): {error}") from None
        words += [] if command.columns is None else [command.columns]
        words += [] if command.bits is None else list(command.bits)
        image_word += operation.image_words
        operations.append(operation)
    bits = np.array(words, dtype=np.uint8).reshape(-1, machine.columns)
    return MemoryProgram(
        machine=machine,
        operations=operations,
        kernel_rows=np.packbits(bits, axis=1, bitorder="little"),
        image_words=image_word,
    )


def _operation(machine: Machine, command: RowCommand, kernel_word: int, image_word: int) -> MemoryOperation:
    for name in ("bits", "columns"):
        array = getattr(command, name)
        if array is not None and array.shape[-1] != machine.columns:
            raise SpinplaneError(f"{name} of {array.shape[-1]} columns: the array has {machine.columns}")
    where = range(machine.sub_arrays) if command.sub_arrays is None else command.sub_arrays
    if where.step != 1 or not where or where[0] < 0 or where[-1] >= machine.sub_arrays:
        raise SpinplaneError(f"sub_arrays = {where}: must be neighbours from 0 to {machine.sub_arrays - 1}")
    if command.rows < 1:
        raise SpinplaneError(f"rows = {command.rows}: must be a whole number of at least 1")
    return MemoryOperation(
        machine=machine,
        operation=command.operation,
        rows=command.rows,
        row_a=command.row_a,
        row_b=command.row_b,
        row_d=command.to or 0,
        first_sub_array=where[0],
        last_sub_array=where[-1],
        kernel_word=kernel_word,
        masked=command.columns is not None,
        write_back=command.to is not None and command.bits is None,
        store=command.read,
        image_word=image_word,
    )


def _check(operation: MemoryOperation) -> None:
    """Refuse what the accelerator would end with an error."""
    machine = operation.machine
    if operation.operation not in row_operations(machine):
        raise SpinplaneError(f"machine {machine.name} does not sense an XOR (xor_sensing)")
    rows = (operation.row_a, operation.row_b, operation.row_d)
    error = memory_error(operation) if min(rows) >= 0 else Error.ROW
    pairs = operation.operation not in (RowOperation.WRITE, RowOperation.READ)
    if pairs and operation.row_a == operation.row_b:
        raise SpinplaneError(
            f"row {operation.row_a} with itself: {operation.operation.name} takes two different rows"
        )
    if error is Error.ROW:
        raise SpinplaneError(f"no such row: the array has rows 0 to {machine.rows - 1}")
    if error is Error.KERNEL_BANK:
        raise SpinplaneError(
            f"the rows to write do not fit in the kernel bank (kernel_words = {machine.kernel_words})"
        )
    if error is Error.IMAGE_BANK:
        raise SpinplaneError(
            f"the rows to read do not fit in the image bank (image_words = {machine.image_words})"
        )


def _read(operation: MemoryOperation, stored: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    if not operation.store:
        return None
    words = stored[operation.image_word :][: operation.image_words]
    return words.reshape(operation.rows, operation.sub_arrays, -1)
