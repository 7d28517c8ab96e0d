"""Compiled programs through the loops of the contract: the oracle's values, and the predicted counters."""

from contract_interpreter import Interpreter, read_map, write_map
from hypothesis import given, settings
from hypothesis import strategies as st
from network_strategies import networks

from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict
from spinplane.compiler.program import compile_graph
from spinplane.machine import Machine, load_machine

TINY = load_machine("tiny")
#: Two groups of two, four buses, planes of half a row: what `tiny` has no room for.
SMALL = Machine(name="small", sub_arrays=8, rows=96, columns=128, segments=4, results_per_cycle=4)


def check(graph, machine, inputs):
    program = compile_graph(graph, machine)
    interpreter = Interpreter(program)
    expected = run_graph(graph, inputs)
    for at, image in enumerate(inputs):
        write_map(interpreter.image, program.input, image)
        interpreter.run()
        for layer, right in zip(program.layers, expected, strict=True):
            if layer.kept:
                assert (read_map(interpreter.image, layer.output) == right[at]).all(), layer.name
        prediction = predict(program, resident=at > 0)
        for counted, predicted in zip(interpreter.passes, prediction.passes, strict=True):
            for name in (
                "row_writes",
                "ands",
                "additions",
                "image_reads",
                "image_writes",
                "kernel_reads",
                "parameter_reads",
            ):
                assert counted[name] == getattr(predicted, name), name
    return program


@settings(max_examples=60, deadline=None)
@given(networks(), st.sampled_from([TINY, SMALL]))
def test_random_networks_equal_the_oracle(drawn, machine):
    graph, inputs = drawn
    check(graph, machine, inputs)
