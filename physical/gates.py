"""Gates equal RTL: each unit of a machine, mapped to cells, is compared with its RTL and runs its own bench."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from spinplane.hdl.common.verilog import verilog_modules
from spinplane.hdl.export.machine_verilog import ACCELERATOR, machine_verilog, models, stubs
from spinplane.machine import Machine, Name, SpinplaneError
from spinplane.machine.files import temporary_folder
from spinplane.sim import BenchRun, available_simulators, run_bench
from spinplane.sim.benches.host.bus_cases import CASES_VARIABLE, NetworkCase, save_cases
from spinplane.sim.runner import WARNINGS

from .asic import AsicTarget
from .cell_model import cell_model
from .equivalence import Equivalence, compare
from .gate_report import GateReport, Unit
from .library import Library, read_library
from .netlists import directly_placed, module_netlists, placed_cells
from .unit_benches import NETWORK_BENCH, UNIT_BENCHES
from .yosys import Yosys, find_yosys

# A bench ends by itself after a number of cycles; a simulator that hangs, so late that no slow machine is cut off.
_HANGS_SECONDS = 6 * 3600.0


@dataclass(frozen=True, kw_only=True)
class Netlists:
    """A machine's modules as RTL and as netlists, which may have been changed.

    Parameters
    ----------
    machine : Machine
    library : Library
    rtl : dict of Name to str
        Verilog of each module, leaves first.
    gates : dict of Name to str
        Netlist of each module, as it is to be checked.
    yosys : Yosys
    """

    machine: Machine
    library: Library
    rtl: dict[Name, str]
    gates: dict[Name, str]
    yosys: Yosys

    @classmethod
    def of(
        cls,
        machine: Machine,
        *,
        liberty: Path | None = None,
        adders: str = "ripple",
        kept_in: Path | None = None,
        within: Name | None = None,
    ) -> "Netlists":
        """Map a machine's modules, all of them or one and all that it places.

        Parameters
        ----------
        machine : Machine
        liberty : Path, optional
        adders : {"ripple", "fast"}
            See `spinplane.physical.synthesize`.
        kept_in : Path, optional
            Folder in which the Verilog is looked up and left behind.
        within : Name, optional
            The one.

        Raises
        ------
        SpinplaneError
            As `spinplane.physical.synthesize`.
        """
        yosys, library = find_yosys(), read_library(liberty)
        rtl = machine_verilog(machine, kept_in)
        chosen = list(rtl) if within is None else [*_below(within, rtl)]
        target = AsicTarget(library=library, adders=adders)
        gates = module_netlists(chosen, rtl, stubs(machine), target, yosys)
        return cls(machine=machine, library=library, rtl=rtl, gates=gates, yosys=yosys)


def check_gates(
    machine: Machine,
    *,
    liberty: Path | None = None,
    adders: str = "ripple",
    case: NetworkCase | None = None,
    tell: Callable[[str], None] = lambda line: None,
    advance: Callable[[int, int], None] = lambda done, of: None,
) -> GateReport:
    """Compare a machine's netlists with their RTL, and run the benches of units on theirs from a random power-up.

    Parameters
    ----------
    machine : Machine
    liberty : Path, optional
    adders : {"ripple", "fast"}
        See `spinplane.physical.synthesize`.
    case : NetworkCase, optional
        A program of the machine, which runs on the netlist of all of it.
    tell, advance : callable
        Are given a line for each unit, and the number of those done and of all.

    Raises
    ------
    SpinplaneError
        As `spinplane.physical.synthesize`; if the library has a cell without a model, or there is no simulator.
    """
    simulator = _fastest_simulator()
    tell("mapping")
    netlists = Netlists.of(machine, liberty=liberty, adders=adders)

    def check(name: Name) -> Unit:
        start = time.monotonic()
        equivalence = prove_unit(netlists, name)
        compared = time.monotonic()
        run = bench_unit(netlists, name, case=case)
        return _unit(name, equivalence, run, compared - start, time.monotonic() - compared)

    units: dict[Name, Unit] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in as_completed([pool.submit(check, name) for name in netlists.gates]):
            unit = done.result()
            units[unit.name] = unit
            tell(f"{unit.name}: {unit.finding}")
            advance(len(units), len(netlists.gates))
    units = {name: units[name] for name in netlists.gates}
    _count_benches_around(units, netlists.rtl)
    return GateReport(
        machine=netlists.machine.name,
        library=netlists.library.name,
        library_source=netlists.library.source,
        yosys=str(netlists.yosys),
        simulator=simulator,
        units=tuple(units.values()),
    )


def _fastest_simulator() -> str:
    usable = available_simulators()
    if not usable:
        raise SpinplaneError("no simulator found: benches of gates need Verilator or Icarus Verilog")
    return usable[0]


def _count_benches_around(units: dict[Name, Unit], rtl: Mapping[Name, str]) -> None:
    """What has no bench of its own was run in the one of the smallest unit that places it, if that passed."""
    for around in units.values():
        if not around.tests or around.bench_failure:
            continue
        for name in _below(around.name, rtl):
            if units[name].tests is None and not units[name].bench_in:
                units[name] = replace(units[name], tests=around.tests, bench_in=around.name)


def prove_unit(netlists: Netlists, name: Name) -> Equivalence:
    """Compare the netlist of one module with its RTL."""
    black_boxes = stubs(netlists.machine)
    placed = directly_placed(netlists.rtl[name], [*netlists.rtl, *black_boxes])
    rtl = {module: (netlists.rtl | black_boxes)[module] for module in [*placed, name]}
    with temporary_folder() as folder:
        try:
            return compare(name, rtl, netlists.gates[name], netlists.library.text, folder, netlists.yosys)
        except SpinplaneError as error:
            raise SpinplaneError(f"{name}: {error}") from None


def bench_unit(
    netlists: Netlists, name: Name, *, case: NetworkCase | None = None, power_up: int = 0
) -> BenchRun | None:
    """Run a unit's own bench on its netlist, all that it places being netlists, too; None if it has none.

    Parameters
    ----------
    netlists : Netlists
    name : Name
    case : NetworkCase, optional
        Runs on the accelerator as a whole, which has no other bench.
    power_up : int
        Which of `spinplane.physical.cell_model.POWER_UPS` states the flip-flops begin in.
    """
    machine = netlists.machine
    bench = NETWORK_BENCH if name == ACCELERATOR and case is not None else UNIT_BENCHES.get(name)
    if bench is None:
        return None
    gates = {module: netlists.gates[module] for module in _below(name, netlists.rtl)}
    cells = placed_cells(gates.values(), netlists.library)
    top, around = name, {}
    if bench.around is not None:
        top = Name(f"{name}_on_its_bench")
        around = verilog_modules(bench.around(machine), top)
    with temporary_folder() as folder:
        environment = bench.environment(machine) | {"PYTHONWARNINGS": WARNINGS}
        if case is not None and bench is NETWORK_BENCH:
            save_cases(folder, [case])
            environment[CASES_VARIABLE] = str(folder)
        return run_bench(
            f"spinplane.sim.benches.{bench.name}",
            {**models(), **cell_model(netlists.library, cells), **around, **gates},
            top,
            simulator=_fastest_simulator(),
            environment=environment,
            testcase=bench.tests or None,
            timeout_s=_HANGS_SECONDS,
            plusargs=[f"+power_up={power_up}"],
        )


def _below(name: Name, rtl: Mapping[Name, str]) -> Iterator[Name]:
    """A module and all that it places, each once, leaves first."""
    found: dict[Name, None] = {}

    def visit(module: Name) -> None:
        for inner in directly_placed(rtl[module], rtl):
            visit(inner)
        found[module] = None

    visit(name)
    yield from found


def _unit(
    name: Name, equivalence: Equivalence, run: BenchRun | None, seconds: float, bench_seconds: float
) -> Unit:
    return Unit(
        name=name,
        equivalence=equivalence.verdict,
        points=equivalence.points,
        open_points=equivalence.open_points,
        difference=equivalence.difference,
        tests=run.tests if run is not None else None,
        bench_failure=run.message if run is not None else "",
        seconds=seconds,
        bench_seconds=bench_seconds,
    )
