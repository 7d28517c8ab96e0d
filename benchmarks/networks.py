"""Whole networks on the RTL: cycles, array efficiency, and the run times of functional machine and RTL.

Run it with models and a machine, for example::

    python benchmarks/networks.py paper svhn:1:1 svhn:1:4
    python benchmarks/networks.py paper8 digits-1-4 path/to/network.onnx
"""

import sys
import time

import numpy as np

import spinplane
from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.machine import load_machine


def main(machine_name: str, models: list[str]) -> None:
    """Print a table of Markdown, one network a row; inputs are random codes."""
    machine = load_machine(machine_name)
    print("| network | cycles | steady | cold | without first | functional s | RTL s | times | mismatches |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for model in models:
        graph = spinplane.open_model(model)
        coding = graph.input_coding
        codes = np.random.default_rng(0).integers(coding.low, coding.high + 1, graph.input_shape)
        program, inputs = compile_graph(graph, machine), graph.encode_input(codes)
        accelerator = Accelerator(machine)
        accelerator.load(program)
        accelerator.write_map(program.input, (inputs[0] - program.input.offset) // program.input.scale)
        start = time.monotonic()
        for _ in range(2):
            accelerator.run()
        functional = time.monotonic() - start
        run = spinplane.run_network(graph, codes, machine=machine)
        efficiency = run.efficiency
        print(
            f"| {graph.name} | {run.cycles:,} | {efficiency.steady:.1%} | {efficiency.cold:.1%} "
            f"| {efficiency.without_first:.1%} | {functional:.1f} | {run.run_seconds:.1f} "
            f"| {run.run_seconds / functional:.0f} | {run.mismatches} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
