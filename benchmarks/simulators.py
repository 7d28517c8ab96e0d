"""Speed of one convolution on each simulator and in the functional machine, as ratios within one run.

python benchmarks/simulators.py [MACHINE [SIMULATOR ...]]
"""

import sys
import time
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from spinplane.behavioral import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.frontend.model_zoo import layer_graph
from spinplane.compiler.graph import Layer
from spinplane.machine import Operand, load_machine
from spinplane.sim import available_simulators
from spinplane.sim.accelerator import run_accelerator

SIZE = 12


def main(name: str, simulators: Sequence[str]) -> None:
    """Run a 2:2 convolution of 4 kernels 3×3 over 12×12 pixels everywhere and print the table."""
    machine, operand = load_machine(name), Operand(bits=2)
    rng = np.random.default_rng(0)
    weights, image = rng.integers(0, 4, (4, 1, 3, 3)), rng.integers(0, 4, (1, SIZE, SIZE))
    layer = Layer(name="conv", weights=weights, w=operand, i=operand, bias=np.zeros(4, dtype=np.int64))
    program = compile_graph(layer_graph(layer, image.shape), machine)
    start = time.perf_counter()
    accelerator = Accelerator(machine)
    accelerator.load(program)
    accelerator.write_map(program.input, image)
    expected = accelerator.run().counters
    times = {"functional": (0.0, time.perf_counter() - start)}
    for simulator in simulators:
        first, again = (
            run_accelerator(program, [image], simulator=simulator, limit=expected.cycles) for _ in range(2)
        )
        same = np.array_equal(again.images[0].maps[0], accelerator.read_map(program.layers[0].output))
        if not same or again.images[0].record.counters != expected:
            raise SystemExit(f"{simulator} differs from the functional machine")
        times[simulator] = (first.build_seconds, again.run_seconds)
    table = Table(
        title=f"{machine.name}: {expected.cycles} cycles, start of the process and the bus included"
    )
    for heading in ("", "build s", "run s", "cycles/s", "times the slowest"):
        table.add_column(heading, justify="right")
    slowest = max(spent for _, spent in times.values())
    for what, (build, spent) in times.items():
        speed = f"{expected.cycles / spent:,.0f}"
        table.add_row(what, f"{build:.1f}", f"{spent:.2f}", speed, f"{slowest / spent:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tiny", sys.argv[2:] or [*available_simulators(), "amaranth"])
