"""Hostile programs for a bench: their words, what disturbs them, and what a golden model says of their descriptors."""

import enum
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spinplane.machine.array_files import OWN, archive_bytes, open_archive
from spinplane.machine.files import write_file

#: Environment variable that names the file of the programs for the bench.
HOSTILE_VARIABLE = "SPINPLANE_HOSTILE_PROGRAMS"
#: Counts of what the bench has seen, left in its folder.
SEEN_FILE = "seen.json"


class Disturbance(enum.IntEnum):
    """What happens while a program runs."""

    NOTHING = 0
    RESET = 1
    ABORT = 2
    ACCESSES = 3
    STALLS = 4


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """How a program ends if each of its descriptors that is taken runs to its end.

    Parameters
    ----------
    error : int
        Of the last descriptor.
    descriptor : int
        Its number.
    word : int
        For ``Error.FIELD``, else 0.
    """

    error: int
    descriptor: int
    word: int


@dataclass(frozen=True, kw_only=True, eq=False)
class HostileProgram:
    """A program of any words.

    Parameters
    ----------
    first : int
        Number of its header.
    words : ndarray of shape (descriptors, DESCRIPTOR_WORDS), uint32
    disturbance : Disturbance
    after : int
        Cycles from the start to a reset or an abort.
    judgement : Judgement
    layers : tuple of int
        Numbers of the layers up to its end: the only descriptors that can fail while they run.
    """

    first: int
    words: NDArray[np.uint32]
    disturbance: Disturbance
    after: int
    judgement: Judgement
    layers: tuple[int, ...]


def save_programs(path: Path, programs: Sequence[HostileProgram]) -> None:
    """Write programs as an ``.npz`` file."""
    arrays: dict[str, np.ndarray] = {}
    for number, program in enumerate(programs):
        arrays[f"words_{number}"] = program.words
        arrays[f"layers_{number}"] = np.array(program.layers, dtype=np.int64)
        numbers = (program.first, program.disturbance, program.after, *astuple(program.judgement))
        arrays[f"numbers_{number}"] = np.array(numbers, dtype=np.int64)
    write_file(path, archive_bytes(arrays))


def load_programs(path: Path) -> list[HostileProgram]:
    """Read programs; the inverse of `save_programs`."""
    programs = []
    with open_archive(path, str(path), "not programs", OWN) as arrays:
        for number in range(len(arrays.names) // 3):
            first, disturbance, after, error, descriptor, word = arrays.read(f"numbers_{number}").tolist()
            programs.append(
                HostileProgram(
                    first=first,
                    words=arrays.read(f"words_{number}"),
                    disturbance=Disturbance(disturbance),
                    after=after,
                    judgement=Judgement(error=error, descriptor=descriptor, word=word),
                    layers=tuple(arrays.read(f"layers_{number}").tolist()),
                )
            )
    return programs
