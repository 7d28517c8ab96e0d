"""CPU seconds to build an accelerator's simulation model, load it over its bus and run it.

python benchmarks/accelerator.py MACHINE MODEL [MODEL ...]

The model is built from nothing in a folder of its own; two cores halve the wall-clock time of that. Kernels,
parameters and program go over the bus; a simulation without steps and one that only loads are subtracted from one
that does it all.
"""

import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.table import Table

import spinplane
from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.hdl.export.machine_verilog import ACCELERATOR, accelerator_sources
from spinplane.machine import Machine, load_machine
from spinplane.machine.program import Program
from spinplane.sim.accelerator import RtlAcceleratorRun, program_steps, run_accelerator
from spinplane.sim.model import build_model
from spinplane.sim.script_run import play_script

SIMULATOR = "verilator"
Outcome = TypeVar("Outcome")


def cpu_seconds(work: Callable[[], Outcome]) -> tuple[Outcome, float]:
    """What `work` returns, and the CPU time that it takes, its own and of the processes that it starts."""
    start = _cpu()
    return work(), _cpu() - start


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def start_and_end(machine: Machine, root: Path) -> None:
    """Run a script without steps: what every simulation takes."""
    play_script(machine, [], simulator=SIMULATOR, build_root=root)


def run_functional(program: Program, codes: np.ndarray) -> tuple[dict[str, int], list[np.ndarray | None]]:
    """Counters and maps of the functional machine."""
    accelerator = Accelerator(program.machine)
    accelerator.load(program)
    accelerator.write_map(program.input, codes)
    counters = accelerator.run().counters.as_dict()
    return counters, [accelerator.read_map(layer.output) if layer.kept else None for layer in program.layers]


def simulate(
    program: Program, images: list[np.ndarray], limit: int, root: Path
) -> tuple[RtlAcceleratorRun, float]:
    """A run on the RTL and its CPU time; without images it only loads."""
    return cpu_seconds(
        lambda: run_accelerator(program, images, simulator=SIMULATOR, limit=limit, build_root=root)
    )


def main(name: str, models: list[str]) -> None:
    """Print a table with a row for each network; inputs are random codes."""
    machine = load_machine(name)
    table = Table(title=f"{machine.name}, {SIMULATOR}: seconds of CPU time")
    for heading in (
        "",
        "cycles",
        "kB",
        "load s",
        "kB/s",
        "run s",
        "cycles/s",
        "functional s",
        "times",
        "exact",
    ):
        table.add_column(heading, justify="right")
    with TemporaryDirectory() as folder:
        root = Path(folder)
        sources, verilog_s = cpu_seconds(lambda: accelerator_sources(machine, root))
        _, build_s = cpu_seconds(
            lambda: build_model(sources, ACCELERATOR, simulator=SIMULATOR, build_root=root)
        )
        _, start_s = cpu_seconds(lambda: start_and_end(machine, root))
        for model in models:
            graph = spinplane.open_model(model)
            coding = graph.input_coding
            values = np.random.default_rng(0).integers(coding.low, coding.high + 1, graph.input_shape)
            program = compile_graph(graph, machine)
            codes = (graph.encode_input(values)[0] - program.input.offset) // program.input.scale
            (counters, maps), functional_s = cpu_seconds(partial(run_functional, program, codes))
            _, loaded_s = simulate(program, [], counters["cycles"], root)
            rtl, all_s = simulate(program, [codes], counters["cycles"], root)
            image = rtl.images[0]
            exact = image.record.counters.as_dict() == counters and all(
                theirs is not None and np.array_equal(ours, theirs)
                for ours, theirs in zip(image.maps, maps, strict=True)
                if ours is not None
            )
            size = sum(step.data.nbytes for step in program_steps(program)) / 1000
            load_s, run_s = loaded_s - start_s, all_s - loaded_s
            cycles = counters["cycles"]
            table.add_row(
                *(graph.name, f"{cycles:,}", f"{size:,.0f}", f"{load_s:.1f}", f"{size / load_s:,.0f}"),
                *(f"{run_s:.1f}", f"{cycles / run_s:,.0f}", f"{functional_s:.2f}"),
                *(f"{run_s / functional_s:.0f}", "yes" if exact else "NO"),
            )
    console = Console(width=120)
    console.print(table)
    console.print(f"Verilog {verilog_s:.1f} s, model {build_s:.1f} s, start of a simulation {start_s:.1f} s")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
