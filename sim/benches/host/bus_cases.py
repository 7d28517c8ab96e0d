"""Cases for the bench of a hostile bus: networks with their results, and words that corrupt them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinplane.behavioral.accelerator import Accelerator, AcceleratorRun
from spinplane.machine import Machine
from spinplane.machine.array_files import OWN, array_bytes, read_array
from spinplane.machine.codec import End, Header, encode
from spinplane.machine.descriptor import Load
from spinplane.machine.files import write_file
from spinplane.machine.passes import Pass
from spinplane.machine.program import Program
from spinplane.machine.registers import machine_digest

from ...host_script import Record, RunRecord, load_record, save_record

#: Environment variable that names the folder of the cases for the bench.
CASES_VARIABLE = "SPINPLANE_BUS_CASES"
_WRONG_WORDS = "wrong.npy"


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkCase:
    """A program with an image.

    Parameters
    ----------
    program : Program
    codes : ndarray of shape (channels, height, width), int64
    cold, steady : RunRecord
        What a run says that has to load its kernels, and one that finds them in the array.
    outputs : tuple of ndarray
        Codes, or raw sums, of each map that is kept.
    """

    program: Program
    codes: np.ndarray
    cold: RunRecord
    steady: RunRecord
    outputs: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, program: Program, codes: np.ndarray) -> "NetworkCase":
        """Run a program on the functional accelerator."""
        accelerator = Accelerator(program.machine)
        accelerator.load(program)
        runs = []
        for _ in range(2):
            accelerator.write_map(program.input, codes)
            runs.append(run_record(accelerator.run()))
        outputs = tuple(accelerator.read_map(layer.output) for layer in program.layers if layer.kept)
        return cls(program=program, codes=codes, cold=runs[0], steady=runs[1], outputs=outputs)


@dataclass(frozen=True, kw_only=True)
class WrongWord:
    """A replaced word of a network's program.

    Parameters
    ----------
    network, descriptor, word : int
    value : int
        32 bits.
    error, error_descriptor, error_word : int
        What the registers say; `error` is −1 where the descriptor alone does not tell.
    """

    network: int
    descriptor: int
    word: int
    value: int
    error: int
    error_descriptor: int
    error_word: int


def run_record(run: AcceleratorRun) -> RunRecord:
    """A run of the functional accelerator as a host sees it."""
    return RunRecord(
        counters=run.counters,
        layers=run.layers,
        error=run.error,
        descriptor=run.error_descriptor,
        word=run.error_word,
    )


def filling_program(machine: Machine) -> np.ndarray:
    """Descriptors that write all rows of all sub-arrays with the last words of the kernel bank, and run one of them
    against a row of input.

    Returns
    -------
    ndarray of shape (3, DESCRIPTOR_WORDS), uint32
    """
    # One channel of one beat at least, of a map that has no pixel.
    beats = max(1, machine.sub_arrays // machine.results_per_cycle)
    layer_pass = Pass(
        machine=machine,
        input_row=1,
        first_lines=1,
        first_columns=1,
        load=Load.ALWAYS,
        load_base=machine.kernel_words - machine.rows * machine.sub_arrays,
        load_rows=machine.rows,
        load_sub_arrays=machine.sub_arrays,
        sub_arrays=machine.sub_arrays,
        last_sub_arrays=machine.sub_arrays,
        beats=beats,
        last_beats=beats,
        interval=1,
        inner_cycles=beats,
        last_inner_cycles=beats,
        outer_cycles=beats,
        last_outer_cycles=beats,
    )
    header = Header(machine=machine_digest(machine))
    return np.stack([encode(descriptor) for descriptor in (header, layer_pass, End())])


def save_cases(folder: Path, networks: Sequence[NetworkCase], wrong: Sequence[WrongWord] = ()) -> None:
    """Write networks and wrong words into an empty folder."""
    for number, case in enumerate(networks):
        case.program.save(folder / f"{number}.program.npz")
        write_file(folder / f"{number}.codes.npy", array_bytes(case.codes))
        save_record(
            folder / f"{number}.record.npz", Record(runs=(case.cold, case.steady), reads=case.outputs)
        )
    words = [list(vars(word).values()) for word in wrong]
    write_file(folder / _WRONG_WORDS, array_bytes(np.array(words, dtype=np.int64).reshape(-1, 7)))


def load_cases(folder: Path) -> tuple[list[NetworkCase], list[WrongWord]]:
    """Read networks and wrong words; the inverse of `save_cases`."""
    networks = []
    for number in range(len(list(folder.glob("*.program.npz")))):
        record = load_record(folder / f"{number}.record.npz")
        networks.append(
            NetworkCase(
                program=Program.load(folder / f"{number}.program.npz"),
                codes=_array(folder / f"{number}.codes.npy"),
                cold=record.runs[0],
                steady=record.runs[1],
                outputs=record.reads,
            )
        )
    names = list(WrongWord.__dataclass_fields__)
    rows = _array(folder / _WRONG_WORDS).tolist()
    return networks, [WrongWord(**dict(zip(names, row, strict=True))) for row in rows]


def _array(path: Path) -> np.ndarray:
    return read_array(path, str(path), "not an array", limits=OWN)
