"""Run programs on the RTL of a machine's engine: Verilator, Icarus, or Amaranth's own simulator where neither is."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from amaranth.hdl import Value
from amaranth.sim import Simulator, SimulatorContext

from spinplane.behavioral import EngineRun
from spinplane.hdl import Engine
from spinplane.hdl.machine_verilog import ARRAY, ENGINE, array_model, machine_verilog
from spinplane.machine import Machine, Program, SpinplaneError
from spinplane.machine.faults import FaultMap

from .driver import drive
from .exchange import PROGRAMS_VARIABLE, RUNS_FILE, read_runs, write_programs
from .fault_files import fault_arguments
from .model import default_build_root
from .runner import run_bench

_PERIOD_S = 10e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class RtlRun:
    """Programs that ran on the RTL, one after the other without a reset.

    Parameters
    ----------
    runs : tuple of EngineRun
    simulator : str
    cached : bool
        Whether the model was compiled already.
    build_seconds, run_seconds : float
    waves : Path or None
        The VCD.
    """

    runs: tuple[EngineRun, ...]
    simulator: str
    cached: bool
    build_seconds: float
    run_seconds: float
    waves: Path | None


def machine_sources(machine: Machine, build_root: Path | None = None) -> dict[str, str]:
    """Verilog of a machine's engine by module name, with the behavioral array: what a simulator needs."""
    kept_in = (build_root or default_build_root()) / "verilog"
    return {ARRAY: array_model(), **machine_verilog(machine, kept_in)}


def run_programs(
    programs: Sequence[Program],
    *,
    simulator: str,
    stall: float = 0.0,
    seed: int = 0,
    waves: bool = False,
    run_folder: Path | None = None,
    build_root: Path | None = None,
    faults: FaultMap | None = None,
) -> RtlRun:
    """Run programs of one machine on the RTL of its engine.

    Parameters
    ----------
    programs : sequence of Program
    simulator : {"verilator", "icarus", "amaranth"}
    stall : float
        Chance of a stall on each stream in each cycle.
    seed : int
        Of the stalls.
    waves : bool
        Write a VCD.
    run_folder : Path, optional
        Where to leave log and waves; emptied first.
    build_root : Path, optional
        Holds compiled models, see `run_bench`.
    faults : FaultMap, optional
        Of the cells and the sense amplifiers, with or without variation; on Verilator and Icarus.

    Raises
    ------
    SpinplaneError
        If Amaranth's simulator is asked for faults, or the map is of another machine.
    BenchFailure
        If the array refuses what a program does to it, or the simulation fails otherwise.
    """
    if faults is not None:
        faults.check(programs[0].machine)
        if simulator == "amaranth":
            raise SpinplaneError("simulator 'amaranth' has no faults: take verilator or icarus")
    if simulator == "amaranth":
        return _run_in_amaranth(programs, stall, seed, waves, run_folder)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "programs.npz"
        write_programs(path, programs, stall, seed)
        run = run_bench(
            "spinplane.sim.bench_engine",
            machine_sources(programs[0].machine, build_root),
            ENGINE,
            simulator=simulator,
            environment={PROGRAMS_VARIABLE: str(path)},
            waves=waves,
            run_folder=run_folder,
            build_root=build_root,
            plusargs=fault_arguments(faults, Path(folder)),
        ).check()
    return RtlRun(
        runs=tuple(read_runs(run.folder / RUNS_FILE)),
        simulator=simulator,
        cached=run.cached,
        build_seconds=run.build_seconds,
        run_seconds=run.run_seconds,
        waves=run.waves,
    )


class _AmaranthPins:
    def __init__(self, engine: Engine, ctx: SimulatorContext) -> None:
        self._ctx = ctx
        self._ports = {
            "__".join(map(str, path)): value for path, _, value in engine.signature.flatten(engine)
        }

    def put(self, name: str, value: int) -> None:
        self._ctx.set(Value.cast(self._ports[name]), value)

    def get(self, name: str) -> int:
        return self._ctx.get(Value.cast(self._ports[name]))

    async def settle(self) -> None:
        await self._ctx.delay(0)

    async def step(self) -> None:
        await self._ctx.tick()


def _run_in_amaranth(
    programs: Sequence[Program], stall: float, seed: int, waves: bool, run_folder: Path | None
) -> RtlRun:
    start = time.monotonic()
    engine = Engine(programs[0].machine)
    runs: list[EngineRun] = []

    async def bench(ctx: SimulatorContext) -> None:
        pins = _AmaranthPins(engine, ctx)
        for program in programs:
            runs.append(await drive(pins, program, stall=stall, seed=seed))

    simulation = Simulator(engine)
    simulation.add_clock(_PERIOD_S)
    simulation.add_testbench(bench)
    built = time.monotonic()
    path = run_folder / "waves.vcd" if waves and run_folder else None
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with simulation.write_vcd(str(path)):
            simulation.run()
    else:
        simulation.run()
    return RtlRun(
        runs=tuple(runs),
        simulator="amaranth",
        cached=False,
        build_seconds=built - start,
        run_seconds=time.monotonic() - built,
        waves=path,
    )
