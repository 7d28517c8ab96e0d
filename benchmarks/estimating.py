"""CPU seconds to compile networks, and to estimate them with technologies after that.

Run it with a machine, technologies and networks, for example::

    python benchmarks/estimating.py paper sot-mram,stt-mram svhn:1:1 alexnet-dorefa:1:1
"""

import sys
from time import process_time

from spinplane.commands.estimate import estimate_program
from spinplane.compiler.codegen.program import compile_graph
from spinplane.device import load_technology, machine_clock
from spinplane.evaluation import flip_flops
from spinplane.machine import load_machine
from spinplane.machine.external.cache_folder import default_build_root
from spinplane.models import open_network


def main(machine_name: str, technologies: str, models: list[str]) -> None:
    """Print a table of Markdown, one network a row."""
    machine = load_machine(machine_name)
    chosen = [(one, machine_clock(machine, one)) for one in map(load_technology, technologies.split(","))]
    flip_flops(machine, default_build_root())
    print("| network | compile | estimate | estimate ÷ compile |")
    print("|---|---:|---:|---:|")
    for model in models:
        network = open_network(model)
        times = [process_time()]
        program = compile_graph(network.graph, machine)
        times.append(process_time())
        estimate_program(program, network.notes, chosen)
        times.append(process_time())
        compiled, estimated = times[1] - times[0], times[2] - times[1]
        print(f"| {model} | {compiled:.2f} | {estimated:.2f} | {estimated / compiled:.2f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
