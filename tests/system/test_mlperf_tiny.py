# amaranth: UnusedElaboratable=no
"""Networks of MLPerf Tiny's shapes as QDQ and as TFLite: equal to their executors, on the machine `paper8` too."""

from pathlib import Path

import numpy as np
import pytest

from spinplane.behavioral.accelerator import Accelerator
from spinplane.compiler.codegen.program import compile_graph
from spinplane.compiler.oracle import run_graph
from spinplane.compiler.predict import predict
from spinplane.machine import load_machine
from tests.mlperf_tiny import NETWORKS
from tests.networks_on_rtl import compare, input_codes, run_twice
from tests.random_networks.files import NetworkFile, write
from tests.random_networks.judging import MOST_NEAR_TIES, imported, input_values, judge

PAPER8 = load_machine("paper8")
FORMS = ("qdq", "tflite")


def tiny_file(name: str, form: str, folder: Path) -> NetworkFile:
    return write(form, NETWORKS[name](0, explicit=form == "qdq"), 0, folder)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_equals_its_executor(name: str, form: str, tmp_path: Path) -> None:
    file = tiny_file(name, form, tmp_path)
    network = imported(file.path)
    assert not isinstance(network, str), network
    seen = judge(network, file)
    assert seen["differing"] <= MOST_NEAR_TIES * seen["elements"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_functional_machine_computes_it(name: str, form: str, tmp_path: Path) -> None:
    file = tiny_file(name, form, tmp_path)
    network = imported(file.path)
    assert not isinstance(network, str), network
    program = compile_graph(network.graph, PAPER8)
    accelerator = Accelerator(PAPER8)
    accelerator.load(program)
    values = input_values(network, file)[:1]
    accelerator.write_map(program.input, input_codes(program, values))
    run = accelerator.run()
    assert run.counters == predict(program, resident=False).total
    for layer, wanted in zip(program.layers, run_graph(network.graph, values), strict=True):
        if layer.kept:
            codes = accelerator.read_map(layer.output)
            own = codes if layer.output.layout == "raw" else codes * layer.output.scale + layer.output.offset
            assert np.array_equal(own, wanted[0]), layer.name


@pytest.mark.thorough
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_rtl_computes_it(name: str, form: str, tmp_path: Path) -> None:
    file = tiny_file(name, form, tmp_path)
    network = imported(file.path)
    assert not isinstance(network, str), network
    program = compile_graph(network.graph, PAPER8)
    cases = [(network.graph, program, input_values(network, file)[:1])]
    assert not list(compare(PAPER8, cases, run_twice(PAPER8, cases, "verilator", tmp_path)))
