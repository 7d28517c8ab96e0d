"""Measures the energy of the logic's events: a network on the RTL, and the toggles of the gates that it makes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.graph import Graph
from spinplane.compiler.predict import predict
from spinplane.hdl.export.machine_verilog import ACCELERATOR, machine_verilog, stubs
from spinplane.machine import Machine, Name, SpinplaneError
from spinplane.machine.files import temporary_folder
from spinplane.physical.activity import activity
from spinplane.physical.asic import AsicTarget
from spinplane.physical.flat_netlist import flat_netlist
from spinplane.physical.internal_power import library_energy
from spinplane.physical.library import read_library
from spinplane.physical.netlists import module_cells
from spinplane.physical.power import ModuleEnergy, module_energies, total
from spinplane.physical.waveform import Waveform, widths
from spinplane.physical.yosys import find_yosys
from spinplane.sim.accelerator import run_accelerator

from .event_counts import event_counts
from .logic_energy import EVENTS, LogicEvent

#: Durations in s of every edge: the least, the usual and the longest of a library's tables that are looked at.
SLEWS = (20e-12, 60e-12, 240e-12)
_CLOCK = "clk"
_BUSY = (("axi_registers",), "busy")


@dataclass(frozen=True, kw_only=True)
class LogicMeasurement:
    """Energies of a run.

    Parameters
    ----------
    cycles : int
        Over which toggles were counted.
    flip_flops : int
    counts : mapping of str to int
        See `spinplane.evaluation.event_counts.event_counts`.
    energies : tuple of dict of str to ModuleEnergy
        Of each event in the whole run, for each of `SLEWS`.
    """

    cycles: int
    flip_flops: int
    counts: Mapping[str, int]
    energies: tuple[dict[str, ModuleEnergy], ...]

    def parameters(self, machine: Machine) -> dict[str, dict[str, tuple[float, ...]]]:
        """By event the energies and changes of `logic_energy.MEASURED`, energies for each of `SLEWS`; in fJ."""
        return {
            event.name: self._of(event, self.counts[event.per] * event.size.of(machine)) for event in EVENTS
        }

    def clock_fj(self) -> tuple[float, ...]:
        """Energy in fJ of a flip-flop's clock pin in one cycle, for each of `SLEWS`."""
        return tuple(
            sum(energy.clock.cells_j for energy in of_slew.values()) / self.flip_flops * 1e15
            for of_slew in self.energies
        )

    def _of(self, event: LogicEvent, number: float) -> dict[str, tuple[float, ...]]:
        found = [energies[event.name] for energies in self.energies]
        return {
            "settled": tuple(one.settled.cells_j / number * 1e15 for one in found),
            "glitches": tuple(one.glitches.cells_j / number * 1e15 for one in found),
            "settled_wires": (found[0].settled.wires / number,),
            "glitch_wires": (found[0].glitches.wires / number,),
        }


def measure_logic(
    machine: Machine,
    graph: Graph,
    image: np.ndarray,
    *,
    liberty: Path | None,
    simulator: str = "verilator",
    kept_in: Path | None = None,
) -> LogicMeasurement:
    """Run a network on a machine's RTL, and count the toggles of its gates from the start register to the end.

    Parameters
    ----------
    machine : Machine
    graph : Graph
    image : ndarray of shape (channels, height, width)
        Codes of its input.
    liberty : Path or None
        Library with internal energies; ``spinplane45`` if None.
    simulator : {"verilator", "icarus", "amaranth"}
    kept_in : Path, optional
        Folder of a cache, see `spinplane.sim.run_bench`.

    Raises
    ------
    SpinplaneError
        As `spinplane.physical.synthesize` and `spinplane.sim.accelerator.run_accelerator`; if the netlist does not run
        as the RTL, or a module belongs to no event.
    """
    library = read_library(liberty)
    energy = library_energy(library)
    modules = machine_verilog(machine, kept_in)
    _check(modules)
    cells = module_cells(modules, stubs(machine), AsicTarget(library=library), find_yosys())
    netlist = flat_netlist(ACCELERATOR, cells, library)
    program = compile_graph(graph, machine)
    limit = predict(program, resident=False).total.cycles
    with temporary_folder() as folder:
        run = run_accelerator(
            program,
            [image],
            simulator=simulator,
            limit=limit,
            waves=True,
            run_folder=folder / "run",
            build_root=kept_in,
        )
        if run.waves is None:
            raise SpinplaneError(f"{simulator} wrote no waveform")
        signals = {*widths(netlist.sources.values()), _BUSY}
        waveform = Waveform(run.waves, ACCELERATOR, _CLOCK, signals)
    changes = activity(netlist, waveform, waveform.longest_run(_BUSY))
    energies = tuple(
        {event.name: total(of_modules, event.modules) for event in EVENTS}
        for of_modules in (module_energies(netlist, changes, energy, slew_s=slew) for slew in SLEWS)
    )
    counters = run.images[0].record.counters
    return LogicMeasurement(
        cycles=changes.cycles,
        flip_flops=len(netlist.flip_flops),
        counts=event_counts(machine, counters, program.passes, len(program.descriptors)),
        energies=energies,
    )


def _check(modules: Sequence[Name] | Mapping[Name, str]) -> None:
    named = Counter(module for event in EVENTS for module in event.modules)
    missing = [name for name in modules if named[name] != 1]
    if missing:
        raise SpinplaneError(f"modules that belong to no event, or to two: {', '.join(missing)}")
