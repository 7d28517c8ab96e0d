"""Golden model of a memory operation: rows of the array written, read, ANDed and ORed, step by step."""

import numpy as np
from numpy.typing import NDArray

from spinplane.machine import AcceleratorCounters
from spinplane.machine.memory_operation import MemoryOperation, RowOperation
from spinplane.machine.registers import Error
from spinplane.machine.timing import memory_time

from ..array.sot_mram_array import SotMramArray


def memory_error(operation: MemoryOperation) -> Error:
    """What the first step that cannot be done is refused for, or ``Error.NONE``."""
    machine = operation.machine
    word, image_word = operation.kernel_word, operation.image_word
    if operation.masked and word >= machine.kernel_words:
        return Error.KERNEL_BANK
    for step in range(operation.rows):
        rows = {name: getattr(operation, name) + step for name in _rows_of(operation)}
        if (
            operation.operation is RowOperation.WRITE
            and word + operation.masked + step >= machine.kernel_words
        ):
            return Error.KERNEL_BANK
        if max(rows.values()) >= machine.rows or rows.get("row_a") == rows.get("row_b", -1):
            return Error.ROW
        if operation.store and image_word + (step + 1) * operation.sub_arrays > machine.image_words:
            return Error.IMAGE_BANK
    return Error.NONE


def run_memory_operation(
    operation: MemoryOperation, array: SotMramArray, kernel: NDArray[np.uint8], image: NDArray[np.uint8]
) -> AcceleratorCounters:
    """Do an operation that `memory_error` accepts.

    Parameters
    ----------
    operation : MemoryOperation
    array : SotMramArray
        Is changed.
    kernel : ndarray of shape (kernel_words, columns / 8), uint8
        Bit 0 of byte 0 in column 0.
    image : ndarray of shape (image_words · columns,), uint8
        One bit each; is changed.

    Returns
    -------
    AcceleratorCounters
        ``cycles`` from the first one of the operation to its last.

    Raises
    ------
    ArrayError
        If a cell that nobody has written decides a sense.
    """
    width = operation.machine.columns
    where = slice(operation.first_sub_array, operation.last_sub_array + 1)
    words = np.unpackbits(
        kernel[operation.kernel_word :][: operation.kernel_words], axis=1, bitorder="little"
    )
    mask = words[0] if operation.masked else np.ones(width, dtype=np.uint8)
    before = (array.writes, array.reads, array.ands, array.ors)
    at = operation.image_word * width
    for step in range(operation.rows):
        if operation.operation is RowOperation.WRITE:
            array.write(where, operation.row_d + step, words[operation.masked + step], mask)
            continue
        sensed = _sense(operation, array, where, step, mask)
        if operation.write_back:
            array.write(where, operation.row_d + step, sensed, mask)
        if operation.store:
            image[at : at + sensed.size] = sensed.ravel()
            at += sensed.size
    events = np.subtract((array.writes, array.reads, array.ands, array.ors), before).tolist()
    cycles, stalled = memory_time(operation)
    return AcceleratorCounters(
        **dict(zip(("row_writes", "row_reads", "ands", "ors"), events, strict=True)),
        cycles=cycles,
        stalled=stalled,
        kernel_reads=operation.kernel_words,
        image_writes=operation.image_words,
    )


def _rows_of(operation: MemoryOperation) -> list[str]:
    """Names of the rows that a step uses."""
    if operation.operation is RowOperation.WRITE:
        return ["row_d"]
    second = [] if operation.operation is RowOperation.READ else ["row_b"]
    return ["row_a", *second, *(["row_d"] if operation.write_back else [])]


def _sense(
    operation: MemoryOperation, array: SotMramArray, where: slice, step: int, mask: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """What the sub-arrays show in a step: ndarray of shape (sub-arrays, columns), uint8."""
    row_a, row_b = np.array([operation.row_a + step]), np.array([operation.row_b + step])
    columns = mask[np.newaxis]
    match operation.operation:
        case RowOperation.READ:
            return array.read(where, row_a, columns)[:, 0]
        case RowOperation.AND:
            return array.sense_and(where, row_a, row_b, columns)[:, 0]
        case RowOperation.OR:
            return array.sense_or(where, row_a, row_b, columns)[:, 0]
        case _:
            return array.sense_xor(where, row_a, row_b, columns)[:, 0]
