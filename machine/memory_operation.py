"""A memory operation: the work of one descriptor of kind MEMORY, in true numbers."""

import enum
from dataclasses import dataclass

from .machine import Machine


class RowOperation(enum.Enum):
    """An operation on rows of the array.

    ``WRITE`` takes a word of the kernel bank. ``READ`` senses a row alone, ``AND`` and ``OR`` sense two rows at once,
    and so does ``XOR`` on machines with ``xor_sensing``. Bits 1 to 0 of the value are its code in the word
    ``operation``; bit 2 makes an AND an XOR, and is the word ``subtracts``: an XOR is OR less AND.
    """

    WRITE = 0
    READ = 1
    AND = 2
    OR = 3
    XOR = 6


def row_operations(machine: Machine) -> tuple[RowOperation, ...]:
    """Operations that a machine with ``memory_operations`` has."""
    return tuple(one for one in RowOperation if one is not RowOperation.XOR or machine.xor_sensing)


@dataclass(frozen=True, kw_only=True)
class MemoryOperation:
    """The same operation on one row after the other, in neighbouring sub-arrays at once.

    Parameters
    ----------
    machine : Machine
    operation : RowOperation
    rows : int
        How often: step i takes row i after each of the first rows below.
    row_a, row_b : int
        First rows to sense; `row_b` of ``AND``, ``OR`` and ``XOR`` alone.
    row_d : int
        First row to write: of ``WRITE``, and where `write_back` is set.
    first_sub_array, last_sub_array : int
        Those that take part, from 0.
    kernel_word : int
        First word of the kernel bank: the mask if `masked`, then those of ``WRITE``, one a step.
    masked : bool
        Only the columns in which the mask holds 1 are sensed and written; the others sense 0. Else all of them.
    write_back : bool
        Write what is sensed to row `row_d` of the same sub-array.
    store : bool
        Write what is sensed to the image bank: sub-array by sub-array, step by step, a word each.
    image_word : int
        First word of the image bank for it.
    """

    machine: Machine
    operation: RowOperation
    rows: int = 1
    row_a: int = 0
    row_b: int = 0
    row_d: int = 0
    first_sub_array: int = 0
    last_sub_array: int = 0
    kernel_word: int = 0
    masked: bool = False
    write_back: bool = False
    store: bool = False
    image_word: int = 0

    @property
    def sub_arrays(self) -> int:
        """How many sub-arrays take part."""
        return self.last_sub_array - self.first_sub_array + 1

    @property
    def writes_rows(self) -> bool:
        """Whether rows of the array are written."""
        return self.write_back or self.operation is RowOperation.WRITE

    @property
    def kernel_words(self) -> int:
        """Words of the kernel bank that are read."""
        return self.masked + (self.rows if self.operation is RowOperation.WRITE else 0)

    @property
    def image_words(self) -> int:
        """Words of the image bank that are written."""
        return self.rows * self.sub_arrays if self.store else 0
