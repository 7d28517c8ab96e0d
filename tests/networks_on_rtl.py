"""Networks run on the RTL of one build, and compared with oracle, functional machine and prediction."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.graph import Graph
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict
from spinplane.machine import Machine
from spinplane.machine.program import FeatureMap, Program
from spinplane.machine.registers import Error
from spinplane.sim.accelerator import input_step, output_codes, output_step, program_steps
from spinplane.sim.host_script import HostRun, Record, Step
from spinplane.sim.script_run import play_script

Case = tuple[Graph, Program, np.ndarray]


def input_codes(program: Program, inputs: np.ndarray) -> np.ndarray:
    return ((inputs - program.input.offset) // program.input.scale)[0]


def run_twice(machine: Machine, cases: list[Case], simulator: str, folder: Path) -> Record:
    """Each program is written, and run twice, in one simulation without a reset."""
    steps: list[Step] = []
    for _, program, inputs in cases:
        steps += program_steps(program)
        limit = predict(program, resident=False).total.cycles + 10_000
        for _ in range(2):
            steps.append(input_step(program, input_codes(program, inputs)))
            steps.append(HostRun(program=0, descriptors=len(program.descriptors), limit=limit))
            steps += [output_step(layer.output, machine) for layer in program.layers if layer.kept]
    return play_script(machine, steps, simulator=simulator, run_folder=folder / "run").record


def values_of(feature_map: FeatureMap, codes: np.ndarray) -> np.ndarray:
    return codes if feature_map.layout == "raw" else codes * feature_map.scale + feature_map.offset


def compare(machine: Machine, cases: list[Case], record: Record) -> Iterator[str]:
    """Differences between the four of them."""
    functional = Accelerator(machine)
    runs, reads = iter(record.runs), iter(record.reads)
    for number, (graph, program, inputs) in enumerate(cases):
        functional.load(program)
        wanted = run_graph(graph, inputs)
        for resident in (False, True):
            where = f"network {number}, {'steady' if resident else 'cold'}"
            functional.write_map(program.input, input_codes(program, inputs))
            expected, predicted, found = functional.run(), predict(program, resident=resident), next(runs)
            if not found.error == expected.error == Error.NONE:
                yield f"{where}: {found.error.name}, {expected.error.name}"
            if not found.counters == expected.counters == predicted.total:
                yield f"{where}: {found.counters}, {expected.counters}, {predicted.total}"
            for at, layers in enumerate(zip(found.layers, expected.layers, predicted.passes, strict=True)):
                values = zip(*(layer.as_dict().items() for layer in layers), strict=True)
                differences = [items for items in values if len({value for _, value in items}) > 1]
                if differences:
                    yield f"{where}, descriptor {at}: {differences}"
            for layer, want in zip(program.layers, wanted, strict=True):
                if layer.kept:
                    codes = output_codes(layer.output, machine, next(reads))
                    if not (values_of(layer.output, codes) == want[0]).all():
                        yield f"{where}, {layer.name}: not what the graph gives"
                    if not (functional.read_map(layer.output) == codes).all():
                        yield f"{where}, {layer.name}: not what the functional machine gives"
