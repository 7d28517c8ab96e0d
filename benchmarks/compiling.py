"""CPU seconds to open, compile and predict networks, also as multiples of a fixed piece of numpy.

Machines differ, the ratios last. Run it with a machine and networks, for example::

    python benchmarks/compiling.py paper alexnet-dorefa:1:1 alexnet-xnor:1:1 svhn:1:4
"""

import sys
from time import process_time

import numpy as np

import spinplane
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.predict import predict
from spinplane.machine import Machine, SpinplaneError, load_machine


def yardstick() -> float:
    """CPU seconds to draw, add up and pack 2^24 bits, 2^17 at a time: much of what is done with as many weights."""
    start, rng = process_time(), np.random.default_rng(0)
    for _ in range(1 << 7):
        drawn = rng.integers(0, 2, (1 << 7, 1 << 10))
        drawn.sum(axis=1)
        np.packbits(drawn.astype(np.uint8), axis=1)
    return process_time() - start


def measure(model: str, machine: Machine) -> tuple[list[float], str]:
    """CPU seconds to open, compile and predict a network, and its steady cycles or why it is refused."""
    times = [process_time()]
    graph = spinplane.open_model(model)
    times.append(process_time())
    try:
        program = compile_graph(graph, machine)
        times.append(process_time())
        steady, _ = (predict(program, resident=resident) for resident in (True, False))
        told = f"{steady.total.cycles:,} cycles"
    except SpinplaneError as refusal:
        times.append(process_time())
        told = str(refusal)
    times.append(process_time())
    return np.diff(times).tolist(), told


def main(machine_name: str, models: list[str]) -> None:
    """Print a table of Markdown, one network a row."""
    machine = load_machine(machine_name)
    unit = min(yardstick() for _ in range(3))
    print(f"yardstick: {unit:.3f} CPU s\n")
    print("| network | open | compile | predict | all | yardsticks | |")
    print("|---|---:|---:|---:|---:|---:|---|")
    for model in models:
        times, told = measure(model, machine)
        seconds = " | ".join(f"{time:.2f}" for time in (*times, sum(times)))
        print(f"| {model} | {seconds} | {sum(times) / unit:.1f} | {told} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
