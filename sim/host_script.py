"""A host's accesses on the accelerator's bus, as data: written before a simulation and played by its bench."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from spinplane.machine import AcceleratorCounters, Machine
from spinplane.machine.array_files import OWN, archive_bytes, open_archive
from spinplane.machine.files import write_file
from spinplane.machine.registers import Error

#: Environment variables that name the script for the bench, and its figures.
SCRIPT_VARIABLE = "SPINPLANE_HOST_SCRIPT"
RECORD_FILE = "record.npz"
PROGRESS_FILE = "progress.txt"


@dataclass(frozen=True, kw_only=True, eq=False)
class HostWrite:
    """Bytes to a bus address.

    Parameters
    ----------
    address : int
    data : ndarray of shape (bytes,), uint8
    """

    address: int
    data: np.ndarray


@dataclass(frozen=True, kw_only=True)
class HostRun:
    """Start a program and wait for its interrupt.

    Parameters
    ----------
    program : int
        Number of its header.
    descriptors : int
        How many it has: as many entries of the log are read.
    limit : int
        Cycles after which the bench gives up.
    """

    program: int
    descriptors: int
    limit: int


@dataclass(frozen=True, kw_only=True)
class HostRead:
    """Bytes from a bus address."""

    address: int
    size: int


@dataclass(frozen=True, kw_only=True)
class HostReset:
    """A reset so many cycles after the start of a program, which never ends; or at once."""

    program: int | None = None
    after: int = 0


Step = HostWrite | HostRun | HostRead | HostReset


@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """The registers after a `HostRun`.

    Parameters
    ----------
    counters : AcceleratorCounters
        Of this run alone.
    layers : tuple of AcceleratorCounters
        What each descriptor added.
    error : Error
    descriptor, word : int
        Where the error was found.
    """

    counters: AcceleratorCounters
    layers: tuple[AcceleratorCounters, ...]
    error: Error
    descriptor: int
    word: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Record:
    """Outcome of a script: one entry for each `HostRun` and each `HostRead`, in their order."""

    runs: tuple[RunRecord, ...]
    reads: tuple[np.ndarray, ...]


_KINDS = {kind.__name__: kind for kind in (HostRun, HostRead, HostReset)}


def save_script(path: Path, machine: Machine, steps: Sequence[Step], *, stall: float, seed: int) -> None:
    """Write a script as an ``.npz`` file."""
    listed, blobs = [], {}
    for number, step in enumerate(steps):
        if isinstance(step, HostWrite):
            blobs[f"data_{number}"] = step.data
            listed.append({"kind": "HostWrite", "address": step.address})
        else:
            listed.append({"kind": type(step).__name__, **asdict(step)})
    head = {"machine": asdict(machine), "steps": listed, "stall": stall, "seed": seed}
    write_file(path, archive_bytes({"head": np.array(json.dumps(head)), **blobs}, compressed=False))


def load_script(path: Path) -> tuple[Machine, list[Step], float, int]:
    """Read a script; the inverse of `save_script`."""
    with open_archive(path, str(path), "not a script", OWN) as arrays:
        head = json.loads(arrays.text("head"))
        steps: list[Step] = []
        for number, fields in enumerate(head["steps"]):
            kind = fields.pop("kind")
            if kind == "HostWrite":
                steps.append(HostWrite(address=fields["address"], data=arrays.read(f"data_{number}")))
            else:
                steps.append(_KINDS[kind](**fields))
    return Machine(**head["machine"]), steps, head["stall"], head["seed"]


def save_record(path: Path, record: Record) -> None:
    """Write an outcome as an ``.npz`` file."""
    runs = [
        {
            "counters": run.counters.as_dict(),
            "layers": [layer.as_dict() for layer in run.layers],
            "error": int(run.error),
            "descriptor": run.descriptor,
            "word": run.word,
        }
        for run in record.runs
    ]
    blobs = {f"read_{number}": data for number, data in enumerate(record.reads)}
    write_file(path, archive_bytes({"runs": np.array(json.dumps(runs)), **blobs}, compressed=False))


def load_record(path: Path) -> Record:
    """Read an outcome; the inverse of `save_record`."""
    with open_archive(path, str(path), "not a record", OWN) as arrays:
        runs = tuple(
            RunRecord(
                counters=AcceleratorCounters(**run["counters"]),
                layers=tuple(AcceleratorCounters(**layer) for layer in run["layers"]),
                error=Error(run["error"]),
                descriptor=run["descriptor"],
                word=run["word"],
            )
            for run in json.loads(arrays.text("runs"))
        )
        reads = tuple(arrays.read(f"read_{number}") for number in range(len(arrays.names) - 1))
    return Record(runs=runs, reads=reads)
