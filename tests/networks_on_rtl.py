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

#: A network, its program, and at least as many inputs as a run takes.
Case = tuple[Graph, Program, np.ndarray]


def input_codes(program: Program, inputs: np.ndarray, image: int = 0) -> np.ndarray:
    return ((inputs - program.input.offset) // program.input.scale)[image]


def run_twice(machine: Machine, cases: list[Case], simulator: str, folder: Path) -> Record:
    """Each program is written, and run twice, in one simulation without a reset."""
    steps: list[Step] = []
    for _, program, inputs in cases:
        steps += program_steps(program)
        limit = predict(program, resident=False).total.cycles + 10_000
        for _ in range(2):
            images = range(program.batch)
            steps += [input_step(program, input_codes(program, inputs, image), image) for image in images]
            steps.append(HostRun(program=0, descriptors=len(program.descriptors), limit=limit))
            steps += [output_step(output, machine) for _, _, output in kept_maps(program)]
    return play_script(machine, steps, simulator=simulator, run_folder=folder / "run").record


def kept_maps(program: Program) -> Iterator[tuple[int, int, FeatureMap]]:
    """Numbers of layer and image, and the map, of all that are still there when a run has ended."""
    for number, layer in enumerate(program.layers):
        if layer.kept:
            for image, output in enumerate(program.maps_of(layer.output)):
                yield number, image, output


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
            for image, given in enumerate(program.inputs):
                functional.write_map(given, input_codes(program, inputs, image))
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
            for at, image, output in kept_maps(program):
                codes, which = output_codes(output, machine, next(reads)), program.layers[at].name
                if not (values_of(output, codes) == wanted[at][image]).all():
                    yield f"{where}, {which}, image {image}: not what the graph gives"
                if not (functional.read_map(output) == codes).all():
                    yield f"{where}, {which}, image {image}: not what the functional machine gives"
