"""Whole networks on the RTL: cycles, array efficiency, and how long each part takes.

Run it with models and a machine, for example::

    python benchmarks/networks.py paper svhn:1:1 svhn:1:4
    python benchmarks/networks.py paper8 digits-1-4 path/to/network.onnx
"""

import sys
import time

import numpy as np

import spinplane
from spinplane.behavioral import Engine
from spinplane.compiler.mapping import layer_inputs, layer_outputs, map_network
from spinplane.machine import load_machine


def main(machine_name: str, models: list[str]) -> None:
    """Print a table of Markdown, one network a row; inputs are random codes."""
    machine = load_machine(machine_name)
    print("| network | cycles | efficiency | without first | functional s | RTL s | times | mismatches |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for model in models:
        graph = spinplane.open_model(model)
        coding = graph.input_coding
        codes = np.random.default_rng(0).integers(coding.low, coding.high + 1, graph.input_shape)
        start = time.monotonic()
        engine, given = Engine(machine), graph.encode_input(codes)
        for mapped in map_network(graph, machine):
            run = engine.run(mapped.convolution.program(layer_inputs(mapped, given)))
            given = layer_outputs(mapped, run.results)
        functional = time.monotonic() - start
        figures = spinplane.run_network(graph, codes, machine=machine)
        efficiency = figures.as_dict()["efficiency"]
        print(
            f"| {graph.name} | {figures.as_dict()['cycles']:,} | {efficiency['cold']:.1%} "
            f"| {efficiency['cold_without_first']:.1%} | {functional:.1f} | {figures.run_seconds:.1f} "
            f"| {figures.run_seconds / functional:.0f} | {figures.mismatches} |",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
