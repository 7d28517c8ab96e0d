"""Play a host's script on the RTL of an accelerator, on any of the simulators."""

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spinplane.hdl.export.machine_verilog import ACCELERATOR, accelerator_sources
from spinplane.machine import Machine, SpinplaneError
from spinplane.machine.external.cache import Cache
from spinplane.machine.faults import FaultMap
from spinplane.machine.files import temporary_folder

from .amaranth_host import play_in_amaranth
from .fault_files import fault_arguments
from .host_script import (
    PROGRESS_FILE,
    RECORD_FILE,
    SCRIPT_VARIABLE,
    Record,
    Step,
    load_record,
    save_script,
)
from .runner import WARNINGS, BenchFailure, new_folder, run_bench


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation:
    """A script that was played.

    Parameters
    ----------
    record : Record
    cached : bool
        Whether the model was compiled already.
    build_seconds, run_seconds : float
    waves : Path or None
    """

    record: Record
    cached: bool
    build_seconds: float
    run_seconds: float
    waves: Path | None


def play_script(
    machine: Machine,
    steps: Sequence[Step],
    *,
    simulator: str,
    stall: float = 0.0,
    seed: int = 0,
    waves: bool = False,
    run_folder: Path | None = None,
    build_root: Path | None = None,
    faults: FaultMap | None = None,
    tell: Callable[[int], None] = lambda descriptor: None,
) -> Simulation:
    """Reset an accelerator and play a script on its bus; parameters and errors as of `run_accelerator`."""
    if faults is not None:
        faults.check(machine)
    simulate = _simulate_in_amaranth if simulator == "amaranth" else _simulate
    root = Cache(build_root).root
    folder = run_folder or new_folder(root / "runs", ACCELERATOR) / "run"
    played = simulate(
        machine,
        steps,
        simulator=simulator,
        stall=stall,
        seed=seed,
        waves=waves,
        run_folder=folder,
        build_root=root,
        faults=faults,
        tell=tell,
    )
    # What has failed stays there for a day: its error names the log.
    if run_folder is None:
        shutil.rmtree(folder.parent)
    return played


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
) -> Simulation:
    """Play a script in a cocotb bench on Verilator or Icarus."""
    with temporary_folder() as folder:
        script = folder / "script.npz"
        save_script(script, machine, steps, stall=stall, seed=seed)
        with _watching(run_folder / PROGRESS_FILE, tell):
            run = run_bench(
                "spinplane.sim.benches.bench_accelerator",
                accelerator_sources(machine, build_root),
                ACCELERATOR,
                simulator=simulator,
                environment={SCRIPT_VARIABLE: str(script), "PYTHONWARNINGS": WARNINGS},
                waves=waves,
                run_folder=run_folder,
                build_root=build_root,
                plusargs=fault_arguments(faults, folder),
                timeout_s=7200.0,
            ).check()
    return Simulation(
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
) -> Simulation:
    """Play a script in this process, on nothing but Python."""
    if faults is not None:
        raise SpinplaneError("simulator 'amaranth' has no faults: use verilator or icarus")
    vcd = run_folder / "waves.vcd" if waves else None
    run_folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    try:
        record = play_in_amaranth(machine, steps, stall=stall, seed=seed, waves=vcd, tell=tell)
    except AssertionError as failed:
        raise BenchFailure(f"{ACCELERATOR} on amaranth: {failed}") from None
    return Simulation(
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
