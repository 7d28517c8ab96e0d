"""Residuals of a scale a channel on the RTL, the functional machine and the compiler's prediction."""

from dataclasses import replace
from pathlib import Path

from spinplane.compiler.codegen.program import compile_graph
from spinplane.machine import load_machine
from tests.networks_on_rtl import Case, compare, run_twice
from tests.random_networks.files import write
from tests.random_networks.judging import imported, input_values
from tests.residual_networks import residual_network

MACHINE = replace(load_machine("tiny"), name="tall", rows=256)
#: Bits and channels: sums along lines, and sums that search.
SIZES = ((8, 3), (6, 4), (4, 5), (2, 6))


def test_residuals_of_a_scale_a_channel_agree(tmp_path: Path) -> None:
    cases: list[Case] = []
    for form in ("qdq", "qonnx"):
        for bits, channels in SIZES:
            file = write(form, residual_network(1, bits=bits, channels=channels, side=3), bits, tmp_path)
            network = imported(file.path)
            assert not isinstance(network, str), network
            program = compile_graph(network.graph, MACHINE)
            cases.append((network.graph, program, input_values(network, file)[:1]))
    assert not list(compare(MACHINE, cases, run_twice(MACHINE, cases, "verilator", tmp_path)))
