"""Run programs of memory operations on the RTL of an accelerator, from its bus alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spinplane.machine import Machine, MemoryOperation
from spinplane.machine.codec import End, Header, encode
from spinplane.machine.faults import FaultMap
from spinplane.machine.memory_map import region_address
from spinplane.machine.registers import machine_digest

from .host_script import HostRead, HostRun, HostWrite, RunRecord
from .script_run import play_script


@dataclass(frozen=True, kw_only=True, eq=False)
class MemoryProgram:
    """Memory operations, with the data that their host writes and reads.

    Parameters
    ----------
    machine : Machine
    operations : sequence of MemoryOperation
    kernel_rows : ndarray of shape (words, columns / 8), uint8
        Words of the kernel bank from 0 on, bit 0 of byte 0 in column 0.
    image_words : int
        Words of the image bank that are read when the program has ended, from 0 on.
    """

    machine: Machine
    operations: Sequence[MemoryOperation]
    kernel_rows: np.ndarray
    image_words: int

    @property
    def words(self) -> np.ndarray:
        """Its descriptors: ndarray of shape (n, DESCRIPTOR_WORDS), uint32."""
        header = Header(machine=machine_digest(self.machine))
        return np.stack([encode(header), *map(encode, self.operations), encode(End())])


def run_memory_program(
    program: MemoryProgram, *, simulator: str, limit: int, faults: FaultMap | None = None
) -> tuple[RunRecord, np.ndarray]:
    """Write a program into the banks, run it, and read what it has stored.

    Parameters
    ----------
    program : MemoryProgram
    simulator : {"verilator", "icarus", "amaranth"}
    limit : int
        Cycles after which the bench gives up.
    faults : FaultMap, optional
        Of the cells and the sense amplifiers.

    Returns
    -------
    tuple of (RunRecord, ndarray of shape (image_words, columns), uint8)

    Raises
    ------
    BenchFailure
        If the array refuses what is done to it, or the simulation fails otherwise.
    """
    machine, words = program.machine, program.words
    contents = {"kernel": program.kernel_rows, "program": words.astype("<u4").view(np.uint8)}
    writes = [
        HostWrite(address=region_address(region), data=np.ascontiguousarray(data).reshape(-1))
        for region, data in contents.items()
        if data.size
    ]
    run = HostRun(program=0, descriptors=len(words), limit=limit)
    size = program.image_words * machine.columns // 8
    reads = [HostRead(address=region_address("image"), size=size)] if size else []
    record = play_script(machine, [*writes, run, *reads], simulator=simulator, faults=faults).record
    stored = np.unpackbits(np.concatenate([np.empty(0, np.uint8), *record.reads]), bitorder="little")
    return record.runs[0], stored.reshape(-1, machine.columns)
