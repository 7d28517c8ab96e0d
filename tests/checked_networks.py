"""Networks on the functional accelerator and through the loops of the contract, compared with oracle and prediction."""

from itertools import product

import numpy as np
from contract_interpreter import Interpreter, read_map, write_map

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.compiled_program import CompiledProgram
from spinplane.compiler.graph import Graph
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict
from spinplane.machine import Machine
from spinplane.machine.registers import Error


def check(graph: Graph, machine: Machine, inputs: np.ndarray, batch: int = 1) -> CompiledProgram:
    """On the functional accelerator: every kept map, and every counter of every descriptor."""
    program = compile_graph(graph, machine, batch=batch)
    accelerator = Accelerator(machine)
    accelerator.load(program)
    # Whatever lies between maps must not count.
    image = accelerator.state.image
    image[:] = np.random.default_rng(0).integers(0, 2, image.shape)
    expected = run_graph(graph, inputs)
    outputs = {number for output in graph.outputs for number in output.layers}
    assert all(program.layers[number].kept for number in outputs)
    program.check_images(len(inputs))
    for first in range(0, len(inputs), batch):
        for given, image in zip(program.inputs, inputs[first:], strict=False):
            accelerator.write_map(given, (image - given.offset) // given.scale)
        run = accelerator.run()
        assert run.error is Error.NONE
        for number, (layer, right) in product(range(batch), zip(program.layers, expected, strict=True)):
            if layer.kept:
                output = layer.output.of_image(number)
                values = output.values(accelerator.read_map(output))
                assert (values == right[first + number]).all(), layer.name
        prediction = predict(program, resident=first > 0)
        assert prediction.passes == run.layers
        assert prediction.total == run.counters
    return program


def check_loops(graph: Graph, machine: Machine, inputs: np.ndarray, batch: int = 1) -> CompiledProgram:
    """Through the loops of the contract, which share nothing with the compiler or the functional machine."""
    program = compile_graph(graph, machine, batch=batch)
    interpreter = Interpreter.of(program)
    expected = run_graph(graph, inputs)
    program.check_images(len(inputs))
    for first in range(0, len(inputs), batch):
        for given, image in zip(program.inputs, inputs[first:], strict=False):
            write_map(interpreter.image, given, image)
        events = interpreter.run(program)
        for number, (layer, right) in product(range(batch), zip(program.layers, expected, strict=True)):
            if layer.kept:
                values = read_map(interpreter.image, layer.output.of_image(number))
                assert (values == right[first + number]).all(), layer.name
        names = ("row_writes", "ands", "additions", "image_reads", "image_writes", "kernel_reads")
        predicted_passes = predict(program, resident=first > 0).passes
        for counted, predicted in zip(events, predicted_passes, strict=True):
            for name in (*names, "parameter_reads"):
                assert counted[name] == getattr(predicted, name), name
    return program
