"""How fast one convolution runs on each simulator and in the functional machine, as ratios in one run.

python benchmarks/simulators.py [MACHINE]
"""

import sys
import time
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from spinplane.behavioral import Engine
from spinplane.compiler import Convolution
from spinplane.machine import Operand, load_machine
from spinplane.sim import available_simulators
from spinplane.sim.run import run_programs

SIZE = 12


def seconds(work: Callable[[], object]) -> float:
    """Time that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(name: str) -> None:
    """Run a 2:2 convolution of 4 kernels 3×3 over 12×12 pixels everywhere and print the table."""
    machine, operand = load_machine(name), Operand(bits=2)
    rng = np.random.default_rng(0)
    weights, image = rng.integers(0, 4, (4, 1, 3, 3)), rng.integers(0, 4, (1, 1, SIZE, SIZE))
    layer = Convolution(machine, weights, (1, SIZE, SIZE), w=operand, i=operand)
    program = layer.program(image)
    run = Engine(machine).run(program)
    times = {"functional": (0.0, seconds(lambda: Engine(machine).run(program)))}
    for simulator in [*available_simulators(), "amaranth"]:
        first = run_programs([program], simulator=simulator)
        again = run_programs([program], simulator=simulator)
        if not np.array_equal(again.runs[0].results, run.results) or again.runs[0].counters != run.counters:
            raise SystemExit(f"{simulator} differs from the functional machine")
        times[simulator] = (first.build_seconds, again.run_seconds)
    table = Table(title=f"{machine.name}: {run.counters.cycles} cycles, start of the process included")
    for heading in ("", "build s", "run s", "cycles/s", "times Amaranth's simulator"):
        table.add_column(heading, justify="right")
    slowest = times["amaranth"][1]
    for what, (build, spent) in times.items():
        speed = f"{run.counters.cycles / spent:,.0f}"
        table.add_row(what, f"{build:.1f}", f"{spent:.2f}", speed, f"{slowest / spent:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tiny")
