"""Run programs of networks on the RTL of an accelerator, from its bus alone."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from spinplane.behavioral.feature_map import map_addresses, map_bits, map_codes
from spinplane.hdl.machine_verilog import ACCELERATOR, accelerator_sources
from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.faults import FaultMap
from spinplane.machine.memory_map import region_address
from spinplane.machine.program import FeatureMap, NetworkProgram

from .amaranth_host import play_in_amaranth
from .axi import WARNINGS
from .fault_files import fault_arguments
from .host_script import (
    PROGRESS_FILE,
    RECORD_FILE,
    SCRIPT_VARIABLE,
    Read,
    Record,
    Run,
    RunRecord,
    Step,
    Write,
    load_record,
    save_script,
)
from .model import default_build_root
from .runner import BenchFailure, run_bench

_SPARE_CYCLES = 20_000


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageRun:
    """One run of a program, for one image.

    Parameters
    ----------
    record : RunRecord
    maps : tuple of ndarray or None
        Codes, or raw sums, of each layer's output map, (channels, height, width); None where it was overwritten.
    """

    record: RunRecord
    maps: tuple[np.ndarray | None, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class AcceleratorRun:
    """A program that ran on the RTL.

    Parameters
    ----------
    images : tuple of ImageRun
    simulator : str
    cached : bool
        Whether the model was compiled already.
    build_seconds, run_seconds : float
    waves : Path or None
    """

    images: tuple[ImageRun, ...]
    simulator: str
    cached: bool
    build_seconds: float
    run_seconds: float
    waves: Path | None


def program_steps(program: NetworkProgram) -> list[Write]:
    """Writes that bring a program into the banks."""
    contents = {
        "kernel": program.kernel_rows,
        "parameters": program.parameters,
        "thresholds": program.thresholds,
        "program": program.descriptors.astype("<u4").view(np.uint8),
    }
    return [
        Write(address=region_address(region), data=np.ascontiguousarray(data).reshape(-1))
        for region, data in contents.items()
        if data.size
    ]


def input_step(program: NetworkProgram, codes: np.ndarray) -> Write:
    """Write that brings an image of shape (channels, height, width) into the image bank."""
    first, size = _words(program.input, program.machine)
    addresses, bits = map_bits(program.input, codes)
    image = np.zeros(size * program.machine.columns, dtype=np.uint8)
    image[addresses - first * program.machine.columns] = bits
    address = region_address("image") + first * program.machine.columns // 8
    return Write(address=address, data=np.packbits(image, bitorder="little"))


def output_step(feature_map: FeatureMap, machine: Machine) -> Read:
    """Read of all words that hold a feature map."""
    first, size = _words(feature_map, machine)
    width = machine.columns // 8
    return Read(address=region_address("image") + first * width, size=size * width)


def output_codes(feature_map: FeatureMap, machine: Machine, data: np.ndarray) -> np.ndarray:
    """Codes, or raw sums, from the bytes that an `output_step` has read."""
    first, _ = _words(feature_map, machine)
    moved = replace(feature_map, base=feature_map.base - first * machine.columns)
    return map_codes(moved, np.unpackbits(data, bitorder="little"))


def _words(feature_map: FeatureMap, machine: Machine) -> tuple[int, int]:
    """First word of the image bank that holds a bit of a map, and their number."""
    addresses = map_addresses(feature_map)
    first = int(addresses.min()) // machine.columns
    return first, int(addresses.max()) // machine.columns + 1 - first


def run_accelerator(
    program: NetworkProgram,
    images: Sequence[np.ndarray],
    *,
    simulator: str,
    limit: int,
    stall: float = 0.0,
    seed: int = 0,
    waves: bool = False,
    run_folder: Path | None = None,
    build_root: Path | None = None,
    faults: FaultMap | None = None,
    tell: Callable[[int], None] = lambda descriptor: None,
) -> AcceleratorRun:
    """Write a program into the banks, then run it once for each image, without a reset between them.

    Parameters
    ----------
    program : NetworkProgram
    images : sequence of ndarray of shape (channels, height, width)
        Codes of the program's input map.
    simulator : {"verilator", "icarus", "amaranth"}
        Amaranth's own needs nothing but Python and is slower by orders of magnitude.
    limit : int
        Cycles that a run is expected to take; after twice as many the bench gives up.
    stall : float
        Chance that a channel of the bus rests in a cycle.
    seed : int
        Of the stalls.
    waves : bool
        Write a VCD.
    run_folder : Path, optional
        Where to leave log and waves; emptied first.
    build_root : Path, optional
        Holds compiled models, see `run_bench`.
    faults : FaultMap, optional
        Of the cells and the sense amplifiers.
    tell : callable
        Is given the number of the descriptor at work, now and then.

    Raises
    ------
    SpinplaneError
        If the fault map is of another machine, or Amaranth's simulator is asked for faults.
    BenchFailure
        If the array refuses what is done to it, or the simulation fails otherwise.
    """
    machine = program.machine
    if faults is not None:
        faults.check(machine)
    kept = [layer for layer in program.layers if layer.kept]
    steps: list[Step] = [*program_steps(program)]
    for codes in images:
        steps.append(input_step(program, codes))
        steps.append(Run(program=0, descriptors=len(program.descriptors), limit=2 * limit + _SPARE_CYCLES))
        steps += [output_step(layer.output, machine) for layer in kept]
    simulate = _simulate_in_amaranth if simulator == "amaranth" else _simulate
    with TemporaryDirectory() as folder:
        home = run_folder or Path(folder) / "run"
        simulation = simulate(
            machine,
            steps,
            simulator=simulator,
            stall=stall,
            seed=seed,
            waves=waves,
            run_folder=home,
            build_root=build_root or default_build_root(),
            faults=faults,
            tell=tell,
        )
    reads = iter(simulation.record.reads)
    runs = []
    for of_image in simulation.record.runs:
        maps = tuple(
            output_codes(layer.output, machine, next(reads)) if layer.kept else None
            for layer in program.layers
        )
        runs.append(ImageRun(record=of_image, maps=maps))
    return AcceleratorRun(
        images=tuple(runs),
        simulator=simulator,
        cached=simulation.cached,
        build_seconds=simulation.build_seconds,
        run_seconds=simulation.run_seconds,
        waves=simulation.waves,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Simulation:
    """A script that was played, and how long that took."""

    record: Record
    cached: bool
    build_seconds: float
    run_seconds: float
    waves: Path | None


def _simulate(
    machine: Machine,
    steps: Sequence[Step],
    *,
    simulator: str,
    stall: float,
    seed: int,
    waves: bool,
    run_folder: Path,
    build_root: Path,
    faults: FaultMap | None,
    tell: Callable[[int], None],
) -> _Simulation:
    """Play a script in a cocotb bench on Verilator or Icarus."""
    with TemporaryDirectory() as folder:
        script = Path(folder) / "script.npz"
        save_script(script, machine, steps, stall=stall, seed=seed)
        with _watching(run_folder / PROGRESS_FILE, tell):
            run = run_bench(
                "spinplane.sim.bench_accelerator",
                accelerator_sources(machine, build_root / "verilog"),
                ACCELERATOR,
                simulator=simulator,
                environment={SCRIPT_VARIABLE: str(script), "PYTHONWARNINGS": WARNINGS},
                waves=waves,
                run_folder=run_folder,
                build_root=build_root,
                plusargs=fault_arguments(faults, Path(folder)),
                timeout_s=7200.0,
            ).check()
    return _Simulation(
        record=load_record(run_folder / RECORD_FILE),
        cached=run.cached,
        build_seconds=run.build_seconds,
        run_seconds=run.run_seconds,
        waves=run.waves,
    )


def _simulate_in_amaranth(
    machine: Machine,
    steps: Sequence[Step],
    *,
    stall: float,
    seed: int,
    waves: bool,
    run_folder: Path,
    faults: FaultMap | None,
    tell: Callable[[int], None],
    **_of_other_simulators: object,
) -> _Simulation:
    """Play a script in this process, on nothing but Python."""
    if faults is not None:
        raise SpinplaneError("simulator 'amaranth' has no faults: take verilator or icarus")
    vcd = run_folder / "waves.vcd" if waves else None
    run_folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    try:
        record = play_in_amaranth(machine, steps, stall=stall, seed=seed, waves=vcd, tell=tell)
    except AssertionError as failed:
        raise BenchFailure(f"{ACCELERATOR} on amaranth: {failed}") from None
    return _Simulation(
        record=record, cached=False, build_seconds=0.0, run_seconds=time.monotonic() - start, waves=vcd
    )


class _watching:
    """Tell of the descriptor that the bench notes in a file, as long as the block runs."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        self._path, self._tell = path, tell
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        shown = ""
        while not self._ended.wait(0.3):
            try:
                text = self._path.read_text(encoding="utf-8")
            except OSError:
                continue
            if text and text != shown:
                shown = text
                self._tell(int(text))
